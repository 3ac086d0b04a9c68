"""What a file is, told by its first bytes and its structure; and the name that it gets.

SVG and HTML are no kind at all: they run scripts where they are opened. Of the formats below a
browser runs none. Libraries that know hundreds of formats would only widen what is let in.
"""

import codecs
import re
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from csplatform.errors import Refusal

NAME_MOST = 120  # characters, ending included
_HEAD = 64  # bytes that tell most formats
_CHUNK = 64 * 1024
_END_OF_PDF = 2048  # bytes from the end, within which its end mark stands
_ZIP_ENTRIES_MOST = 5000
_BRANDS_OF_MP4 = {b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V "}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


class FileType(Refusal):
    code = "file_type"
    status = 415

    def __init__(self) -> None:
        names = ", ".join(settings.ATTACHMENT_TYPES).upper()
        super().__init__(
            _("This type of file is not accepted. Possible are: %(types)s.") % {"types": names}
        )


class FileBroken(Refusal):
    code = "file_broken"
    status = 400
    detail = _("This file is empty or damaged.")


@dataclass(frozen=True, slots=True)
class Kind:
    """A format that may be let in."""

    name: str  # in ATTACHMENT_TYPES
    content_type: str
    endings: tuple[str, ...]
    looks_like: Callable[[bytes, BinaryIO], bool]  # its first bytes, and all of it

    @property
    def is_image(self) -> bool:
        return self.content_type.startswith("image/")


def recognise(file: BinaryIO) -> Kind:
    """Return what a file is by its content.

    Raises:
        FileBroken: It is empty.
        FileType: It is nothing that the settings allow.
    """
    file.seek(0)
    head = file.read(_HEAD)
    if not head:
        raise FileBroken
    for kind in KINDS:
        if kind.name in settings.ATTACHMENT_TYPES and kind.looks_like(head, file):
            file.seek(0)
            return kind
    raise FileType


def name_of(name: str, kind: Kind) -> str:
    """Return the name that people see: without path and invisible characters, ending as it should.

    "../../passwd" becomes "passwd.png" where it is a PNG. No path is ever made of it.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    # Category C: control characters, and those that turn the direction of what follows.
    visible = "".join(" " if unicodedata.category(one)[0] == "C" else one for one in last)
    visible = " ".join(visible.split()).strip(". ") or "file"
    ending = next((one for one in kind.endings if visible.lower().endswith(f".{one}")), "")
    stem = visible[: -len(ending) - 1] if ending else visible
    ending = ending or kind.endings[0]
    return f"{stem[: NAME_MOST - len(ending) - 1].rstrip() or 'file'}.{ending}"


# --- Looks --------------------------------------------------------------------------------


def _begins(*marks: bytes) -> Callable[[bytes, BinaryIO], bool]:
    return lambda head, file: head.startswith(marks)


def _is_webp(head: bytes, file: BinaryIO) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def _is_pdf(head: bytes, file: BinaryIO) -> bool:
    if not head.startswith(b"%PDF-"):
        return False
    size = file.seek(0, 2)
    file.seek(max(0, size - _END_OF_PDF))
    return b"%%EOF" in file.read()


def _is_office(part: str) -> Callable[[bytes, BinaryIO], bool]:
    """An Office Open XML file (ISO/IEC 29500) with this main part and without macros."""

    def looks_like(head: bytes, file: BinaryIO) -> bool:
        if not head.startswith(b"PK\x03\x04"):  # nothing may stand before the archive
            return False
        try:
            with zipfile.ZipFile(file) as archive:  # reads the list of its parts only
                names = archive.namelist()
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
            return False
        has_macros = any(one.lower().endswith("vbaproject.bin") for one in names)
        is_whole = "[Content_Types].xml" in names and part in names
        return is_whole and not has_macros and len(names) <= _ZIP_ENTRIES_MOST

    return looks_like


def _is_mp4(head: bytes, file: BinaryIO) -> bool:
    return head[4:8] == b"ftyp" and head[8:12] in _BRANDS_OF_MP4


def _is_text(head: bytes, file: BinaryIO) -> bool:
    """Text that is not markup, in UTF-8 or in what Chinese Windows writes (GB 18030)."""
    if head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"<"):
        return False
    return any(_reads(file, encoding) for encoding in ("utf-8-sig", "gb18030"))


def _reads(file: BinaryIO, encoding: str) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := file.read(_CHUNK):
            if _CONTROL.search(decoder.decode(chunk)):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


_OFFICE = "application/vnd.openxmlformats-officedocument"
# The text comes last: it is what is left when nothing else fits.
# fmt: off
KINDS = (
    Kind("png", "image/png", ("png",), _begins(b"\x89PNG\r\n\x1a\n")),
    Kind("jpeg", "image/jpeg", ("jpg", "jpeg", "jfif"), _begins(b"\xff\xd8\xff")),
    Kind("gif", "image/gif", ("gif",), _begins(b"GIF87a", b"GIF89a")),
    Kind("webp", "image/webp", ("webp",), _is_webp),
    Kind("pdf", "application/pdf", ("pdf",), _is_pdf),
    Kind("docx", f"{_OFFICE}.wordprocessingml.document", ("docx",), _is_office("word/document.xml")),
    Kind("xlsx", f"{_OFFICE}.spreadsheetml.sheet", ("xlsx",), _is_office("xl/workbook.xml")),
    Kind("mp4", "video/mp4", ("mp4", "m4v"), _is_mp4),
    Kind("txt", "text/plain", ("txt", "log", "csv"), _is_text),
)
# fmt: on

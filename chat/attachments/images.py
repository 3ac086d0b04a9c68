"""Images made anew from their pixels, upright, and a small copy of each.

What is not pixels is left behind: place and device (EXIF, XMP), comments, colour profiles, and
whatever else a file may hide behind, or between, its image data.
"""

import io
import logging
import threading
from dataclasses import dataclass
from typing import Any, BinaryIO

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

from chat.attachments.kinds import FileBroken, Kind
from csplatform.errors import Refusal

logger = logging.getLogger(__name__)

THUMBNAIL_TYPE = "image/webp"
_THUMBNAIL_PX = 320  # the longer side
_LONGEST_PX = 4096  # larger photos are made smaller: nobody reads more on a screen
_FRAMES_MOST = 300
_QUALITY = 88
# Which of Pillow's decoders may look at a file. A phone's JPEG may hold several pictures (MPO).
_FORMATS = {"png": ("PNG",), "jpeg": ("JPEG", "MPO"), "gif": ("GIF",), "webp": ("WEBP",)}
_MODES = {
    "png": ("1", "L", "LA", "P", "RGB", "RGBA"),
    "jpeg": ("L", "RGB"),
    "webp": ("RGB", "RGBA"),
}
_KEPT = ("transparency", "duration", "loop", "disposal", "background")
# An image of 50 megapixels takes 150 MB while it is decoded: one at a time.
_decoding = threading.Lock()


class TooManyPixels(Refusal):
    code = "too_many_pixels"
    status = 413

    def __init__(self) -> None:
        most = settings.ATTACHMENT_MAX_MEGAPIXELS
        super().__init__(
            _("This image is too large: at most %(most)s megapixels.") % {"most": f"{most:g}"}
        )


@dataclass(frozen=True, slots=True)
class Picture:
    """An image ready to be stored."""

    data: bytes
    width: int  # pixels
    height: int
    thumbnail: bytes  # THUMBNAIL_TYPE


def remade(file: BinaryIO, kind: Kind) -> Picture:
    """Decode an image within the limit of pixels and encode it anew. Takes about a second for a phone's photo.

    Raises:
        FileBroken: It cannot be decoded.
        TooManyPixels: It says that it has more than ATTACHMENT_MAX_MEGAPIXELS; none is decoded.
    """
    with _decoding:
        try:
            file.seek(0)
            with Image.open(file, formats=_FORMATS[kind.name]) as image:
                frames = _frames_of(image, kind)
                return _picture(frames, kind)
        except TooManyPixels:
            raise
        except Image.DecompressionBombError:
            raise TooManyPixels from None
        except Exception as error:  # decoders of damaged files raise whatever comes to them
            logger.info("An image cannot be decoded: %r", error)
            raise FileBroken from None


def _frames_of(image: Image.Image, kind: Kind) -> list[Image.Image]:
    """Return the images of a file; several of an animated GIF, else one."""
    most = settings.ATTACHMENT_MAX_MEGAPIXELS * 1_000_000
    pixels = image.width * image.height
    if pixels > most:
        raise TooManyPixels
    if kind.name == "jpeg":
        image.draft("RGB", (_LONGEST_PX, _LONGEST_PX))  # decodes fewer pixels of a large photo
    frames = [_bare(ImageOps.exif_transpose(image))]
    while kind.name == "gif" and _has_next(image, len(frames)):
        if len(frames) == _FRAMES_MOST or pixels * (len(frames) + 1) > most:
            raise TooManyPixels
        frames.append(_bare(image))
    return frames


def _has_next(image: Image.Image, number: int) -> bool:
    try:
        image.seek(number)
    except EOFError:
        return False
    return True


def _bare(image: Image.Image) -> Image.Image:
    copied = image.copy()
    copied.info = {name: image.info[name] for name in _KEPT if name in image.info}
    return copied


def _picture(frames: list[Image.Image], kind: Kind) -> Picture:
    image = frames[0]
    if kind.name != "gif":
        if image.mode not in _MODES[kind.name]:  # of print (CMYK), or with 16 bits a colour
            image = image.convert("RGBA" if image.has_transparency_data else "RGB")
            image = image.convert("RGB") if kind.name == "jpeg" else image
        image.thumbnail((_LONGEST_PX, _LONGEST_PX))
    options: dict[str, Any] = {}
    if kind.name in ("jpeg", "webp"):
        options = {"quality": _QUALITY}
    elif len(frames) > 1:
        options = {"save_all": True, "append_images": frames[1:]}
    data = io.BytesIO()
    image.save(data, format=kind.name, **options)
    return Picture(data.getvalue(), image.width, image.height, _thumbnail(image))


def _thumbnail(image: Image.Image) -> bytes:
    small = image.convert("RGBA" if image.has_transparency_data else "RGB")
    small.info = {}
    small.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
    data = io.BytesIO()
    small.save(data, format="webp", quality=75)
    return data.getvalue()

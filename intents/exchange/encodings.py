"""The encodings in which offices save text."""

import codecs

from django.utils.translation import gettext as _

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decoded(data: bytes) -> str:
    """Return the text of a CSV file.

    "CSV" of a Chinese Excel is GB 18030 (ANSI), "CSV UTF-8" has a byte order mark, and
    "Unicode text" is UTF-16; other programs write UTF-8. GB 18030 comes last: it takes
    nearly any bytes for text.

    Raises:
        ValueError: It is none of these.
    """
    marked = [encoding for bom, encoding in _BOMS if data.startswith(bom)]
    for encoding in marked or ("utf-8", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError(_("This file is in none of the encodings UTF-8, UTF-16 and GB 18030."))

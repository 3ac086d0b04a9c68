"""Files as people, and people who mean harm, upload them."""

import io
import struct
import zipfile
import zlib
from typing import Any

from PIL import Image, PngImagePlugin

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + b"\x00" * 64
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"


def image(kind: str = "png", size: tuple[int, int] = (640, 400), **options: Any) -> bytes:
    """Return an image of two colours."""
    picture = Image.new("RGB", size, (11, 107, 93))
    picture.paste((240, 191, 116), (0, 0, size[0] // 2, size[1]))
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()


def photo_with_place() -> bytes:
    """Return a JPEG that lies on its side and tells where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turned by 90 degrees
    exif[0x010F] = "SecretPhone"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (31.0, 14.0, 6.0)
    return image("jpeg", (640, 400), exif=exif, comment=b"secret comment")


def png_with_text() -> bytes:
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "secret author")
    return image("png", pnginfo=text)


def animation(frames: int = 3) -> bytes:
    pictures = [Image.new("RGB", (40, 30), (40 * number, 0, 0)) for number in range(frames)]
    data = io.BytesIO()
    pictures[0].save(data, "gif", save_all=True, append_images=pictures[1:], duration=100, loop=0)
    return data.getvalue()


def bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """Return a PNG of a few bytes that says it has 3.6 gigapixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00" * 10_000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def office(*parts: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for part in ("[Content_Types].xml", *parts):
            archive.writestr(part, "<x/>")
    return data.getvalue()

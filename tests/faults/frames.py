"""WebSocket frames as they are on the wire (RFC 6455, section 5.2), for a proxy between two ends."""

import asyncio
import struct
from dataclasses import dataclass

TEXT = 0x1


@dataclass(frozen=True, slots=True)
class Raw:
    """One frame, not decoded: what is to be sent again is sent as it was."""

    opcode: int
    is_final: bool
    data: bytes  # header, mask and payload

    @property
    def is_whole_text(self) -> bool:
        """Whether it is a message of its own, so that sending it twice is a message sent twice."""
        return self.is_final and self.opcode == TEXT


async def read(reader: asyncio.StreamReader) -> Raw:
    """Read one frame.

    Raises:
        asyncio.IncompleteReadError: The other end has gone.
    """
    head = await reader.readexactly(2)
    length = head[1] & 0x7F
    extended = b""
    if length >= 126:
        extended = await reader.readexactly(2 if length == 126 else 8)
        (length,) = struct.unpack("!H" if length == 126 else "!Q", extended)
    mask = await reader.readexactly(4) if head[1] & 0x80 else b""
    payload = await reader.readexactly(length)
    return Raw(head[0] & 0x0F, bool(head[0] & 0x80), head + extended + mask + payload)

"""HTTP of one request a connection, as the browsers' fetch does it when everything is new."""

import asyncio
import json
from typing import Any


class Failed(Exception):
    """No answer, or one of 500 and above: the same request may be sent again."""


class Refused(Exception):
    """The server said no."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code = status, code

    @property
    def is_passing(self) -> bool:
        """Whether the same request may succeed a little later."""
        return self.status in (401, 429)


async def call(
    port: int, method: str, path: str, body: object = None, *, token: str = "", within_s: float = 8
) -> dict[str, Any]:
    """Make a request of the product and return the object that it answers.

    Raises:
        Failed: Not reachable, cut off, or an error of the server's.
        Refused: It understood and said no.
    """
    try:
        async with asyncio.timeout(within_s):
            status, content = await _exchange(port, method, path, body, token)
    except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
        raise Failed(repr(error)) from error
    if status >= 500:
        raise Failed(f"HTTP {status}")
    if status >= 400:
        raise Refused(status, content.get("code", ""))
    return content


async def _exchange(
    port: int, method: str, path: str, body: object, token: str
) -> tuple[int, dict[str, Any]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        sent = json.dumps(body).encode() if body is not None else b""
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close"]
        lines += [f"Content-Length: {len(sent)}", "Content-Type: application/json"]
        lines += [f"Authorization: Bearer {token}"] if token else []
        writer.write("\r\n".join([*lines, "", ""]).encode() + sent)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ")[1])
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
        content = await reader.readexactly(int(headers["content-length"]))
        return status, json.loads(content)
    except KeyError as error:
        raise ValueError("an answer without a length") from error
    finally:
        writer.close()

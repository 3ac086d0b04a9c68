"""A real HTTP server on loopback that takes webhooks, and can be told to fail."""

import contextlib
import json
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """What it received, and how it answers next."""

    url: str
    received: list[Received] = field(default_factory=list)
    code: int = 204
    body: bytes = b""
    location: str = ""
    drip_s: float = 0.0  # between two bytes of the answer
    on_request: Any = None  # called with each, before it is answered

    @property
    def ids(self) -> list[str]:
        return [one.headers["webhook-id"] for one in self.received]

    @property
    def kinds(self) -> list[str]:
        return [one.json["type"] for one in self.received]


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Received(self.path, headers, body)
        self.receiver.received.append(request)
        if self.receiver.on_request is not None:
            self.receiver.on_request(request)
        with contextlib.suppress(OSError):  # it is the client that gives up
            self._answer()

    def _answer(self) -> None:
        receiver = self.receiver
        self.send_response(receiver.code)
        if receiver.location:
            self.send_header("location", receiver.location)
        if receiver.code != 204:
            self.send_header("content-length", str(len(receiver.body)))
        if receiver.drip_s:
            for byte in b"".join(self._headers_buffer):
                self.wfile.write(bytes([byte]))
                time.sleep(receiver.drip_s)
            return
        self.end_headers()
        self.wfile.write(receiver.body)

    def log_message(self, *args: Any) -> None:
        pass


@contextlib.contextmanager
def listening(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Listen on a free port of 127.0.0.1 until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    scheme = "http" if tls is None else "https"
    receiver = Receiver(f"{scheme}://127.0.0.1:{server.server_port}/hook")
    server.RequestHandlerClass = type("Handler", (_Handler,), {"receiver": receiver})
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()

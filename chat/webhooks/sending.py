"""One HTTP request to one endpoint: to the very address that was checked, once, in bounded time.

httpcore2 (below httpx2) takes what opens its connections as an argument, which is where a name
is resolved and judged: between the check and the connection nobody looks it up again, and TLS
still verifies the host name. It follows no redirect, reads no proxy setting and unpacks nothing.
For Celery: it blocks.
"""

import ssl
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import httpcore2
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from chat.webhooks import addresses

# Of what an endpoint answers; the rest is not read.
RESPONSE_MAX_BYTES = 1024
_USER_AGENT = "csplatform-webhooks/1"
# Addresses of one name that are tried, one after the other.
_ADDRESSES_MAX = 4


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, or why nothing did."""

    code: int | None  # HTTP status; None: no answer
    text: str  # the beginning of the answer, or what went wrong
    elapsed_ms: int

    @property
    def is_delivered(self) -> bool:
        return self.code is not None and 200 <= self.code < 300

    @property
    def is_gone(self) -> bool:
        """410: the receiver wants no more."""
        return self.code == 410


def post(
    url: str,
    *,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    timeout_s: float,
    tls: ssl.SSLContext | None = None,
) -> Response:
    """Send a body and return what was answered. Never raises for what a network can do.

    Args:
        timeout_s: For all of it, after the name was looked up: an endpoint that answers one
            byte a second does not keep a worker.
        tls: None for the authorities that this machine trusts.
    """
    began = time.monotonic()
    deadline = _Deadline(timeout_s)
    sent = [("user-agent", _USER_AGENT), ("content-type", "application/json"), *headers]
    code, text = None, ""
    try:
        with (
            httpcore2.ConnectionPool(
                ssl_context=tls, max_connections=1, network_backend=_CheckedConnections(deadline)
            ) as pool,
            pool.stream("POST", addresses.checked_url(url), headers=sent, content=body) as answer,
        ):
            code = answer.status
            text = _beginning(answer).decode("utf-8", "replace")
    except addresses.NotReachable as reason:
        text = str(reason)
    except ValidationError as error:
        text = " ".join(error.messages)
    except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        # After the status the endpoint has it; whether it finished its sentence is its affair.
        text = text or _reason(error)
    return Response(code, text, round((time.monotonic() - began) * 1000))


def _beginning(answer: httpcore2.Response) -> bytes:
    read = b""
    for chunk in answer.iter_stream():
        read += chunk
        if len(read) >= RESPONSE_MAX_BYTES:
            break
    return read[:RESPONSE_MAX_BYTES]


def _reason(error: Exception) -> str:
    if isinstance(error, httpcore2.TimeoutException):
        return _("It did not answer in time.")
    return f"{type(error).__name__}: {error}"


class _Deadline:
    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds
        self._seconds = seconds

    def begin_again(self) -> None:
        self._at = time.monotonic() + self._seconds

    def left(self) -> float:
        """Return the seconds that are left.

        Raises:
            ReadTimeout: None.
        """
        left = self._at - time.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout
        return left


class _CheckedConnections(httpcore2.NetworkBackend):
    """Connects to what a name resolves to, if webhooks may go to all of it."""

    def __init__(self, deadline: _Deadline) -> None:
        self._deadline = deadline
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        found = addresses.permitted(addresses.resolved(host, port))
        self._deadline.begin_again()  # looking a name up has the resolver's own timeout
        return self._connected(found[:_ADDRESSES_MAX], port)

    def _connected(self, found: Sequence[addresses.Address], port: int) -> httpcore2.NetworkStream:
        for address in found[:-1]:
            try:
                return self._connect(address, port, share=len(found))
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return self._connect(found[-1], port, share=1)

    def _connect(
        self, address: addresses.Address, port: int, *, share: int
    ) -> httpcore2.NetworkStream:
        stream = self._sockets.connect_tcp(
            str(address), port, timeout=self._deadline.left() / share
        )
        return _TimedStream(stream, self._deadline)


class _TimedStream(httpcore2.NetworkStream):
    """A connection whose every operation ends by the deadline of the request."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: _Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left())
        return _TimedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

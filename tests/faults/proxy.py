"""A network that misbehaves: between clients and the product, one TCP link each.

It knows WebSocket frames, so that it can send one twice, late, or only half of it. A link can
go half-open: in one direction nothing arrives any more, and nobody is told.
"""

import asyncio
import contextlib
import random
from collections import Counter
from dataclasses import dataclass, field

from tests.faults import frames

# Of a text frame, in either direction.
DUPLICATED, REPLAYED_LATE, DELAYED, CUT = 0.02, 0.01, 0.02, 0.002
# Of an answer over REST: the request was done, and its answer never arrives.
ANSWER_LOST = 0.02
LONGEST_DELAY_S = 1.0
# So long the other end of a half-open link is not told that this one has gone.
UNNOTICED_S = 60.0
_BYTES = 65536


@dataclass(eq=False)
class Link:
    """One connection of a client."""

    client: asyncio.StreamWriter
    product: asyncio.StreamWriter
    is_socket: bool
    swallows_up: bool = False  # nothing reaches the product any more
    swallows_down: bool = False  # nothing reaches the client any more
    late: dict[bool, bytes] = field(default_factory=dict)  # by direction, a frame to send again

    def abort(self) -> None:
        for writer in (self.client, self.product):
            writer.transport.abort()


class Proxy:
    """Listens on a port of its own and passes on to the product's, faults included."""

    def __init__(self, target: int, lots: random.Random) -> None:
        self._target, self._lots = target, lots
        self.port = 0
        self.faults: Counter[str] = Counter()
        self.links: set[Link] = set()
        self.is_faulty = False
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    # --- Faults on demand ---

    def half_open(self, most: int) -> int:
        """Have some sockets lose one direction; return how many."""
        sockets = [link for link in self.links if link.is_socket]
        chosen = self._lots.sample(sockets, min(most, len(sockets)))
        for link in chosen:
            if self._lots.random() < 0.5:
                link.swallows_up = True
            else:
                link.swallows_down = True
        return len(chosen)

    def cut_all(self) -> int:
        """Cut every link at once: everybody comes back at the same time."""
        cut = list(self.links)
        for link in cut:
            link.abort()
        return len(cut)

    # --- One link ---

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            upstream, product = await asyncio.open_connection("127.0.0.1", self._target)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.transport.abort()  # the product does not listen just now
            return
        is_socket = b"upgrade: websocket" in head.lower()
        link = Link(writer, product, is_socket)
        self.links.add(link)
        try:
            product.write(_without_compression(head) if is_socket else head)
            up = self._frames_up if is_socket else self._bytes_up
            down = self._frames_down if is_socket else self._bytes_down
            tasks = [
                asyncio.create_task(up(link, reader)),
                asyncio.create_task(down(link, upstream)),
            ]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.drain(), 1)
        finally:
            self.links.discard(link)
            for one in (writer, product):
                one.close()

    async def _bytes_up(self, link: Link, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(_BYTES):
            link.product.write(data)
            await link.product.drain()
        await asyncio.sleep(30)  # the client has said all; its answer is still to come

    async def _bytes_down(self, link: Link, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(_BYTES):
            if self._hits(ANSWER_LOST, "answers lost"):
                link.abort()
                return
            link.client.write(data)
            await link.client.drain()

    async def _frames_up(self, link: Link, reader: asyncio.StreamReader) -> None:
        await self._frames(link, reader, link.product, is_up=True)

    async def _frames_down(self, link: Link, reader: asyncio.StreamReader) -> None:
        link.client.write(await reader.readuntil(b"\r\n\r\n"))
        await self._frames(link, reader, link.client, is_up=False)

    async def _frames(
        self,
        link: Link,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        is_up: bool,
    ) -> None:
        while True:
            try:
                frame = await frames.read(reader)
            except (OSError, asyncio.IncompleteReadError):
                if self._swallows(link, is_up=is_up):
                    await asyncio.sleep(UNNOTICED_S)  # the good-bye does not arrive either
                return
            if self._swallows(link, is_up=is_up):
                continue
            if not frame.is_whole_text:
                writer.write(frame.data)
                continue
            if self._hits(DELAYED, "frames delayed"):
                await asyncio.sleep(self._lots.uniform(0.05, LONGEST_DELAY_S))
                if self._swallows(link, is_up=is_up):
                    continue
            if self._hits(CUT, "frames cut"):
                writer.write(frame.data[: len(frame.data) // 2])
                await writer.drain()
                link.abort()
                return
            writer.write(frame.data)
            if self._hits(DUPLICATED, "frames duplicated"):
                writer.write(frame.data)
            if again := link.late.pop(is_up, None):
                writer.write(again)
            if self._hits(REPLAYED_LATE, "frames replayed late"):
                link.late[is_up] = frame.data
            await writer.drain()

    @staticmethod
    def _swallows(link: Link, *, is_up: bool) -> bool:
        return link.swallows_up if is_up else link.swallows_down

    def _hits(self, probability: float, name: str) -> bool:
        if not self.is_faulty or self._lots.random() >= probability:
            return False
        self.faults[name] += 1
        return True


def _without_compression(head: bytes) -> bytes:
    # A compressed frame refers to those before it: sent twice, it would be nonsense.
    lines = head.split(b"\r\n")
    return b"\r\n".join(
        line for line in lines if not line.lower().startswith(b"sec-websocket-extensions:")
    )

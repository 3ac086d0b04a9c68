"""N clients on connections that are kept open where the server keeps them, asking without a pause.

A process of its own, started by benchmarks.load: it reads a job (`Job`, as JSON, one line) from
standard input, warms up, prints "ready", waits for another line, asks, and prints what came of
it (`Outcome`, as JSON). It costs some 0.02 ms of CPU a request: requests are put together
beforehand and answers are read afterwards, so that it takes little from the server beside it.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Job:
    """What to ask of whom."""

    host: str
    port: int
    path: str
    bodies: list[str]  # JSON, one a request, in their order
    warm_up: int  # so many of them come first and are not measured
    clients: int
    tokens: list[str]  # of bearers: one a client, and those that `renew_on` takes
    renew_on: str  # an answer with these characters makes its client somebody else; "" never
    timeout_s: float
    # Where the outcome is written: half a megabyte once came through the pipe with a hole in it.
    outcome: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it; the lists are in the order of the measured bodies."""

    wall_s: float
    cpu_s: float  # of this process
    latencies_ms: list[float]
    statuses: list[int]  # 0: no answer
    answers: list[str]


class Connection(asyncio.Protocol):
    """One TCP connection with one request at a time."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._expected = -1  # bytes of the whole answer, -1 while its head is not here
        self._ends = False  # the server says that it closes after this answer
        self._waiting: asyncio.Future[tuple[int, bytes]] | None = None
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.is_open = True

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        self._settle(0, str(error or "closed").encode())

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._expected < 0:
            end = self._received.find(_END_OF_HEAD)
            if end < 0:
                return
            length = _LENGTH.search(self._received, 0, end)
            if length is None:
                self._settle(0, b"an answer without Content-Length")
                self.close()
                return
            self._ends = _CLOSES.search(self._received, 0, end) is not None
            self._expected = end + len(_END_OF_HEAD) + int(length[1])
        if len(self._received) >= self._expected:
            body = self._received[self._received.index(_END_OF_HEAD) + len(_END_OF_HEAD) :]
            if self._ends:
                self.close()
            self._settle(int(self._received[9:12]), bytes(body))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Return status and body; status 0 with the reason when no answer came."""
        assert self._transport is not None
        loop = asyncio.get_running_loop()
        self._received.clear()
        self._expected = -1
        self._waiting = loop.create_future()
        overdue = loop.call_later(self._timeout_s, self._give_up)
        self._transport.write(request)
        try:
            return await self._waiting
        finally:
            overdue.cancel()

    def close(self) -> None:
        self.is_open = False
        if self._transport is not None:
            self._transport.close()

    def _give_up(self) -> None:
        self._settle(0, b"timeout")
        self.close()  # what comes late belongs to nobody

    def _settle(self, status: int, body: bytes) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result((status, body))


class Clients:
    """The clients of a job; `ask` has them ask some of its bodies."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._connections: list[Connection | None] = [None] * job.clients
        self._tokens = iter(job.tokens)
        self._heads = [self._head() for _ in range(job.clients)]
        self._bodies = [body.encode() for body in job.bodies]

    def _head(self) -> bytes:
        token = next(self._tokens, None)
        if token is None and self._job.tokens:
            raise RuntimeError("more hand-overs than tokens")
        lines = [
            f"POST {self._job.path} HTTP/1.1",
            f"Host: {self._job.host}:{self._job.port}",
            "Content-Type: application/json",
            *([f"Authorization: Bearer {token}"] if token else []),
            "Content-Length: ",
        ]
        return "\r\n".join(lines).encode()

    async def ask(self, first: int, last: int) -> Outcome:
        """Ask bodies `first` to `last`, the last one left out."""
        number = last - first
        outcome = Outcome(0.0, 0.0, [0.0] * number, [0] * number, [""] * number)
        numbers = iter(range(first, last))
        wall, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(
            *(self._work(client, numbers, first, outcome) for client in range(self._job.clients))
        )
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        return Outcome(wall, cpu, outcome.latencies_ms, outcome.statuses, outcome.answers)

    async def _work(
        self, client: int, numbers: Iterator[int], first: int, outcome: Outcome
    ) -> None:
        renew_on = self._job.renew_on.encode()
        for number in numbers:
            body = self._bodies[number]
            request = b"%b%d\r\n\r\n%b" % (self._heads[client], len(body), body)
            asked = time.perf_counter()
            status, answer = await self._answer(client, request)
            outcome.latencies_ms[number - first] = (time.perf_counter() - asked) * 1000
            outcome.statuses[number - first] = status
            outcome.answers[number - first] = answer.decode("utf-8", "replace")
            if renew_on and renew_on in answer:
                self._heads[client] = self._head()

    async def _answer(self, client: int, request: bytes) -> tuple[int, bytes]:
        """Ask over the client's connection, or a new one where the server has closed it."""
        connection = self._connections[client]
        if connection is None or not connection.is_open:
            connection = self._connections[client] = Connection(self._job.timeout_s)
            try:
                await asyncio.get_running_loop().create_connection(
                    lambda: connection, self._job.host, self._job.port
                )
            except OSError as error:
                return 0, str(error).encode()
        return await connection.ask(request)

    def close(self) -> None:
        for connection in self._connections:
            if connection is not None:
                connection.close()


async def _serve(job: Job) -> Outcome:
    clients = Clients(job)
    await clients.ask(0, job.warm_up)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    outcome = await clients.ask(job.warm_up, len(job.bodies))
    clients.close()
    return outcome


def main() -> None:
    job = Job(**json.loads(sys.stdin.readline()))
    outcome = uvloop.run(_serve(job))
    Path(job.outcome).write_text(json.dumps(asdict(outcome)), encoding="utf-8")
    print("done", flush=True)


if __name__ == "__main__":
    main()

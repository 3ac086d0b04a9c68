"""The clients of benchmarks.connections: customers, agents and bare pairs, on one clock.

Reads its job from the first line of its input. After each phase it prints a line of JSON and
waits for a line, so that whoever started it can look at the server in between:

    base      a few sockets came and went: what the server loads once is loaded
    idle      all customers are connected
    served    the writers have called for a human, and each has an agent
    talk      the writers have written for the time of the job; latencies in milliseconds
    storm     all customers were cut off at once and are back
"""

import asyncio
import contextlib
import json
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

WARM_UP = 20
OPENING = 50  # handshakes at once while nothing is measured; the storm has no such limit
PAIRS = 20
ANSWER_S, SETTLE_S = 30.0, 60.0
LOOK_S = 0.2
PING_S = 20.0  # as pages do (docs/protocol.md)
LOTS = random.SystemRandom()
TEXT = "请问我的包裹到哪里了"
Frame = dict[str, Any]


class Socket:
    """One connection that keeps itself alive and hands its frames to a listener."""

    def __init__(self, port: int, path: str, hear: Callable[[Frame], None]) -> None:
        self._port, self._path, self._hear = port, path, hear
        self._connection: ClientConnection | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        self._connection = await connect(
            f"ws://127.0.0.1:{self._port}{self._path}",
            origin=f"http://127.0.0.1:{self._port}",  # type: ignore[arg-type]
            open_timeout=ANSWER_S,
            ping_interval=None,
            compression=None,
        )
        self._tasks = [asyncio.create_task(self._listen(self._connection))]

    async def say(self, **frame: Any) -> None:
        assert self._connection is not None
        await self._connection.send(json.dumps(frame))

    def stay(self) -> None:
        """Send the heartbeat of a page from now on."""
        self._tasks.append(asyncio.create_task(self._beat()))

    def cut(self) -> None:
        """Be gone without a word."""
        for task in self._tasks:
            task.cancel()
        if self._connection is not None:
            self._connection.transport.abort()

    async def _listen(self, connection: ClientConnection) -> None:
        with contextlib.suppress(WebSocketException):
            async for text in connection:
                self._hear(json.loads(text))

    async def _beat(self) -> None:
        await asyncio.sleep(LOTS.random() * PING_S)
        with contextlib.suppress(WebSocketException):
            while True:
                await self.say(type="ping")
                await asyncio.sleep(PING_S)


class Customer:
    """One customer's page: connects, has its messages acknowledged, sends again what was not."""

    def __init__(self, port: int, token: str) -> None:
        self._token = token
        self.socket = Socket(port, "/ws/chat/", self._hear)
        self.conversation: str | None = None
        self.status = ""
        self.last_seq = 0
        self.unsent: dict[str, float] = {}  # client_id: when it was first sent
        self._welcomed = asyncio.Event()
        self.changed = asyncio.Event()

    async def come(self) -> None:
        self._welcomed.clear()
        await self.socket.open()
        hello = {"conversation": self.conversation, "after": self.last_seq, "language": "zh"}
        await self.socket.say(type="hello", token=self._token, **hello)
        async with asyncio.timeout(ANSWER_S):
            await self._welcomed.wait()
        for client_id in self.unsent:
            await self.socket.say(type="message", client_id=client_id, text=TEXT)
        self.socket.stay()

    async def come_back(self) -> None:
        """As pages do after a close without a code."""
        pause = 0.5
        while True:
            await asyncio.sleep(pause * (0.5 + LOTS.random() / 2))
            with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                await self.come()
                return
            self.socket.cut()
            pause = min(pause * 2, 30.0)

    async def write(self) -> None:
        client_id = str(uuid4())
        self.unsent[client_id] = time.perf_counter()
        await self.socket.say(type="message", client_id=client_id, text=TEXT)

    async def call_for_human(self) -> None:
        await self.socket.say(type="human")
        async with asyncio.timeout(ANSWER_S):
            while self.status != "WAITING":
                self.changed.clear()
                await self.changed.wait()

    def _hear(self, frame: Frame) -> None:
        kind = frame["type"]
        if kind in ("welcome", "status"):
            self.conversation = frame["conversation"] or self.conversation
            self.status = frame["status"]
        if kind == "accepted":
            self.unsent.pop(frame["client_id"], None)
        if kind == "messages":
            self.last_seq = max(self.last_seq, frame["last_seq"])
        if kind == "welcome":
            self._welcomed.set()
        self.changed.set()


class Agent:
    """An agent's screen: when each customer's line was on it first, and under how many seqs."""

    def __init__(self, port: int, token: str) -> None:
        self._token = token
        self.socket = Socket(port, "/ws/workspace/", self._hear)
        self.seen_at: dict[str, float] = {}
        self.places: set[tuple[str, str, int]] = set()  # client_id, conversation, seq
        self._opened = asyncio.Event()

    async def come(self) -> None:
        await self.socket.open()
        await self.socket.say(type="hello", token=self._token, language="zh")
        self.socket.stay()

    async def take(self, conversation: str) -> None:
        self._opened.clear()
        await self.socket.say(type="take", conversation=conversation)
        await self.socket.say(type="open", conversation=conversation, after=0)
        async with asyncio.timeout(ANSWER_S):
            await self._opened.wait()

    def _hear(self, frame: Frame) -> None:
        if frame["type"] != "messages":
            return
        now = time.perf_counter()
        for line in frame["messages"]:
            if client_id := line["client_id"]:
                self.seen_at.setdefault(client_id, now)
                self.places.add((client_id, line["conversation"], line["seq"]))
        self._opened.set()


class Pair:
    """Two sockets of the bare consumer: one sends, the other receives."""

    def __init__(self, port: int, number: int) -> None:
        path = f"/ws/echo/{number}/"
        self._sending = Socket(port, path, lambda _frame: None)
        self._receiving = Socket(port, path, self._hear)
        self._sent: dict[str, float] = {}
        self.taken_ms: list[float] = []

    async def come(self) -> None:
        await self._sending.open()
        await self._receiving.open()

    async def write(self) -> None:
        key = str(uuid4())
        self._sent[key] = time.perf_counter()
        await self._sending.say(client_id=key, text=TEXT)

    def _hear(self, frame: Frame) -> None:
        self.taken_ms.append((time.perf_counter() - self._sent[frame["client_id"]]) * 1000)


async def all_of(works: Iterable[Coroutine[Any, Any, None]], at_once: int) -> None:
    """Do them all, so many at a time."""
    gate = asyncio.Semaphore(at_once)

    async def through(work: Coroutine[Any, Any, None]) -> None:
        async with gate:
            await work

    async with asyncio.TaskGroup() as group:
        for work in works:
            group.create_task(through(work))


async def regularly(work: Callable[[], Awaitable[None]], every_s: float, until: float) -> None:
    """Do it every so often, from a moment drawn by lot on."""
    await asyncio.sleep(LOTS.random() * every_s)
    while time.perf_counter() < until:
        await work()
        await asyncio.sleep(every_s)


def percentiles(name: str, times: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(times, n=100)
    return {f"{name}_p50_ms": cuts[49], f"{name}_p95_ms": cuts[94], f"{name}_p99_ms": cuts[98]}


async def done(phase: str, **figures: float) -> None:
    print(json.dumps({"phase": phase, **figures}), flush=True)
    await asyncio.to_thread(sys.stdin.readline)


async def main() -> None:
    job = json.loads(sys.stdin.readline())
    port: int = job["port"]
    customers = [Customer(port, token) for token in job["customers"]]
    writers = customers[: job["writers"]]
    agents = [Agent(port, token) for token in job["agents"]]
    await all_of((one.come() for one in customers[-WARM_UP:]), WARM_UP)
    for one in customers[-WARM_UP:]:
        one.socket.cut()
    await asyncio.sleep(1)
    await done("base")

    await all_of((one.come() for one in customers), OPENING)
    await asyncio.sleep(2)
    await done("idle", sockets=len(customers))

    await all_of((one.call_for_human() for one in writers), OPENING)
    for agent in agents:
        await agent.come()
    for number, one in enumerate(writers):
        assert one.conversation is not None
        await agents[number % len(agents)].take(one.conversation)
    pairs = [Pair(port, number) for number in range(PAIRS)]
    await all_of((pair.come() for pair in pairs), OPENING)
    await done("served")
    await talk(job, writers, agents, pairs)
    await storm(customers, writers, agents)


async def talk(
    job: dict[str, Any], writers: list[Customer], agents: list[Agent], pairs: list[Pair]
) -> None:
    """Write as fast on both sides, and compare when it was on the other screen."""
    sent: dict[str, float] = {}

    async def write(writer: Customer) -> None:
        await writer.write()
        client_id = next(reversed(writer.unsent))
        sent[client_id] = writer.unsent[client_id]

    until = time.perf_counter() + job["seconds"]
    echo_every_s = job["every_s"] * len(pairs) / len(writers)
    async with asyncio.TaskGroup() as group:
        for writer in writers:
            group.create_task(regularly(lambda writer=writer: write(writer), job["every_s"], until))
        for pair in pairs:
            group.create_task(regularly(pair.write, echo_every_s, until))
    await settled(writers, agents, set(sent))
    seen = {key: at for agent in agents for key, at in agent.seen_at.items()}
    on_screen = [(seen[key] - at) * 1000 for key, at in sent.items() if key in seen]
    echoed = [taken for pair in pairs for taken in pair.taken_ms]
    figures = {**percentiles("screen", on_screen), **percentiles("echo", echoed)}
    await done("talk", messages=len(sent), echoes=len(echoed), **figures)


async def storm(customers: list[Customer], writers: list[Customer], agents: list[Agent]) -> None:
    """Cut everybody off while a message of each writer is under way."""
    for one in writers:
        await one.write()
    written = {key for one in writers for key in one.unsent}
    for one in customers:
        one.socket.cut()
    began = time.perf_counter()
    await all_of((one.come_back() for one in customers), len(customers))
    settled_s = time.perf_counter() - began
    await settled(writers, agents, written)
    places = [place for agent in agents for place in agent.places]
    seen = Counter(client_id for client_id, _conversation, _seq in set(places))
    await done(
        "storm",
        storm_s=settled_s,
        lost=len(written - set(seen)),
        doubled=sum(count > 1 for count in seen.values()),
    )


async def settled(writers: list[Customer], agents: list[Agent], written: set[str]) -> None:
    """Wait until all is acknowledged and on a screen, or for as long as that may take."""
    deadline = time.perf_counter() + SETTLE_S
    while time.perf_counter() < deadline:
        on_screens = {key for agent in agents for key in agent.seen_at}
        if written <= on_screens and not any(one.unsent for one in writers):
            return
        await asyncio.sleep(LOOK_S)


if __name__ == "__main__":
    asyncio.run(main())

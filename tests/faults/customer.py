"""A customer's client that speaks docs/protocol.md, keeps an outbox and never gives up.

Its times are shorter than the browsers', so that a run of minutes sees many reconnects.
"""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tests.faults import rest
from tests.faults.screen import Screen

BEAT_S, ANSWER_S = 4.0, 4.0
ACKNOWLEDGE_S = 5.0
SOCKET_FIRST_S = 2.0
# After one message in so many, on average.
RELOADS, ASKS_FOR_HUMAN = 0.02, 0.01
# Whoever sees so many of his messages wait writes no more until some have gone.
MOST_UNSENT = 10
FINAL = frozenset({"blocked", "conversation_closed", "empty", "invalid", "too_long", "not_yours"})
# Known texts: it is not the model that is on trial here.
QUESTIONS = (
    *("我的包裹到哪里了", "怎么开发票", "这件衣服有货吗", "可以退货吗", "运费是多少"),
    *("优惠券怎么用", "什么时候发货", "where is my parcel", "can I return this"),
)


@dataclass
class Person:
    """A visitor; his devices share the sign-in."""

    number: int
    refresh: str = ""
    signing_in: asyncio.Lock = field(default_factory=asyncio.Lock)


class Lost(Exception):
    """The connection is gone, or says nothing any more."""


class Customer:
    """One device of one person: types, sends what it typed once and in order, and shows lines.

    Args:
        messages: How many it types.
        every_s: From one to the next, on average.
    """

    def __init__(
        self, person: Person, port: int, lots: random.Random, *, messages: int, every_s: float
    ) -> None:
        self.person, self._port, self._lots = person, port, lots
        self._messages, self._every_s = messages, every_s
        self.screen = Screen()
        self.typed: list[str] = []
        self.wall_clock_is_off_s = 0.0  # moved by the injector
        self.reconnects = self.reloads = self.over_rest = 0
        self._token, self._expires_at = "", 0.0
        self._socket: ClientConnection | None = None
        self._welcomed = False
        self._lost_at = time.monotonic()
        self._heard_at = 0.0
        self._settled = asyncio.Event()
        self._gap_asked_at = 0.0

    @property
    def all_typed(self) -> bool:
        return len(self.typed) == self._messages

    @property
    def is_done(self) -> bool:
        """Whether everything that was typed has arrived."""
        return self.all_typed and not self.screen.outbox

    async def run(self, until: asyncio.Event) -> None:
        """Live until the event is set."""
        tasks = [
            asyncio.create_task(self._forever(work, until))
            for work in (self._connect, self._type, self._send)
        ]
        await until.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @staticmethod
    async def _forever(work: Callable[[], Awaitable[None]], until: asyncio.Event) -> None:
        while not until.is_set():
            await work()

    # --- What the person does ---

    async def _type(self) -> None:
        if self.all_typed:
            await asyncio.sleep(3600)
            return
        if len(self.screen.outbox) >= MOST_UNSENT:
            await asyncio.sleep(0.2)
            return
        burst = self._lots.random() < 0.15
        await asyncio.sleep(0.05 if burst else self._lots.expovariate(1 / self._every_s))
        client_id = str(UUID(int=self._lots.getrandbits(128), version=4))
        self.typed.append(client_id)
        self.screen.post(client_id, self._lots.choice(QUESTIONS))
        if self._lots.random() < ASKS_FOR_HUMAN:
            with contextlib.suppress(OSError, WebSocketException):
                await self._say(type="human")
        if self._lots.random() < RELOADS:  # reload the page, or wake up on another device
            self.reloads += 1
            self.screen.reload()
            await self._drop()

    # --- The socket ---

    async def _access(self) -> str:
        """Return an access token; the wall clock only says when to fetch a newer one early."""
        if self._token and time.time() + self.wall_clock_is_off_s < self._expires_at:
            return self._token
        async with self.person.signing_in:
            path, body = "/api/login", {}
            if self.person.refresh:
                path, body = "/api/login/refresh", {"refresh": self.person.refresh}
            issued = await rest.call(self._port, "POST", path, body)
            self.person.refresh = issued.get("refresh") or self.person.refresh
        self._token = issued["token"]
        self._expires_at = time.time() + self.wall_clock_is_off_s + issued["expires_in"] - 60
        return self._token

    async def _connect(self) -> None:
        attempt = 0
        while True:
            try:
                await self._converse()
            except (rest.Failed, Lost, OSError, WebSocketException, TimeoutError):
                pass
            except rest.Refused:
                self._token = ""
            if self._welcomed:
                attempt, self._lost_at = 0, time.monotonic()
                self.reconnects += 1
            self._welcomed = False
            longest = min(5.0, 0.25 * 2**attempt)
            attempt += 1
            await asyncio.sleep(longest / 2 + longest / 2 * self._lots.random())

    async def _converse(self) -> None:
        token = await self._access()
        address = f"ws://127.0.0.1:{self._port}/ws/chat/"
        async with connect(
            address,
            origin=f"http://127.0.0.1:{self._port}",  # type: ignore[arg-type]
            open_timeout=ANSWER_S,
            close_timeout=0.2,
            ping_interval=None,  # the protocol's own heartbeat is on trial
        ) as socket:
            self._socket = socket
            try:
                await self._say(
                    type="hello",
                    token=token,
                    conversation=None
                    if self.screen.status == "CLOSED"
                    else self.screen.conversation,
                    after=self.screen.complete_up_to,
                    language="zh",
                )
                await self._listen(socket)
            finally:
                self._socket = None
                if socket.close_code == 4401:
                    self._token = ""

    async def _listen(self, socket: ClientConnection) -> None:
        pinged = False
        while True:
            try:
                async with asyncio.timeout(ANSWER_S if pinged or not self._welcomed else BEAT_S):
                    frame = json.loads(await socket.recv())
            except TimeoutError:
                if pinged or not self._welcomed:
                    socket.transport.abort()
                    raise Lost("no answer") from None
                pinged = True
                await self._say(type="ping")
                continue
            pinged = False
            self._receive(frame)
            await self._close_gap()

    def _receive(self, frame: dict[str, Any]) -> None:
        self.screen.receive(frame)
        if frame["type"] == "welcome":
            self._welcomed = True
        if frame["type"] == "refused" and frame["client_id"] and frame["code"] in FINAL:
            self.screen.refused.append((frame["client_id"], frame["code"]))
            self.screen.outbox.pop(frame["client_id"], None)
        self._settled.set()

    async def _close_gap(self) -> None:
        if self.screen.has_gap and time.monotonic() - self._gap_asked_at > 1:
            self._gap_asked_at = time.monotonic()
            await self._say(type="catch_up", after=self.screen.complete_up_to)

    async def _say(self, **frame: Any) -> None:
        if self._socket is not None:
            await self._socket.send(json.dumps(frame))

    async def _drop(self) -> None:
        if self._socket is not None:
            self._socket.transport.abort()

    # --- The outbox: the oldest first, the next one when it is settled ---

    async def _send(self) -> None:
        if not self.screen.outbox:
            await asyncio.sleep(0.02)
            return
        client_id, text = next(iter(self.screen.outbox.items()))
        if self._welcomed:
            with contextlib.suppress(OSError, WebSocketException):
                await self._say(type="message", client_id=client_id, text=text)
            if await self._is_settled(client_id, ACKNOWLEDGE_S):
                return
        elif time.monotonic() - self._lost_at < SOCKET_FIRST_S:
            await asyncio.sleep(0.1)
            return
        await self._send_over_rest(client_id, text)

    async def _is_settled(self, client_id: str, within_s: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while client_id in self.screen.outbox and self._welcomed:
                    self._settled.clear()
                    await self._settled.wait()
        return client_id not in self.screen.outbox

    async def _send_over_rest(self, client_id: str, text: str) -> None:
        try:
            token = await self._access()
            body = {"text": text, "client_id": client_id, "channel": "web", "language": "zh"}
            await rest.call(self._port, "POST", "/api/chat", body, token=token)
            self.over_rest += 1
            await self._fetch(token)
        except rest.Refused as refusal:
            if refusal.status == 401:
                self._token = ""
            elif not refusal.is_passing:
                self.screen.refused.append((client_id, refusal.code))
                self.screen.outbox.pop(client_id, None)
        except rest.Failed:
            await asyncio.sleep(0.2 + self._lots.random())

    async def _fetch(self, token: str) -> None:
        welcome = await rest.call(self._port, "GET", "/api/conversation", token=token)
        self.screen.receive({**welcome, "type": "welcome"})
        if not welcome["conversation"]:
            return
        query = f"conversation={welcome['conversation']}&after={self.screen.complete_up_to}"
        path = f"/api/conversation/messages?{query}"
        self._receive(await rest.call(self._port, "GET", path, token=token))

"""An agent's client: takes who waits, replies, gives back to the bot, and starts again."""

import asyncio
import contextlib
import json
import random
from typing import Any
from uuid import UUID

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tests.faults import rest
from tests.faults.screen import Screen

ANSWER_S = 5.0
REPLIES = 3
Frame = dict[str, Any]


class Gone(Exception):
    """The connection is gone, or says nothing any more."""


class Agent:
    """One agent of the demo. `typed` are his replies, each of which is sent until it is accepted."""

    def __init__(self, username: str, port: int, lots: random.Random) -> None:
        self.username, self._port, self._lots = username, port, lots
        self.typed: list[str] = []
        self.given_up: list[str] = []  # the conversation was no longer his
        self.taken = self.reconnects = 0
        self.screen = Screen(me="AGENT")
        self._token = ""
        self._inbox: list[Frame] = []
        self._unsent: list[tuple[str, str]] = []  # conversation, client_id
        self.is_stopping = False

    @property
    def is_done(self) -> bool:
        return not self._unsent

    async def run(self, until: asyncio.Event) -> None:
        """Work until the event is set; with `is_stopping`, finish what is begun and only look."""
        working = asyncio.create_task(self._come_to_work())
        await until.wait()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

    async def _come_to_work(self) -> None:
        while True:
            with contextlib.suppress(
                OSError, WebSocketException, TimeoutError, Gone, rest.Failed, rest.Refused
            ):
                await self._shift()
            self.reconnects += 1
            await asyncio.sleep(0.2 + self._lots.random())

    async def _shift(self) -> None:
        if not self._token:
            body = {"username": self.username, "password": f"demo-{self.username}"}
            self._token = (await rest.call(self._port, "POST", "/api/login", body))["token"]
        async with connect(
            f"ws://127.0.0.1:{self._port}/ws/workspace/",
            origin=f"http://127.0.0.1:{self._port}",  # type: ignore[arg-type]
            open_timeout=ANSWER_S,
            close_timeout=0.2,
            ping_interval=None,
        ) as socket:
            try:
                await self._say(socket, type="hello", token=self._token, language="zh")
                await self._until(socket, "welcome")
                await self._work(socket)
            finally:
                if socket.close_code == 4401:
                    self._token = ""
                socket.transport.abort()

    async def _work(self, socket: ClientConnection) -> None:
        while True:
            mine = [one["conversation"] for one in self._inbox if one["agent_is_me"]]
            waiting = [one["conversation"] for one in self._inbox if one["status"] == "WAITING"]
            if self._unsent:
                await self._reply(socket, *self._unsent[0])
            elif mine:
                await self._serve(socket, mine[0])
            elif waiting and not self.is_stopping:
                conversation = self._lots.choice(waiting)
                await self._say(socket, type="take", conversation=conversation)
                self.taken += (await self._until(socket, "inbox", "refused"))["type"] == "inbox"
            else:
                await self._look(socket)

    async def _look(self, socket: ClientConnection) -> None:
        await asyncio.sleep(1)
        if self.screen.conversation:
            await self._open(socket, self.screen.conversation)
        await self._say(socket, type="ping")
        await self._until(socket, "pong")
        await self._until(socket, "inbox")

    async def _serve(self, socket: ClientConnection, conversation: str) -> None:
        await self._open(socket, conversation)
        for _ in range(REPLIES):
            client_id = str(UUID(int=self._lots.getrandbits(128), version=4))
            self.typed.append(client_id)
            self._unsent.append((conversation, client_id))
        for one in list(self._unsent):
            await self._reply(socket, *one)
            await asyncio.sleep(self._lots.uniform(0.1, 0.8))
        await self._say(socket, type="hand_back", conversation=conversation)
        await self._until(socket, "inbox", "refused")

    async def _open(self, socket: ClientConnection, conversation: str) -> None:
        if conversation != self.screen.conversation:
            self.screen = Screen(me="AGENT", conversation=conversation)
        await self._say(
            socket, type="open", conversation=conversation, after=self.screen.complete_up_to
        )
        await self._until(socket, "messages", "refused")

    async def _reply(self, socket: ClientConnection, conversation: str, client_id: str) -> None:
        message = {"conversation": conversation, "client_id": client_id, "text": "您好，我来看一下"}
        await self._say(socket, type="message", **message)
        while True:
            frame = await self._until(socket, "accepted", "refused")
            if frame["client_id"] != client_id:
                continue  # late, of an earlier one
            if frame["type"] == "refused" and frame["code"] in ("unavailable", "too_fast"):
                raise Gone(frame["code"])
            if frame["type"] == "refused":  # taken from him meanwhile
                self.given_up.append(client_id)
                self.typed.remove(client_id)
            self._unsent.remove((conversation, client_id))
            return

    async def _until(self, socket: ClientConnection, *kinds: str) -> Frame:
        """Return the next frame of these kinds; what comes before it is shown."""
        async with asyncio.timeout(ANSWER_S):
            while True:
                frame: Frame = json.loads(await socket.recv())
                if frame["type"] in ("welcome", "inbox"):
                    self._inbox = frame["inbox"]
                elif frame.get("conversation") == self.screen.conversation:
                    self.screen.receive(frame)
                if frame["type"] in kinds:
                    return frame

    @staticmethod
    async def _say(socket: ClientConnection, **frame: Any) -> None:
        await socket.send(json.dumps(frame))

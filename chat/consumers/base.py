"""What both sockets share: sign-in and its expiry, refusals, and sending what a client lacks."""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar
from uuid import UUID

from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import AuthenticationFailed

from chat import protocol, sockets
from chat.consumers.gathering import Gathering
from chat.consumers.running import keep
from chat.models import Conversation
from chat.sockets import Frame
from csplatform import layers, rates, tokens
from csplatform.errors import Refusal
from csplatform.roles import Role
from csplatform.threads import in_thread

logger = logging.getLogger(__name__)

TRY_AGAIN_LATER = 1013
SIGN_IN_AGAIN = 4401
WRONG_ROLE = 4403
SILENT = 4408
HELLO_WITHIN_S = 10.0
TYPING_EVERY_S = 3.0

# Long enough to gather the heartbeats of a moment; nobody waits for theirs.
GATHER_S = 0.05
_heads = Gathering(sockets.heads, GATHER_S)

_LOCALES = {"zh": "zh-hans", "en": "en"}
_UNAVAILABLE = _("This cannot be stored right now. It is tried again.")


class Following:
    """One conversation that a socket shows, and what its client has of it."""

    def __init__(self, conversation_id: UUID) -> None:
        self.conversation_id = conversation_id
        self.sent = 0  # seq up to which the client has every line
        self.read = 0  # seq up to which the client said it has read
        self.status: Frame | None = None  # as the client knows it
        self.is_joined = False  # to the group of hints
        self.looks = 0  # how often the database was asked what the client lacks


class Socket(AsyncJsonWebsocketConsumer):
    """A socket that is shut unless its first frame signs in, and that never fails for a frame."""

    roles: ClassVar[frozenset[Role]]
    frames: ClassVar[protocol.Frames]
    for_staff: ClassVar[bool]
    # A client pings every 20 s, and once a minute in a browser's background. One that says nothing
    # for longer is not there, whatever the network says; it comes back when it wakes up.
    silent_s: ClassVar[float] = 150.0

    async def dispatch(self, message: Frame) -> None:
        """Call the handler of a frame or hint.

        Channels' own goes to a thread first, to close old connections; here those who ask the
        database see to its connections themselves (csplatform.threads).
        """
        await getattr(self, get_handler_name(message))(message)

    async def connect(self) -> None:
        self.bearer: tokens.Bearer | None = None
        self.locale = settings.LANGUAGE_CODE
        self._is_open = True
        self._typed_at = -TYPING_EVERY_S
        # Hints and answers come at the same time; each line goes out once and in order.
        self._delivering = asyncio.Lock()
        self._shut = self._shut_after(HELLO_WITHIN_S)
        self._heard_at = time.monotonic()
        self._listening = self._listen_for(self.silent_s)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        self._gone()

    async def end(self, code: int) -> None:
        self._gone()
        with contextlib.suppress(OSError):  # it has gone already; see say()
            await self.close(code)

    def _gone(self) -> None:
        self._is_open = False
        self._shut.cancel()
        self._listening.cancel()

    def _shut_after(self, seconds: float) -> asyncio.TimerHandle:
        loop = asyncio.get_running_loop()
        return loop.call_later(max(0.0, seconds), lambda: keep(self.end(SIGN_IN_AGAIN)))

    def _listen_for(self, seconds: float) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, self._listen)

    def _listen(self) -> None:
        # One timer, set anew when it fires, and not for each frame.
        quiet_s = time.monotonic() - self._heard_at
        if quiet_s < self.silent_s:
            self._listening = self._listen_for(self.silent_s - quiet_s)
        else:
            keep(self.end(SILENT))

    # --- In ---

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        if not self._is_open:
            return
        self._heard_at = time.monotonic()
        try:
            kind, frame = protocol.parse(text_data, self.frames)
        except protocol.InvalidFrame as refusal:
            if self.bearer is None:
                await self.end(SIGN_IN_AGAIN)
            else:
                await self.refuse(refusal, refusal.client_id)
            return
        if kind == "hello":
            await self._hello(frame)
        elif self.bearer is None:
            await self.end(SIGN_IN_AGAIN)
        else:
            await self._guarded(getattr(self, f"on_{kind}"), frame)

    async def _guarded(self, handle: Callable[[Frame], Awaitable[None]], frame: Frame) -> None:
        """Call a handler; a refusal, or a database that is away, is told and changes nothing."""
        client_id = frame.get("client_id")
        try:
            await handle(frame)
        except Refusal as refusal:
            await self.refuse(refusal, client_id)
        except DatabaseError:
            logger.exception("A frame could not be handled")
            await self.say(sockets.refused("unavailable", self._read(_UNAVAILABLE), client_id))

    async def _hello(self, frame: Frame) -> None:
        try:
            bearer = await in_thread(tokens.bearer_of)(frame["token"])
        except AuthenticationFailed:
            await self.end(SIGN_IN_AGAIN)
            return
        except DatabaseError:
            logger.exception("Nobody can sign in")
            await self.end(TRY_AGAIN_LATER)
            return
        if not bearer.roles & self.roles or bearer.expires_at is None:
            await self.end(WRONG_ROLE)
            return
        self.locale = _LOCALES[frame["language"]]
        self._shut.cancel()
        self._shut = self._shut_after(bearer.expires_at - time.time())
        before, self.bearer = self.bearer, bearer
        await self._guarded(
            lambda hello: self.signed_in(
                hello, is_same=before is not None and before.pk == bearer.pk
            ),
            frame,
        )

    async def signed_in(self, frame: Frame, *, is_same: bool) -> None:
        raise NotImplementedError

    async def limit(self) -> None:
        """Count what costs the database something.

        Raises:
            TooFast: Too much of it.
        """
        assert self.bearer is not None  # noqa: S101  (checked before any handler)
        await in_thread(rates.count)("chat", self.bearer.pk)

    # --- Out ---

    async def say(self, frame: Frame) -> None:
        """Send a frame. A client that has gone stops nothing: what it sent is still answered."""
        if not self._is_open:
            return
        try:
            await self.send_json(frame)
        except OSError:  # what ASGI servers raise then (ASGI specification 2.4, "send")
            self._is_open = False

    async def refuse(self, refusal: Refusal, client_id: object = None) -> None:
        await self.say(sockets.refused(refusal.code, self._read(refusal.detail), client_id))

    def _read(self, text: object) -> str:
        with translation.override(self.locale):
            return str(text)

    @classmethod
    async def encode_json(cls, content: Any) -> str:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":"))

    # --- Following a conversation ---

    async def join(self, followed: Following) -> None:
        """Have hints of it come here; with the layer away, the next heartbeat tries again."""
        if not followed.is_joined and self._is_open:
            followed.is_joined = await self.in_group(sockets.group_of(followed.conversation_id))

    async def leave(self, followed: Following) -> None:
        group = sockets.group_of(followed.conversation_id)
        await self.bounded(self.channel_layer.group_discard(group, self.channel_name))

    async def in_group(self, group: str) -> bool:
        return await self.bounded(self.channel_layer.group_add(group, self.channel_name))

    @staticmethod
    async def bounded(work: Awaitable[None]) -> bool:
        try:
            await asyncio.wait_for(work, layers.TIMEOUT_S)
        except Exception as error:
            logger.warning("The channel layer is away: %r", error)
            return False
        return True

    async def deliver(self, followed: Following, *, after: int | None = None) -> None:
        """Send what the client lacks: who has the conversation, and lines in order.

        Args:
            after: What it says it has; it is answered even if it lacks nothing.
        """
        async with self._delivering:
            is_asked = after is not None
            followed.sent = followed.sent if after is None else after
            followed.looks += 1
            while self._is_open:
                news = await in_thread(sockets.news)(followed.conversation_id, followed.sent)
                if news.messages or is_asked:
                    frame = sockets.messages(
                        news.conversation, news.messages, for_staff=self.for_staff
                    )
                    await self.say(frame)
                    is_asked = False
                if news.messages:
                    followed.sent = news.messages[-1].seq
                await self._say_status(followed, news.conversation)
                if len(news.messages) < sockets.MESSAGES_PER_FRAME:
                    return

    async def deliver_if_changed(self, followed: Following) -> None:
        """Do it at a heartbeat, which mostly finds nothing; those of a moment ask together."""
        looks = followed.looks
        conversation = await _heads.of(followed.conversation_id)
        if conversation is None or conversation.last_seq > followed.sent:
            await self.deliver(followed)
            return
        async with self._delivering:
            if looks == followed.looks:  # else what was found meanwhile may be newer
                await self._say_status(followed, conversation)

    async def _say_status(self, followed: Following, conversation: Conversation) -> None:
        status = await self.status_of(conversation)
        if status != followed.status:
            followed.status = status
            await self.say(status)

    async def deliver_line(self, followed: Following, seq: int) -> None:
        """Send one line again, if the client has it: it has changed."""
        if seq > followed.sent:
            return  # it comes as it is now
        try:
            news = await in_thread(sockets.line)(followed.conversation_id, seq)
        except DatabaseError:
            logger.exception("A hint could not be followed")
            return
        await self.say(sockets.messages(news.conversation, news.messages, for_staff=self.for_staff))

    async def status_of(self, conversation: Conversation) -> Frame:
        """Return the frame that says who has the conversation, as this client may know it."""
        return sockets.status(conversation, for_staff=self.for_staff)

    async def has_own(self, followed: Following, seq: int) -> None:
        """Note that the client has its own line: `accepted` brought it."""
        async with self._delivering:
            if seq == followed.sent + 1:
                followed.sent = seq

    async def deliver_if_possible(self, followed: Following) -> None:
        """Do it on a hint: with the database away, the next hint or heartbeat brings it."""
        try:
            await self.deliver(followed)
        except DatabaseError:
            logger.exception("A hint could not be followed")

    def may_type(self) -> bool:
        """Whether "is writing" is due again; more often, it is dropped."""
        now = time.monotonic()
        if now - self._typed_at < TYPING_EVERY_S:
            return False
        self._typed_at = now
        return True

    def may_type_again(self) -> None:
        """What is written from now on belongs to another message."""
        self._typed_at = -TYPING_EVERY_S

    async def on_ping(self, frame: Frame) -> None:
        await self.say({"type": "pong"})

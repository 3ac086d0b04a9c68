"""The customer's socket: check the frame, make one call, send what the client lacks.

A socket handles one thing at a time: while a handler runs, nothing is pushed to that
browser. So a message is stored and acknowledged, and its answer is a task of its own,
which outlives the socket.
"""

import asyncio
import logging
import time
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from chat import access, dialogue, protocol, services, sockets
from chat.consumers.base import Following, Socket, keep
from chat.frames import queue_of
from chat.models import Conversation, Message
from chat.sockets import Frame
from csplatform import rates
from csplatform.roles import CUSTOMERS
from csplatform.threads import in_thread
from intents import content

logger = logging.getLogger(__name__)

# Somebody who never stops writing is answered after so many times CHAT_BURST_S.
_BURSTS_MOST = 3


class CustomerConsumer(Socket):
    """/ws/chat/: one customer, and the conversation on his screen."""

    roles = CUSTOMERS
    frames = protocol.CUSTOMER
    for_staff = False

    async def connect(self) -> None:
        self.followed: Following | None = None
        self.language = "zh"
        self._held: asyncio.Task[None] | None = None  # the answer that waits for the burst's end
        self._burst_until = 0.0  # time.monotonic()
        await super().connect()

    async def disconnect(self, code: int) -> None:
        await super().disconnect(code)
        if self.followed is not None:
            await self.leave(self.followed)

    @property
    def uid(self) -> str:
        return self.bearer.uid if self.bearer else ""

    async def signed_in(self, frame: Frame, *, is_same: bool) -> None:
        self.language = frame["language"]
        asked_for: UUID | None = frame["conversation"]
        try:
            conversation, current = await in_thread(self._conversation)(asked_for)
        except access.NoSuchConversation as refusal:
            # An id that a browser kept from somebody else: told, and shown his own instead.
            await self.refuse(refusal)
            conversation, current = await in_thread(self._conversation)(None)
        if not is_same and self.followed is not None:
            await self.leave(self.followed)
            self.followed = None
        queue = await self._queue_of(conversation)
        await self.say(sockets.welcome(conversation, current, self.language, queue))
        if conversation is not None:
            after = frame["after"] if conversation.pk == asked_for else 0
            known = sockets.status(conversation, queue)
            await self._follow(conversation.pk, after=after, known=known)

    async def status_of(self, conversation: Conversation) -> Frame:
        return sockets.status(conversation, await self._queue_of(conversation))

    async def _queue_of(self, conversation: Conversation | None) -> Frame | None:
        if conversation is None or conversation.status != Conversation.Status.WAITING:
            return None  # and the usual message costs nothing
        return await in_thread(queue_of)(conversation)

    def _conversation(
        self, conversation_id: UUID | None
    ) -> tuple[Conversation | None, content.Content]:
        if conversation_id is not None:
            found: Conversation | None = access.of_customer(self.uid, conversation_id)
        else:
            found = Conversation.objects.current_of(self.uid).select_related("agent").first()
        return found, content.current()

    async def _follow(
        self, conversation_id: UUID, *, after: int | None = None, known: Frame | None = None
    ) -> Following:
        """Have this conversation on the screen, and send what the client lacks of it.

        Args:
            after: What the client says it has.
            known: Its status, as the client was just told.
        """
        followed = self.followed
        if followed is None or followed.conversation_id != conversation_id:
            if followed is not None:
                await self.leave(followed)
            followed = self.followed = Following(conversation_id)
        followed.status = known or followed.status
        await self.join(followed)
        await self.deliver(followed, after=after)
        return followed

    async def on_message(self, frame: Frame) -> None:
        posted = await in_thread(self._post)(frame["client_id"], frame["text"])
        message = posted.message
        await self.say(sockets.accepted(message))
        followed = self.followed
        if followed is None or followed.conversation_id != message.conversation_id:
            # Its first line, or the one on the screen has ended: a new one began.
            followed = await self._follow(message.conversation_id)
        else:
            await self.has_own(followed, message.seq)
        if posted.is_new and message.awaits_answer:
            await self.say(sockets.typing(message.conversation_id, Message.Sender.BOT))
            self._answer_soon(message, followed)

    def _post(self, client_id: UUID, text: str) -> services.Posted:
        rates.count("chat", self.uid)
        return services.post_customer_message(
            uid=self.uid,
            text=text,
            client_id=client_id,
            spoken=self.language,
            now=timezone.now(),
        )

    def _answer_soon(self, message: Message, followed: Following) -> None:
        """Have it answered when no other message follows at once: the answer is for all of them."""
        if not settings.CHAT_BURST_S:
            keep(self._answer(message, followed))
            return
        now = time.monotonic()
        if self._held is None:
            self._burst_until = now + _BURSTS_MOST * settings.CHAT_BURST_S
        else:
            self._held.cancel()
        wait_s = min(settings.CHAT_BURST_S, max(0.0, self._burst_until - now))
        self._held = keep(self._hold(message, followed, wait_s))

    async def _hold(self, message: Message, followed: Following, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        self._held = None  # from here on it is answered, whatever comes
        # Read afresh: he may have asked for a human meanwhile.
        await self._answer(message.pk, followed)

    async def _answer(self, message: Message | int, followed: Following) -> None:
        try:
            await dialogue.answer(message)
        except Exception:
            logger.exception("A message is left to the sweep: %s", message)
            return
        # The hint may be lost with the layer; the answer is not.
        if followed is self.followed:
            await self.deliver_if_possible(followed)

    async def on_catch_up(self, frame: Frame) -> None:
        await self.limit()
        if self.followed is not None:
            await self.deliver(self.followed, after=frame["after"])

    async def on_human(self, frame: Frame) -> None:
        await self.limit()
        conversation = await in_thread(services.ask_for_human)(
            uid=self.uid, spoken=self.language, now=timezone.now()
        )
        await self._follow(conversation.pk)

    async def on_typing(self, frame: Frame) -> None:
        if self.followed is not None and self.may_type():
            sockets.hint_typing(self.followed.conversation_id, Message.Sender.CUSTOMER)

    async def on_ping(self, frame: Frame) -> None:
        await super().on_ping(frame)
        if self.followed is None:  # opened in another window?
            conversation, _current = await in_thread(self._conversation)(None)
            if conversation is not None:
                await self._follow(conversation.pk)
        else:
            await self.join(self.followed)
            await self.deliver(self.followed)

    # --- From the layer ---

    async def hint(self, message: Frame) -> None:
        followed = self.followed
        if followed is not None and str(followed.conversation_id) == message["conversation"]:
            await self.deliver_if_possible(followed)

    async def typing(self, message: Frame) -> None:
        if self.followed is not None and message["sender"] == Message.Sender.AGENT:
            await self.say(sockets.typing(self.followed.conversation_id, message["sender"]))

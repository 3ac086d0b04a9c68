"""The customer's socket: check the frame, make one call, send what the client lacks.

A socket handles one thing at a time: while a handler runs, nothing is pushed to that
browser. So a message is stored and acknowledged, and its answer is a task of its own,
which outlives the socket.
"""

import logging
from uuid import UUID

from django.db import Error as DatabaseError
from django.utils import timezone

from chat import access, dialogue, protocol, services, sockets
from chat.consumers.answering import Answering
from chat.consumers.base import GATHER_S, Following, Socket
from chat.consumers.gathering import Gathering
from chat.frames import queues_of, rating_of
from chat.longtexts.telling import is_long
from chat.longtexts.turns import give_way
from chat.models import Conversation, Message
from chat.sockets import Frame
from csplatform import rates
from csplatform.roles import CUSTOMERS
from csplatform.threads import in_thread
from intents import content

logger = logging.getLogger(__name__)


# What the heartbeats of customers without an open conversation look for.
_current = Gathering(access.current_of_customers, GATHER_S)
# One who is taken up, or a new one, moves the places of all: they look at one moment.
_queues = Gathering(queues_of, GATHER_S)


class CustomerConsumer(Socket):
    """/ws/chat/: one customer, and the conversation on his screen."""

    roles = CUSTOMERS
    frames = protocol.CUSTOMER
    for_staff = False

    async def connect(self) -> None:
        self.followed: Following | None = None
        self.language = "zh"
        self._answering = Answering(self._answer)
        await super().connect()

    async def disconnect(self, code: int) -> None:
        await super().disconnect(code)
        if self.followed is not None:
            await self.leave(self.followed)

    @property
    def status(self) -> str:
        """Who has the conversation on the screen, as the client was told last."""
        known = self.followed.status if self.followed else None
        return known["status"] if known else Conversation.Status.BOT

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
        parts = await self._parts_of(conversation)
        await self.say(sockets.welcome(conversation, current, self.language, *parts))
        if conversation is not None:
            after = frame["after"] if conversation.pk == asked_for else 0
            known = sockets.status(conversation, *parts)
            await self._follow(conversation.pk, after=after, known=known)

    async def status_of(self, conversation: Conversation) -> Frame:
        return sockets.status(conversation, *await self._parts_of(conversation))

    async def _parts_of(
        self, conversation: Conversation | None
    ) -> tuple[Frame | None, Frame | None]:
        """Return the parts `queue` and `rating` of a status; the usual message costs nothing."""
        if conversation is None:
            return None, None
        if conversation.status == Conversation.Status.WAITING:
            return await _queues.of(conversation.pk), None
        if services.asks_rating(conversation):
            return None, await in_thread(rating_of)(conversation)
        return None, None

    def _conversation(
        self, conversation_id: UUID | None
    ) -> tuple[Conversation | None, content.Content]:
        if conversation_id is not None:
            found: Conversation | None = access.of_customer(self.uid, conversation_id)
        else:
            found = access.shown_to(self.uid, timezone.now())
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
                # His other windows show the one that has ended; they come along.
                sockets.hint(followed.conversation_id, 0)
            followed = self.followed = Following(conversation_id)
        followed.status = known or followed.status
        await self.join(followed)
        await self.deliver(followed, after=after)
        return followed

    async def on_message(self, frame: Frame) -> None:
        if is_long(frame["text"]):
            await give_way()
        posted = await in_thread(self._post)(frame)
        message = posted.message
        self.may_type_again()
        await self.say(sockets.accepted(message))
        followed = self.followed
        if followed is None or followed.conversation_id != message.conversation_id:
            # Its first line, or the one on the screen has ended: a new one began.
            followed = await self._follow(message.conversation_id)
        else:
            await self.has_own(followed, message.seq)
        if posted.is_new and message.awaits_answer:
            await self.say(sockets.typing(message.conversation_id, Message.Sender.BOT))
            self._answering.asked(message)

    def _post(self, frame: Frame) -> services.Posted:
        rates.count("chat", self.uid)
        return services.post_customer_message(
            uid=self.uid,
            text=frame["text"],
            client_id=frame["client_id"],
            attachment_ids=frame["attachments"],
            spoken=self.language,
            now=timezone.now(),
        )

    async def _answer(self, message: Message | int) -> None:
        followed = self.followed
        try:
            await dialogue.answer(message)
        except Exception:
            logger.exception("A message is left to the sweep: %s", message)
            return
        # The hint may be lost with the layer; the answer is not.
        if followed is not None and followed is self.followed:
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

    async def on_read(self, frame: Frame) -> None:
        followed, seq = self.followed, frame["seq"]
        if followed is None or followed.conversation_id != frame["conversation"]:
            return  # of a conversation that has left the screen meanwhile
        if seq <= followed.read:
            return
        await self.limit()
        if await in_thread(services.read_by_customer)(
            uid=self.uid, conversation_id=followed.conversation_id, seq=seq
        ):
            followed.read = seq

    async def on_end(self, frame: Frame) -> None:
        await self.limit()
        if (followed := self.followed) is None:
            return  # nothing has begun
        await in_thread(services.close_by_customer)(
            uid=self.uid, conversation_id=followed.conversation_id, now=timezone.now()
        )
        await self.deliver(followed)

    async def on_typing(self, frame: Frame) -> None:
        if self.followed is None or not self.may_type():
            return
        self._answering.typing()
        if self.status != Conversation.Status.BOT:  # else nobody is there to see it
            sockets.hint_typing(self.followed.conversation_id, Message.Sender.CUSTOMER)

    async def on_ping(self, frame: Frame) -> None:
        await super().on_ping(frame)
        if self.followed is None or self.status == Conversation.Status.CLOSED:
            await self._move_on()
        else:
            await self.join(self.followed)
            await self.deliver_if_changed(self.followed)

    async def _move_on(self) -> None:
        """Follow what was begun in another window, if there is something."""
        conversation_id = await _current.of(self.uid)
        followed = self.followed
        if conversation_id is not None:
            await self._follow(conversation_id)
        elif followed is not None:
            await self.join(followed)
            await self.deliver(followed)

    # --- From the layer ---

    async def hint(self, message: Frame) -> None:
        followed = self.followed
        if followed is None or str(followed.conversation_id) != message["conversation"]:
            return
        await self.deliver_if_possible(followed)
        if self.status == Conversation.Status.CLOSED:
            try:
                await self._move_on()
            except DatabaseError:
                logger.exception("A hint could not be followed")

    async def line(self, message: Frame) -> None:
        followed = self.followed
        if followed is not None and str(followed.conversation_id) == message["conversation"]:
            await self.deliver_line(followed, message["seq"])

    async def typing(self, message: Frame) -> None:
        if self.followed is not None and message["sender"] == Message.Sender.AGENT:
            await self.say(sockets.typing(self.followed.conversation_id, message["sender"]))

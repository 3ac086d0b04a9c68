"""What a workspace's socket does when somebody reads along, and what it tells of whispers.

Whoever of the staff has a conversation on the screen that a colleague or the bot has, watches
it: that is written down. Supervisors do it silently: neither the customer nor the agent is
told, unless WATCH_IS_TOLD. Of other agents colleagues see that they are there.
"""

from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone

from chat import sockets
from chat.consumers.base import logger
from chat.consumers.colleagues import GONE, Colleagues
from chat.models import Conversation
from chat.services import supervision
from chat.sockets import Frame
from csplatform.roles import SUPERVISORS
from csplatform.threads import in_thread


class Watching(Colleagues):
    """The part of a workspace's socket that concerns reading along."""

    async def connect(self) -> None:
        self._shown: UUID | None = None  # what was opened last
        self._watch_id: int | None = None  # of what is shown, while it is somebody else's
        self._seen_at: set[UUID] = set()  # where colleagues were told of this one
        await super().connect()

    async def disconnect(self, code: int) -> None:
        await super().disconnect(code)
        try:
            await self._stop_watching()
        except DatabaseError:  # without an end, the latest sign of it is its end
            logger.exception("A watch could not be ended")

    @property
    def is_supervisor(self) -> bool:
        """Whether the one at this socket may do what only supervisors may."""
        assert self.bearer is not None  # noqa: S101  (checked before any handler)
        return bool(self.bearer.roles & SUPERVISORS)

    def is_watching(self, conversation_id: UUID) -> bool:
        """Whether the conversation is shown here and somebody else's."""
        return self._watch_id is not None and self._shown == conversation_id

    async def on_open(self, frame: Frame) -> None:
        """Note what is on the screen now; the watch begins when its status is sent."""
        if frame["conversation"] != self._shown:
            await self._stop_watching()
        self._shown = frame["conversation"]

    async def on_looking(self, frame: Frame) -> None:
        if frame["conversation"] is None:
            await self._stop_watching()
            self._shown = None
        await super().on_looking(frame)

    async def status_of(self, conversation: Conversation) -> Frame:
        """Look who has it on the way out: a colleague may have taken what is on the screen."""
        if conversation.pk == self._shown:
            is_others = supervision.is_others(conversation, self.agent_id)
            if is_others and self._watch_id is None:
                self._watch_id = await in_thread(supervision.watch)(
                    conversation_id=conversation.pk, watcher_id=self.agent_id, now=timezone.now()
                )
            elif not is_others:
                await self._stop_watching()
        return await super().status_of(conversation)

    async def _stop_watching(self) -> None:
        watch_id, self._watch_id = self._watch_id, None
        if watch_id is not None:
            await in_thread(supervision.stop_watching)(watch_id, now=timezone.now())

    async def on_ping(self, frame: Frame) -> None:
        await super().on_ping(frame)
        if self._watch_id is not None:
            await in_thread(supervision.go_on_watching)(self._watch_id, now=timezone.now())

    async def tell_company(
        self, conversation_id: UUID, state: str, *, is_new: bool = False
    ) -> None:
        """Tell colleagues, unless a supervisor reads along silently: then not of his leaving either."""
        is_silent = self.is_supervisor and not settings.WATCH_IS_TOLD
        if state == GONE:
            is_told = conversation_id in self._seen_at
            self._seen_at.discard(conversation_id)
        else:
            is_told = not (is_silent and self.is_watching(conversation_id))
            self._seen_at |= {conversation_id} if is_told else set()
        if is_told:
            await super().tell_company(conversation_id, state, is_new=is_new)

    async def whispers(self, message: Frame) -> None:
        """Something was whispered: have those look who may read it."""
        conversation_id = UUID(message["conversation"])
        if conversation_id not in self.followed:
            return
        try:
            may_read = await in_thread(supervision.may_read_whispers)(
                conversation_id, reader_id=self.agent_id, is_supervisor=self.is_supervisor
            )
        except DatabaseError:
            logger.exception("A hint could not be followed")
            return
        if may_read:
            await self.say(sockets.whispers(conversation_id))

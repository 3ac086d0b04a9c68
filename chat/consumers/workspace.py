"""The agents' socket: the inbox, and the conversations that are open on the screen."""

import asyncio
import uuid
from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import Error as DatabaseError
from django.utils import timezone

from chat import access, presence, protocol, services, sockets
from chat.consumers.base import Following, Socket, keep, logger
from chat.models import Message
from chat.sockets import Frame
from csplatform.roles import AGENTS, SUPERVISORS
from csplatform.threads import in_thread

# The oldest one is let go when an agent opens more; it is caught up when opened again.
_MOST_FOLLOWED = 20
# Hints that come together are one look at the inbox.
_INBOX_AFTER_S = 0.1


class WorkspaceConsumer(Socket):
    """/ws/workspace/: one agent, the inbox and what he has open."""

    roles = AGENTS
    frames = protocol.WORKSPACE
    for_staff = True

    async def connect(self) -> None:
        self.followed: dict[UUID, Following] = {}
        self._inbox_is_joined = False
        self._inbox_is_due = False
        self._tab_id = uuid.uuid4().hex
        self._me: Frame | None = None  # as the client was told
        await super().connect()

    async def disconnect(self, code: int) -> None:
        await super().disconnect(code)
        if self.bearer is not None:
            keep(in_thread(presence.leave)(self.agent_id, self._tab_id))
        for followed in self.followed.values():
            await self.leave(followed)
        if self._inbox_is_joined:
            await self.bounded(
                self.channel_layer.group_discard(sockets.INBOX_GROUP, self.channel_name)
            )

    @property
    def agent_id(self) -> int:
        assert self.bearer is not None  # noqa: S101  (checked before any handler)
        assert self.bearer.user_id is not None  # noqa: S101  (agents are users)
        return self.bearer.user_id

    async def signed_in(self, frame: Frame, *, is_same: bool) -> None:
        await self._join_inbox()
        name, self._me, entries = await in_thread(self._read_desk)()
        await self.say({"type": "welcome", "name": name, "me": self._me, "inbox": entries})

    def _read_desk(self) -> tuple[str, Frame, list[Frame]]:
        agent = get_user_model().objects.get(pk=self.agent_id)
        return sockets.name_of(agent), self._renewed(), sockets.inbox(self.agent_id)

    def _renewed(self) -> Frame:
        """Say that the agent is there, and return what the server makes of him."""
        presence.renew(self.agent_id, self._tab_id)
        there, desk = presence.present(), services.desk_of(self.agent_id)
        return {
            "availability": desk.availability,
            "present": None if there is None else self.agent_id in there,
            "chats": desk.chats,
            "capacity": desk.capacity,
        }

    async def _say_me(self) -> None:
        """Tell the agent how the server sees him, where that has changed."""
        me = await in_thread(self._renewed)()
        if me != self._me:
            self._me = me
            await self.say({"type": "me", "me": me})

    async def _join_inbox(self) -> None:
        if not self._inbox_is_joined:
            self._inbox_is_joined = await self.in_group(sockets.INBOX_GROUP)

    async def _send_inbox(self) -> None:
        entries = await in_thread(sockets.inbox)(self.agent_id)
        await self.say({"type": "inbox", "inbox": entries})

    # --- Frames ---

    async def on_open(self, frame: Frame) -> None:
        await self._renew(frame["conversation"])
        await self.on_catch_up(frame)

    async def on_catch_up(self, frame: Frame) -> None:
        await self.limit()
        conversation = await in_thread(access.of_agent)(frame["conversation"])
        followed = await self._follow(conversation.pk)
        await self.deliver(followed, after=frame["after"])

    async def _renew(self, conversation_id: UUID) -> None:
        """Note that the agent is at work on it, if it is his."""
        await in_thread(services.renew)(
            conversation_id=conversation_id, agent_id=self.agent_id, now=timezone.now()
        )

    async def _follow(self, conversation_id: UUID) -> Following:
        followed = self.followed.pop(conversation_id, None) or Following(conversation_id)
        self.followed[conversation_id] = followed  # the latest is last
        if len(self.followed) > _MOST_FOLLOWED:
            await self.leave(self.followed.pop(next(iter(self.followed))))
        await self.join(followed)
        return followed

    async def on_message(self, frame: Frame) -> None:
        await self.limit()
        message = await in_thread(services.post_agent_message)(
            conversation_id=frame["conversation"],
            agent_id=self.agent_id,
            text=frame["text"],
            client_id=frame["client_id"],
            now=timezone.now(),
        )
        await self.say(sockets.accepted(message))
        if (followed := self.followed.get(message.conversation_id)) is not None:
            await self.has_own(followed, message.seq)

    async def on_take(self, frame: Frame) -> None:
        from_colleague = frame["from_colleague"] and self._is_supervisor
        take = partial(services.take_over, from_colleague=from_colleague)
        await self._change(take, frame["conversation"])

    @property
    def _is_supervisor(self) -> bool:
        assert self.bearer is not None  # noqa: S101  (checked before any handler)
        return bool(self.bearer.roles & SUPERVISORS)

    async def on_transfer(self, frame: Frame) -> None:
        def transfer(*, conversation_id: UUID, agent_id: int, now: datetime) -> None:
            services.transfer(
                conversation_id=conversation_id,
                from_agent_id=agent_id,
                to_agent_id=frame["to_agent"],
                queue_id=frame["to_queue"],
                reason=frame["reason"],
                summary=frame["summary"],
                by_supervisor=self._is_supervisor,
                now=now,
            )

        await self._change(transfer, frame["conversation"])

    async def on_availability(self, frame: Frame) -> None:
        await self.limit()
        await in_thread(services.set_availability)(
            agent_id=self.agent_id, availability=frame["availability"]
        )
        await self._say_me()

    async def on_hand_back(self, frame: Frame) -> None:
        await self._change(services.hand_back, frame["conversation"])

    async def on_close(self, frame: Frame) -> None:
        await self._change(services.close, frame["conversation"])

    async def _change(self, change: Callable[..., None], conversation_id: UUID) -> None:
        await self.limit()
        await in_thread(change)(
            conversation_id=conversation_id, agent_id=self.agent_id, now=timezone.now()
        )
        if (followed := self.followed.get(conversation_id)) is not None:
            await self.deliver(followed)
        else:
            conversation = await in_thread(access.of_agent)(conversation_id)
            await self.say(sockets.status(conversation, for_staff=True))
        await self._send_inbox()

    async def on_typing(self, frame: Frame) -> None:
        # Only what is open here, so that nobody else's customer sees it.
        if frame["conversation"] in self.followed and self.may_type():
            sockets.hint_typing(frame["conversation"], Message.Sender.AGENT)
            await self._renew(frame["conversation"])

    async def on_ping(self, frame: Frame) -> None:
        await super().on_ping(frame)
        await self._join_inbox()
        await self._say_me()
        await self._send_inbox()
        for followed in list(self.followed.values()):
            await self.join(followed)
            await self.deliver(followed)

    # --- From the layer ---

    async def hint(self, message: Frame) -> None:
        followed = self.followed.get(UUID(message["conversation"]))
        if followed is not None:
            await self.deliver_if_possible(followed)

    async def inbox(self, message: Frame) -> None:
        if not self._inbox_is_due:
            self._inbox_is_due = True
            keep(self._send_inbox_soon())

    async def _send_inbox_soon(self) -> None:
        await asyncio.sleep(_INBOX_AFTER_S)
        self._inbox_is_due = False
        try:
            await self._send_inbox()
        except DatabaseError:
            logger.exception("The inbox could not be read")

    async def typing(self, message: Frame) -> None:
        if message["sender"] == Message.Sender.CUSTOMER:
            await self.say(sockets.typing(UUID(message["conversation"]), message["sender"]))

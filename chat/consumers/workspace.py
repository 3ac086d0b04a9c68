"""The agents' socket: the inbox, and the conversations that are open on the screen."""

import asyncio
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import UUID

from django.contrib.auth import get_user_model
from django.utils import timezone

from chat import access, inbox, presence, protocol, services, sockets
from chat.consumers import inbox_window
from chat.consumers.base import Following
from chat.consumers.colleagues import WRITING
from chat.consumers.running import keep
from chat.consumers.watching import Watching
from chat.models import Message
from chat.sockets import Frame
from csplatform.roles import AGENTS
from csplatform.threads import in_thread

# The oldest one is let go when an agent opens more; it is caught up when opened again.
_MOST_FOLLOWED = 20


class WorkspaceConsumer(Watching):
    """/ws/workspace/: one agent, the inbox and what he has open."""

    roles = AGENTS
    frames = protocol.WORKSPACE
    for_staff = True

    async def connect(self) -> None:
        self.followed: dict[UUID, Following] = {}
        self._inbox_is_joined = False
        self._look: asyncio.Future[inbox_window.Look | None] | None = None  # that is awaited
        self._whole_at = 0.0  # when the latest whole inbox was read, time.monotonic()
        self._viewer: inbox.Viewer | None = None  # as of the latest whole inbox
        # What was read first is told first: a later whole inbox holds what changed before.
        self._telling = asyncio.Lock()
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

    async def signed_in(self, frame: Frame, *, is_same: bool) -> None:
        await self._join_inbox()
        self._whole_at = time.monotonic()
        name, self._me, whole = await in_thread(self._read_desk)()
        await self.say({"type": "welcome", "name": name, "me": self._me, **whole})
        await self.join_own()
        await self.say_desk_news()

    def _read_desk(self) -> tuple[str, Frame, Frame]:
        agent = get_user_model().objects.get(pk=self.agent_id)
        return sockets.name_of(agent), self._renewed(), self._whole()

    def _whole(self) -> Frame:
        """The inbox as this agent sees it now, and how many conversations each view has."""
        self._viewer = inbox.viewer(self.agent_id, is_supervisor=self.is_supervisor)
        return {"inbox": inbox.whole(self._viewer), "counts": inbox.counts(self._viewer)}

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
        async with self._telling:
            self._whole_at = time.monotonic()
            await self.say({"type": "inbox", **await in_thread(self._whole)()})

    # --- Frames ---

    async def on_open(self, frame: Frame) -> None:
        await super().on_open(frame)
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
            attachment_ids=frame["attachments"],
            now=timezone.now(),
        )
        await self.say(sockets.accepted(message))
        if (followed := self.followed.get(message.conversation_id)) is not None:
            await self.has_own(followed, message.seq)

    async def on_take(self, frame: Frame) -> None:
        from_colleague = frame["from_colleague"] and self.is_supervisor
        take = partial(services.take_over, from_colleague=from_colleague)
        await self._change(take, frame["conversation"])

    async def on_transfer(self, frame: Frame) -> None:
        def transfer(*, conversation_id: UUID, agent_id: int, now: datetime) -> None:
            services.transfer(
                conversation_id=conversation_id,
                from_agent_id=agent_id,
                to_agent_id=frame["to_agent"],
                queue_id=frame["to_queue"],
                reason=frame["reason"],
                summary=frame["summary"],
                by_supervisor=self.is_supervisor,
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
        close = partial(services.close, disposition_id=frame["disposition"], note=frame["note"])
        await self._change(close, frame["conversation"])

    async def on_recall(self, frame: Frame) -> None:
        await self.limit()
        await in_thread(services.recall)(
            conversation_id=frame["conversation"],
            agent_id=self.agent_id,
            seq=frame["seq"],
            now=timezone.now(),
        )
        if (followed := self.followed.get(frame["conversation"])) is not None:
            await self.deliver(followed)

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
        await self._say_me()  # he has one chat more, or less

    async def on_read(self, frame: Frame) -> None:
        followed, seq = self.followed.get(frame["conversation"]), frame["seq"]
        if followed is None or seq <= followed.read:
            return
        await self.limit()
        if await in_thread(services.read_by_agent)(
            agent_id=self.agent_id, conversation_id=followed.conversation_id, seq=seq
        ):
            followed.read = seq

    async def on_typing(self, frame: Frame) -> None:
        # Only what is open here, so that nobody else's customer sees it.
        # Nobody sees somebody write who reads along in what is a colleague's.
        if self.is_watching(frame["conversation"]):
            return
        if frame["conversation"] in self.followed and self.may_type():
            sockets.hint_typing(frame["conversation"], Message.Sender.AGENT)
            await self.tell_company(frame["conversation"], WRITING)
            await self._renew(frame["conversation"])

    async def on_ping(self, frame: Frame) -> None:
        await super().on_ping(frame)
        # On its own: what comes for this agent meanwhile does not wait for it.
        keep(self._guarded(self._look_around, frame))

    async def _look_around(self, _frame: Frame) -> None:
        await self._join_inbox()
        await self._say_me()
        await self._send_inbox()
        followed = list(self.followed.values())
        for one in followed:
            await self.join(one)
        await asyncio.gather(*map(self.deliver_if_changed, followed))
        await self.join_own()
        await self.say_desk_news()

    # --- From the layer ---

    async def hint(self, message: Frame) -> None:
        followed = self.followed.get(UUID(message["conversation"]))
        if followed is not None:
            await self.deliver_if_possible(followed)

    async def line(self, message: Frame) -> None:
        followed = self.followed.get(UUID(message["conversation"]))
        if followed is not None:
            await self.deliver_line(followed, message["seq"])

    async def inbox(self, message: Frame) -> None:
        look = inbox_window.look_at(UUID(message["conversation"]))
        if look is not self._look:
            self._look = look
            keep(self._send_changed(look))

    async def _send_changed(self, look: "asyncio.Future[inbox_window.Look | None]") -> None:
        """Tell what has changed of the inbox, and not all of it; the heartbeat brings the whole."""
        seen = await asyncio.shield(look)  # other sockets wait for it, too
        async with self._telling:
            if seen is None or self._viewer is None or seen.began_at < self._whole_at:
                return  # nothing is known, or the whole inbox was told meanwhile
            listed, gone = inbox.changed(self._viewer, seen.ids, seen.found.values())
            await self.say({"type": "inbox_changed", "inbox": listed, "gone": gone})

    async def typing(self, message: Frame) -> None:
        if message["sender"] == Message.Sender.CUSTOMER:
            await self.say(sockets.typing(UUID(message["conversation"]), message["sender"]))

"""What an agent's socket tells of colleagues: notes, mentions, and who else is at a conversation.

All of it goes through groups that only workspaces join, and nothing of it to customers.
"""

import contextlib
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import Error as DatabaseError
from django.db.models import Max

from chat import services, sockets
from chat.consumers.base import Following, Socket
from chat.models import Note
from chat.sockets import Frame
from csplatform import layers
from csplatform.threads import in_thread

# How a colleague is at a conversation. Said again every few seconds while it lasts; the pages
# forget who has not been heard of for longer.
HERE, WRITING, GONE = "here", "writing", "gone"


class Colleagues(Socket):
    """The part of a workspace's socket that concerns colleagues."""

    followed: dict[UUID, Following]

    async def connect(self) -> None:
        self._own_name = ""
        self._looking_at: UUID | None = None
        self._last_notes: dict[UUID, int] = {}  # as the client was told
        self._unread: int | None = None  # mentions, as the client was told
        self._own_group_is_joined = False
        await super().connect()

    async def disconnect(self, code: int) -> None:
        await super().disconnect(code)
        if self._looking_at is not None:
            await self.tell_company(self._looking_at, GONE)
        if self._own_group_is_joined:
            group = sockets.group_of_agent(self.agent_id)
            await self.bounded(self.channel_layer.group_discard(group, self.channel_name))

    @property
    def agent_id(self) -> int:
        assert self.bearer is not None  # noqa: S101  (checked before any handler)
        assert self.bearer.user_id is not None  # noqa: S101  (agents are users)
        return self.bearer.user_id

    # --- Groups: only staff's sockets are in them ---

    async def join(self, followed: Following) -> None:
        is_new = not followed.is_joined
        await super().join(followed)
        if is_new:
            group = sockets.staff_group_of(followed.conversation_id)
            followed.is_joined = await self.in_group(group) and followed.is_joined

    async def leave(self, followed: Following) -> None:
        await super().leave(followed)
        self._last_notes.pop(followed.conversation_id, None)
        group = sockets.staff_group_of(followed.conversation_id)
        await self.bounded(self.channel_layer.group_discard(group, self.channel_name))

    async def join_own(self) -> None:
        """Have hints for this agent come here."""
        if not self._own_group_is_joined:
            group = sockets.group_of_agent(self.agent_id)
            self._own_group_is_joined = await self.in_group(group)

    # --- Notes and mentions: what has changed, without content ---

    async def say_desk_news(self) -> None:
        """Tell the client which notes and mentions there are, where that has changed. Two queries."""
        last_notes, unread = await in_thread(self._read_news)(list(self.followed))
        for conversation_id, last in last_notes.items():
            if self._last_notes.get(conversation_id) != last:
                self._last_notes[conversation_id] = last
                await self.say(sockets.notes(conversation_id, last))
        if unread != self._unread:
            self._unread = unread
            await self.say({"type": "mentions", "unread": unread})

    def _read_news(self, followed: Iterable[UUID]) -> tuple[dict[UUID, int], int]:
        notes = Note.objects.filter(conversation__in=followed).order_by()
        last = dict(notes.values_list("conversation").annotate(Max("pk")))
        return last, services.unread_mentions(self.agent_id)

    async def notes(self, message: Frame) -> None:
        await self._say_news_if_possible()

    async def mentions(self, message: Frame) -> None:
        await self._say_news_if_possible()

    async def analysis(self, message: Frame) -> None:
        conversation_id = UUID(message["conversation"])
        if conversation_id in self.followed:
            await self.say(sockets.analysis(conversation_id, message["seq"]))

    async def _say_news_if_possible(self) -> None:
        with contextlib.suppress(DatabaseError):  # the next heartbeat brings it
            await self.say_desk_news()

    # --- Who else is here ---

    async def on_looking(self, frame: Frame) -> None:
        conversation_id = frame["conversation"]
        before, self._looking_at = self._looking_at, conversation_id
        if before is not None and before != conversation_id:
            await self.tell_company(before, GONE)
        # Only what is open here, so that nobody is told of what he cannot see.
        if conversation_id in self.followed:
            state = WRITING if frame["writing"] else HERE
            await self.tell_company(conversation_id, state, is_new=before != conversation_id)

    async def tell_company(
        self, conversation_id: UUID, state: str, *, is_new: bool = False
    ) -> None:
        """Tell colleagues at this conversation how this one is at it; lost, it is said again."""
        if not self._own_name:
            self._own_name = await in_thread(_name_of)(self.agent_id)
        message: dict[str, Any] = {
            "type": "company",
            "conversation": str(conversation_id),
            "agent": self.agent_id,
            "name": self._own_name,
            "state": state,
            "is_new": is_new,
        }
        layers.send_soon(sockets.staff_group_of(conversation_id), message)

    async def company(self, message: Frame) -> None:
        conversation_id = UUID(message["conversation"])
        if message["agent"] == self.agent_id or conversation_id not in self.followed:
            return
        await self.say(
            sockets.company(
                conversation_id,
                agent_id=message["agent"],
                name=message["name"],
                state=message["state"],
            )
        )
        if message["is_new"] and self._looking_at == conversation_id:
            await self.tell_company(conversation_id, HERE)  # so that he sees at once who is here


def _name_of(agent_id: int) -> str:
    return sockets.name_of(get_user_model().objects.filter(pk=agent_id).first())

"""Lists of conversations to leaf through, newest first, page by page along an index."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from chat.inbox.entries import entries
from chat.inbox.viewers import Viewer
from chat.models import Conversation, ConversationLabel, Handover
from chat.sockets import Frame
from csplatform.errors import Refusal

Status = Conversation.Status

PER_PAGE = 50


class NoSuchView(Refusal):
    code = "invalid"
    status = 400
    detail = _("Some of the data is missing or wrong.")


class View(StrEnum):
    """The lists of the workspace."""

    MINE = "mine"
    QUEUE = "queue"
    ALL = "all"  # that are open: also those that the bot has
    CLOSED = "closed"


_STATUSES = {
    View.MINE: (Status.AGENT,),
    View.QUEUE: (Status.WAITING,),
    View.ALL: (Status.BOT, Status.WAITING, Status.AGENT),
    View.CLOSED: (Status.CLOSED,),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is narrowed to; None and "" stand for everything."""

    queue_id: int | None = None
    label_id: int | None = None
    language: str = ""
    intent: str = ""  # Intent.code, of what people were called for
    waiting_s: int | None = None  # waits for so long at least

    def of(self, conversations: QuerySet[Conversation], now: datetime) -> QuerySet[Conversation]:
        """Narrow a list to it."""
        if self.queue_id is not None:
            conversations = conversations.filter(queue_id=self.queue_id)
        if self.language:
            conversations = conversations.filter(language=self.language)
        if self.label_id is not None:
            conversations = conversations.filter(
                pk__in=ConversationLabel.objects.filter(label_id=self.label_id).values(
                    "conversation"
                )
            )
        if self.intent:
            conversations = conversations.filter(
                Exists(Handover.objects.filter(conversation=OuterRef("pk"), intent=self.intent))
            )
        if self.waiting_s is not None:
            begun = now - timedelta(seconds=self.waiting_s)
            conversations = conversations.filter(status=Status.WAITING, waiting_since__lte=begun)
        return conversations


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list."""

    entries: Sequence[Frame]
    after: str  # what to ask for the next page with; "" on the last one


def page(view: View, viewer: Viewer, *, wanted: Wanted, after: str = "", now: datetime) -> Page:
    """Return PER_PAGE conversations of a view, that which changed hands last first.

    At most five queries, each along the index (status, changed_at): a page costs the same
    wherever it is.

    Args:
        after: Of the page before.

    Raises:
        NoSuchView: `after` is none of ours.
    """
    shown: QuerySet[Conversation] = Conversation.objects.all()
    if view == View.MINE:
        shown = shown.filter(agent_id=viewer.agent_id)
    if view == View.QUEUE:
        shown = shown.filter(viewer.may_take())
    if after:
        changed_at, pk = _place(after)
        # The first condition is for the index, the second for those of one moment.
        shown = shown.filter(changed_at__lte=changed_at).filter(
            Q(changed_at__lt=changed_at) | Q(pk__lt=pk)
        )
    shown = wanted.of(shown, now).order_by("-changed_at", "-pk")
    by_status = [
        shown.filter(status=status).values_list("changed_at", "pk")[: PER_PAGE + 1]
        for status in _STATUSES[view]
    ]
    newest = list(islice(heapq.merge(*by_status, reverse=True), PER_PAGE + 1))
    found = newest[:PER_PAGE]
    more = len(newest) > PER_PAGE
    return Page(
        entries([pk for _changed_at, pk in found], viewer),
        after=_named(*found[-1]) if more else "",
    )


def _named(changed_at: datetime, pk: UUID) -> str:
    return f"{changed_at.isoformat()}_{pk}"


def _place(after: str) -> tuple[datetime, UUID]:
    changed_at, _separator, pk = after.partition("_")
    try:
        moment, number = datetime.fromisoformat(changed_at), UUID(pk)
    except ValueError:
        raise NoSuchView from None
    if moment.tzinfo is None:
        raise NoSuchView
    return moment, number

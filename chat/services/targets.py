"""What a queue promises (its SLA): how soon an agent answers, and how soon it is done.

Time runs in the queue's business hours only; nights and holidays do not count. A case is what
agents have to do with a conversation: it begins with the hand-over and ends when it is closed
or handed back to the bot. Transfers, returns and escalations are within it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from chat.models import Assignment, Conversation, Handover, Queue
from chat.services.hours import Calendar, calendars

FIRST_RESPONSE, RESOLUTION = "FIRST_RESPONSE", "RESOLUTION"


@dataclass(frozen=True, slots=True)
class Promise:
    """What is due next in one case."""

    kind: str  # FIRST_RESPONSE or RESOLUTION
    began_at: datetime  # of the case
    seconds: int  # of business hours
    hours: Calendar

    @property
    def due_at(self) -> datetime | None:
        """When it must have been kept; None: not within 60 days."""
        return self.hours.after(self.began_at, self.seconds)

    def left_s(self, now: datetime) -> int:
        """Return the seconds of business hours that are left; negative: missed so long ago."""
        return round(self.seconds - self.hours.working_seconds(self.began_at, now))

    def is_running(self, now: datetime) -> bool:
        """Whether time runs; outside business hours it stands."""
        return self.hours.is_open(now)


def with_case(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """Add `case_began_at` and `case_answered_at` of the case that is going on; None without one."""
    handed_back = Assignment.objects.filter(
        conversation=OuterRef("conversation"),
        ended_because=Assignment.Ended.HANDED_BACK,
        ended_at__gte=OuterRef("requested_at"),
    )
    began = (
        Handover.objects.filter(~Exists(handed_back), conversation=OuterRef("pk"))
        .order_by("requested_at")
        .values("requested_at")[:1]
    )
    answered = (
        Assignment.objects.filter(
            conversation=OuterRef("pk"), answered_at__gte=OuterRef("case_began_at")
        )
        .order_by("answered_at")
        .values("answered_at")[:1]
    )
    with_begin: QuerySet[Any] = conversations.annotate(case_began_at=Subquery(began))
    with_answer: QuerySet[Any] = with_begin.annotate(case_answered_at=Subquery(answered))
    return with_answer


@dataclass(frozen=True, slots=True)
class Targets:
    """The promises and hours of all queues, read once for a whole list."""

    queues: Mapping[int | None, Queue]
    hours: Mapping[int | None, Calendar]

    @classmethod
    def read(cls) -> "Targets":
        """Read them. Three queries."""
        queues = list(Queue.objects.prefetch_related("business_hours"))
        return cls({one.pk: one for one in queues}, calendars(queues))

    def promise(self, conversation: Conversation) -> Promise | None:
        """Return what is due next in a conversation of `with_case`; None where nothing is."""
        began_at: datetime | None = getattr(conversation, "case_began_at", None)
        answered_at: datetime | None = getattr(conversation, "case_answered_at", None)
        rules = self.queues.get(conversation.queue_id)
        if began_at is None or rules is None or conversation.status not in _GOING_ON:
            return None
        return promise(rules, self.hours[rules.pk], began_at=began_at, answered_at=answered_at)


_GOING_ON = (Conversation.Status.WAITING, Conversation.Status.AGENT)


def promise(
    rules: Queue, hours: Calendar, *, began_at: datetime, answered_at: datetime | None
) -> Promise | None:
    """Return what is due next in a case that goes on; None where its queue promises nothing.

    Args:
        began_at: Of the case.
        answered_at: An agent's first answer in it; None: not yet.
    """
    promised = [(rules.resolution_s, RESOLUTION)]
    if answered_at is None:
        promised.append((rules.first_response_s, FIRST_RESPONSE))
    targets = [(seconds, kind) for seconds, kind in promised if seconds]
    if not targets:
        return None
    seconds, kind = min(targets)
    return Promise(kind, began_at, seconds, hours)

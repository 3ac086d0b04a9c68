"""Cases: what agents had to do with conversations, from hand-over to the end.

A case begins with the first hand-over of a conversation (asked by the customer, decided by the
bot, or an agent stepping in) and with the first one after it was handed back to the bot. It
ends when the conversation is closed or handed back. Transfers, returns to the queue and
escalations are within it. A case belongs to the day, hour and queue of its hand-over.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import OuterRef, Subquery

from chat.models import Assignment, Conversation, Handover, Message, Queue
from chat.reports.period import Asked, Period
from chat.reports.working_time import WorkingTime
from chat.services.hours import calendars

Ended = Assignment.Ended


@dataclass(frozen=True, slots=True)
class Spell:
    """The time in which one agent had a conversation."""

    agent_id: int
    assigned_at: datetime
    seen_at: datetime | None  # opened by the agent; None: never
    answered_at: datetime | None  # his first answer; None: none
    ended_at: datetime | None  # None: he still has it
    ended_because: str  # Assignment.Ended, "" while he has it

    def handle_s(self, now: datetime) -> float:
        """Seconds on the clock from opening it to its end; 0 where it was never opened."""
        if self.seen_at is None:
            return 0.0
        return max(0.0, ((self.ended_at or now) - self.seen_at).total_seconds())


@dataclass(slots=True)
class Case:
    """One case. Times in seconds; "working" seconds are of the queue's business hours."""

    conversation_id: UUID
    queue_id: int | None
    intent: str  # Intent.code of what the customer wanted as the bot understood it, or ""
    because: str  # Handover.Because
    began_at: datetime
    ended_at: datetime | None = None
    spells: list[Spell] = field(default_factory=list)
    # Measured, see measure():
    first_response_s: float | None = None
    resolution_s: float | None = None
    first_response_target: bool | None = None  # kept? None: none promised, or not decided yet
    resolution_target: bool | None = None

    @property
    def seen_at(self) -> datetime | None:
        """When an agent opened it first: the customer's wait was over."""
        return min((one.seen_at for one in self.spells if one.seen_at), default=None)

    @property
    def first_answer(self) -> Spell | None:
        answered = [one for one in self.spells if one.answered_at]
        return min(answered, key=lambda one: one.answered_at or one.assigned_at, default=None)

    @property
    def answered_at(self) -> datetime | None:
        first = self.first_answer
        return first.answered_at if first else None

    @property
    def answered_by(self) -> int | None:
        first = self.first_answer
        return first.agent_id if first else None

    @property
    def wait_s(self) -> float | None:
        """Seconds on the clock from the hand-over until an agent opened it; None: nobody did."""
        return (self.seen_at - self.began_at).total_seconds() if self.seen_at else None

    @property
    def is_abandoned(self) -> bool:
        """It ended, and no agent had said a word."""
        return self.ended_at is not None and self.answered_at is None

    def handle_s(self, now: datetime) -> float | None:
        """Seconds that agents had it open, all of them together; None: nobody opened it."""
        return sum(one.handle_s(now) for one in self.spells) if self.seen_at else None


def read(asked: Asked, now: datetime) -> list[Case]:
    """Return the cases that began in a period, measured. Six queries, however many there are."""
    handovers = _handovers(asked.period)
    spells: dict[UUID, list[Spell]] = defaultdict(list)
    of_period = Handover.objects.filter(
        requested_at__gte=asked.period.start, requested_at__lt=asked.period.end
    ).values("conversation")
    for conversation_id, *columns in (
        Assignment.objects.filter(conversation__in=of_period)
        .order_by("assigned_at", "pk")
        .values_list(
            "conversation_id",
            *("agent_id", "assigned_at", "seen_at", "answered_at", "ended_at", "ended_because"),
        )
    ):
        spells[conversation_id].append(Spell(*columns))
    closed = dict(
        Conversation.objects.filter(
            pk__in=of_period, status=Conversation.Status.CLOSED
        ).values_list("pk", "changed_at")
    )
    found = [
        case
        for conversation_id, rows in handovers.items()
        for case in _cases(conversation_id, rows, spells[conversation_id], closed)
        if asked.period.has(case.began_at)
    ]
    measure(found, now)
    return [case for case in found if _is_asked(case, asked)]


@dataclass(frozen=True, slots=True)
class _Row:
    requested_at: datetime
    queue_id: int | None
    intent: str
    because: str


def _handovers(period: Period) -> dict[UUID, list[_Row]]:
    """Return all hand-overs of conversations that were handed over in the period, in order."""
    understood = Message.objects.filter(
        conversation=OuterRef("conversation"),
        sender=Message.Sender.BOT,
        sent_at__lte=OuterRef("requested_at"),
    ).exclude(intent="")
    of_period = Handover.objects.filter(
        requested_at__gte=period.start, requested_at__lt=period.end
    ).values("conversation")
    rows: dict[UUID, list[_Row]] = defaultdict(list)
    for conversation_id, requested_at, queue_id, intent, because, last in (
        Handover.objects.filter(conversation__in=of_period)
        .annotate(understood=Subquery(understood.order_by("-seq").values("intent")[:1]))
        .order_by("requested_at", "pk")
        .values_list(
            "conversation_id", "requested_at", "queue_id", "intent", "because", "understood"
        )
    ):
        rows[conversation_id].append(_Row(requested_at, queue_id, intent or last or "", because))
    return rows


def _cases(
    conversation_id: UUID,
    handovers: Sequence[_Row],
    spells: Sequence[Spell],
    closed: dict[UUID, datetime],
) -> Iterator[Case]:
    """Cut the history of one conversation where it was handed back to the bot."""
    backs = sorted(
        one.ended_at
        for one in spells
        if one.ended_at is not None and one.ended_because == Ended.HANDED_BACK
    )
    rest = list(handovers)
    for end in [*backs, None]:
        within = [row for row in rest if end is None or row.requested_at <= end]
        rest = rest[len(within) :]
        if not within:
            continue
        first = within[0]
        case = Case(
            conversation_id=conversation_id,
            queue_id=first.queue_id,
            intent=first.intent,
            because=first.because,
            began_at=first.requested_at,
            ended_at=end or closed.get(conversation_id),
        )
        case.spells = [
            one
            for one in spells
            if one.assigned_at >= case.began_at and (end is None or one.assigned_at <= end)
        ]
        yield case


def measure(cases: Sequence[Case], now: datetime) -> None:
    """Fill in what needs business hours and targets: those of the queues as they are now.

    A target is missed when its time has passed, answered or not, and kept when it was answered
    in time. Before that nothing is decided: a case that still has time counts neither way.
    """
    queues: dict[int | None, Queue] = {
        one.pk: one for one in Queue.objects.prefetch_related("business_hours")
    }
    if not cases:
        return
    first = min(case.began_at for case in cases)
    last = max([now, *(case.ended_at for case in cases if case.ended_at)])
    times = {
        queue_id: WorkingTime(calendar, first, last)
        for queue_id, calendar in calendars(queues.values()).items()
    }
    for case in cases:
        time = times.get(case.queue_id, times[None])
        rules = queues.get(case.queue_id, Queue())

        def measured(
            until: datetime | None,
            target: int | None,
            *,
            case: Case = case,
            time: WorkingTime = time,
        ) -> tuple[float | None, bool | None]:
            if until is not None:
                seconds = time.seconds(case.began_at, until)
                return seconds, seconds <= target if target else None
            # Ended without it: what was promised did not come.
            passed = time.seconds(case.began_at, case.ended_at or now)
            is_missed = bool(target) and (passed > (target or 0))
            return None, False if is_missed else None

        case.first_response_s, case.first_response_target = measured(
            case.answered_at, rules.first_response_s
        )
        case.resolution_s, case.resolution_target = measured(case.ended_at, rules.resolution_s)


def _is_asked(case: Case, asked: Asked) -> bool:
    return (
        (asked.queue_id is None or case.queue_id == asked.queue_id)
        and (asked.agent_id is None or case.answered_by == asked.agent_id)
        and (not asked.intent or case.intent == asked.intent)
    )

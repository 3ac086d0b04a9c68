"""What each agent had: how many chats, how many at once, and how they went."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from chat.models import Assignment
from chat.reports.cases import Spell
from chat.reports.figures import Times
from chat.reports.period import Asked

Ended = Assignment.Ended
_LAPSED = (Ended.UNSEEN, Ended.UNANSWERED, Ended.GONE)


@dataclass(frozen=True, slots=True)
class Workload:
    """One agent's spells that began in a period, and his concurrency in it."""

    chats: int
    answered: int
    handed_back: int  # to the bot
    transferred: int  # passed on to a colleague or a queue
    lapsed: int  # not opened or answered in time, or he was gone
    taken_over: int  # by a supervisor
    answer: Times  # seconds on the clock from getting it to his first answer
    handle: Times  # seconds on the clock from opening it to its end, of those that ended
    at_once_mean: float | None  # chats at once, over the time in which he had any
    at_once_most: int


def read(asked: Asked, now: datetime) -> dict[int, Workload]:
    """Return the workload of each agent who had anything in a period. One query.

    An intent is ignored: a spell may be about several.
    """
    start, end = asked.period.start, min(asked.period.end, now)
    overlapping = Assignment.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=start), assigned_at__lt=end
    ).order_by("assigned_at")
    if asked.agent_id is not None:
        overlapping = overlapping.filter(agent_id=asked.agent_id)
    if asked.queue_id is not None:
        overlapping = overlapping.filter(queue_id=asked.queue_id)
    spells: dict[int, list[Spell]] = {}
    for row in overlapping.values_list(
        "agent_id", "assigned_at", "seen_at", "answered_at", "ended_at", "ended_because"
    ):
        spells.setdefault(row[0], []).append(Spell(*row))
    return {
        agent_id: _workload(its, start=start, end=end, now=now) for agent_id, its in spells.items()
    }


def _workload(
    spells: Sequence[Spell], *, start: datetime, end: datetime, now: datetime
) -> Workload:
    begun = [one for one in spells if one.assigned_at >= start]
    average, most = concurrency(spells, start=start, end=end)

    def ended(*because: str) -> int:
        return sum(one.ended_because in because for one in begun)

    return Workload(
        chats=len(begun),
        answered=sum(one.answered_at is not None for one in begun),
        handed_back=ended(Ended.HANDED_BACK),
        transferred=ended(Ended.TRANSFERRED),
        lapsed=ended(*_LAPSED),
        taken_over=ended(Ended.TAKEN_OVER),
        answer=Times.of(
            (one.answered_at - one.assigned_at).total_seconds() if one.answered_at else None
            for one in begun
        ),
        handle=Times.of(one.handle_s(now) for one in begun if one.ended_at and one.seen_at),
        at_once_mean=average,
        at_once_most=most,
    )


def concurrency(
    spells: Iterable[Spell], *, start: datetime, end: datetime
) -> tuple[float | None, int]:
    """Return how many chats an agent had at once between two moments: (mean, most).

    A chat counts from being opened to its end. The mean is over the time in which he had at
    least one; None: he had none.
    """
    changes: list[tuple[datetime, int]] = []
    for one in spells:
        begins = max(one.seen_at, start) if one.seen_at else None
        ends = min(one.ended_at or end, end)
        if begins is not None and begins < ends:
            changes += [(begins, 1), (ends, -1)]
    busy_s = chats_s = 0.0
    now_at_once = most = 0
    since: datetime | None = None
    for at, change in sorted(changes):  # an end before a beginning at the same moment
        if since is not None and now_at_once:
            passed = (at - since).total_seconds()
            busy_s, chats_s = busy_s + passed, chats_s + passed * now_at_once
        now_at_once, since = now_at_once + change, at
        most = max(most, now_at_once)
    return (chats_s / busy_s if busy_s else None), most

"""What a waiting customer may know: his place, how long others waited, when people are back."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from chat.models import Conversation, Handover, Queue
from chat.services.hours import Calendar, calendars

# Waits to learn from: of these days, at most so many, the latest.
_DAYS = 28
_MOST = 200
# Fewer say nothing: then the wait is unknown.
LEAST_SAMPLES = 8
# Waits that began within so many hours of this time of day come first.
_NEAR_H = 1.5
# Between these shares of the waits lies the interval that is told: two of three are within it.
_LOW, _HIGH = 1 / 6, 5 / 6
# An interval is told in steps, so that it does not change with each second.
_STEP_S = 60
# What decides who is next.
_ORDER = ("queue", "waiting_since", "changed_at", "escalated_at", "offline")


@dataclass(frozen=True, slots=True)
class Place:
    """Where one customer stands. Seconds are of waiting from now on; None: unknown."""

    position: int  # 1 is next
    low_s: int | None
    high_s: int | None
    is_open: bool
    opens_at: datetime | None  # when people are there next; None while open, or not in sight


def place(conversation_id: UUID, now: datetime) -> Place | None:
    """Return where a waiting customer stands; None when the conversation does not wait."""
    return places([conversation_id], now).get(conversation_id)


def places(conversation_ids: Iterable[UUID], now: datetime) -> dict[UUID, Place]:
    """Return where customers stand, of those who wait. Four queries and one a queue."""
    asked = set(conversation_ids)
    lines: dict[int | None, list[Conversation]] = {}
    for one in Conversation.objects.filter(status=Conversation.Status.WAITING).only(*_ORDER):
        lines.setdefault(one.queue_id, []).append(one)
    lines = {key: line for key, line in lines.items() if any(one.pk in asked for one in line)}
    if not lines:
        return {}
    queues = list(
        Queue.objects.filter(pk__in=[key for key in lines if key]).prefetch_related(
            "business_hours"
        )
    )
    hours = calendars(queues)
    found = {}
    for key, line in lines.items():
        calendar = hours[key]
        is_open = calendar.is_open(now)
        opens_at = None if is_open else calendar.next_opening(now)
        recent = _recent_waits(key, calendar, now) if is_open else []
        for position, one in enumerate(sorted(line, key=_given_out), 1):
            if one.pk not in asked:
                continue
            low, high = None, None
            if is_open and not one.offline:
                low, high = interval(recent, waited_s=(now - _since(one)).total_seconds())
            found[one.pk] = Place(position, low, high, is_open, opens_at)
    return found


def _since(one: Conversation) -> datetime:
    return one.waiting_since or one.changed_at


def _given_out(one: Conversation) -> tuple[bool, datetime, datetime, UUID]:
    """Sort as assign_waiting gives out: what was escalated first, then who waits longest."""
    return (one.escalated_at is None, one.escalated_at or _since(one), _since(one), one.pk)


def _recent_waits(queue_id: int | None, calendar: Calendar, now: datetime) -> list[float]:
    """Return lately measured waits of a queue in seconds, those at this time of day if enough.

    Who asked outside business hours waited for the opening, which says nothing here.
    """
    rows = _taken_up(now).filter(queue=queue_id).order_by("-requested_at")
    return _measured(rows.values_list("requested_at", "ended_at")[:_MOST], calendar, now)


def recent_waits(
    calendars: Mapping[int | None, Calendar], now: datetime
) -> dict[int | None, list[float]]:
    """Return lately measured waits of all queues in seconds, as for one. One query."""
    latest = Window(RowNumber(), partition_by="queue", order_by=F("requested_at").desc())
    rows: dict[int | None, list[tuple[datetime, datetime | None]]] = {}
    for queue_id, begun, ended in (
        _taken_up(now)
        .annotate(number=latest)
        .filter(number__lte=_MOST)
        .values_list("queue", "requested_at", "ended_at")
    ):
        rows.setdefault(queue_id, []).append((begun, ended))
    return {key: _measured(its, calendars[key], now) for key, its in rows.items()}


def _taken_up(now: datetime) -> QuerySet[Handover]:
    return Handover.objects.filter(
        because__in=Handover.ASKED,
        agent__isnull=False,
        requested_at__gte=now - timedelta(days=_DAYS),
    )


def _measured(
    rows: Iterable[tuple[datetime, datetime | None]], calendar: Calendar, now: datetime
) -> list[float]:
    measured = [
        (begun, (ended - begun).total_seconds())
        for begun, ended in rows
        if ended and calendar.is_open(begun)
    ]
    near = [wait for begun, wait in measured if _hours_apart(begun, now) <= _NEAR_H]
    return near if len(near) >= LEAST_SAMPLES else [wait for _, wait in measured]


def _hours_apart(one: datetime, other: datetime) -> float:
    """Return how far two times of day are apart, around midnight too."""
    hours = [local.hour + local.minute / 60 for local in map(timezone.localtime, (one, other))]
    apart = abs(hours[0] - hours[1])
    return min(apart, 24 - apart)


def interval(waits: Sequence[float], *, waited_s: float) -> tuple[int | None, int | None]:
    """Return between what two in three waits last from now on, rounded outwards to minutes.

    Only waits that were longer than this one already is say anything about its rest.

    Args:
        waits: In seconds.
        waited_s: So long this one lasts already.

    Returns:
        (low, high) in seconds, multiples of 60; (None, None) with fewer than LEAST_SAMPLES.
    """
    rest = sorted(wait - waited_s for wait in waits if wait > waited_s)
    if len(rest) < LEAST_SAMPLES:
        return None, None
    low = rest[math.floor(_LOW * (len(rest) - 1))]
    high = rest[math.ceil(_HIGH * (len(rest) - 1))]
    return (
        math.floor(low / _STEP_S) * _STEP_S,
        max(1, math.ceil(high / _STEP_S)) * _STEP_S,
    )

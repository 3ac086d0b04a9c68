"""When people are there: business hours, holidays, make-up workdays. Pure but for `calendar_of`.

Hours are written on the clock of settings.TIME_ZONE and calculated in UTC, so that a day on
which that clock is changed is as long as it really is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from django.utils import timezone

from chat.models import Queue, SpecialDay

# Within it an opening is looked for: longer than any row of holidays.
_LOOK_AHEAD_DAYS = 60
_DAY = timedelta(days=1)
_MONDAY = 0

Span = tuple[time, time]  # opens, closes; closes at 00:00 is the end of the day
Interval = tuple[datetime, datetime]  # in UTC, the end excluded


@dataclass(frozen=True, slots=True)
class Calendar:
    """The hours of one queue. Without any hours of the week it is always open."""

    zone: tzinfo
    weekly: Mapping[int, Sequence[Span]] = field(default_factory=dict)  # by weekday, 0 Monday
    special: Mapping[date, Sequence[Span]] = field(default_factory=dict)  # instead of the week's

    def is_open(self, now: datetime) -> bool:
        """Whether people are there now."""
        return not self.weekly or any(
            begins <= now < ends for begins, ends in self.intervals(now, now)
        )

    def next_opening(self, now: datetime) -> datetime | None:
        """Return `now` while open, else when it opens; None: not within 60 days."""
        if not self.weekly:
            return now
        intervals = self.intervals(now, now + _LOOK_AHEAD_DAYS * _DAY)
        return next((max(begins, now) for begins, ends in intervals if ends > now), None)

    def next_closing(self, now: datetime) -> datetime | None:
        """Return when it closes next while it is open; None: never, or it is closed."""
        if not self.weekly:
            return None
        # A day is read further: hours that go on over midnight are one interval.
        intervals = self.intervals(now, now + _DAY)
        return next((ends for begins, ends in intervals if begins <= now < ends), None)

    def working_seconds(self, start: datetime, end: datetime) -> float:
        """Return how much of the time from `start` to `end` it is open; 0 where end <= start."""
        if end <= start:
            return 0.0
        if not self.weekly:
            return (end - start).total_seconds()
        return sum(
            max(0.0, (min(ends, end) - max(begins, start)).total_seconds())
            for begins, ends in self.intervals(start, end)
        )

    def after(self, start: datetime, seconds: float) -> datetime | None:
        """Return when so many seconds of business hours have passed since `start`.

        None: not within 60 days after the day of `start`.
        """
        if not self.weekly:
            return start + timedelta(seconds=seconds)
        left = seconds
        until = start
        # Most are due within days: the whole look-ahead would be read for each entry of a list.
        for days in (2, 7, _LOOK_AHEAD_DAYS):
            begun, until = until, start + days * _DAY
            for begins, ends in self.intervals(begun, until):
                open_s = (min(ends, until) - max(begins, begun)).total_seconds()
                if open_s >= left > 0 or (open_s > 0 and left <= 0):
                    return max(begins, begun) + timedelta(seconds=max(0.0, left))
                left -= max(0.0, open_s)
        return None

    def intervals(self, first: datetime, last: datetime) -> list[Interval]:
        """Return when it is open on the days around, in order, without overlap."""
        day = first.astimezone(self.zone).date() - _DAY
        until = last.astimezone(self.zone).date()
        found: list[Interval] = []
        while day <= until:
            for opens, closes in self.special.get(day, self.weekly.get(day.weekday(), ())):
                begins = self._at(day, opens)
                ends = self._at(day + _DAY if closes == time.min else day, closes)
                if ends > begins:
                    found.append((begins, ends))
            day += _DAY
        return _merged(found)

    def _at(self, day: date, moment: time) -> datetime:
        return datetime.combine(day, moment, tzinfo=self.zone).astimezone(UTC)


def _merged(intervals: list[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for begins, ends in sorted(intervals):
        if merged and begins <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(ends, merged[-1][1]))
        else:
            merged.append((begins, ends))
    return merged


def calendar_of(queue: Queue | None) -> Calendar:
    """Read the hours of a queue. Two queries; one where it is always open."""
    weekly = _weekly_of(queue)
    if queue is None or not weekly or not queue.has_special_days:
        return _calendar(weekly, [])
    return _calendar(weekly, SpecialDay.objects.all())


def calendars(queues: Iterable[Queue]) -> dict[int | None, Calendar]:
    """Read the hours of many queues by primary key, and of no queue by None. One query more.

    Args:
        queues: With their `business_hours` prefetched.
    """
    days = list(SpecialDay.objects.all())
    found: dict[int | None, Calendar] = {None: _calendar({}, [])}
    for queue in queues:
        found[queue.pk] = _calendar(_weekly_of(queue), days if queue.has_special_days else [])
    return found


def _weekly_of(queue: Queue | None) -> dict[int, list[Span]]:
    weekly: dict[int, list[Span]] = {}
    if queue is not None:
        for hours in queue.business_hours.all():
            weekly.setdefault(hours.weekday, []).append((hours.opens_at, hours.closes_at))
    return weekly


def _calendar(weekly: Mapping[int, Sequence[Span]], days: Iterable[SpecialDay]) -> Calendar:
    zone = timezone.get_default_timezone()
    return Calendar(zone, weekly, {day.date: _hours_of(day, weekly) for day in days})


def _hours_of(day: SpecialDay, weekly: Mapping[int, Sequence[Span]]) -> Sequence[Span]:
    if day.spans:
        return [
            (time.fromisoformat(opens), time.fromisoformat(closes)) for opens, closes in day.spans
        ]
    if day.kind == SpecialDay.Kind.HOLIDAY:
        return ()
    # A weekend day that is worked in exchange for a holiday; if Mondays are off, as it always is.
    return weekly.get(_MONDAY) or weekly.get(day.date.weekday(), ())


def is_open(queue: Queue | None, now: datetime) -> bool:
    """Whether people answer this queue now."""
    return calendar_of(queue).is_open(now)


def next_opening(queue: Queue | None, now: datetime) -> datetime | None:
    """Return when people answer this queue next: `now` while they do; None if they will not."""
    return calendar_of(queue).next_opening(now)


def working_seconds(queue: Queue | None, start: datetime, end: datetime) -> float:
    """Return the seconds of business hours of a queue between two moments."""
    return calendar_of(queue).working_seconds(start, end)

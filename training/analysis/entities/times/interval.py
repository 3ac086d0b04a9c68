"""Stretches of time, half open: the first moment belongs to them, the last does not."""

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Interval:
    """From `start` up to `end`, both dates, or both moments with their zone."""

    start: date
    end: date

    @property
    def is_dates(self) -> bool:
        """Whether both are dates: whole days."""
        return not isinstance(self.start, datetime)

    @property
    def first_day(self) -> date:
        return self.start.date() if isinstance(self.start, datetime) else self.start

    def until(self, other: "Interval", zone: tzinfo) -> "Interval":
        """Return the stretch from the beginning of this to the end of another."""
        if self.is_dates == other.is_dates:
            return Interval(self.start, other.end)
        return Interval(moment(self.start, zone), moment(other.end, zone))


def moment(day: date, zone: tzinfo) -> datetime:
    """Return a date's midnight; a moment as it is."""
    if isinstance(day, datetime):
        return day
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def one_day(day: date) -> Interval:
    return Interval(day, day + _DAY)


def days(first: date, count: int) -> Interval:
    return Interval(first, first + count * _DAY)


def week(day: date, offset: int = 0) -> Interval:
    """Return the week, from Monday, that lies `offset` weeks from that of a day."""
    return days(monday(day) + 7 * offset * _DAY, 7)


def monday(day: date) -> date:
    return day - day.weekday() * _DAY


def month(year: int, number: int) -> Interval:
    """Return a month; numbers beyond 1 to 12 run on into other years."""
    return Interval(_first_of(year, number), _first_of(year, number + 1))


def months(year: int, number: int, count: int) -> Interval:
    return Interval(_first_of(year, number), _first_of(year, number + count))


def year(number: int) -> Interval:
    return Interval(date(number, 1, 1), date(number + 1, 1, 1))


def third(whole: Interval, number: int) -> Interval:
    """Return days 1 to 10, 11 to 20 or the rest of a month; `number` is 0, 1 or 2."""
    first = whole.start
    return Interval(
        first + 10 * number * _DAY, whole.end if number == 2 else first + 10 * (number + 1) * _DAY
    )


def same_day(day: date, months_on: int) -> date:
    """Return the day so many months on; the last of the month where it has no such day."""
    first = _first_of(day.year, day.month + months_on)
    last = calendar.monthrange(first.year, first.month)[1]
    return first.replace(day=min(day.day, last))


def _first_of(year: int, number: int) -> date:
    return date(year + (number - 1) // 12, (number - 1) % 12 + 1, 1)

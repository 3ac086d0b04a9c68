"""What rules for times are made of: a pattern, and what it means at a moment."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo

from training.analysis.entities.times.interval import Interval
from training.analysis.entities.times.tense import Tense

DAY = timedelta(days=1)
_NEAREST_TRIES = 6  # periods on either side; leap days are eight years apart at most
_LEAST_YEAR, _MOST_YEAR = 1900, 2100


@dataclass(frozen=True, slots=True)
class Context:
    """When and how somebody speaks."""

    at: datetime  # of the message, in the shop's zone
    tense: Tense
    # Nearest ones are looked for from here: the day of the message, or where a range begins.
    reference: date

    @property
    def today(self) -> date:
        return self.at.date()

    @property
    def zone(self) -> tzinfo:
        assert self.at.tzinfo is not None  # noqa: S101  (find() refuses naive ones)
        return self.at.tzinfo

    def after(self, interval: Interval) -> "Context":
        """Return the context of what ends a range that begins with `interval`."""
        return replace(self, tense=Tense.FUTURE, reference=interval.first_day)

    def nearest(self, candidate: Callable[[int], Interval | None]) -> Interval | None:
        """Return the nearest one that has begun; in the future tense that has not ended.

        Args:
            candidate: The one so many periods from the reference's; may raise ValueError where
                there is none (31 April).
        """
        tries = range(_NEAREST_TRIES, -_NEAREST_TRIES - 1, -1)
        if self.tense is Tense.FUTURE:
            tries = range(-_NEAREST_TRIES, _NEAREST_TRIES + 1)
        for offset in tries:
            try:
                found = candidate(offset)
            except (ValueError, OverflowError):
                continue
            if found is None:
                continue
            has_come = (
                found.end > self.reference
                if self.tense is Tense.FUTURE
                else found.start <= self.reference
            )
            if has_come:
                return found
        return None


Resolve = Callable[[re.Match[str], Context], Interval | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A way of naming days; `resolve` gives None, or raises ValueError, for what is no time."""

    pattern: re.Pattern[str]
    resolve: Resolve
    is_whole: bool  # of what it cannot resolve (30 February) no part is a time either


def rule(pattern: str, resolve: Resolve, *, is_whole: bool = False) -> Rule:
    """Return a rule. Words of letters end where Chinese begins: "on friday收到"."""
    return Rule(re.compile(pattern, re.VERBOSE | re.ASCII), resolve, is_whole)


def sensible_year(number: int) -> int:
    """Return a year.

    Raises:
        ValueError: Nobody who writes to a shop speaks of it.
    """
    if not _LEAST_YEAR <= number <= _MOST_YEAR:
        raise ValueError(f"{number} is no year of our time.")
    return number

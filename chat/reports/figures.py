"""Figures of a group of cases: counts, percentiles, shares."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from chat.reports.cases import Case

Key = TypeVar("Key", bound=Hashable)


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the value that a share of the values does not exceed; None of no values.

    Args:
        values: In any order.
        share: 0 to 1: 0.5 is the median.

    Between two values it is interpolated linearly (Hyndman and Fan, "Sample Quantiles in
    Statistical Packages", The American Statistician 50(4), 1996, type 7).
    """
    if not values:
        return None
    ordered = sorted(values)
    at = share * (len(ordered) - 1)
    below = int(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (at - below)


def mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


@dataclass(frozen=True, slots=True)
class Times:
    """How long something took, in seconds; None where nothing was measured."""

    count: int
    p50: float | None
    p90: float | None
    mean: float | None

    @classmethod
    def of(cls, values: Iterable[float | None]) -> "Times":
        known = [value for value in values if value is not None]
        return cls(len(known), percentile(known, 0.5), percentile(known, 0.9), mean(known))


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        """0 to 1; None of nothing."""
        return self.part / self.whole if self.whole else None

    @classmethod
    def of(cls, decided: Iterable[bool | None]) -> "Share":
        """Count what is decided; None is not."""
        known = [one for one in decided if one is not None]
        return cls(sum(known), len(known))


@dataclass(frozen=True, slots=True)
class Summary:
    """What is told of a group of cases."""

    cases: int
    answered: int
    abandoned: int
    going_on: int  # neither answered nor ended
    first_response: Times
    wait: Times
    resolution: Times
    handle: Times
    first_response_kept: Share
    resolution_kept: Share

    @classmethod
    def of(cls, cases: Sequence[Case], now: datetime) -> "Summary":
        answered = sum(one.answered_at is not None for one in cases)
        abandoned = sum(one.is_abandoned for one in cases)
        return cls(
            cases=len(cases),
            answered=answered,
            abandoned=abandoned,
            going_on=len(cases) - answered - abandoned,
            first_response=Times.of(one.first_response_s for one in cases),
            wait=Times.of(one.wait_s for one in cases),
            resolution=Times.of(one.resolution_s for one in cases),
            handle=Times.of(one.handle_s(now) for one in cases if one.ended_at),
            first_response_kept=Share.of(one.first_response_target for one in cases),
            resolution_kept=Share.of(one.resolution_target for one in cases),
        )

    @property
    def abandonment(self) -> Share:
        """Of the cases that were answered or ended: those that ended without an answer."""
        return Share(self.abandoned, self.answered + self.abandoned)


def grouped(cases: Iterable[Case], key: Callable[[Case], Key]) -> dict[Key, list[Case]]:
    """Return the cases by a key, in the order in which the keys come."""
    groups: dict[Key, list[Case]] = {}
    for case in cases:
        groups.setdefault(key(case), []).append(case)
    return groups

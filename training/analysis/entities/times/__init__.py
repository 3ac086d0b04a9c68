"""Times in a text, resolved to stretches of days or moments.

What has no year, month or week of its own is the nearest one that has begun, or, where the
sentence speaks of the future, the nearest that has not ended. Weeks begin on Monday.
docs/analysis.md has the table of what each phrase means.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from training.analysis.entities.times import chinese, clock, english
from training.analysis.entities.times.clock import Clock
from training.analysis.entities.times.grammar import Context, Rule
from training.analysis.entities.times.interval import Interval
from training.analysis.entities.times.tense import tense_at

__all__ = ["Interval", "Time", "find"]

# Between a day and its time of day, and between the ends of a range.
_JOINT = re.compile(r"[\s的,(]{0,2}(?:(?:at|around|about|,|by)\s)?")
_RANGE = re.compile(r"\s?(?:到|至|~|-|–|—|to|until|till|through|and)\s?")
_LEADING = re.compile(
    r"(?:(?:in|since|during|until|till|by|for|from|of|on|at|over|before|after|around|about|within|@)\s+)+"
)


@dataclass(frozen=True, slots=True)
class Time:
    """A stretch of time that `text[start:end]` names."""

    start: int
    end: int
    interval: Interval


@dataclass(frozen=True, slots=True)
class _Day:
    """A day or more that a rule has found; not resolved yet."""

    start: int
    end: int
    rule: Rule
    match: re.Match[str]

    def resolve(self, context: Context) -> Interval | None:
        try:
            return self.rule.resolve(self.match, context)
        except (ValueError, OverflowError, IndexError):
            return None  # 31 April, year 12345


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A day, a time of day, or both."""

    start: int
    end: int
    day: _Day | None
    clock: Clock | None

    def resolve(self, context: Context) -> Interval | None:
        found = None
        if self.day is not None:
            found = self.day.resolve(context)
            if found is None or self.clock is None or not found.is_dates:
                return found
        try:
            return self.clock.resolve(found, context) if self.clock is not None else None
        except (ValueError, OverflowError):
            return None


def find(text: str, at: datetime) -> list[Time]:
    """Return the times in a text, by their place; none overlaps another.

    Args:
        text: Folded, in small letters.
        at: When it was written, in the shop's zone.
    """
    phrases = _phrases(text, at)
    times: list[Time] = []
    position = 0
    while position < len(phrases):
        phrase = phrases[position]
        position += 1
        context = Context(at, tense_at(text, phrase.start, phrase.end), at.date())
        interval = phrase.resolve(context)
        if interval is None:
            continue
        end = phrase.end
        if position < len(phrases):
            following = phrases[position]
            joint = text[end : following.start]
            if _RANGE.fullmatch(joint) and (
                joint.strip() != "and" or text[: phrase.start].endswith("between ")
            ):
                last = _end_of_range(following, context.after(interval), interval)
                if last is not None and last.end > interval.start:
                    if following.clock is not None:  # "2 to 5" ends as it strikes five
                        last = Interval(last.start, last.start)
                    interval = interval.until(last, context.zone)
                    end = following.end
                    position += 1
        start = phrase.start
        if leading := _LEADING.match(text, start, end):
            start = leading.end()
        if start < end and interval.end > interval.start:
            times.append(Time(start, end, interval))
    return times


def _end_of_range(last: _Phrase, context: Context, first: Interval) -> Interval | None:
    """Return what ends a range; 晚上8点到10点 ends at night though it does not say so again."""
    found = last.resolve(context)
    if found is None or last.clock is None or last.clock.is_half_known or first.is_dates:
        return found
    if found.start < first.start:
        half = timedelta(hours=12)
        return Interval(found.start + half, found.end + half)
    return found


def _phrases(text: str, at: datetime) -> list[_Phrase]:
    """Return what may be a time, by its place, days joined with the times of day beside them."""
    context = Context(at, tense_at("", 0, 0), at.date())
    days = _days(text, context)
    clocks = _without_overlaps(clock.find(text), days)
    phrases: list[_Phrase] = []
    used: set[int] = set()
    for day in days:
        joined = _joined(text, day, clocks, used)
        if joined is None:
            phrases.append(_Phrase(day.start, day.end, day, None))
        else:
            used.add(id(joined))
            phrases.append(
                _Phrase(min(day.start, joined.start), max(day.end, joined.end), day, joined)
            )
    for one in clocks:  # by their place, so that what begins a range is there before its end
        if id(one) in used:
            continue
        if one.stands_alone:
            phrases.append(_Phrase(one.start, one.end, None, one))
        elif _ends_range(text, one, phrases):
            phrases.append(_Phrase(one.start, one.end, None, replace(one, stands_alone=True)))
    return sorted(phrases, key=lambda phrase: phrase.start)


def _ends_range(text: str, one: Clock, phrases: Iterable[_Phrase]) -> bool:
    """Whether an hour alone, which may be anything, follows "from three to"."""
    return not one.is_part and any(
        phrase.clock is not None
        and phrase.end <= one.start
        and _RANGE.fullmatch(text[phrase.end : one.start])
        for phrase in phrases
    )


def _days(text: str, context: Context) -> list[_Day]:
    """Return non-overlapping days: the leftmost, of these the longest that can be resolved."""
    found = [
        _Day(match.start(), match.end(), rule, match)
        for rule in (*chinese.RULES, *english.RULES)
        for match in rule.pattern.finditer(text)
        if match.end() > match.start()
    ]
    found.sort(key=lambda day: (day.start, -day.end))
    days: list[_Day] = []
    for day in found:
        if (not days or day.start >= days[-1].end) and day.resolve(context) is not None:
            days.append(day)
    return days


def _without_overlaps(clocks: list[Clock], days: list[_Day]) -> list[Clock]:
    taken = [(day.start, day.end) for day in days]
    kept: list[Clock] = []
    for one in sorted(clocks, key=lambda each: (each.is_part, each.start, -each.end)):
        if all(one.end <= start or one.start >= end for start, end in taken):
            taken.append((one.start, one.end))
            kept.append(one)
    return sorted(kept, key=lambda each: each.start)


def _joined(text: str, day: _Day, clocks: list[Clock], used: set[int]) -> Clock | None:
    """Return the time of day that belongs to a day: right after it, in English also before."""
    for one in clocks:
        if id(one) in used:
            continue
        if one.start >= day.end and _JOINT.fullmatch(text[day.end : one.start]):
            return one
        if one.end <= day.start and text[one.end : day.start] in (" ", " on ", ", ", " of "):
            return one
    return None

"""Times in a text, resolved to stretches of days or moments.

What has no year, month or week of its own is the nearest one that has begun, or, where the
sentence speaks of the future, the nearest that has not ended. Weeks begin on Monday.
docs/analysis.md has the table of what each phrase means.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from training.analysis.entities.times import (
    chinese,
    clock,
    english,
    english_counts,
    english_parts,
    joints,
)
from training.analysis.entities.times.clock import Clock
from training.analysis.entities.times.grammar import Context, Rule
from training.analysis.entities.times.interval import Interval, moment
from training.analysis.entities.times.tense import Tense, tense_at

__all__ = ["Interval", "Time", "find"]

_LEADING = re.compile(
    r"(?:(?:in|since|during|until|till|by|for|from|of|on|at|over|before|after|around|about|within|@)\s+)+"
)

_RULES = (*chinese.RULES, *english.RULES, *english_counts.RULES, *english_parts.RULES)


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
        following = phrases[position + 1] if position + 1 < len(phrases) else None
        position += 1
        interval, end = None, phrase.end
        if following is not None and joints.is_range(
            text, (phrase.start, phrase.end), (following.start, following.end)
        ):
            # One tense for both ends: the "until" between them tells nothing.
            context = Context(at, tense_at(text, phrase.start, following.end), at.date())
            interval = _range(phrase, following, context)
        if following is not None and interval is not None:
            end = following.end
            position += 1
        else:
            context = Context(at, tense_at(text, phrase.start, phrase.end), at.date())
            interval = phrase.resolve(context)
        start = phrase.start
        if leading := _LEADING.match(text, start, end):
            start = leading.end()
        if interval is not None and start < end and interval.end > interval.start:
            times.append(Time(start, end, interval))
    return times


def _range(first: _Phrase, last: _Phrase, context: Context) -> Interval | None:
    """Return the stretch between two phrases; None where the last is not after the first."""
    begin = first.resolve(context)
    if begin is None:
        return None
    end = last.resolve(context.after(begin) if last.day is not None else context)
    if end is not None and not _is_after(end, begin, context):
        # "1 October to 7 October 2025": the end tells the year of both.
        begin = first.resolve(replace(context, tense=Tense.PAST, reference=end.first_day))
    if begin is None or end is None or not _is_after(end, begin, context):
        return None
    if last.clock is not None and last.clock.is_range:
        if begin.is_dates:  # from Monday to Friday, 9:00-18:00
            begin = last.clock.on(begin.start, context)
    elif last.clock is not None:  # "Monday 2 pm to Tuesday 5 pm" ends as it strikes five
        end = Interval(end.start, end.start)
    return begin.until(end, context.zone)


def _is_after(last: Interval, first: Interval, context: Context) -> bool:
    return moment(last.end, context.zone) > moment(first.start, context.zone)


def _phrases(text: str, at: datetime) -> list[_Phrase]:
    """Return what may be a time, by its place, days joined with the times of day beside them."""
    context = Context(at, tense_at("", 0, 0), at.date())
    days = _days(text, context)
    clocks = _clocks(text, days)
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
    phrases += [
        _Phrase(one.start, one.end, None, one)
        for one in clocks
        if one.stands_alone and id(one) not in used
    ]
    return sorted(phrases, key=lambda phrase: phrase.start)


def _clocks(text: str, days: list[_Day]) -> list[Clock]:
    """Return the times of day, ranges of them made one unless either end has a day of its own."""
    found = _without_overlaps(clock.find(text), days)
    groups: list[list[Clock]] = [[]]
    for one in found:
        if (
            groups[-1]
            and any(joints.day_follows(text, one.end, day.start) for day in days)
            and any(joints.clock_follows(text, day.end, groups[-1][-1].start) for day in days)
        ):
            groups.append([])
        groups[-1].append(one)
    return [one for group in groups for one in clock.joined(text, group)]


def _days(text: str, context: Context) -> list[_Day]:
    """Return non-overlapping days: the leftmost, of these the longest that can be resolved.

    Those of whole rules are kept unresolved, so that no part of them is taken for a time.
    """
    found = [
        _Day(match.start(), match.end(), rule, match)
        for rule in _RULES
        for match in rule.pattern.finditer(text)
        if match.end() > match.start()
    ]
    found.sort(key=lambda day: (day.start, -day.end))
    days: list[_Day] = []
    for day in found:
        if days and day.start < days[-1].end:
            continue
        if day.resolve(context) is not None or day.rule.is_whole:
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
        if joints.clock_follows(text, day.end, one.start):
            return one
        if joints.day_follows(text, one.end, day.start):
            return one
    return None

"""Times of day: 下午三点半, 15:30, 3 pm, this morning."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from training.analysis.entities import numerals
from training.analysis.entities.times import joints
from training.analysis.entities.times.grammar import Context
from training.analysis.entities.times.interval import Interval, moment
from training.analysis.entities.times.tense import Tense

# First and last hour. What people call so differs; the tests' phrases go by this table.
PARTS: dict[str, tuple[int, int]] = {
    name: hours
    for hours, names in {
        (0, 6): "凌晨 半夜",
        (6, 9): "清晨 早晨 大清早 清早 一大早 一早 大早上",
        (6, 12): "早上 早 上午 morning",
        (11, 13): "中午 正午 午间 noontime",
        (12, 18): "下午 午后 afternoon",
        (17, 19): "傍晚",
        (18, 24): "晚上 晚间 夜里 夜晚 夜间 晚 夜 evening night",
        (22, 24): "深夜",
    }.items()
    for name in names.split()
}
_HALF = 12 * 60  # minutes
_AFTERNOON = {"下午", "午后", "傍晚", "晚上", "晚间", "夜里", "夜晚", "夜间", "晚", "夜", "深夜"}
_AFTERNOON |= {"afternoon", "evening", "night"}
_PART = "|".join(sorted((name for name in PARTS if not name.isascii()), key=len, reverse=True))
_HOUR = "[01]?\\d|2[0-4]|[一二两三四五六七八九]|十[一二]?"
_MINUTE = "[0-5]?\\d|[二三四五]?十[一二三四五六七八九]?|零[一二三四五六七八九]"
_STRIKES = "点|时(?![候间长常尚装段])"
_CLOCK_ZH = re.compile(
    rf"""(?P<part>{_PART})?的?(?:
      (?<![\d.:])(?P<h24>[01]?\d|2[0-3])\ ?:\ ?(?P<m24>[0-5]\d)(?::[0-5]\d)?(?![\d:])
      | (?:(?<![\d.零〇一二两三四五六七八九十百第有])|(?<=[周期拜][一二三四五六日天]))
        (?P<hour>{_HOUR})(?P<o>{_STRIKES}|(?=(?:[-~–—到至])(?:{_HOUR})(?:{_STRIKES})))
        (?: (?P<half>半) | (?P<quarter>[一三])刻 | (?P<minute>{_MINUTE})分?(?!\d|[个天件块元多]) | (?P<whole>[钟整])
          | (?P<about>左右|多|前后) )?钟?(?:左右|前后)?
    )""",
    re.VERBOSE,
)
_PART_ZH = re.compile(rf"(?P<part>{_PART})(?!安|饭|餐|班|点名|霜|宴|日|期|熟|就|已)")
# What follows an hour that nothing but its place tells from a number of things.
_TAIL_EN = (
    r"(?=[.,!?;)]?(?:\s|$))(?!\ (?!(?:on|in|at|and|so|if|or|but|when|because|please|is|are|was|works?|this"
    r"|next|last|today|tomorrow|yesterday|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b))"
)
_CLOCK_EN = re.compile(
    rf"""(?:\b(?:at|around|about|@)\ )?(?:
      (?<![\d:.,/-])(?P<h24>[01]?\d|2[0-3])[:.](?P<m24>[0-5]\d)\ ?(?P<half24>[ap]m\b|[ap]\.m\b\.?)?(?![\d:])
      | (?<![\d:.,/])(?<!\d-)(?P<hour>1[0-2]|0?[1-9])\ ?(?P<half>[ap]m\b|[ap]\.m\b\.?|o'?clock)
      | \b(?P<noon>noon|midday|midnight)\b
      | (?<=\bat\ )(?P<bare>1[0-2]|[1-9]){_TAIL_EN}
    )(?:\ in\ the\ (?P<part>morning|afternoon|evening)|\ at\ (?P<night>night))?""",
    re.VERBOSE,
)
_HOUR_EN = "(?:1[0-2]|0?[1-9])(?::[0-5]\\d)?"
# "2 to 4 pm" says at its end which half it means; "from 2 to 4" leaves it to the day before it.
_RANGE_EN = re.compile(
    rf"""(?:\b(?P<word>from|between)\ )?(?<![\d:.,/$€£¥-])(?P<first>{_HOUR_EN})
    \ ?(?P<joint>-|–|to|until|till|and)\ ?(?P<last>{_HOUR_EN})
    (?:\ ?(?P<half>[ap]m\b|[ap]\.m\b\.?)
      |{_TAIL_EN})""",
    re.VERBOSE,
)
_PART_EN = re.compile(r"\b(?:in\ the\ )?(?P<part>morning|afternoon|evening|night)\b")


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day, or a part of the day."""

    start: int  # of the span
    end: int
    first: int  # minutes since midnight
    minutes: int  # how long
    stands_alone: bool  # without a date it is a time, too
    is_part: bool = False  # of the day
    is_half_known: bool = True  # forenoon or afternoon
    # Of those known: 2:00, which "pm" at the end of a range or "afternoon" before it may move …
    may_move: bool = False
    is_24_hours: bool = False  # … and 22:00, after which 2:00 is meant as it is written
    is_range: bool = False

    @property
    def is_open(self) -> bool:
        """Whether what stands beside it may say which half of the day it means."""
        return not self.is_half_known or self.may_move

    def until(self, last: "Clock", *, shares_half: bool = False) -> "Clock":
        """Return the time from this until it strikes `last`.

        Args:
            last: 晚上8点到10点 ends at night, though it does not say so again.
            shares_half: What `last` says of the half is said of both: "2 to 4 pm".
        """
        first, end = self.first, last.first
        if shares_half and self.is_open:
            first %= _HALF
            if end <= first:
                end += 2 * _HALF
            if first + _HALF < end:
                first += _HALF
        elif not self.is_half_known and last.is_half_known and 1 <= first // 60 <= 6:
            first += _HALF if first + _HALF < end else 0
        if end <= first and last.is_open and not self.is_24_hours:
            end += _HALF
        if end <= first:
            end += 2 * _HALF
        return replace(
            self,
            end=last.end,
            first=first,
            minutes=end - first,
            stands_alone=True,
            is_range=True,
            is_half_known=self.is_half_known or last.is_half_known,
        )

    def within(self, part: "Clock") -> "Clock":
        """Return this time in a part of the day that stands before it: "afternoon at 3"."""
        is_later = part.first >= _HALF and self.is_open and self.first < _HALF
        return replace(
            self,
            start=part.start,
            first=self.first + (_HALF if is_later else 0),
            is_half_known=True,
            may_move=False,
        )

    def on(self, day: date, context: Context) -> Interval:
        """Return when that is on a day."""
        midnight = moment(day, context.zone)
        return Interval(_later(midnight, self.first), _later(midnight, self.first + self.minutes))

    def resolve(self, days: Interval | None, context: Context) -> Interval | None:
        """Return when that is: on a date, or on the nearest day; None where it cannot be.

        An hour that may be of either half is one of the afternoon up to six o'clock, unless
        that would be later than the message in a sentence about the past.
        """
        if days is not None:
            if days.end - days.start != timedelta(days=1):
                return None
            return self._of_either_half(days.start, context)
        if not self.stands_alone:
            return None
        found = self._of_either_half(context.reference, context)
        if context.reference != context.today:  # it ends a range
            return found
        at = context.at
        if context.tense is Tense.PAST and found.start > at:
            return self._of_either_half(context.today - timedelta(days=1), context)
        if context.tense is Tense.FUTURE and found.end <= at:
            return self._of_either_half(context.today + timedelta(days=1), context)
        return found

    def _of_either_half(self, day: date, context: Context) -> Interval:
        found = self.on(day, context)
        if self.is_half_known or not 1 <= self.first // 60 <= 6:
            return found
        later = Clock(self.start, self.end, self.first + 12 * 60, self.minutes, stands_alone=True)
        afternoon = later.on(day, context)
        if context.tense is Tense.PAST and found.start <= context.at < afternoon.start:
            return found
        return afternoon


def _later(midnight: datetime, minutes: int) -> datetime:
    """Return the wall clock's time, also past midnight and where clocks are changed."""
    day = midnight.date() + timedelta(days=minutes // 1440)
    wall = time(minutes % 1440 // 60, minutes % 60)
    return datetime.combine(day, wall, tzinfo=midnight.tzinfo)


def find(text: str) -> list[Clock]:
    """Return times of day in a folded text in small letters; they may overlap."""
    found = [
        *map(_chinese, _CLOCK_ZH.finditer(text)),
        *map(_english, _CLOCK_EN.finditer(text)),
        *map(_english_range, _RANGE_EN.finditer(text)),
    ]
    for pattern in (_PART_ZH, _PART_EN):
        for match in pattern.finditer(text):
            first, last = PARTS[match["part"]]
            found.append(
                Clock(
                    match.start(),
                    match.end(),
                    60 * first,
                    60 * (last - first),
                    stands_alone=False,
                    is_part=True,
                )
            )
    return [clock for clock in found if clock is not None]


def joined(text: str, clocks: Iterable[Clock]) -> list[Clock]:
    """Return the clocks by their place: ends of a range, and a part with its hour, made one."""
    found: list[Clock] = []
    for one in clocks:
        before = found[-1] if found else None
        if before is None:
            found.append(one)
        elif before.is_part and not one.is_part:
            follows = joints.clock_follows(text, before.end, one.start)
            found[-1:] = [one.within(before)] if follows else [before, one]
        elif (
            not before.is_part
            and not one.is_part
            and joints.is_range(text, (before.start, before.end), (one.start, one.end))
        ):
            found[-1] = before.until(one)
        else:
            found.append(one)
    return found


def _chinese(match: re.Match[str]) -> Clock | None:
    part = match["part"]
    minute: int | None = None
    if match["h24"]:
        hour, minute = int(match["h24"]), int(match["m24"])
    else:
        hour = numerals.integer(match["hour"]) or 0
        if match["half"]:
            minute = 30
        elif match["quarter"]:
            minute = 15 if match["quarter"] == "一" else 45
        elif match["minute"]:
            minute = numerals.integer(match["minute"].lstrip("零"))
    if (hour < 12 and part in _AFTERNOON) or (part == "中午" and hour in (1, 2)):
        hour += 12
    elif part in ("凌晨", "半夜") and hour == 12:
        hour = 0
    elif part in ("晚上", "夜里", "半夜", "深夜", "晚") and hour == 12:
        hour = 24
    if hour > 24 or (hour == 24 and minute):
        return None
    sure = bool(match["h24"] or part or match["half"] or match["quarter"] or match["whole"])
    sure = sure or bool(match["hour"] and match["o"] == "点" and match["minute"])
    return Clock(
        match.start(),
        match.end(),
        60 * hour + (minute or 0),
        60 if minute is None else 1,
        stands_alone=sure,
        is_half_known=bool(part or match["h24"] or hour == 0 or hour > 12),
        may_move=bool(match["h24"] and not part and hour <= 12),
        is_24_hours=bool(match["h24"] and int(match["h24"]) > 12),
    )


def _english(match: re.Match[str]) -> Clock | None:
    if match["noon"]:
        strikes = 0 if match["noon"] == "midnight" else 12 * 60
        return Clock(match.start(), match.end(), strikes, 1, stands_alone=True)
    minute = int(match["m24"]) if match["m24"] else None
    hour = int(match["h24"] or match["hour"] or match["bare"])
    half = (match["half"] or match["half24"] or "").replace(".", "")
    if half == "am" or match["part"] == "morning":
        hour %= 12
    elif half == "pm" or match["part"] or match["night"]:
        hour = hour % 12 + 12
    if match["h24"] and "." in match[0] and not half:
        return None  # 9.30 is a price
    known = bool(half in ("am", "pm") or match["part"] or match["night"] or match["h24"])
    return Clock(
        match.start(),
        match.end(),
        60 * hour + (minute or 0),
        60 if minute is None else 1,
        stands_alone=not match["bare"],
        is_half_known=known,
        may_move=bool(match["h24"] and hour <= 12)
        and not (half or match["part"] or match["night"]),
        is_24_hours=bool(match["h24"] and int(match["h24"]) > 12),
    )


def _english_range(match: re.Match[str]) -> Clock | None:
    half, word = (match["half"] or "").replace(".", ""), match["word"]
    if not (half or word) or (match["joint"] == "and" and word != "between"):
        return None
    first, last = (
        Clock(
            match.start(name),
            match.end(),
            _minutes(match[name]),
            1,
            stands_alone=False,
            is_half_known=False,
        )
        for name in ("first", "last")
    )
    if half:
        hour = last.first % _HALF + (_HALF if half == "pm" else 0)
        last = replace(last, first=hour, is_half_known=True)
    return replace(first.until(last, shares_half=bool(half)), stands_alone=bool(half))


def _minutes(written: str) -> int:
    hour, _, minute = written.partition(":")
    return 60 * int(hour) + int(minute or 0)

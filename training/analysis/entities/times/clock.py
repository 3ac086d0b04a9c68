"""Times of day: 下午三点半, 15:30, 3 pm, this morning."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from training.analysis.entities import numerals
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
_AFTERNOON = {"下午", "午后", "傍晚", "晚上", "晚间", "夜里", "夜晚", "夜间", "晚", "夜", "深夜"}
_AFTERNOON |= {"afternoon", "evening", "night"}
_PART = "|".join(sorted((name for name in PARTS if not name.isascii()), key=len, reverse=True))
_HOUR = "[01]?\\d|2[0-4]|[一二两三四五六七八九]|十[一二]?"
_MINUTE = "[0-5]?\\d|[二三四五]?十[一二三四五六七八九]?|零[一二三四五六七八九]"
_CLOCK_ZH = re.compile(
    rf"""(?P<part>{_PART})?的?(?:
      (?<![\d.:])(?P<h24>[01]?\d|2[0-3])\ ?:\ ?(?P<m24>[0-5]\d)(?::[0-5]\d)?(?![\d:])
      | (?<![\d.零〇一二两三四五六七八九十百第有])(?P<hour>{_HOUR})(?P<o>点|时(?![候间长常尚装段]))
        (?: (?P<half>半) | (?P<quarter>[一三])刻 | (?P<minute>{_MINUTE})分?(?!\d|[个天件块元多]) | (?P<whole>[钟整])
          | (?P<about>左右|多|前后) )?钟?(?:左右|前后)?
    )""",
    re.VERBOSE,
)
_PART_ZH = re.compile(rf"(?P<part>{_PART})(?!安|饭|餐|班|点名|霜|宴|日|期|熟|就|已)")
_CLOCK_EN = re.compile(
    r"""(?:\b(?:at|around|about|@)\ )?(?:
      (?<![\d:.,/-])(?P<h24>[01]?\d|2[0-3])[:.](?P<m24>[0-5]\d)\ ?(?P<half24>[ap]\.?m\b\.?)?(?![\d:])
      | (?<![\d:.,/-])(?P<hour>1[0-2]|0?[1-9])\ ?(?P<half>[ap]\.?m\b\.?|o'?clock)
      | \b(?P<noon>noon|midday|midnight)\b
    )(?:\ in\ the\ (?P<part>morning|afternoon|evening)|\ at\ (?P<night>night))?""",
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
        if context.tense is Tense.PAST and afternoon.start > context.at:
            return found
        return afternoon


def _later(midnight: datetime, minutes: int) -> datetime:
    """Return the wall clock's time, also past midnight and where clocks are changed."""
    day = midnight.date() + timedelta(days=minutes // 1440)
    wall = time(minutes % 1440 // 60, minutes % 60)
    return datetime.combine(day, wall, tzinfo=midnight.tzinfo)


def find(text: str) -> list[Clock]:
    """Return times of day in a folded text in small letters; they may overlap."""
    found = [*map(_chinese, _CLOCK_ZH.finditer(text)), *map(_english, _CLOCK_EN.finditer(text))]
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
    )


def _english(match: re.Match[str]) -> Clock | None:
    if match["noon"]:
        strikes = 0 if match["noon"] == "midnight" else 12 * 60
        return Clock(match.start(), match.end(), strikes, 1, stands_alone=True)
    minute = int(match["m24"]) if match["m24"] else None
    hour = int(match["h24"] or match["hour"])
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
        stands_alone=True,
        is_half_known=known,
    )

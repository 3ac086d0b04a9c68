"""Days as they are named in English."""

import re
from datetime import date

from training.analysis.entities import numerals
from training.analysis.entities.times import festivals, relative
from training.analysis.entities.times.grammar import DAY, Context, Rule, rule, sensible_year
from training.analysis.entities.times.interval import (
    Interval,
    days,
    monday,
    month,
    months,
    one_day,
    third,
    week,
    year,
)

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sept sep",
            "october oct",
            "november nov",
            "december dec",
        ),
        start=1,
    )
    for name in names.split()
}
_WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "monday mon",
            "tuesday tues tue",
            "wednesday wed",
            "thursday thurs thu",
            "friday fri",
            "saturday sat",
            "sunday sun",
        )
    )
    for name in names.split()
}
_STEPS = {
    "last": -1,
    "previous": -1,
    "past": -1,
    "this": 0,
    "current": 0,
    "next": 1,
    "coming": 1,
    "following": 1,
}
_SINGLE_WORDS = {
    "the day before yesterday": -2,
    "day before yesterday": -2,
    "yesterday": -1,
    "today": 0,
    "tonight": 0,
    "tomorrow": 1,
    "the day after tomorrow": 2,
    "day after tomorrow": 2,
}


def _longest_first(words: object) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))  # type: ignore[call-overload]


_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_WEEKDAY = "|".join(sorted(_WEEKDAYS, key=len, reverse=True))
_FULL_WEEKDAY = "|".join(name for name in _WEEKDAYS if name.endswith("day"))
_DAY_OF_MONTH = r"(?P<day>3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?"
_YEAR = r"(?:,?\ (?:of\ )?(?P<year>(?:19|20)\d\d)\b(?!\ ?(?:yuan|usd|dollars)))?"
# Not the weekend of "the weekend before last".
_OTHER_SIDE = r"(?!\ (?:before\ last|after\ next)\b)"


def _single_word(match: re.Match[str], context: Context) -> Interval | None:
    day = context.today + _SINGLE_WORDS[re.sub(r"\s+", " ", match["word"])] * DAY
    if match["word"] == "tonight":
        return _evening(day, context)
    return one_day(day)


def _evening(day: date, context: Context) -> Interval:
    from training.analysis.entities.times.clock import Clock

    return Clock(0, 0, 18 * 60, 6 * 60, stands_alone=True).on(day, context)


def _last_night(match: re.Match[str], context: Context) -> Interval:
    return _evening(context.today - DAY, context)


def _part_of_today(match: re.Match[str], context: Context) -> Interval:
    from training.analysis.entities.times.clock import PARTS, Clock

    first, last = PARTS[match["part"]]
    clock = Clock(0, 0, 60 * first, 60 * (last - first), stands_alone=True)
    return clock.on(context.today, context)


def _stepped_unit(match: re.Match[str], context: Context) -> Interval | None:
    return _so_many_away(match["unit"], _STEPS[match["step"]], context.today)


def _so_many_away(unit: str, step: int, today: date) -> Interval | None:
    """Return the week, weekend, month, quarter or year that lies so many from that of a day."""
    if unit == "week":
        return week(today, step)
    if unit == "weekend":
        return days(monday(today) + (7 * step + 5) * DAY, 2)
    if unit == "month":
        return month(today.year, today.month + step)
    if unit == "quarter":
        return months(today.year, (today.month - 1) // 3 * 3 + 1 + 3 * step, 3)
    return year(today.year + step)


def _other_side(match: re.Match[str], context: Context) -> Interval | None:
    """Return what "the weekend before last" and "the Friday after next" are."""
    today, unit = context.today, match["unit"]
    step = -2 if match["side"] == "before last" else 2
    if unit == "night":
        return _evening(today + step * DAY, context) if step < 0 else None
    if unit not in _WEEKDAYS:
        return _so_many_away(unit, step, today)
    number = _WEEKDAYS[unit]
    if step < 0:  # a week before the latest one
        return one_day(today - ((today.weekday() - number - 1) % 7 + 8) * DAY)
    return one_day(monday(today) + (7 * step + number) * DAY)


def _from_weekday(match: re.Match[str], context: Context) -> Interval | None:
    """Return what lies so far from a day: "two weeks from Monday", "a week from tomorrow"."""
    count = numerals.number(match["count"])
    if count is None:
        return None
    day, today = match["from"], context.today
    if day in _SINGLE_WORDS:
        day = today + _SINGLE_WORDS[day] * DAY
    elif match["step"] == "next":
        day = monday(today) + (7 + _WEEKDAYS[day]) * DAY
    elif match["step"] == "last":
        day = today - ((today.weekday() - _WEEKDAYS[day] - 1) % 7 + 1) * DAY
    else:
        day = today + ((_WEEKDAYS[day] - today.weekday() - 1) % 7 + 1) * DAY
    return one_day(relative.day_away(count, relative.UNITS[match["unit"]], day))


def _weekend(match: re.Match[str], context: Context) -> Interval | None:
    first = monday(context.reference)
    return context.nearest(lambda offset: days(first + (7 * offset + 5) * DAY, 2))


def _weekday(match: re.Match[str], context: Context) -> Interval | None:
    """Return a weekday: "last" is the latest before today, "next" the one of next week."""
    number, step = _WEEKDAYS[match["weekday"]], match["step"]
    if match["weekof"]:
        return one_day(monday(context.today) + (7 * _STEPS[match["weekof"]] + number) * DAY)
    if step in ("last", "past", "previous"):
        back = (context.today.weekday() - number - 1) % 7 + 1
        return one_day(context.today - back * DAY)
    if step in ("coming", "following"):
        return one_day(context.today + ((number - context.today.weekday() - 1) % 7 + 1) * DAY)
    if step:
        return one_day(monday(context.today) + (7 * _STEPS[step] + number) * DAY)
    first = monday(context.reference)
    return context.nearest(lambda offset: one_day(first + (7 * offset + number) * DAY))


def _month_and_day(match: re.Match[str], context: Context) -> Interval | None:
    number, day = _MONTHS[match["month"]], int(match["day"])
    if match["year"]:
        return one_day(date(sensible_year(int(match["year"])), number, day))
    return context.nearest(
        lambda offset: one_day(date(context.reference.year + offset, number, day))
    )


def _days_of_month(match: re.Match[str], context: Context) -> Interval | None:
    number, first, last = _MONTHS[match["month"]], int(match["day"]), int(match["last"])
    if first >= last:
        return None

    def candidate(offset: int) -> Interval:
        return Interval(
            date(context.reference.year + offset, number, first),
            date(context.reference.year + offset, number, last) + DAY,
        )

    if match["year"]:
        return candidate(int(match["year"]) - context.reference.year)
    return context.nearest(candidate)


def _day_of_month(match: re.Match[str], context: Context) -> Interval | None:
    number = int(match["day"])
    if match["step"]:
        whole = month(context.today.year, context.today.month + _STEPS[match["step"]])
        return one_day(whole.start.replace(day=number))
    return context.nearest(
        lambda offset: one_day(
            month(context.reference.year, context.reference.month + offset).start.replace(
                day=number
            )
        )
    )


def _month(match: re.Match[str], context: Context) -> Interval | None:
    number = _MONTHS[match["month"]]
    part = {"early": 0, "beginning": 0, "start": 0, "mid": 1, "middle": 1, "late": 2, "end": 2}.get(
        match["part"] or ""
    )

    def candidate(offset: int) -> Interval:
        whole = month(context.reference.year + offset, number)
        return whole if part is None else third(whole, part)

    if match["year"]:
        return candidate(sensible_year(int(match["year"])) - context.reference.year)
    step = match["step"]
    if step == "last":
        offset = 0 if context.today.month > number else -1
        return month(context.today.year + offset, number)
    if step == "next":
        offset = 1 if context.today.month >= number else 0
        return month(context.today.year + offset, number)
    if step == "this":
        return month(context.today.year, number)
    return context.nearest(candidate)


def _end_of(match: re.Match[str], context: Context) -> Interval | None:
    part = 0 if match["part"] in ("beginning", "start") else 1 if match["part"] == "middle" else 2
    step = _STEPS.get(match["step"] or "this", 0)
    today = context.today
    if match["unit"] == "month":
        if match["step"] in (None, "the"):
            return context.nearest(
                lambda offset: third(
                    month(context.reference.year, context.reference.month + offset), part
                )
            )
        return third(month(today.year, today.month + step), part)
    if match["unit"] == "year":
        return months(today.year + step, (1, 6, 11)[part], 2)
    whole = week(today, step)
    first = (0, 2, 4)[part]
    return days(whole.start + first * DAY, (2, 2, 3)[part])


def _year_alone(match: re.Match[str], context: Context) -> Interval:
    return year(sensible_year(int(match["year"])))


def _written(match: re.Match[str], context: Context) -> Interval | None:
    first, second, number = int(match["m"]), int(match["d"]), sensible_year(int(match["y"]))
    if first > 12:  # 31/12/2026
        first, second = second, first
    return one_day(date(number, first, second))


def _month_slash_day(match: re.Match[str], context: Context) -> Interval | None:
    number, day = int(match["m"]), int(match["d"])
    return context.nearest(
        lambda offset: one_day(date(context.reference.year + offset, number, day))
    )


def _festival(match: re.Match[str], context: Context) -> Interval | None:
    key = "double_12" if match["name"] == "12.12" else festivals.ENGLISH[match["name"]]
    shift = {"before": -1, "after": 1, None: 0}[match["side"]]

    def candidate(number: int) -> Interval:
        day = festivals.day_of(key, number)
        if match["period"]:
            return festivals.holiday_of(key, number)
        return Interval(day.start + shift * DAY, day.end + shift * DAY)

    if match["year"]:
        return candidate(sensible_year(int(match["year"])))
    if match["which"]:
        this_year = context.today.year
        step = match["which"]
        if step == "last":
            past = candidate(this_year)
            return past if past.end <= context.today else candidate(this_year - 1)
        if step == "next":
            coming = candidate(this_year)
            return coming if coming.start > context.today else candidate(this_year + 1)
        return candidate(this_year)
    if match["yearword"]:
        return candidate(context.today.year + _STEPS[match["yearword"]])
    return context.nearest(lambda offset: candidate(context.reference.year + offset))


_STEP_WEEK = "last|previous|this|next|coming|following"
# Short forms are times only after these; from, to and until may also stand in a range.
_AFTER_PREPOSITION = (
    r"(?:(?<=\b(?:on|by|to)\ )|(?<=\bfrom\ )|(?<=\btill\ )|(?<=\b(?:since|until|after)\ )"
    r"|(?<=\bbefore\ ))"
)
_FESTIVAL_NAMES = "|".join(
    re.escape(name) for name in sorted(festivals.ENGLISH, key=len, reverse=True)
)

RULES: tuple[Rule, ...] = (
    rule(
        r"\b(?P<word>(?:the\ )?day\ before\ yesterday|(?:the\ )?day\ after\ tomorrow|yesterday|today"
        r"|tonight|tomorrow)\b",
        _single_word,
    ),
    rule(r"\blast\ night\b", _last_night),
    rule(r"\bthis\ (?P<part>morning|afternoon|evening)\b", _part_of_today),
    rule(
        r"\b(?P<step>last|previous|this|current|next|coming)\ (?P<unit>weekend|week|month|quarter|year)\b(?!\ (?:on\ )?"
        rf"(?:{_FULL_WEEKDAY}))(?!'s)",
        _stepped_unit,
    ),
    rule(
        rf"\b(?:at|on|over|during)\ the\ weekend\b{_OTHER_SIDE}|\b(?:the\ )?weekend\b{_OTHER_SIDE}",
        _weekend,
    ),
    rule(
        rf"\b(?:the\ )?(?P<unit>{_FULL_WEEKDAY}|weekend|week|month|year|night)"
        r"\ (?P<side>before\ last|after\ next)\b(?:\ (?P=unit)\b)?"
        r"(?!\ (?:week|month|year|night|time|order)\b)",
        _other_side,
    ),
    rule(
        rf"\b(?P<count>(?<![\d.])\d{{1,3}}|{numerals.ENGLISH})\ (?P<unit>day|week|fortnight|month|year)s?"
        rf"\ from\ (?:(?P<step>last|this|next|coming)\ )?(?P<from>tomorrow|yesterday|{_FULL_WEEKDAY})\b",
        _from_weekday,
    ),
    rule(
        rf"\b(?:(?P<step>{_STEP_WEEK})\ )?(?P<weekday>{_FULL_WEEKDAY})\b(?!s){_OTHER_SIDE}"
        r"(?:\ (?:of\ )?(?P<weekof>last|this|next)\ week\b)?",
        _weekday,
    ),
    rule(
        rf"\b(?P<weekof>last|this|next)\ week\ (?:on\ )?(?P<weekday>{_FULL_WEEKDAY})\b(?P<step>$^)?",
        _weekday,
    ),
    rule(
        rf"(?:\b(?P<step>last|next|this)\ |{_AFTER_PREPOSITION})(?P<weekof>$^)?(?P<weekday>mon|tues?|wed|thurs?|fri)\b\.?",
        _weekday,
    ),
    rule(
        rf"\b(?:the\ )?(?P<month>{_MONTH})\.?\ (?:the\ )?{_DAY_OF_MONTH}\b(?![:%]|\.\d|,\d){_YEAR}",
        _month_and_day,
        is_whole=True,
    ),
    rule(
        rf"\b(?:the\ )?{_DAY_OF_MONTH}\ (?:of\ )?(?P<month>{_MONTH})\b\.?{_YEAR}",
        _month_and_day,
        is_whole=True,
    ),
    rule(
        rf"\b(?P<month>{_MONTH})\.?\ {_DAY_OF_MONTH}\ ?(?:-|–|to|until|through)\ ?(?P<last>3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?\b(?!:|\ ?[ap]\.?m\b){_YEAR}",
        _days_of_month,
    ),
    rule(
        rf"\b{_DAY_OF_MONTH}\ ?(?:-|–|to|until|through)\ ?(?P<last>3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?\ (?P<month>{_MONTH})\b{_YEAR}",
        _days_of_month,
    ),
    rule(
        r"\bthe\ (?P<day>3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)\b(?:\ of\ (?:the\ )?(?P<step>last|this|next)\ month)?(?!\ (?:time|day|order|item|floor|street|avenue|one|attempt|quarter|half|party))",
        _day_of_month,
    ),
    rule(
        r"\b(?P<day>3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)\ of\ (?:the\ )?(?P<step>last|this|next)\ month\b",
        _day_of_month,
    ),
    rule(
        rf"\b(?:the\ )?(?:(?P<step>last|this|next)\ )?(?:(?P<part>early|mid|late|beginning|start|middle|end)(?:\ of\ |[-\ ]))?"
        rf"(?P<month>{'|'.join(name for name in sorted(_MONTHS, key=len, reverse=True) if name != 'may' and name != 'mar')})\b{_YEAR}",
        _month,
    ),
    rule(
        rf"\b(?:in|since|until|by|last|next|early|late|mid)[\ -](?P<step>$^)?(?P<part>$^)?(?P<month>may)\b(?!\ (?:i|we|be|have|not|the)\b|\ [0-3]?\d(?!\d)){_YEAR}",
        _month,
    ),
    rule(
        r"\b(?:the\ )?(?P<part>end|beginning|start|middle)\ of\ (?:(?P<step>the|last|this|next)\ )?(?P<unit>month|year|week)\b",
        _end_of,
    ),
    rule(r"\b(?:in|since|during|from|until|of)\ (?P<year>20\d\d|19\d\d)\b(?![-/.\d])", _year_alone),
    rule(r"(?<![\d/])(?P<m>[0-3]?\d)/(?P<d>[0-3]?\d)/(?P<y>20\d\d)(?!\d)", _written),
    rule(
        rf"{_AFTER_PREPOSITION}(?P<m>1[0-2]|0?[1-9])/(?P<d>3[01]|[12]\d|0?[1-9])(?![\d/.%])",
        _month_slash_day,
    ),
    rule(
        rf"\b(?:(?:the\ )?day\ (?P<side>before|after)\ )?(?:(?P<which>last|this|next)\ )?(?P<name>{_FESTIVAL_NAMES})(?![\w%])"
        rf"(?:\ (?P<period>holidays?|week|break))?(?:\ (?P<yearword>last|this|next)\ year)?{_YEAR}",
        _festival,
    ),
)

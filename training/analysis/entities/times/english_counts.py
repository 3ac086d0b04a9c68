"""So long ago, in so long, the last so many days, in English."""

import re
from decimal import Decimal

from training.analysis.entities import numerals
from training.analysis.entities.times import relative
from training.analysis.entities.times.grammar import DAY, Context, Rule, rule
from training.analysis.entities.times.interval import Interval, days

_UNIT = (
    r"(?P<unit>year|yr|quarter|month|fortnight|week|wk|(?:business\ |working\ )?day"
    r"|hour|hr|minute|min)s?\b"
)
_COUNT = (
    rf"(?:\b(?P<least>(?<![\d./:-])\d{{1,3}}|{numerals.ENGLISH})(?:\ ?[-–]\ ?|\ (?:to|or)\ ))?"
    rf"(?P<count>(?<![\d.])\d{{1,4}}(?:\.\d)?|{numerals.ENGLISH})\b(?:\ (?P<of>of))?"
)


def _count(match: re.Match[str]) -> tuple[Decimal, str] | None:
    unit = relative.UNITS[match["unit"]]
    count = numerals.number(match["count"])
    if count is None:
        return None
    if match["half"]:
        count += Decimal("0.5")
    return count, unit


def _ago(match: re.Match[str], context: Context) -> Interval | None:
    is_past = match["side"] in ("ago", "earlier", "back", "before now")
    return _so_far(match, context, ahead=not is_past)


def _so_far(match: re.Match[str], context: Context, *, ahead: bool) -> Interval | None:
    counted = _count(match)
    if counted is None:
        return None
    count, unit = counted
    least = numerals.number(match["least"]) if match["least"] else None
    if least is None or least > count:  # "order 55 - 2 days ago"
        least = count
    return relative.between(least, count, unit, context, ahead=ahead)


def _half(match: re.Match[str], context: Context) -> Interval | None:
    unit = relative.UNITS[match["unit"]]
    count = (
        Decimal("0.5") if match["side"] in ("from now", "later") or match["in"] else Decimal("-0.5")
    )
    return relative.away(count, unit, context)


def _in(match: re.Match[str], context: Context) -> Interval | None:
    return _so_far(match, context, ahead=True)


def _within(match: re.Match[str], context: Context) -> Interval | None:
    counted = _count(match)
    return None if counted is None else relative.within(*counted, context)


def _lasting(match: re.Match[str], context: Context) -> Interval | None:
    ahead = match["step"] in ("next", "coming")
    if match["few"]:
        if match["unit"] != "day":
            return None
        if ahead:
            return relative.some_days(context, ahead=True)
        return days(context.today - 6 * DAY, 7)
    counted = _count(match)
    return None if counted is None else relative.lasting(*counted, context, ahead=ahead)


def _few_days_ago(match: re.Match[str], context: Context) -> Interval:
    return relative.some_days(context, ahead=False)


def _few_days_on(match: re.Match[str], context: Context) -> Interval:
    return relative.some_days(context, ahead=True)


RULES: tuple[Rule, ...] = (
    rule(
        rf"\b{_COUNT}(?:\ (?P<half>and\ a\ half))?\ {_UNIT}\ (?P<side>ago|earlier|back|from\ now|from\ today)\b",
        _ago,
    ),
    rule(
        r"\b(?:(?P<in>in)\ )?half\ an?\ (?P<unit>hour|year|month|day)(?:\ (?P<side>ago|from\ now|earlier|later))\b",
        _half,
    ),
    rule(r"\b(?P<in>in)\ half\ an?\ (?P<unit>hour|year|month)\b(?P<side>$^)?", _half),
    rule(
        rf"\bin\ {_COUNT}(?:\ (?P<half>and\ a\ half))?\ {_UNIT}(?!'|\ of|\ from\ (?!now|today))",
        _in,
    ),
    rule(
        rf"\bwithin\ (?:the\ next\ )?{_COUNT}(?P<half>$^)?\ {_UNIT}(?!\ of)",
        _within,
    ),
    rule(
        rf"\b(?:(?:in|for|over|during|within)\ )?the\ (?P<step>last|past|previous|next|coming)\ (?:(?P<few>few|couple\ of)|{_COUNT})(?P<half>$^)?\ {_UNIT}",
        _lasting,
    ),
    rule(r"\b(?:a\ )?(?:few|several)\ days\ (?:ago|back)\b|\bthe\ other\ day\b", _few_days_ago),
    rule(r"\bin\ a\ few\ days\b|\ba\ few\ days\ from\ now\b", _few_days_on),
)

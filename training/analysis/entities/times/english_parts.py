"""Quarters and halves of a year in English: Q3 2025, the third quarter of last year."""

import re

from training.analysis.entities.times.grammar import Context, Rule, rule, sensible_year
from training.analysis.entities.times.interval import Interval, months

_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4}
_STEPS = {"last": -1, "previous": -1, "this": 0, "the": 0, "next": 1}
_OF_YEAR = r"(?:,?\ (?:of\ |in\ )?(?:(?P<year>20\d\d|19\d\d)\b|(?P<step>last|previous|this|the|next)\ year\b))"
_BEFORE = r"(?:\b(?P<year>20\d\d|19\d\d)[\ -]?|\b(?P<step>last|this|next)\ year(?:'s)?\ )"
_ORDINAL = r"(?P<ordinal>first|second|third|fourth|last|final|[1-4](?=st|nd|rd|th))(?:st|nd|rd|th)?"


def _quarter(match: re.Match[str], context: Context) -> Interval | None:
    return _part(match, context, 3)


def _half(match: re.Match[str], context: Context) -> Interval | None:
    return _part(match, context, 6)


def _part(match: re.Match[str], context: Context, length: int) -> Interval | None:
    """Return the quarter or half of the year, of so many months."""
    said, most = match["ordinal"], 12 // length
    number = int(said) if said.isdigit() else _ORDINALS.get(said, most)
    if number > most:
        return None
    first = length * (number - 1) + 1
    if match["year"]:
        return months(sensible_year(int(match["year"])), first, length)
    if match["step"]:
        return months(context.today.year + _STEPS[match["step"]], first, length)
    return context.nearest(lambda offset: months(context.reference.year + offset, first, length))


RULES: tuple[Rule, ...] = (
    rule(rf"\bq(?P<ordinal>[1-4])\b{_OF_YEAR}?", _quarter),
    rule(rf"{_BEFORE}q(?P<ordinal>[1-4])\b", _quarter),
    rule(rf"\bh(?P<ordinal>[12])\b{_OF_YEAR}", _half),
    rule(rf"{_BEFORE}h(?P<ordinal>[12])\b", _half),
    # "the last quarter" alone is the one before this.
    rule(rf"\b(?:the\ )?{_ORDINAL}\ quarter\b{_OF_YEAR}", _quarter),
    rule(rf"\b(?:the\ )?(?!last|final){_ORDINAL}\ quarter\b(?P<year>$^)?(?P<step>$^)?", _quarter),
    rule(rf"\b(?:the\ )?{_ORDINAL}\ half{_OF_YEAR}", _half),
    rule(rf"{_BEFORE}{_ORDINAL}\ quarter\b", _quarter),
    rule(rf"{_BEFORE}{_ORDINAL}\ half\b", _half),
)

"""What customers name in their messages: orders, parcels, articles, amounts, dates.

By form only; what a code stands for is looked up by whoever asks (casefile.py).
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.utils import timezone

from intents.guard import pii

# Of a text, from its end: what was said last counts.
_MOST_CHARS = 2000


class Kind(StrEnum):
    ORDER = "ORDER"  # one of the customer's
    TRACKING = "TRACKING"  # of a parcel of his
    PRODUCT = "PRODUCT"  # an article's SKU
    NUMBER = "NUMBER"  # looks like an order's, and is none of his
    AMOUNT = "AMOUNT"
    DATE = "DATE"


@dataclass(frozen=True, slots=True)
class Amount:
    """A sum of money as it was written."""

    text: str


@dataclass(frozen=True, slots=True)
class Day:
    """A day as it was written, and which one that is where it says so."""

    text: str
    day: date | None


_CODE = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z-]*\d)[A-Za-z0-9][A-Za-z0-9-]{2,38}[A-Za-z0-9]")
_NUMBER = r"\d[\d,]*(?:\.\d{1,2})?"
_AMOUNT = re.compile(
    rf"(?:HK\$|US\$|[¥$€£])\s?{_NUMBER}"
    rf"|(?<![\dA-Za-z.]){_NUMBER}\s?(?:元|块|人民币|美元|欧元|英镑|港币|港元"
    r"|(?:CNY|RMB|USD|EUR|GBP|HKD|SGD|CAD|AUD|yuan|dollars?|euros?|pounds?|bucks)(?![A-Za-z]))",
    re.IGNORECASE,
)
_FULL_DATE = re.compile(r"(?<!\d)(20\d{2})[-/.年](\d{1,2})[-/.月](\d{1,2})(?!\d)日?")
_CHINESE_DATE = re.compile(r"(?<!\d)(\d{1,2})月(\d{1,2})(?!\d)[日号]?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"({'|'.join(_MONTHS)})[a-z]*\.?"
_ENGLISH_DATE = re.compile(
    rf"\b{_MONTH}\s(\d{{1,2}})(?:st|nd|rd|th)?\b|\b(\d{{1,2}})(?:st|nd|rd|th)?\s{_MONTH}(?![a-z])",
    re.IGNORECASE,
)
_DAYS_AWAY = {
    "前天": -2,
    "昨天": -1,
    "今天": 0,
    "明天": 1,
    "后天": 2,
    "yesterday": -1,
    "today": 0,
    "tomorrow": 1,
}
_NAMED_DAY = re.compile("|".join(_DAYS_AWAY), re.IGNORECASE)


def codes(text: str) -> list[str]:
    """Return what may be the number of an order, a parcel or an article, in capitals."""
    return [match.group().upper() for match in _CODE.finditer(_read(text))]


def is_order_number(code: str) -> bool:
    """Whether a code looks like an order's or parcel's, not like a telephone's or a card's."""
    return pii.redact(code) == "<order>"


def amounts(text: str) -> list[Amount]:
    """Return the sums of money that a text names."""
    return [Amount(match.group().strip()) for match in _AMOUNT.finditer(_read(text))]


def days(text: str, said_at: datetime) -> list[Day]:
    """Return the days that a text names; "yesterday" counts from when it was said."""
    said_on = timezone.localtime(said_at).date()
    return list(_days(_read(text), said_on))


def _days(text: str, said_on: date) -> Iterator[Day]:
    taken: list[range] = []
    for match in _FULL_DATE.finditer(text):
        taken.append(range(*match.span()))
        yield Day(match.group(), _day(int(match[1]), int(match[2]), int(match[3])))
    for match in _CHINESE_DATE.finditer(text):
        if not any(match.start() in span for span in taken):
            yield Day(match.group(), _day(said_on.year, int(match[1]), int(match[2])))
    for match in _ENGLISH_DATE.finditer(text):
        name, number = (match[1], match[2]) if match[1] else (match[4], match[3])
        month = _MONTHS.index(name[:3].lower()) + 1
        yield Day(match.group(), _day(said_on.year, month, int(number)))
    for match in _NAMED_DAY.finditer(text):
        yield Day(match.group(), said_on + timedelta(days=_DAYS_AWAY[match.group().lower()]))


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _read(text: str) -> str:
    return unicodedata.normalize("NFKC", text[-_MOST_CHARS:])

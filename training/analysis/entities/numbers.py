"""Numbers of orders and of parcels."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache

from training.analysis.entities import carriers
from training.analysis.entities.folding import Folded
from training.analysis.entities.span import Span
from training.analysis.findings import Kind

_TOKEN = r"(?P<number>[a-z0-9](?:[a-z0-9-]{4,38})[a-z0-9])(?![a-z0-9])"  # noqa: S105  (a word of a text)
_IS = r"\s?(?:是|为|:|#|\bis\b|=|）|\))?\s?[:#]?\s?"
# With one of the named groups but "news" a cue says that a number follows; after 订单 alone or
# "tracking" there may be anything.
_ORDER_CUE = re.compile(
    rf"(?:订单(?P<explicit>编?号码?)?|(?P<short>单号)|order(?P<english>\ (?:number|no\.?|id|num))?){_IS}{_TOKEN}"
)
_PARCEL_CUE = re.compile(
    rf"(?:(?:快递|运|物流|包裹|追踪|货运|寄件|退货)(?:(?P<explicit>单号|编?号码?)|单|(?P<news>信息))|tracking(?P<english>\ (?:number|no\.?|id|code))?|(?P<short>waybill(?:\ (?:number|no\.?))?|awb|parcel\ (?:number|no\.?))){_IS}{_TOKEN}"
)
_DATES = (
    re.compile(r"(?P<year>(?:19|20)\d\d)(?P<month>\d\d)(?P<day>\d\d)"),
    re.compile(r"(?P<year>(?:19|20)\d\d)-(?P<month>\d\d?)-(?P<day>\d\d?)"),
    re.compile(r"(?P<month>\d\d?)-(?P<day>\d\d?)-(?P<year>(?:19|20)\d\d)"),
    re.compile(r"(?P<day>\d\d?)-(?P<month>\d\d?)-(?P<year>(?:19|20)\d\d)"),
)
_MOBILE = re.compile(r"(?:86-?)?1[3-9]\d-?\d{4}-?\d{4}")
# 订单123456元 is about money; before 元旦 there may be a number.
_CURRENCY = re.compile(
    r"(?:\.\d{1,2})?\s?[万千]?(?:元(?!旦)|块|[美欧日韩港澳加新]元|(?:yuan|dollars?|euros?)\b|(?:人民币|(?:rmb|usd)\b)(?!\s?\d))"
)
_LEAST_DIGITS = 5  # of what a cue announces: "order today" names no number


def find(folded: Folded, order_examples: Sequence[str]) -> Iterator[Span]:
    """Yield order and tracking numbers; they may overlap.

    Args:
        order_examples: Some of the shop's order numbers, whose form is taken from them.
    """
    text = folded.lower
    for match in _PARCEL_CUE.finditer(text):
        if _is_number(match):
            start, end = match.span("number")
            number = match["number"].upper()
            carrier = carriers.of(number) or carriers.named_near(text, match.start())
            yield _parcel(start, end, number, carrier)
    if (form := _form(tuple(order_examples))) is not None:
        for match in form.finditer(text):
            yield Span(Kind.ORDER_NUMBER, match.start(), match.end(), {"number": match[0].upper()})
    for match in _ORDER_CUE.finditer(text):
        if _is_number(match):
            start, end = match.span("number")
            number = match["number"].upper()
            if carriers.of(number, digits_too=False):
                continue
            yield Span(Kind.ORDER_NUMBER, start, end, {"number": number})
    for start, end, carrier in carriers.find(text):
        yield _parcel(start, end, text[start:end].upper(), carrier)


def _parcel(start: int, end: int, number: str, carrier: str) -> Span:
    value = {"number": number} | ({"carrier": carrier} if carrier else {})
    return Span(Kind.TRACKING_NUMBER, start, end, value)


def _has_digits(number: str) -> bool:
    return sum(each.isdigit() for each in number) >= _LEAST_DIGITS


def _is_number(match: re.Match[str]) -> bool:
    """Return whether what follows a cue is a number, not a date, a telephone or a price."""
    said, groups = match["number"], match.groupdict()
    if not _has_digits(said):
        return False
    if any(groups[name] for name in ("explicit", "short", "english")):
        return True
    if "#" in match.string[match.start() : match.start("number")]:
        return True
    if groups.get("news") and _MOBILE.fullmatch(said):
        return False
    return not _is_date(said) and not _CURRENCY.match(match.string, match.end())


def _is_date(said: str) -> bool:
    for pattern in _DATES:
        if written := pattern.fullmatch(said):
            try:
                date(int(written["year"]), int(written["month"]), int(written["day"]))
            except ValueError:
                continue
            return True
    return False


@lru_cache(maxsize=8)
def _form(examples: tuple[str, ...]) -> re.Pattern[str] | None:
    """Return what the shop's order numbers look like: the letters of these, as many digits.

    An example without letters has too common a form to be known by it alone; such numbers are
    found by the word before them.
    """
    forms = set()
    for example in examples:
        parts = re.findall(r"[a-z]+|\d+|[^a-z\d]+", example.lower())
        if not any(part.isalpha() for part in parts):
            continue
        forms.add(
            "".join(rf"\d{{{len(part)}}}" if part.isdigit() else re.escape(part) for part in parts)
        )
    if not forms:
        return None
    return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(sorted(forms))})(?![a-z0-9])")

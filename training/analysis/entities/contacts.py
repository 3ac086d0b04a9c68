"""Telephone numbers and e-mail addresses."""

import re
from collections.abc import Iterator

from training.analysis.entities.folding import Folded
from training.analysis.entities.span import Span
from training.analysis.findings import Kind

_EMAIL = re.compile(
    r"(?<![a-z0-9._%+-])[a-z0-9_%+-]{1,40}(?:\.[a-z0-9_%+-]{1,40}){0,4}@[a-z0-9-]{1,40}(?:\.[a-z0-9-]{1,30}){0,4}\.[a-z]{2,18}(?![a-z0-9@])"
)
_GAP = r"[ -]?"
_MOBILE = re.compile(
    rf"(?<![\da-z.+_-])(?:(?:\+|00)?86{_GAP})?(?P<number>1[3-9]\d{_GAP}(?:\d{{4}}{_GAP}\d{{4}}|\d{{3}}{_GAP}\d{{5}}))(?![\d_]|\.\d|-\d)"
)
_LANDLINE = re.compile(
    rf"(?<![\d.+-])(?:(?:\+|00)86{_GAP})?\(?(?P<area>0(?:10|2\d|[3-9]\d\d))\)?{_GAP}(?P<number>[2-8]\d{{6,7}})"
    rf"(?:(?:-|转| ?ext\.? ?)(?P<extension>\d{{1,6}}))?(?![\d.])"
)
_SERVICE = re.compile(r"(?<![\d.+-])(?P<number>[48]00-?\d{3,4}-?\d{3,4})(?![\d.-])")
_INTERNATIONAL = re.compile(
    r"(?<![\w+])(?P<number>(?:\+|00)[1-9]\d{0,2}(?:[ -]?\(?\d{1,5}\)?){2,6})(?![\w])"
)
_AMERICAN = re.compile(
    r"(?<![\w.+-])(?:1[ .-])?(?P<number>\(?[2-9]\d\d\)?[ .-][2-9]\d\d[ .-]\d{4})(?![\w-])"
)
_MIN_DIGITS, _MAX_DIGITS = 8, 15  # of an international number with its country code (E.164)


def find(folded: Folded) -> Iterator[Span]:
    """Yield e-mail addresses and telephone numbers; they may overlap."""
    text = folded.lower
    for match in _EMAIL.finditer(text):
        yield Span(Kind.EMAIL, match.start(), match.end(), {"email": match[0]})
    for match in _MOBILE.finditer(text):
        yield _phone(match, "+86" + _digits(match["number"]))
    for match in _LANDLINE.finditer(text):
        number = f"+86{match['area'][1:]}{match['number']}"
        extension = f";ext={match['extension']}" if match["extension"] else ""
        yield _phone(match, number + extension)
    for match in _SERVICE.finditer(text):
        if len(_digits(match[0])) == 10:
            yield _phone(match, _digits(match[0]))
    for match in _INTERNATIONAL.finditer(text):
        digits = _digits(match[0]).removeprefix("00") if match[0][0] == "0" else _digits(match[0])
        if _MIN_DIGITS <= len(digits) <= _MAX_DIGITS:
            yield _phone(match, "+" + digits)
    for match in _AMERICAN.finditer(text):
        yield _phone(match, "+1" + _digits(match["number"]))


def _phone(match: re.Match[str], number: str) -> Span:
    return Span(Kind.PHONE, match.start(), match.end(), {"number": number})


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)

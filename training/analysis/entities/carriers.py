"""Carriers by the form of their tracking numbers, and by the check digits where there are any.

Sources: UPU S10 (postal items), UPS and FedEx shipping guides, USPS Publication 199; Chinese
carriers state forms only, on their tracking pages.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_Check = Callable[[str], bool]


def _s10(number: str) -> bool:
    """Check letters, eight digits, check digit, country (UPU S10)."""
    weights = (8, 6, 4, 2, 3, 5, 9, 7)
    total = sum(int(digit) * weight for digit, weight in zip(number[2:10], weights, strict=True))
    expected = 11 - total % 11
    return int(number[10]) == {10: 0, 11: 5}.get(expected, expected)


def _ups(number: str) -> bool:
    """Check the last digit of 1Z and 16 characters; letters count as their place modulo 10."""
    values = [int(c) if c.isdigit() else (ord(c) - 63) % 10 for c in number[2:]]
    total = sum(value * (2 if place % 2 else 1) for place, value in enumerate(values[:-1]))
    return (10 - total % 10) % 10 == values[-1]


def _fedex(number: str) -> bool:
    """Check the last of twelve digits (Express)."""
    weights = (3, 1, 7) * 4
    total = sum(int(d) * w for d, w in zip(number[:11], weights, strict=False))
    return total % 11 % 10 == int(number[11])


def _usps(number: str) -> bool:
    """Check the last digit modulo 10, every other one from the right counted three times."""
    total = sum(
        int(digit) * (3 if place % 2 == 0 else 1)
        for place, digit in enumerate(reversed(number[:-1]))
    )
    return (10 - total % 10) % 10 == int(number[-1])


def _dhl(number: str) -> bool:
    """Check the last of ten digits modulo 7 (Express)."""
    return int(number[:9]) % 7 == int(number[9])


@dataclass(frozen=True, slots=True)
class _Form:
    carrier: str
    pattern: str  # of the whole number, in capitals
    check: _Check | None = None
    # Too common a form to be known by it: a word before it, or the carrier's name, must tell.
    needs_word: bool = False


_FORMS = (
    _Form("UPS", r"1Z[0-9A-Z]{16}", _ups),
    _Form("SF", r"SF\d{12,15}"),
    _Form("YTO", r"YT\d{12,16}"),
    _Form("ZTO", r"ZTO?\d{10,14}"),
    _Form("STO", r"STO?\d{12,15}"),
    _Form("YUNDA", r"YD\d{12,15}"),
    _Form("J&T", r"JT\d{12,15}"),
    _Form("BEST", r"(?:BT|HT|A)\d{13}"),
    _Form("DEPPON", r"DPK\d{10,14}"),
    _Form("DHL", r"JJD\d{14,20}|JVGL\d{10,20}|GM\d{16,20}|JD0\d{17}"),
    _Form("JD", r"JD[A-Z]{0,2}\d{11,15}(?:-\d{1,3}){0,2}"),
    _Form("CAINIAO", r"LP\d{11,17}|CAINIAO\d{8,16}"),
    _Form("4PX", r"4PX\d{10,16}(?:CN)?"),
    _Form("YANWEN", r"(?:UG|YW)\d{9}YP|YW\d{12,16}"),
    _Form("NINJA VAN", r"NV[A-Z]{0,4}\d{9,14}"),
    _Form("AMAZON", r"TB[ACM]\d{12}"),
    _Form("EMS", r"E[A-Z]\d{9}CN", _s10),
    _Form("CHINA POST", r"[A-Z]{2}\d{9}CN", _s10),
    _Form("USPS", r"[A-Z]{2}\d{9}US", _s10),
    _Form("ROYAL MAIL", r"[A-Z]{2}\d{9}GB", _s10),
    _Form("POST", r"[A-Z]{2}\d{9}[A-Z]{2}", _s10),
    _Form("ROYAL MAIL", r"RM\d{12}"),
    _Form("CANADA POST", r"CP\d{12}"),
    _Form("AUSTRALIA POST", r"AP\d{12}"),
    _Form("COLISSIMO", r"6A\d{11,12}"),
    _Form("USPS", r"9[1-5]\d{18,20}", _usps),
    _Form("FEDEX", r"\d{12}", _fedex, needs_word=True),
    _Form("FEDEX", r"79\d{12}", needs_word=True),
    _Form("YUNDA", r"4[36]\d{11}|31\d{13}", needs_word=True),
    _Form("ZTO", r"7[3-8]\d{12}", needs_word=True),
    _Form("STO", r"77\d{13}", needs_word=True),
    _Form("EMS", r"1[01]\d{11}", needs_word=True),
    _Form("DHL", r"\d{10}", _dhl, needs_word=True),
)
_COMPILED = tuple((form, re.compile(form.pattern)) for form in _FORMS)
_NAMES = {
    "顺丰": "SF",
    "sf express": "SF",
    "圆通": "YTO",
    "中通": "ZTO",
    "申通": "STO",
    "韵达": "YUNDA",
    "极兔": "J&T",
    "百世": "BEST",
    "德邦": "DEPPON",
    "京东": "JD",
    "菜鸟": "CAINIAO",
    "邮政": "CHINA POST",
    "ems": "EMS",
    "ups": "UPS",
    "dhl": "DHL",
    "fedex": "FEDEX",
    "联邦快递": "FEDEX",
    "usps": "USPS",
    "royal mail": "ROYAL MAIL",
    "canada post": "CANADA POST",
    "auspost": "AUSTRALIA POST",
    "ninja van": "NINJA VAN",
    "yanwen": "YANWEN",
    "燕文": "YANWEN",
    "递四方": "4PX",
}
_NAME = re.compile("|".join(re.escape(name) for name in _NAMES))
_NEAR = 16  # characters before a number in which its carrier's name is looked for
_CANDIDATE = re.compile(
    r"(?<![a-z0-9.])(?=[a-z0-9-]*\d{8})[a-z0-9]{10,26}(?:-\d{1,3}){0,2}(?![a-z0-9])"
)
_AFTER_NAME = re.compile(
    r"(?:快递|速运|速递|国际|express|的|单号|运单|编号|号码|number|tracking|no\.?|是|为|[\s:#,])*$"
)


def of(number: str, *, digits_too: bool = True) -> str:
    """Return whose number this is, "" when no form fits or the check digit is wrong.

    Args:
        number: In capitals.
        digits_too: Also by forms that many other numbers have.
    """
    for form, pattern in _COMPILED:
        is_asked = digits_too or not form.needs_word
        if is_asked and pattern.fullmatch(number) and (form.check is None or form.check(number)):
            return form.carrier
    return ""


def named_near(text: str, position: int) -> str:
    """Return the carrier that is named shortly before a position, "" for none."""
    names = list(_NAME.finditer(text, max(0, position - _NEAR), position))
    return _NAMES[names[-1][0]] if names else ""


def find(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and carrier of tracking numbers that are known by their form, or by their
    carrier's name right before them.

    Args:
        text: In small letters.
    """
    for match in _CANDIDATE.finditer(text):
        number = match[0].upper()
        if carrier := of(number, digits_too=False):
            yield match.start(), match.end(), carrier
            continue
        names = list(_NAME.finditer(text, max(0, match.start() - _NEAR), match.start()))
        if names and _AFTER_NAME.fullmatch(text[names[-1].end() : match.start()]):
            yield match.start(), match.end(), _NAMES[names[-1][0]]

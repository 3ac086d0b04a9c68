"""Personal data in a text becomes typed placeholders; names and addresses are not looked for.

Used for what is classified, logged, replayed or sent elsewhere. The stored message keeps it.
"""

import re
import unicodedata
from collections.abc import Callable

# Digits grouped by single spaces or hyphens, as people write numbers.
_GROUPED = r"\d(?:[ -]?\d)"
# A number does not begin or end inside a longer one.
_START, _END = r"(?<![\dA-Za-z])", r"(?![\dA-Za-z]|[ -]\d)"

_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9-]{1,63}){1,4}",
    re.ASCII,
)
_ID_CARD = re.compile(r"(?<![\dA-Za-z])(?:\d[ -]?){17}[\dXx](?![\dA-Za-z])")
_CARD = re.compile(rf"{_START}{_GROUPED}{{12,18}}{_END}")
_MOBILE = re.compile(
    r"(?<![\dA-Za-z])(?:(?:\+|00)?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?![\dA-Za-z])"
)
_LANDLINE = re.compile(
    r"(?<![\dA-Za-z])(?<!\d[ -])(?:(?:\(0\d{2,3}\)|0\d{2,3})[ -]?[2-9]\d{2,3}[ -]?\d{4}|[48]00-?\d{3,4}-?\d{3,4})"
    r"(?:-\d{1,6})?(?![\dA-Za-z])"
)
_INTERNATIONAL = re.compile(r"(?<![\dA-Za-z])(?:\+|00)[1-9](?:[ .()-]{0,2}\d){6,14}(?![\dA-Za-z])")
# "(555) 010-1234", "555-010-1234": the North American way without a country code.
_NORTH_AMERICAN = re.compile(
    r"(?<![\dA-Za-z-])(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}(?![\dA-Za-z-])"
)
# Only cards are written 4-4-4-4; a mistyped one is still somebody's card.
_CARD_LAYOUT = re.compile(
    rf"{_START}(?<!\d[ -])\d{{4}}(?:[ -]\d{{4}}){{3}}(?:[ -]\d{{1,3}})?{_END}"
)
# The shop's and carriers' numbers: a prefix and digits (CS-20261122-0001), or capitals among
# many digits (1Z999AA10123456784).
_ORDER = re.compile(
    r"(?<![A-Za-z0-9])(?=[A-Za-z0-9-]{8,40}(?![A-Za-z0-9-]))[A-Za-z]{1,6}-?\d[A-Za-z0-9-]*\d[A-Za-z]{0,3}"
    r"(?![A-Za-z0-9-])"
)
_TRACKING = re.compile(r"(?<![A-Za-z0-9])(?=[A-Z0-9]*[A-Z])[A-Z0-9]{12,34}(?![A-Za-z0-9])")
_LONG_NUMBER = re.compile(r"(?<![\dA-Za-z.])\d{8,32}(?![\dA-Za-z]|\.\d)")

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK = "10X98765432"


def _is_id_card(digits: str) -> bool:
    """Whether 18 characters are a Chinese resident identity number (GB 11643-1999: MOD 11-2)."""
    month, day = int(digits[10:12]), int(digits[12:14])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return False
    total = sum(int(d) * w for d, w in zip(digits, _ID_WEIGHTS, strict=False))
    return _ID_CHECK[total % 11] == digits[17].upper()


def _is_card(digits: str) -> bool:
    """Whether 13 to 19 digits carry the check digit of a payment card (ISO/IEC 7812-1, Luhn)."""
    if len(set(digits)) == 1:
        return False
    doubled = (int(d) * 2 if i % 2 else int(d) for i, d in enumerate(reversed(digits)))
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


def _has_digits(least: int) -> Callable[[str], bool]:
    return lambda found: sum(map(str.isdigit, found)) >= least


# In this order: what is longer or checked comes before what it would be mistaken for.
_KINDS: tuple[tuple[re.Pattern[str], str, Callable[[str], bool] | None], ...] = (
    (_EMAIL, "<email>", None),
    (_ID_CARD, "<id_card>", _is_id_card),
    (_INTERNATIONAL, "<phone>", _has_digits(8)),
    (_CARD, "<card>", _is_card),
    (_CARD_LAYOUT, "<card>", None),
    (_MOBILE, "<phone>", None),
    (_LANDLINE, "<phone>", None),
    (_NORTH_AMERICAN, "<phone>", None),
    (_ORDER, "<order>", _has_digits(6)),
    (_TRACKING, "<order>", _has_digits(8)),
    (_LONG_NUMBER, "<order>", None),
)
_SEPARATORS = str.maketrans("", "", " -")


def redact(text: str) -> str:
    """Replace personal data by its kind: <phone>, <email>, <id_card>, <card>, <order>.

    Identity and card numbers need their check digit; a number of eight digits and
    more that is none of these counts as an order number. Full-width digits are
    read as ASCII (the text comes back in NFKC if it holds any). Redacting twice
    changes nothing more.
    """
    if not any(map(str.isdigit, text)) and "@" not in text and "＠" not in text:
        return text
    text = unicodedata.normalize("NFKC", text)
    for pattern, placeholder, checks in _KINDS:

        def put(
            match: re.Match[str],
            placeholder: str = placeholder,
            checks: Callable[[str], bool] | None = checks,
        ) -> str:
            found = match.group()
            if checks is not None and not checks(found.translate(_SEPARATORS)):
                return found
            return placeholder

        text = pattern.sub(put, text)
    return text

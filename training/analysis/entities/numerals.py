"""Numbers as people write them: 12, 3.5, 1,299.00, 十二, 三百块, 2.5万, 两, 半, five."""

import re
from decimal import Decimal

_DIGITS = dict(zip("零〇一二三四五六七八九", (0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9), strict=True)) | {
    "两": 2,
    "俩": 2,
    "仨": 3,
    "壹": 1,
    "贰": 2,
    "叁": 3,
    "肆": 4,
    "伍": 5,
    "陆": 6,
    "柒": 7,
    "捌": 8,
    "玖": 9,
}
_UNITS = {"十": 10, "百": 100, "千": 1000, "拾": 10, "佰": 100, "仟": 1000}
_LARGE = {"万": 10_000, "亿": 100_000_000}
_ENGLISH = {
    word: number
    for number, words in {
        1: "a an one",
        2: "two couple",
        3: "three",
        4: "four",
        5: "five",
        6: "six",
        7: "seven",
        8: "eight",
        9: "nine",
        10: "ten",
        11: "eleven",
        12: "twelve",
        13: "thirteen",
        14: "fourteen",
        15: "fifteen",
        20: "twenty",
        30: "thirty",
        60: "sixty",
        90: "ninety",
    }.items()
    for word in words.split()
}

CHINESE = "[零〇一二两俩仨三四五六七八九十百千万亿]"  # of one character
ENGLISH = "|".join(sorted(_ENGLISH, key=len, reverse=True))
_CHINESE_NUMBER = re.compile(
    "[零〇一二两俩仨三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖拾佰仟半点]+"
)
_PLAIN = re.compile(r"(\d[\d,]*(?:\.\d+)?)([百千万亿kK]*)")


def number(text: str) -> Decimal | None:
    """Return what a numeral says; None for what is not one.

    "12" -> 12, "1,299.5" -> 1299.5, "2.5万" -> 25000, "十二" -> 12, "三百五" -> 350, "半" -> 0.5,
    "二〇二六" -> 2026, "a" -> 1.
    """
    text = text.strip().lower()
    if text in _ENGLISH:
        return Decimal(_ENGLISH[text])
    if plain := _PLAIN.fullmatch(text):
        value = Decimal(plain[1].replace(",", ""))
        for unit in plain[2]:
            value *= {"k": 1000, **_UNITS, **_LARGE}[unit]
        return value
    if text == "半":
        return Decimal("0.5")
    if not _CHINESE_NUMBER.fullmatch(text) or "半" in text:
        return None
    whole, point, decimals = text.partition("点")
    if "点" in decimals or (point and not all(each in _DIGITS for each in decimals)):
        return None
    value = Decimal(_chinese(whole))
    if decimals:
        value += Decimal("0." + "".join(str(_DIGITS[each]) for each in decimals))
    return value


def integer(text: str) -> int | None:
    """Return a whole number; None for what is not one."""
    value = number(text)
    return int(value) if value is not None and value == value.to_integral_value() else None


def _chinese(text: str) -> int:
    """Return the value of 十二, 三百零五, 三百五 (350), 二〇二六, 一万二 (12000)."""
    if len(text) > 1 and all(each in _DIGITS for each in text):
        return int("".join(str(_DIGITS[each]) for each in text))
    total = section = digit = 0
    last_unit = 1  # the unit before a digit that ends the number, as in 三百五
    for each in text:
        if each in _DIGITS:
            digit = _DIGITS[each]
            if digit == 0:
                last_unit = 1
        elif each in _UNITS:
            section += (digit or 1) * _UNITS[each]
            last_unit, digit = _UNITS[each], 0
        else:
            total = (
                (total + section + digit) * _LARGE[each]
                if section + digit
                else total + _LARGE[each]
            )
            last_unit, section, digit = _LARGE[each], 0, 0
    if digit and last_unit >= 100:
        digit *= last_unit // 10
    return total + section + digit

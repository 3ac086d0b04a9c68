"""Amounts of money: ¥129.9, 三百块, 2.5万元, 25 美元, USD 25, $1,299.00, thirty euros."""

import re
from collections.abc import Iterator
from decimal import Decimal

from training.analysis.entities import numerals
from training.analysis.entities.folding import Folded
from training.analysis.entities.span import Span
from training.analysis.findings import Kind

# What is said or written, and its ISO 4217 code. A bare $ is the US dollar; "块" and "元" are
# yuan, as shops in China use them.
_BEFORE = {
    "¥": "CNY",
    "￥": "CNY",
    "rmb": "CNY",
    "cny": "CNY",
    "人民币": "CNY",
    "us$": "USD",
    "hk$": "HKD",
    "s$": "SGD",
    "au$": "AUD",
    "a$": "AUD",
    "c$": "CAD",
    "ca$": "CAD",
    "nt$": "TWD",
    "$": "USD",
    "usd": "USD",
    "美金": "USD",
    "€": "EUR",
    "eur": "EUR",
    "£": "GBP",
    "gbp": "GBP",
    "hkd": "HKD",
    "jpy": "JPY",
    "krw": "KRW",
    "₩": "KRW",
    "sgd": "SGD",
    "aud": "AUD",
    "cad": "CAD",
    "jp¥": "JPY",
}
_AFTER = {
    **{code: code_iso for code, code_iso in _BEFORE.items() if code.isalpha()},
    "人民币": "CNY",
    "元人民币": "CNY",
    "块钱": "CNY",
    "块": "CNY",
    "元钱": "CNY",
    "元": "CNY",
    "圆": "CNY",
    "美元": "USD",
    "美金": "USD",
    "美刀": "USD",
    "刀": "USD",
    "欧元": "EUR",
    "英镑": "GBP",
    "镑": "GBP",
    "日元": "JPY",
    "日币": "JPY",
    "韩元": "KRW",
    "韩币": "KRW",
    "港币": "HKD",
    "港元": "HKD",
    "港纸": "HKD",
    "新元": "SGD",
    "新币": "SGD",
    "新加坡元": "SGD",
    "澳元": "AUD",
    "澳币": "AUD",
    "加元": "CAD",
    "加币": "CAD",
    "台币": "TWD",
    "新台币": "TWD",
    "€": "EUR",
    "£": "GBP",
    "$": "USD",
    "dollars": "USD",
    "dollar": "USD",
    "bucks": "USD",
    "us dollars": "USD",
    "euros": "EUR",
    "euro": "EUR",
    "pounds": "GBP",
    "yuan": "CNY",
    "renminbi": "CNY",
    "yen": "JPY",
    "hong kong dollars": "HKD",
    "canadian dollars": "CAD",
    "australian dollars": "AUD",
    "singapore dollars": "SGD",
}


def _any(words: dict[str, str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d{1,9}(?:\.\d{1,2})?"
_MULTIPLE = r"\ ?(?P<multiple>万亿|亿|万|千|百|k\b)?"
_HAN_NUMBER = r"[零〇一二两俩三四五六七八九十百千万]{1,9}"
_NO_LATIN = r"(?![a-z])"
_SIGN_FIRST = re.compile(
    rf"(?<![a-z])(?P<currency>{_any(_BEFORE)})\ ?(?P<number>{_NUMBER})(?![\d%]){_MULTIPLE}"
    rf"(?P<also>\ ?(?:元|块钱?|yuan|{'|'.join(code for code in _BEFORE if code.isalpha() and code.isascii())}){_NO_LATIN})?"
)
_SIGN_LAST = re.compile(
    rf"(?<![a-z\d.])(?P<number>{_NUMBER}){_MULTIPLE}(?:多|余|几|来)?\ ?(?P<currency>{_any(_AFTER)}){_NO_LATIN}(?P<rest>\d(?!\d)(?:毛|角)?)?"
    r"(?!屏|砖|手表|面膜)"
)
_HAN = re.compile(
    rf"(?<![零〇一二两三四五六七八九十百千万第几])(?P<number>{_HAN_NUMBER})(?:多|余|几|来)?(?P<currency>块钱|元钱|{'|'.join(word for word in sorted(_AFTER, key=len, reverse=True) if not word.isascii() and word not in '€£刀')})"
    r"(?P<rest>[一二两三四五六七八九](?:毛|角)?(?!个|件|十|百|千|万|次))?(?!屏|儿|电|布|肉|面|巧|板|手|儿|地|石|饼|表|蛋|香|肥|砖)"
)
# What is paid, asked or given back, with no currency said.
_PAID = re.compile(
    rf"(?:花了?|退(?:我|了|款|还)?|付了?|赔(?:我|偿|了)?|收了?|售价|单价|价格是?|总价|总共|一共|才|只要)"
    rf"(?P<number>(?:{_NUMBER})(?:万|千|百)?|{_HAN_NUMBER})(?=[,。!?;、\s]|$|[了吧吗呢就])"
)
_WORDS_EN = re.compile(
    rf"\b(?P<number>{numerals.ENGLISH})(?P<hundred>\ hundred|\ thousand)?\ (?P<currency>dollars?|euros?|pounds?|yuan|bucks|yen)\b"
)
_LEAST_BARE = 10  # "退了一" says nothing of money
_HUNDREDS = {" hundred": 100, " thousand": 1000, None: 1}


def find(folded: Folded) -> Iterator[Span]:
    """Yield the amounts of money in a text; they may overlap."""
    text = folded.lower
    for pattern, words in ((_SIGN_FIRST, _BEFORE), (_SIGN_LAST, _AFTER), (_HAN, _AFTER)):
        for match in pattern.finditer(text):
            said = match["number"]
            if pattern is not _HAN:
                said += match["multiple"] or ""
            amount = numerals.number(said)
            if amount is None:
                continue
            rest = match.groupdict().get("rest")
            if rest and (tenths := numerals.number(rest[0])) is not None:
                amount += tenths / 10
            if pattern is _HAN and match["currency"] == "块" and amount == 1 and not rest:
                continue  # 一块: together, a piece
            yield _span(match, amount, words[match["currency"]])
    for match in _PAID.finditer(text):
        amount = numerals.number(match["number"])
        if amount is not None and amount >= _LEAST_BARE:
            value = {"amount": f"{amount.normalize():f}", "currency": ""}
            yield Span(Kind.AMOUNT, match.start("number"), match.end("number"), value)
    for match in _WORDS_EN.finditer(text):
        if (amount := numerals.number(match["number"])) is not None:
            singular = match["currency"]
            yield _span(
                match,
                amount * _HUNDREDS[match["hundred"]],
                _AFTER[singular.lower()] if singular in _AFTER else _AFTER[singular + "s"],
            )


def _span(match: re.Match[str], amount: Decimal, currency: str) -> Span:
    value = {"amount": f"{amount.normalize():f}", "currency": currency}
    return Span(Kind.AMOUNT, match.start(), match.end(), value)

"""Amounts of money: ¥129.9, 三百块, 2.5万元, 25 美元, USD 25, $1,299.00, thirty-five euros."""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from text_to_num import text2num

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

# 块 is also a piece: of these things, or of what is made of them.
_PIECES = (
    r"(?:(?:[新旧大小厚薄]|备用|移动|固态|机械|智能|电子|石英|锂|蓄|纽扣|儿童|手机|相机|电脑|[红黄蓝绿黑白灰粉紫]色)的?)?"
    r"(?:屏|砖|膜|钢化|玻璃|塑料(?!袋)|海绵|泡沫|橡皮|磁铁|木(?![瓜耳])|石(?!榴)|玉(?!米)|板(?![栗鞋])|[主滑隔挡砧菜画墙]板|牌(?![子照])|奖牌"
    r"|布(?![置丁])|[餐桌抹尿纱画绒帆]布|[毛浴方丝头]巾|毛[毯料]|毯|垫(?![付资钱])|鼠标垫|窗[帘纱]|帘|地(?![铁址区税瓜])"
    r"|面(?:包|膜|料|板|巾|饼)|肉(?!夹)|[牛羊猪鱼鸡]肉|[牛鸡猪]排|鸡胸|饼|月饼|蛋糕|巧克力|奶酪|芝士|豆腐|披萨|比萨|糖(?![葫醋])|冰[块砖]"
    r"|香(?![港水蕉菜菇肠])|肥皂|皂|手(?:表|帕|巾|绢|工皂)|腕表|表(?![示明达扬白])|儿(?!童)"
    r"|硬盘|显[卡示]|内存|芯片|镜[片子]|电(?:池|瓶|芯|路板|子表|热毯|热板|容))"
)
# A pound of flour, but twenty pounds of credit.
_WEIGHT_FOLLOWS = r"\ (?:heav(?:y|ier)|lighter|overweight|of\ (?!(?:(?:my|your|the)\ )?(?:credit|money|refund|discount|postage|shipping)))"
# What makes another word of a currency.
_NOT_BEFORE = {
    "块": _PIECES,
    "元": "[旦宵]",
    "刀": "[片具架叉子头刃口柄鞘削剪切砍鱼纸]",
    "pounds": _WEIGHT_FOLLOWS,
}


def _any(words: Iterable[str]) -> str:
    return "|".join(
        re.escape(word) + (rf"(?!{_NOT_BEFORE[word]})" if word in _NOT_BEFORE else "")
        for word in sorted(words, key=len, reverse=True)
    )


_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d{1,9}(?:\.\d{1,2})?"
_MULTIPLE = r"\ ?(?P<multiple>万亿|亿|万|千|百|k\b)?"
_HAN_NUMBER = r"[零〇一二两俩三四五六七八九十百千万]{1,9}"
# 两三块, 三五百块, 二十七八块: a guess. 九九八元 is read out digit by digit.
_GUESS = re.compile(
    r"(?<![零〇一二两俩三四五六七八九])(?P<low>[一二两俩三四五六七八九])"
    r"(?!(?P=low))[一二两三四五六七八九](?![零〇一二两俩三四五六七八九])"
)
_NO_LATIN = r"(?![a-z])"
_SIGN_FIRST = re.compile(
    rf"(?<![a-z])(?P<currency>{_any(_BEFORE)})\ ?(?P<number>{_NUMBER})(?![\d%]){_MULTIPLE}"
    rf"(?P<also>\ ?(?:元|块钱?|yuan|{'|'.join(code for code in _BEFORE if code.isalpha() and code.isascii())}){_NO_LATIN})?"
)
_SIGN_LAST = re.compile(
    rf"(?<![a-z\d.])(?P<number>{_NUMBER}){_MULTIPLE}(?:多|余|几|来)?\ ?(?P<currency>{_any(_AFTER)}){_NO_LATIN}(?P<rest>\d(?!\d)(?:毛|角)?)?"
)
_HAN = re.compile(
    rf"(?<![零〇一二两三四五六七八九十百千万第几])(?P<number>{_HAN_NUMBER})(?:多|余|几|来)?"
    rf"(?P<currency>{_any(word for word in _AFTER if not word.isascii() and word not in '€£刀')})"
    r"(?P<rest>[一二两三四五六七八九](?:毛|角)?(?!个|件|十|百|千|万|次))?"
)
# What is paid, asked or given back, with no currency said.
_PAID = re.compile(
    rf"(?:花了?|退(?:我|了|款|还)?|付了?|赔(?:我|偿|了)?|收了?|售价|单价|价格是?|总价|总共|一共|才|只要)"
    rf"(?P<number>(?:{_NUMBER})(?:万|千|百)?|{_HAN_NUMBER})(?=[,。!?;、\s]|$|[了吧吗呢就])"
)
_MULTIPLE_EN = "hundred|thousand|million"
_WORD = (
    "couple|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
    "|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
    f"|{_MULTIPLE_EN}"
)
_DIGITS_FIRST = re.compile(r"(?P<number>[\d.]+) (?P<multiple>[a-z]+)(?: (?:and )?(?P<rest>.+))?")
_DIGITS_EN = rf"(?<![\d.,])\d{{1,3}}(?:\.\d{{1,2}})?(?=\ (?:{_MULTIPLE_EN})\b)"
_ONE_EN = rf"an?(?=\ (?:{_MULTIPLE_EN}|dollar|euro|pound|yuan|buck|yen)\b)"
# All words of the number, or the last would be taken for the whole.
_WORDS_EN = re.compile(
    rf"\b(?!(?:{_MULTIPLE_EN})\b)(?P<number>(?:{_ONE_EN}|{_DIGITS_EN}|(?:a\ )?couple(?:\ of)?|{_WORD})(?:(?:-|\ (?:(?:and|or)\ )?)(?:{_WORD})){{0,13}})"
    rf"\ (?P<currency>dollars?|euros?|pounds?(?!{_WEIGHT_FOLLOWS})|yuan|bucks|yen)\b"
)
_LEAST_BARE = 10  # "退了一" says nothing of money
_WEIGHT_PRECEDES = re.compile(
    r"\b(?:weigh\w*|los(?:t|e|es|ing)|gain(?:s|ed|ing)?|heavy|heavier)"
    r"(?:\ (?:is|was|of|by|as|a|another|some|about|around|over|under|up|to|only|just|exactly|approximately|roughly|almost|nearly|more|less|than|at|least|most)){0,4}"
    r"[\ :]*(?:\d+\ ?(?:-|to)\ ?)?$"
)
_CUTS = re.compile(r"(?:(?<![\d\ 百千万k美])刀|[切砍划割捅剁]了?)\ ?$")  # 砍了20刀, 菜刀20刀
# What tells before a number that no money is meant.
_TOLD_BEFORE = {"pound": _WEIGHT_PRECEDES, "pounds": _WEIGHT_PRECEDES, "刀": _CUTS}
_BEFORE_NUMBER = 48  # characters before a number in which that is looked for


def find(folded: Folded) -> Iterator[Span]:
    """Yield the amounts of money in a text; they may overlap."""
    text = folded.lower
    for pattern, words in ((_SIGN_FIRST, _BEFORE), (_SIGN_LAST, _AFTER), (_HAN, _AFTER)):
        for match in pattern.finditer(text):
            said = match["number"]
            if pattern is not _HAN:
                said += match["multiple"] or ""
            amount = _amount(said)
            if amount is None or _is_no_money(text, match):
                continue
            rest = match.groupdict().get("rest")
            if rest and (tenths := numerals.number(rest[0])) is not None:
                amount += tenths / 10
            if pattern is _HAN and match["currency"] == "块" and amount == 1 and not rest:
                continue  # 一块: together, a piece
            yield _span(match, amount, words[match["currency"]])
    for match in _PAID.finditer(text):
        amount = _amount(match["number"])
        if amount is not None and amount >= _LEAST_BARE:
            value = {"amount": f"{amount.normalize():f}", "currency": ""}
            yield Span(Kind.AMOUNT, match.start("number"), match.end("number"), value)
    for match in _WORDS_EN.finditer(text):
        amount = _spelled(match["number"])
        if amount is not None and not _is_no_money(text, match):
            singular = match["currency"]
            yield _span(
                match, amount, _AFTER[singular] if singular in _AFTER else _AFTER[singular + "s"]
            )


def _amount(said: str) -> Decimal | None:
    return None if _GUESS.search(said) else numerals.number(said)


def _is_no_money(text: str, match: re.Match[str]) -> bool:
    """Return whether what is before a number tells that pounds are a weight, or 刀 cuts."""
    pattern, start = _TOLD_BEFORE.get(match["currency"]), match.start()
    return bool(pattern and pattern.search(text, max(0, start - _BEFORE_NUMBER), start))


def _spelled(said: str) -> Decimal | None:
    """Return what English words say; None for what is not one number: "one or two", "two fifty".

    "twenty-five" -> 25, "two thousand five hundred" -> 2500, "2.5 thousand" -> 2500.
    """
    words = re.sub(r"^an?\b", "one", re.sub(r"\b(?:a )?couple(?: of)?\b", "two", said))
    digits = _DIGITS_FIRST.fullmatch(words)
    try:
        if digits is None:
            return Decimal(text2num(words, "en"))
        multiple = text2num(digits["multiple"], "en")
        rest = text2num(digits["rest"], "en") if digits["rest"] else 0
    except ValueError:
        return None
    return Decimal(digits["number"]) * multiple + rest if rest < multiple else None


def _span(match: re.Match[str], amount: Decimal, currency: str) -> Span:
    value = {"amount": f"{amount.normalize():f}", "currency": currency}
    return Span(Kind.AMOUNT, match.start(), match.end(), value)

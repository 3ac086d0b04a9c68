"""What two sentences share that differ in names, numbers, money and dates only."""

import re

from intents.guard import normalize, pii

# Chinese numerals count where something is counted: 三天, 两件, 一百块; not in 一下, 一直, 万一.
_HAN_NUMBER = "[〇零一二两三四五六七八九十百千万亿]+"
_MEASURE = "[个件天日号月年周岁次单双套台只条张份斤寸元块毛角分米盒箱瓶包点秒码折期层楼]|小时|分钟|公斤|千克|厘米|星期"
_NUMBER = r"\d+(?:[.,:]\d+)*"

_MONTHS = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    "|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_WEEKDAYS = "(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)day"
_DATE = re.compile(
    rf"""
      \d{{2,4}}[-/.年]\d{{1,2}}[-/.月]\d{{1,2}}[日号]?
    | (?:\d{{2,4}}年)?\d{{1,2}}月(?:\d{{1,2}}[日号]?|份)
    | (?:上|下|这|本)?(?:周|星期|礼拜)[一二三四五六日天]
    | (?:大前|前|昨|今|明|后|大后)[天日晚] | \d{{1,2}}[日号](?!线|店|门|码)
    | \b(?:{_MONTHS})\.?\ \d{{1,2}}(?:st|nd|rd|th)?\b | \b\d{{1,2}}(?:st|nd|rd|th)?\ (?:{_MONTHS})\b
    | \b(?:last|next|this)?\ ?{_WEEKDAYS}\b | \b(?:yesterday|today|tomorrow)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_MONEY = re.compile(
    rf"""
      (?:[¥￥$€£₩]|\b(?:rmb|cny|usd|eur|gbp|hkd)\ ?)\ ?{_NUMBER}
    | (?:{_NUMBER}|{_HAN_NUMBER})\ ?(?:块钱|元钱|块|元|毛|角|美元|美金|欧元|英镑|港币|日元|人民币
        |(?:rmb|cny|usd|eur|gbp|hkd|dollars?|bucks|euros?|pounds?|yuan)\b)
    """,
    re.IGNORECASE | re.VERBOSE,
)
# The hundred commonest surnames (2020 census), before a title; and names where they are given.
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任"
    "沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_NAME = re.compile(
    rf"""
      [{_SURNAMES}][\u4e00-\u9fff]{{0,2}}(?:先生|女士|小姐|太太|老师)
    | (?:我|他|她|收件人|联系人|姓名)(?:的名字)?(?:叫|是|：|:)\ ?[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}
        (?![\u4e00-\u9fff])
    | \b(?:mr|mrs|ms|miss|dr)\.?\ [A-Z][a-z]+(?:\ [A-Z][a-z]+)?
    | \b(?:[Mm]y\ name\ is|[Ii]\ am\ called|name:)\ [A-Z][a-z]+(?:\ [A-Z][a-z]+)?
    """,
    re.VERBOSE,
)
_COUNT = re.compile(rf"{_NUMBER}|{_HAN_NUMBER}(?={_MEASURE})")
_PLACEHOLDER = re.compile(r"<(?:email|phone|id_card|card|order)>|\[[^\[\]]{1,20}\]")

# In this order: what is longer comes before what is a part of it. Placeholders are letters of no
# language, so that no later pattern, and not the key, takes them for something else.
_KINDS = (
    (_PLACEHOLDER, "\ue000"),
    (_DATE, "\ue001"),
    (_MONEY, "\ue002"),
    (_NAME, "\ue003"),
    (_COUNT, "\ue004"),
)
_MARKS = frozenset(mark for _pattern, mark in _KINDS)


def masked_key(text: str) -> str:
    """Return what two sentences share that differ in personal data, names, numbers or dates only.

    `normalize.for_model`, personal data as `pii.redact` finds it, then dates, money, names and
    numbers as one mark each; lower case, letters, digits and marks only. A text without any of
    them is its own key.
    """
    text = pii.redact(normalize.for_model(text))
    for pattern, mark in _KINDS:
        text = pattern.sub(mark, text)
    text = text.lower()
    return "".join(c for c in text if c.isalnum() or c in _MARKS) or text


def has_masks(key: str) -> bool:
    """Tell whether anything was replaced in a key of `masked_key`."""
    return not _MARKS.isdisjoint(key)

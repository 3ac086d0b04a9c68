"""Postal addresses: from the province to the door, and English ones by street."""

import re
from collections.abc import Iterable, Iterator

from training.analysis.entities.folding import Folded
from training.analysis.entities.span import Span
from training.analysis.findings import Kind

_PROVINCES = (
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃"
    "|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门"
)
# Where an address may begin: with a province, or after a word that announces one.
_BEGINNING = re.compile(
    rf"(?P<province>(?:{_PROVINCES})(?=省|市|[\u4e00-\u9fff]))"
    r"|(?:地址(?:是|为|改成|改为|换成|:)?|[寄送发投改]到了?|送去|改[成为]|换[成到]|住在?|位于)[\s:,]{0,2}(?P<cue>)(?=[\u4e00-\u9fff])"
)
# No address has these; they end it, or show that a verb was taken for a name.
_NAME = "[^\\W\\d_的了我你您他她它是有和没不这那给寄送发请吗呢吧啊呀想要能会可把被让就才还都也很太买件个单货问说改收]"
_HAN_NAME = _NAME.replace("[^\\W", "[^\\Wa-zA-Z")
_AREA = "特别行政区|自治区|自治州|自治县|省|市|地区|新区|开发区|高新区|区|县|旗|镇|乡|街道"
_STREET = "大街|大道|大路|街|路|道|巷|胡同|弄|里|环路|公路"
_SITE = (
    "小区|花园|家园|新村|新城|村|社区|大厦|大楼|广场|中心|公寓|公馆|苑|园区|工业园|科技园|产业园|软件园|园|城|府|湾|庭|邸|里|名都|华府|学校|大学|学院|中学|小学"
    "|医院|宿舍|酒店|商场|超市|驿站|快递柜|菜鸟驿站"
)
_DOOR = "号楼|号院|号|栋|幢|座|单元|楼|层|室|房|户|组|队|门|期|区"
_NUMERAL = "(?:[a-zA-Z]?\\d{1,5}(?:[-—]\\d{1,5}){0,3}[a-zA-Z]?|[一二三四五六七八九十百]{1,5}|[a-zA-Z甲乙丙丁东西南北])"
_PART = re.compile(
    rf"(?P<area>{_HAN_NAME}{{1,10}}?(?:{_AREA}))"
    rf"|(?P<street>(?:{_HAN_NAME}|\d(?!号)){{1,10}}?(?:{_STREET})(?:[东西南北中]段?|[一二三四五六七八九十]段)?)"
    rf"|(?P<door>{_NUMERAL}(?:{_DOOR}))"
    rf"|(?P<site>(?:{_NAME}|[·\d](?!号|栋|室)){{1,12}}?(?:{_SITE})(?:[东西南北][区门苑]|[一二三四五]期)?)"
    rf"|(?P<number>(?<=[号栋幢座元楼层区厦苑园寓城场室路街道弄])[a-zA-Z]?\d{{1,5}}(?:-\d{{1,5}}){{0,3}}[a-zA-Z]?(?![\d.:元块个件天月年点]))"
    rf"|(?P<city>(?:{_PROVINCES})(?![^\W\d_]?(?:{_STREET})))"
)
_BETWEEN = re.compile(r"[ ,]{0,2}")
_MOST_CHARS = 120

_ROAD_EN = (
    "street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|place|pl|square|sq|way|terrace|parkway|pkwy"
    "|highway|hwy|circle|close|crescent|quay"
)
_ENGLISH = re.compile(
    rf"\b\d{{1,5}}[A-Za-z]?\ (?:[NSEW]\.?\ )?(?:[A-Z][\w'’.]*\ |\d+(?:st|nd|rd|th)\ ){{1,4}}(?i:{_ROAD_EN})\b\.?"
    r"(?:,?\ (?:(?i:apt|apartment|suite|ste|unit|flat|floor|room)\.?\ ?\#?\w{1,6}|\#\ ?\w{1,6}))?"
    r"(?:,?\ [A-Z][a-z]+(?:\ [A-Z][a-z]+){0,2}(?=,|\ [A-Z]{2}\b|\ \d{4,5}\b|\ [A-Z]{1,2}\d))?"
    r"(?:,\ [A-Z][a-z]+(?:\ [A-Z][a-z]+){0,2})?"
    r"(?:,?\ [A-Z]{2}\b)?(?:,?\ (?:\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]?\ ?\d[A-Z]{2}|[A-Z]\d[A-Z]\ ?\d[A-Z]\d|\d{4,6}))?"
    r"(?:,\ (?:USA|US|UK|United\ States|United\ Kingdom|Canada|Australia|Singapore|Germany|France))?",
    re.ASCII,
)


def find(folded: Folded, places: Iterable[tuple[int, int]]) -> Iterator[Span]:
    """Yield addresses; they may overlap.

    Args:
        places: Where the tagger found places: an address may begin with one.
    """
    text = folded.text
    beginnings = {start for start, _ in places}
    for match in _BEGINNING.finditer(text):
        beginnings.add(match.start() if match["province"] else match.end())
    done = 0
    for start in sorted(beginnings):
        if start >= done and (end := _end(text, start)):
            done = end
            yield Span(Kind.ADDRESS, start, end)
    for match in _ENGLISH.finditer(text):
        yield Span(Kind.ADDRESS, match.start(), match.end())


def _end(text: str, start: int) -> int | None:
    """Return where the address that begins here ends; None where none does.

    An area or a street, and something narrower: a place alone is no address.
    """
    position = start
    kinds: list[str | None] = []
    while position < min(len(text), start + _MOST_CHARS):
        gap = _BETWEEN.match(text, position)
        at = gap.end() if gap and kinds else position
        part = _PART.match(text, at)
        if part is None:
            break
        kinds.append(part.lastgroup)
        position = part.end()
    is_narrow = "door" in kinds or ("number" in kinds and "street" in kinds) or "site" in kinds
    is_wide = any(kind in ("area", "city", "street") for kind in kinds)
    if len(kinds) >= 2 and is_narrow and is_wide:
        return position
    return None

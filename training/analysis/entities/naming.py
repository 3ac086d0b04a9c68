"""Names that rules know: after "收件人" or "my name is", and places and firms in English."""

import re
from collections.abc import Iterator

from training.analysis.entities.folding import Folded
from training.analysis.entities.span import Span
from training.analysis.findings import Kind

_SURNAMES = (
    "欧阳|司马|上官|诸葛|皇甫|令狐|[王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔"
    "白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文]"
)
_NAMED_ZH = re.compile(
    rf"(?:收件人|收货人|联系人|姓名|我叫|我是|名字[是叫]|寄件人)[\s:是为]{{0,2}}(?P<name>(?:{_SURNAMES})[\u4e00-\u9fff]{{1,2}})(?=$|[^\u4e00-\u9fff]|电话|手机|地址|的)"
)
_TITLED_ZH = re.compile(rf"(?P<name>(?:{_SURNAMES})(?:先生|女士|小姐|太太|老师))(?!们)")
_WORD = r"[A-Z][a-zA-Z'’-]{1,20}"
_NAMED_EN = re.compile(
    rf"(?:(?i:my\ name\ is|name\ is|i\ am|i'm|this\ is|recipient(?:\ is)?:?|name:|receiver:?|addressee:?|attn:?|consignee:?|signed\ by"
    rf"|regards|sincerely|thanks|cheers|hi|hello|dear)[\s,:]{{1,3}})(?P<name>{_WORD}(?:\ (?:{_WORD}|[A-Z]\.)){{0,2}})",
    re.ASCII,
)
_TITLED_EN = re.compile(
    rf"\b(?P<name>(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.?\ {_WORD}(?:\ {_WORD})?)", re.ASCII
)
# Capitalised after "I am" or "hi" without being a name.
_NO_NAMES = frozenset(
    [
        "I",
        "The",
        "A",
        "An",
        "Very",
        "So",
        "Not",
        "Just",
        "Really",
        "Still",
        "Also",
        "Writing",
        "Looking",
        "Waiting",
        "Sorry",
        "Happy",
        "Sad",
        "Angry",
        "Unhappy",
        "Disappointed",
        "Trying",
        "Unable",
        "There",
        "Team",
        "Support",
        "Customer",
        "Service",
        "All",
        "Everyone",
        "Sir",
        "Madam",
        "Sirs",
        "Friend",
        "Guys",
        "Can",
        "Could",
        "Please",
        "Thanks",
        "Thank",
        "My",
        "What",
        "Where",
        "When",
        "Why",
        "How",
        "This",
        "That",
        "It",
        "Your",
        "You",
        "We",
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
        "Again",
        "Best",
        "Kind",
        "Regards",
        "Order",
        "Hello",
        "Hi",
        "In",
        "On",
        "From",
        "At",
        "Since",
    ]
)
_PLACES = re.compile(
    r"\b(?:China|Hong\ Kong|Macau|Taiwan|Singapore|Malaysia|Japan|South\ Korea|Korea|Thailand|Vietnam|Indonesia|Philippines|India"
    r"|Australia|New\ Zealand|Canada|Mexico|Brazil|United\ States|United\ Kingdom|USA|UK|England|Scotland|Wales|Ireland"
    r"|Germany|France|Italy|Spain|Portugal|Netherlands|Belgium|Switzerland|Austria|Poland|Sweden|Norway|Denmark|Finland|Russia"
    r"|Ukraine|Turkey|Israel|Egypt|South\ Africa|Nigeria|Saudi\ Arabia|Dubai|UAE|Beijing|Shanghai|Guangzhou|Shenzhen|Hangzhou"
    r"|Chengdu|Wuhan|Nanjing|Xiamen|Ningbo|Yiwu|Tokyo|Osaka|Seoul|Bangkok|Sydney|Melbourne|Brisbane|Perth|Auckland|Toronto"
    r"|Vancouver|Montreal|Ottawa|New\ York(?:\ City)?|Los\ Angeles|San\ Francisco|Chicago|Boston|Seattle|Houston|Dallas|Miami"
    r"|Washington|Philadelphia|Atlanta|Denver|Austin|San\ Diego|Las\ Vegas|California|Texas|Florida|Illinois|Ohio|Oregon|London"
    r"|Manchester|Birmingham|Liverpool|Edinburgh|Glasgow|Dublin|Paris|Lyon|Marseille|Berlin|Munich|Hamburg|Frankfurt|Cologne"
    r"|Amsterdam|Rotterdam|Brussels|Vienna|Zurich|Geneva|Madrid|Barcelona|Lisbon|Rome|Milan|Stockholm|Oslo|Copenhagen"
    r"|Helsinki|Warsaw|Prague|Moscow|Istanbul)\b",
    re.ASCII,
)
_ORGANISATIONS = re.compile(
    r"\b(?:(?:[A-Z][\w&'-]*\ ){1,4}(?:Inc|Ltd|LLC|Corp|Corporation|Limited|GmbH|Company|University|College|Bank|Hospital|Group)\b\.?"
    r"|Bank\ of\ [A-Z]\w+(?:\ [A-Z]\w+)?|University\ of\ [A-Z]\w+"
    r"|Amazon|eBay|PayPal|Alipay|WeChat\ Pay|Visa|Mastercard|American\ Express|Apple\ Pay|Google\ Pay|Klarna|Shopify|AliExpress|Alibaba"
    r"|Taobao|Tmall|Temu|Shein|DHL|FedEx|UPS|USPS|Royal\ Mail|Canada\ Post|Australia\ Post|Hermes|Evri|Facebook|Instagram|TikTok)\b",
    re.ASCII,
)


def find(folded: Folded) -> Iterator[Span]:
    """Yield persons, places and organisations; they may overlap."""
    text = folded.text
    for pattern in (_NAMED_ZH, _TITLED_ZH, _TITLED_EN):
        for match in pattern.finditer(text):
            yield Span(Kind.PERSON, *match.span("name"))
    for match in _NAMED_EN.finditer(text):
        words = match["name"].split()
        while words and words[-1].strip(".") in _NO_NAMES:
            words.pop()
        if words and words[0] not in _NO_NAMES:
            start = match.start("name")
            yield Span(Kind.PERSON, start, start + len(" ".join(words)))
    for match in _PLACES.finditer(text):
        yield Span(Kind.PLACE, match.start(), match.end())
    for match in _ORGANISATIONS.finditer(text):
        yield Span(Kind.ORGANISATION, match.start(), match.end())

"""Whether a sentence speaks of what has been or of what will be."""

import re
from enum import Enum

_SENTENCE_END = re.compile(r"[。!?;\n]|[.!?](?=\s|$)")
_CLAUSE_END = re.compile(r"[,、。!?;:\n]|[.!?](?=\s|$)")

_PAST = re.compile(
    r"""了(?!解) | 过(?![两几三一\d]|年|节|后|会|期|敏|程|来) | 已经? | 刚刚?[^好] | 当时 | 以来 | 至今 | 到现在
    | [买订拍付收下发签退换寄送]的 | 下的?单[,。!?]|下单的 | 就(?:没|坏|断|开始) | 没(?:收到|到货|发货|人|动静)
    | (?<![能会前要以])收到 | (?<![能会前要以])签收 | 一直 | 之前(?:买|下|订|说) | 的时候 | 曾
    | \b(?:was|were|did|had|has|have|bought|ordered|paid|received|arrived|came|got|sent|placed|shipped
      |returned|said|told|promised|called|contacted|delivered|purchased|requested|started|broke|went
      |since|ago|made|submitted|signed|emailed|wrote|asked|happened|ended|left|missed|used|opened
      |cancelled|canceled|charged|refunded)\b""",
    re.VERBOSE,
)
_FUTURE = re.compile(
    r"""\0(?:之|以)?前(?!天) | 吗 | [会将](?![员议计]) | (?<![需主只首必])要(?![求么是]) | 打算 | 准备 | 想(?![到不]) | 可以 | 能(?![够]?源|力|量) | 能否 | 预计 | 计划
    | 希望 | 什么时候 | 何时 | 下次 | 到时候? | 马上 | 即将 | 等到 | 再(?:发|送|买|下单|寄|来) | 以前?之?前(?:给|能|发|送|到|必须|要|收到)
    | 前(?:给|能|会|可以|到|收到|送到|发出?货?)(?!了) | 还有(?!没) | 有没有 | 有(?:活动|优惠|折扣|促销|什么) | 请(?!问) | 麻烦 | 尽快
    | 开始(?:吗|的?活动) | 是否 | 来得及 | 赶得上 | 截止 | 出发 | 送(?:货|来|过来)(?!了|的) | 到期 | 放假 | 上班[吗么] | 发货[吗么] | 派送
    | \b(?:will|won't|shall|going\ to|gonna|can|could|would|want|plan|planning|hope|expect|expected
      |need|must|should|may|might|please|by|until|till|before|upcoming|coming|is\ there|are\ there
      |when\ will|deliver|arrive|ship|come|let's|i'll|you'll|it'll|we'll|leaving|going)\b""",
    re.VERBOSE,
)


class Tense(Enum):
    PAST = "past"
    FUTURE = "future"


def tense_at(text: str, start: int, end: int) -> Tense:
    """Return of what the sentence around `text[start:end]` speaks; PAST where nothing tells.

    The clause decides; the rest of the sentence is asked when the clause tells nothing.

    Args:
        text: Folded, in small letters.
    """
    for boundary in (_CLAUSE_END, _SENTENCE_END):
        before, after = _around(text, start, end, boundary)
        around = f"{before}\0{after}"  # the phrase itself tells nothing
        if _PAST.search(around):
            return Tense.PAST
        if _FUTURE.search(around):
            return Tense.FUTURE
    return Tense.PAST


_MOST_CHARS = 200  # of a sentence on either side that are looked at


def _around(text: str, start: int, end: int, boundary: re.Pattern[str]) -> tuple[str, str]:
    before, after = text[max(0, start - _MOST_CHARS) : start], text[end : end + _MOST_CHARS]
    ends = [found.end() for found in boundary.finditer(before)]
    if ends:
        before = before[ends[-1] :]
    if found := boundary.search(after):
        after = after[: found.end()]
    return before, after

"""Whether a sentence speaks of what has been or of what will be."""

import re
from enum import Enum

_SENTENCE_END = re.compile(r"[。!?;\n]|[.!?](?=\s|$)")
_CLAUSE_END = re.compile(r"[,、。!?;:\n]|[.!?](?=\s|$)")

# 了 that tells nothing: of what is about to be, or may be either ("我3号就出国了").
_NO_PAST = re.compile(
    r"""(?P<before>(?:就|才)(?:[行好够]|可以) | (?:就|快|将|马上|即将)要[^,、。!?;\n了]{1,6}
    | 就(?:出国|出差|出门|出发|走|离开|搬家|回国|回家|回老家|开学|放假|过生日|结婚|考试|到期|截止|用|过期|来不及)
    | 太[^,、。!?;\n了]{1,3})了""",
    re.VERBOSE,
)

# What is of a day (11月5日的订单, "my order of Nov 5") was of it when somebody wrote of it.
_PAST = re.compile(
    r"""\0(?:[^,、。!?;\n]{0,2}的[^,、。!?;\n]{0,4}?)?(?:订单|账单|发票|收据|交易|定金|消费|购买|购物)
    | \0的?那一?[单笔]
    | 查(?:一下|一查|下|询|看)?我?\0
    | (?<!有)没(?:有)?(?:给我?)?(?:收|付|退|发(?!票|现)|用|买|拆|签|拿|取|换|寄|补|看|等|回|处理|解决|联系|通知|告诉
      |更新|兑现|到[货账手]|人[理回管接处答来联给送应通告])
    | (?<![为除得算极不])了(?!解) | 过(?![两几一二三四五六七八九十半\d]+个?(?:天|日|周|星期|礼拜|月|年|小时|分|会|阵|段)|[会阵段]
      |年|节|后|期|敏|程|来) | 已经? | 刚刚?[^好] | 当时 | 以来 | 至今 | 到现在
    | [买订拍付收下发签退换寄送约](?:回去|回来|出去|过去|走)?的 | 下的?单[,。!?]|下单的 | 就(?:没|坏|断|开始) | 没动静
    | (?<![能会前要以])收到 | (?<![能会前要以])签收 | 一直 | 之前(?:买|下|订|说) | 的时候 | 曾""",
    re.VERBOSE,
)
_PAST_ENGLISH = re.compile(
    r"""\b(?:was|were)\ (?:\w+\ ){1,3}?to\ (?:be\ )?\w+
    | \b(?:(?:was|were|did|had)(?:n't)?|ha(?:s|ve)n't|(?:has|have|'ve)(?!\ (?:to|an?|any|the|some|my|no)\b))\b
    | \b(?:said|told|promised|assured|confirmed|claimed)\b[^\0]*  # "you said it would come on"
    | \b(?:orders?|purchases?|invoices?|receipts?|payments?|transactions?|charges?|statements?)\ (?:\w+\ ){0,2}
      (?:from|of|dated)\ (?:the\ )?(?=\0)
    | \b(?:return|refund|exchange|replace)\ (?:\w+\ ){1,5}(?:from|of)\ (?=\0)
    | (?<=\0)(?:'s)?\ (?:orders?|purchases?|invoices?|receipts?|payments?)\b
    | \b(?<!\bbe\ )(?<!\bget\ )(?:bought|ordered|paid|received|arrived|came|got|sent|placed|shipped|returned
      |called|contacted|delivered|purchased|requested|started|broke|went|since|ago|made|submitted|signed
      |emailed|wrote|asked|happened|ended|left|missed|used|opened|cancelled|canceled|charged|refunded
      |waited|tried|booked|complained|checked|picked|noticed|found|gave|took|spoke|talked|stopped)\b""",
    re.VERBOSE,
)
_FUTURE = re.compile(
    r"""\0(?:之|以)?前(?!天) | 吗 | [会将](?![员议计]) | (?<![需主只首必])要(?![求么是]) | 打算 | 准备 | 想(?![到不]) | 可以 | 能(?![够]?源|力|量) | 能否 | 预计 | 计划
    | 希望 | 什么时候 | 何时 | 下次 | 到时候? | 马上 | 即将 | 等到 | 再(?:发|送|买|下单|寄|来) | 以前?之?前(?:给|能|发|送|到|必须|要|收到)
    | 前(?:给|能|会|可以|到|收到|送到|发出?货?)(?!了) | 还有(?!没) | 有没有 | 有(?:活动|优惠|折扣|促销|什么) | 请(?!问) | 麻烦 | 尽快
    | 开始(?:吗|的?活动) | 是否 | [来赶][得不]及 | 赶[得不]上 | 就(?:[行好]|可以) | [收到送来去取]不了 | \0还没[到有](?!货|账) | 几点 | 安排 | 改[到成约] | 推迟 | 延[期后到] | 提前
    | 送(?=[\s,。!?;]|$) | 上门(?!取?[过了]) | 截止 | 出发 | 送(?:货|来|过来)(?!了|的) | 到期 | 放假 | 上班[吗么] | 发货[吗么] | 派送""",
    re.VERBOSE,
)
_FUTURE_ENGLISH = re.compile(
    r"""\b(?:ha(?:s|ve)\ to|to\ be|be\ (?:\w+ed|sent|paid|brought|left|made)|(?:are|do|does)\ (?:you|your|they|we)
      |(?:do\ you|is\ there|are\ there)\ (?:have\ )?any)\b
    | \b(?:will|won't|shall|going\ to|gonna|can|could|would|want|plan|planning|hope|expect|expected
      |need|must|should|may|might|please|by|until|till|before|upcoming|coming|is\ there|are\ there
      |deliver|arrive|ship|come|(?:start|begin|end|open|close|expire)s?|let's|i'll|you'll|it'll|we'll|leaving|going)\b""",
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
        around = _NO_PAST.sub(
            r"\g<before>", f"{before}\0{after}"
        )  # the phrase itself tells nothing
        if _PAST.search(around):
            return Tense.PAST
        if told := _told_in_english(around):
            return told
        if _FUTURE.search(around):
            return Tense.FUTURE
    return Tense.PAST


def _told_in_english(around: str) -> Tense | None:
    """Return what the nearest word says, of those before the phrase if there are any.

    "Will the lamp I bought be delivered on", "I want to return what I bought on".
    """
    place = around.index("\0")
    nearest: tuple[int, int] | None = None
    found = None
    for tense, pattern in ((Tense.FUTURE, _FUTURE_ENGLISH), (Tense.PAST, _PAST_ENGLISH)):
        for match in pattern.finditer(around):
            is_before = match.end() <= place
            distance = place - match.end() if is_before else match.start() - place
            rank = (int(not is_before), distance)
            if nearest is None or rank <= nearest:  # PAST where both say the same
                nearest, found = rank, tense
    return found


_MOST_CHARS = 200  # of a sentence on either side that are looked at


def _around(text: str, start: int, end: int, boundary: re.Pattern[str]) -> tuple[str, str]:
    before, after = text[max(0, start - _MOST_CHARS) : start], text[end : end + _MOST_CHARS]
    ends = [found.end() for found in boundary.finditer(before)]
    if ends:
        before = before[ends[-1] :]
    if found := boundary.search(after):
        after = after[: found.end()]
    return before, after

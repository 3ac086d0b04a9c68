"""Messages that people type in pieces: whether more is to come, and how long it is waited for.

A complete question is answered at once. What only opens one ("你好", "我想问", "and then,") is held
for CHAT_BURST_S, so that it and what follows get one answer together. The rules are about form
alone: no model is asked, and a wrong guess costs two seconds or an answer too many.
"""

import re
from datetime import datetime, timedelta
from functools import cache

from django.conf import settings

from intents.guard import normalize

# Somebody who never comes to the point is answered after so many times CHAT_BURST_S.
MOST = 3
# Longer texts say something, however they end.
_SHORT_CHARS = 40

_TRAILS_OFF = re.compile(r"(?:…|\.\.|。。)\s*$")
# After normalisation: full width has become ASCII, runs of a mark have become one.
_MORE_FOLLOWS = re.compile(r"[,、:;—-]$")
_FINISHED = re.compile(r"[.!?。~]$")

# Openings that say nothing yet.
_CHINESE_OPENINGS = (
    "你好 您好 你好呀 你好啊 您好呀 哈喽 哈啰 嗨 喂 亲 亲亲 亲爱的 在 在吗 在么 在嘛 在不在 有人吗 有人在吗 "
    "有人么 人呢 客服在吗 小二 老板 老板在吗 早 早上好 上午好 中午好 下午好 晚上好 打扰了 打扰一下 不好意思 "
    "请问 请问一下 问一下 问下 问个问题 麻烦问一下 想问 想问一下 想问下 我想问 我想问一下 我想问下 咨询 咨询一下 "
    "想咨询一下 我想咨询 我想咨询一下 有个问题 我有个问题 有个事 那个 这个 就是 就是说 是这样 是这样的 我 嗯 额 呃 "
    "哦 对了 还有 另外 然后 你好在吗 您好在吗 亲在吗 你好请问 您好请问 你好我想问 您好我想问"
)
_ENGLISH_OPENINGS = (
    *("hi", "hello", "hey", "hi there", "hello there", "good morning", "good afternoon"),
    *("good evening", "excuse me", "sorry", "anyone there", "anybody there", "are you there"),
    *("is anyone there", "quick question", "i have a question", "i want to ask", "can i ask"),
    *("i would like to ask", "i'd like to ask", "may i ask", "question", "help", "um", "uh"),
    *("so", "well", "and", "also", "ok so", "i", "by the way", "btw"),
)
# With one of these at its end, a sentence goes on.
_CONJUNCTION = re.compile(
    r"(?:因为|所以|但是?|可是|不过|然后|而且|并且|或者|如果|要是|还有|以及|就是|想问|请问|问一?下)$"
    r"|\b(?:and|but|or|because|since|if|when|then|so|also|the|my|an?)$",
    re.IGNORECASE,
)
# What something is about, and not yet what about it: "我的快递", "我昨天买的那个鞋子", "my parcel".
_SUBJECT = re.compile(
    r"(?:我|俺|咱)?(?:的|那个|那|这个|这|(?:刚才?|昨天|前天|今天|上周|上次|上个月|之前)?(?:买|订|下单)的(?:那个|这个)?)"
    r"[\u3400-\u9fff]{1,6}"
)
_SUBJECT_EN = re.compile(r"(?:my|the|this|that) \w+", re.IGNORECASE)
# A question, a wish or a complaint in it: then it is complete.
_SAYS_WHAT = re.compile(r"[吗呢吧怎什哪几多谁何没不无未坏破丢退换查改取到发慢错少漏了要想能可]")


@cache
def _openings() -> frozenset[str]:
    return frozenset(map(normalize.key, (*_CHINESE_OPENINGS.split(), *_ENGLISH_OPENINGS)))


def more_follows(text: str) -> bool:
    """Return whether a message looks like the beginning of what somebody wants to say."""
    if len(text) > _SHORT_CHARS:
        return False
    if not text:  # a picture: what it is about comes next
        return True
    spelled = normalize.spelled(text)
    if _TRAILS_OFF.search(text) or _MORE_FOLLOWS.search(spelled) or _CONJUNCTION.search(spelled):
        return True
    if _FINISHED.search(spelled):
        return False
    if normalize.key(spelled) in _openings():
        return True
    if _SUBJECT.fullmatch(spelled):
        return not _SAYS_WHAT.search(spelled)
    return bool(_SUBJECT_EN.fullmatch(spelled))


def may_be_held(text: str, sent_at: datetime, now: datetime) -> bool:
    """Return whether the process that took a message may still be waiting for the next one."""
    longest = timedelta(seconds=settings.CHAT_ANSWER_OVERDUE_S + MOST * settings.CHAT_BURST_S)
    return sent_at > now - longest and more_follows(text)

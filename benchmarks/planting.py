"""Sentences that say what another one says: the same words otherwise spelt, and other words."""

import random
import re

from benchmarks.transformations import courtesy, emoji, full_width, homophone, swap, traditional

# What people say in one way or the other. The first that occurs in a sentence is exchanged.
_SYNONYMS_ZH = (
    *(
        ("怎么", "如何"),
        ("如何", "怎么"),
        ("为什么", "为啥"),
        ("为啥", "为什么"),
        ("什么时候", "啥时候"),
    ),
    *(
        ("多久", "多长时间"),
        ("多长时间", "多久"),
        ("可以", "能"),
        ("能不能", "可不可以"),
        ("没有", "没"),
    ),
    *(
        ("什么", "啥"),
        ("快递", "包裹"),
        ("收到", "拿到"),
        ("申请", "办理"),
        ("查询", "查看"),
        ("查", "看"),
    ),
    *(
        ("购买", "买"),
        ("买", "购买"),
        ("现在", "目前"),
        ("需要", "要"),
        ("要", "需要"),
        ("你们", "贵店"),
    ),
    *(
        ("到货", "送到"),
        ("发货", "寄出"),
        ("哪里", "哪儿"),
        ("在哪", "在哪里"),
        ("退款", "退钱"),
        ("钱", "费用"),
    ),
    *(
        ("知道", "清楚"),
        ("便宜", "实惠"),
        ("使用", "用"),
        ("用", "使用"),
        ("修改", "改"),
        ("取消", "撤销"),
    ),
)
_SYNONYMS_EN = (
    *(
        ("how do i", "how can i"),
        ("how can i", "what is the way to"),
        ("can i", "is it possible to"),
    ),
    *(
        ("i want to", "i would like to"),
        ("i need to", "i have to"),
        ("what is", "what's"),
        ("why is", "how come"),
    ),
    *(
        ("didn't", "did not"),
        ("doesn't", "does not"),
        ("haven't", "have not"),
        ("hasn't", "has not"),
    ),
    *(
        ("where can i", "where do i"),
        ("transfer", "payment"),
        ("purchase", "buy"),
        ("money", "funds"),
    ),
    *(
        ("received", "got"),
        ("receive", "get"),
        ("help me", "assist me"),
        ("tell me", "let me know"),
    ),
    *(("you", "you guys"), ("my", "the"), ("the", "this"), ("take", "need"), ("long", "much time")),
)
_ENDINGS_ZH = ("呢", "啊", "呀", "，谢谢", "吗亲", "，急")
_OPENINGS_EN = ("could you tell me ", "hello, ", "just wondering, ", "sorry, ", "quick question: ")
_NUMBER = re.compile(r"\d+")


def respelt(text: str, chance: random.Random) -> str:
    """Return the same words in another spelling: width, script, pictures, courtesy, marks."""
    change = chance.choice((full_width, traditional, emoji, courtesy))
    if text.isascii():
        change = chance.choice((full_width, emoji))
        text = chance.choice((text.upper(), text.lower(), text.rstrip("?.!")))
    return change(text, chance)


def renumbered(text: str, chance: random.Random) -> str:
    """Return the sentence with every number exchanged for another; none stays as it is."""
    return _NUMBER.sub(lambda found: str(int(found.group()) + chance.randrange(1, 89)), text)


def has_number(text: str) -> bool:
    return _NUMBER.search(text) is not None


def paraphrased(text: str, chance: random.Random) -> str:
    """Return the sentence in other words: up to two synonyms, and one more change.

    Rougher than what people would write, and without a model that could have been read from.
    """
    if text.isascii():
        changed = _exchanged(text.lower(), _SYNONYMS_EN, chance)
        return chance.choice(_OPENINGS_EN) + changed if chance.random() < 0.5 else changed
    changed = _exchanged(text, _SYNONYMS_ZH, chance)
    return chance.choice(
        (homophone, swap, courtesy, lambda text, chance: text + chance.choice(_ENDINGS_ZH))
    )(changed, chance)


def _exchanged(text: str, synonyms: tuple[tuple[str, str], ...], chance: random.Random) -> str:
    edge = r"\b" if text.isascii() else ""
    found = {re.compile(f"{edge}{re.escape(old)}{edge}"): new for old, new in synonyms}
    occurring = [pattern for pattern in found if pattern.search(text)]
    for pattern in chance.sample(occurring, min(2, len(occurring))):
        text = pattern.sub(found[pattern], text, count=1)
    return text


# The same question in both languages, of topics as a shop has them.
TRANSLATIONS = (
    ("我的快递到哪里了", "Where is my package now?"),
    ("什么时候发货", "When will my order ship?"),
    ("怎么申请退款", "How do I request a refund?"),
    ("退款多久到账", "How long does it take for the refund to arrive?"),
    ("可以修改收货地址吗", "Can I change the delivery address?"),
    ("怎么取消订单", "How do I cancel my order?"),
    ("优惠券为什么用不了", "Why can't I use my coupon?"),
    ("能开发票吗", "Can I get an invoice?"),
    ("支持哪些付款方式", "Which payment methods do you accept?"),
    ("忘记密码了怎么办", "I forgot my password, what should I do?"),
    ("收到的商品是坏的", "The item I received is broken"),
    ("你们发错货了", "You sent me the wrong item"),
    ("少发了一件", "One item is missing from my parcel"),
    ("需要交关税吗", "Do I have to pay customs duty?"),
    ("这件衣服有大号吗", "Do you have this shirt in a larger size?"),
    ("这个是正品吗", "Is this genuine?"),
    ("还有货吗", "Is it still in stock?"),
    ("我要找人工客服", "I want to talk to a human agent"),
    ("可以货到付款吗", "Can I pay cash on delivery?"),
    ("买贵了能退差价吗", "Will you refund the difference if the price drops?"),
    ("怎么退货", "How do I return an item?"),
    ("退货的运费谁出", "Who pays for return shipping?"),
    ("能不能换个颜色", "Can I exchange it for another colour?"),
    ("付款失败了", "My payment failed"),
    ("我被扣了两次钱", "I was charged twice"),
    ("怎么注册账号", "How do I create an account?"),
    ("怎么注销我的账号", "How can I delete my account?"),
    ("会员有什么好处", "What are the benefits of membership?"),
    ("你们寄到加拿大吗", "Do you ship to Canada?"),
    ("运费是多少", "How much is shipping?"),
    ("满多少包邮", "How much do I have to spend for free shipping?"),
    ("物流信息一直不更新", "The tracking information has not been updated"),
    ("显示已签收但我没收到", "It says delivered but I have not received it"),
    ("包裹被海关扣了", "My parcel is stuck at customs"),
    ("怎么查看订单", "How can I view my orders?"),
    ("保修期多长", "How long is the warranty?"),
    ("你们几点下班", "What time do you close?"),
    ("我要投诉", "I want to make a complaint"),
    ("可以提前发货吗", "Can you ship it earlier?"),
    ("我想改成别的快递", "I would like to use a different courier"),
)

"""What looks unfinished is held; what says what somebody wants never is."""

import pytest

from chat.bursts import more_follows
from intents import starter


@pytest.mark.parametrize(
    "text",
    [
        *(
            "你好",
            "您好，",
            "在吗",
            "那个",
            "我想问",
            "我想问一下，",
            "我的快递",
            "我昨天买的那个鞋子",
        ),
        *("因为", "我想问一下就是", "嗯…", "嗯...", "喂", "亲，在吗", "我有个问题:", "还有"),
        *("hi", "Hello", "hey,", "I have a question", "my parcel", "and then", "because"),
    ],
)
def test_more_follows(text: str):
    assert more_follows(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "你好！",
            "转人工",
            "退货",
            "查物流",
            "怎么退货",
            "我的快递到哪了",
            "我的快递没到",
            "人工",
        ),
        *(
            "SF1234567890123",
            "谢谢",
            "好的",
            "有个麻烦",
            "我要退货",
            "我的包裹丢了",
            "优惠券不能用",
        ),
        *("where is my order", "refund", "Talk to a human", "my order is late", "Hello!"),
        "我想问一下，昨天买的手机能不能价保，订单号是 SF1234567890123，我已经等了三天了还没有人联系我，",
    ],
)
def test_it_is_complete(text: str):
    assert not more_follows(text)


def test_no_button_and_no_suggested_question_is_ever_held():
    pressed = [row["text"] for row in starter.rows("suggested_questions")]
    for row in starter.rows("intents"):
        pressed += [row["name_zh"], row["name_en"]]

    assert [text for text in pressed if more_follows(text)] == []


def test_of_what_intents_are_known_by_next_to_nothing_is_held():
    texts = [row["text"] for row in starter.rows("utterances")]

    held = [text for text in texts if more_follows(text)]

    assert len(held) <= len(texts) / 100, held

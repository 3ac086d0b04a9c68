"""One spelling for what customers write in many."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intents.guard.normalize import for_model, key


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("請問這個商品什麼時候發貨？", "这个商品什么时候发货?"),
        ("您好，麻烦问一下 什么时候发货😊", "什么时候发货"),
        ("亲，怎么开发票", "怎么开发票"),
        ("Hi, excuse me, where is my order?", "where is my order?"),
        ("😭怎么还没到❤️", "怎么还没到"),
        ("ＯＫ，１２３", "OK,123"),
        ("  到哪了\t\n了  ", "到哪了 了"),
        ("为什么！！！？？？", "为什么!?"),
        ("还没到。。。。", "还没到。"),
        ("退\u200b款\ufeff", "退款"),
        ("8888", "8888"),
        ("sooo slow", "sooo slow"),
        ("", ""),
    ],
)
def test_the_model_sees_one_spelling(written: str, expected: str):
    assert for_model(written) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("你好", "您好啊", "你好吗", "在吗", "hello there", "hi", "您好,请问", "👍"),
        *("亲戚送的能退吗", "问题还没解决呢", "hi-fi headphones on sale", "1688", "★"),
    ],
)
def test_greetings_and_look_alikes_stay_what_they_are(text: str):
    assert for_model(text) == text


@pytest.mark.parametrize(
    ("text", "same"), [("请问怎么退货", "请问怎么退货"), ("HI 在吗", "hi在吗")]
)
def test_the_identity_of_an_utterance_keeps_every_word(text: str, same: str):
    """Keys are stored: what they are made of must not change under them."""
    assert key(text) == same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Where is my order?", "where is my  ORDER"),
        ("谢谢～", "謝謝😊"),
        ("在吗？？？", "在 吗"),
        ("ｏｋ", "OK!"),
    ],
)
def test_two_spellings_are_one_utterance(one: str, other: str):
    assert key(one) == key(other)


def test_marks_alone_are_not_one_with_each_other():
    assert len({key("？？"), key("👍"), key("。"), key("🙏")}) == 4


@given(st.text(max_size=60))
def test_normalizing_twice_changes_nothing_more(text: str):
    assert for_model(for_model(text)) == for_model(text)
    assert key(key(text)) == key(text)


def test_threads_share_the_converter():
    texts = [f"請問這個商品{n}甚麼時候發貨" for n in range(500)]

    with ThreadPoolExecutor(8) as threads:
        converted = list(threads.map(for_model, texts))

    assert converted == [f"这个商品{n}甚么时候发货" for n in range(500)]

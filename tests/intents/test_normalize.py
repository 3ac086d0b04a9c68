"""One spelling for what customers write in many."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intents.guard.normalize import for_model, key


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("請問這個商品什麼時候發貨？", "请问这个商品什么时候发货?"),
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

    assert converted == [f"请问这个商品{n}甚么时候发货" for n in range(500)]

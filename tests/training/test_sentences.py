"""Where sentences begin and end: no character is lost, and none is longer than models read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.analysis import sentences
from training.analysis.pipeline import telling_part

WRITTEN = st.text(
    alphabet="我要退款，。！？?!. \n\tabcXY12,;…～😡\u2028\U0001f468\u200d", max_size=300
) | st.text(max_size=200)


@given(WRITTEN)
def test_sentences_are_in_order_and_hold_every_character(text: str):
    found = sentences.split(text)

    end = 0
    for start, stop in found:
        assert end <= start < stop <= len(text)
        assert not text[end:start].strip()
        assert text[start:stop] == text[start:stop].strip()
        end = stop
    assert not text[end:].strip()


@given(st.text(alphabet="退款到了吗，。 ", max_size=600))
def test_none_is_longer_than_models_read(text: str):
    assert all(end - start <= sentences.LONGEST for start, end in sentences.split(text))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("我要退款。什么时候到账？谢谢！", ["我要退款。", "什么时候到账？", "谢谢！"]),
        ("他说“明天到。”可是没有", ["他说“明天到。”", "可是没有"]),
        ("It cost 12.50 USD. Where is it?", ["It cost 12.50 USD.", "Where is it?"]),
        ("Mr. Li called. I waited", ["Mr. Li called.", "I waited"]),
        ("第一行\n第二行", ["第一行", "第二行"]),
        ("太慢了！！！怎么回事？？", ["太慢了！！！", "怎么回事？？"]),
        (" \n ", []),
    ],
)
def test_sentences_end_where_people_end_them(text: str, parts: list[str]):
    assert [text[start:end] for start, end in sentences.split(text)] == parts


class TestTellingPart:
    def test_is_what_is_asked_at_the_end(self):
        text = "上周我买了一个保温杯，颜色很好看。" * 30 + "请问我现在能退款吗？"

        assert telling_part(text) == "请问我现在能退款吗？"

    def test_is_what_is_wished_where_nothing_is_asked(self):
        text = "上周我买了一个保温杯，颜色很好看。" * 30 + "我要换一个新的。快递盒也坏了。"

        assert telling_part(text) == "我要换一个新的。"

    def test_is_the_beginning_where_nobody_wants_anything(self):
        text = "保温杯颜色很好看。" * 60

        assert text.startswith(telling_part(text))

    @given(WRITTEN)
    def test_is_never_longer_than_models_read(self, text: str):
        assert len(telling_part(text)) <= sentences.LONGEST_LATIN + 20

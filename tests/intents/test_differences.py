"""What changed in a text is marked so that it can be read."""

from hypothesis import given
from hypothesis import strategies as st

from intents.admin.differences import marked


@given(st.text("天到货 ab{}1", max_size=60), st.text("天到货 ab{}1", max_size=60))
def test_both_texts_can_be_read_from_what_is_marked(old: str, new: str) -> None:
    segments = marked(old, new)
    assert "".join(text for kind, text in segments if kind != "+") == old
    assert "".join(text for kind, text in segments if kind != "-") == new


def test_characters_words_and_variables_are_the_units() -> None:
    assert marked("明天到货", "后天到货") == [("-", "明"), ("+", "后"), ("=", "天到货")]
    assert marked("your parcel is here", "your packet is here") == [
        ("=", "your "),
        ("-", "parcel"),
        ("+", "packet"),
        ("=", " is here"),
    ]
    assert marked("单号 {order_number} 查", "单号 {tracking_number} 查") == [
        ("=", "单号 "),
        ("-", "{order_number}"),
        ("+", "{tracking_number}"),
        ("=", " 查"),
    ]


def test_texts_with_little_in_common_are_shown_one_after_the_other() -> None:
    assert marked("在路上", "已经签收了") == [("-", "在路上"), ("+", "已经签收了")]


def test_long_texts_do_not_take_long() -> None:
    old, new = "一" * 900 + "二" * 900, "三" * 900 + "四" * 900
    assert marked(old, new) == [("-", old), ("+", new)]

"""What customers name: numbers, amounts, days."""

from datetime import UTC, date, datetime

import pytest

from chat import mentions

SAID_AT = datetime(2026, 3, 20, 4, tzinfo=UTC)  # the 20th at noon in Shanghai


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("订单CS80012037到哪了", ["CS80012037"]),
        ("order cs80012037, sku EL-1001", ["CS80012037", "EL-1001"]),
        ("ＣＳ８００１２０３７", ["CS80012037"]),
        ("你好", []),
        ("买了2件", []),
    ],
)
def test_codes(text: str, codes: list[str]):
    assert mentions.codes(text) == codes


def test_a_telephone_number_is_no_order_number():
    assert mentions.is_order_number("CS80012037")
    assert not mentions.is_order_number("13812345678")
    assert not mentions.is_order_number("EL-1001")


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("扣了我￥1,299.00两次", ["¥1,299.00"]),
        ("便宜了200元", ["200元"]),
        ("I paid USD", []),
        ("refund 59.90 USD or $12", ["59.90 USD", "$12"]),
        ("订单CS80012037", []),
    ],
)
def test_amounts(text: str, amounts: list[str]):
    assert [one.text for one in mentions.amounts(text)] == amounts


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("昨天下的单", [date(2026, 3, 19)]),
        ("2026年3月1日买的", [date(2026, 3, 1)]),
        ("3月5号说发货", [date(2026, 3, 5)]),
        ("ordered on March 2nd", [date(2026, 3, 2)]),
        ("it came 5 Jan", [date(2026, 1, 5)]),
        ("13月40日", [None]),
        ("no day", []),
    ],
)
def test_days(text: str, days: list[date | None]):
    assert [one.day for one in mentions.days(text, SAID_AT)] == days

"""Personal data leaves the platform as its kind only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intents.guard.pii import redact


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我的电话是13812345678,请回电", "我的电话是<phone>,请回电"),
        ("１３８１２３４５６７８", "<phone>"),
        ("+86 138-1234-5678", "<phone>"),
        ("电话:13812345678-13912345678", "电话:<phone>-<phone>"),
        ("010-62345678", "<phone>"),
        ("(0755) 8888 6666", "<phone>"),
        ("打400-820-8820", "打<phone>"),
        ("+1 (415) 555-2671", "<phone>"),
        ("+44 20 7946 0958", "<phone>"),
        ("call 555-010-1234 now", "call <phone> now"),
        ("a.b+c@mail.example.com 收不到", "<email> 收不到"),
        ("发到zhang_san@qq.com吧", "发到<email>吧"),
        ("身份证11010519491231002X", "身份证<id_card>"),
        ("110105 19491231 002x", "<id_card>"),
        ("4111 1111 1111 1111", "<card>"),
        ("卡号6222021234567890128", "卡号<card>"),
        ("1234-5678-9012-3456", "<card>"),
        ("订单CS-20261122-0001到哪了", "订单<order>到哪了"),
        ("SF1234567890123", "<order>"),
        ("LP00123456789012CN", "<order>"),
        ("1Z999AA10123456784", "<order>"),
        ("订单号123456789012", "订单号<order>"),
    ],
)
def test_it_becomes_its_kind(text: str, expected: str):
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "我买了2024款iPhone15,2023-11-22下单,付了1234.56元",
        "2026-11-22 10:30:00",
        "220V 50Hz 10000mAh 65W",
        "size 38 or 40, 175cm 65kg",
        "price 1,299.00 USD",
        "满300减50,叠加88会员日",
        "我在京东@客服",
    ],
)
def test_ordinary_numbers_stay(text: str):
    assert redact(text) == text


def test_a_wrong_check_digit_is_no_identity_card():
    assert redact("110105194912310021") == "<order>"


@given(st.text(alphabet="0123456789 -+()@.abXＸ１电", max_size=60))
def test_redacting_twice_changes_nothing_more(text: str):
    assert redact(redact(text)) == redact(text)


@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.sampled_from(["我的电话", "call ", ":", ""]),
)
def test_no_mobile_number_remains(number: str, before: str):
    assert number not in redact(f"{before}{number},谢谢")

from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.analysis import entities
from training.analysis.entities import Catalogue, Product, carriers
from training.analysis.entities.span import Span
from training.analysis.entities.tagging import Tagged, Word
from training.analysis.findings import Kind

_SHANGHAI = ZoneInfo("Asia/Shanghai")
_AT = datetime(2026, 11, 18, 15, 20, tzinfo=_SHANGHAI)
_CATALOGUE = Catalogue(
    products=(
        Product("EL-1001", ("声阔主动降噪蓝牙耳机", "Bluetooth noise-cancelling headphones")),
        Product("EL-1002", ("真无线运动耳机（防水）", "Waterproof true wireless sports earbuds")),
        Product("BE-3001", ("玻尿酸保湿精华 30 毫升", "Hyaluronic acid serum 30 ml")),
    ),
    brands=("声阔", "SONY"),
    order_examples=("CS80012037",),
)


class Nobody:
    """A tagger that names nothing."""

    def tag(self, text: str) -> Tagged:
        return Tagged(())


class Words:
    """A tagger that tells words apart: "工作/n 帽/n"."""

    def __init__(self, words: str) -> None:
        self.words: list[Word] = []
        end = 0
        for pair in words.split():
            word, label = pair.split("/")
            self.words.append(Word(end, end + len(word), label))
            end += len(word)

    def tag(self, text: str) -> Tagged:
        kinds = {"ORG": Kind.ORGANISATION, "PER": Kind.PERSON}
        names = [
            Span(kinds[word.label], word.start, word.end)
            for word in self.words
            if word.label in kinds
        ]
        return Tagged(names, self.words)


class Broken:
    def tag(self, text: str) -> Tagged:
        raise RuntimeError("no model")


def _find(text: str, tagger: Any = None) -> list[tuple[str, str]]:
    found = entities.find(
        text, at=_AT, zone=_SHANGHAI, catalogue=_CATALOGUE, tagger=tagger or Nobody()
    )
    return [(str(one.kind), one.text) for one in found]


def _value(text: str) -> dict[str, Any]:
    [one] = entities.find(text, at=_AT, zone=_SHANGHAI, catalogue=_CATALOGUE, tagger=Nobody())
    return dict(one.value)


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("花了1,299.00元", "1299", "CNY"),
        ("¥129.9", "129.9", "CNY"),
        ("三百块", "300", "CNY"),
        ("运费12块5，太贵", "12.5", "CNY"),
        ("三百五十块钱", "350", "CNY"),
        ("2.5万元", "25000", "CNY"),
        ("25美元", "25", "USD"),
        ("USD 25", "25", "USD"),
        ("$1,299.50", "1299.5", "USD"),
        ("30 euros", "30", "EUR"),
        ("HK$ 88", "88", "HKD"),
        ("３００元", "300", "CNY"),
        ("退我2.5万", "25000", ""),
    ],
)
def test_money_has_amount_and_currency(text: str, amount: str, currency: str) -> None:
    assert _value(text) == {"amount": amount, "currency": currency}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("138-0013-8000", "+8613800138000"),
        ("+86 13800138000", "+8613800138000"),
        ("010-62345678转801", "+861062345678;ext=801"),
        ("400-820-8820", "4008208820"),
        ("+44 20 7946 0958", "+442079460958"),
        ("(415) 555-2671", "+14155552671"),
    ],
)
def test_telephone_numbers_come_in_one_form(text: str, number: str) -> None:
    assert _value(text) == {"number": number}


@pytest.mark.parametrize(
    ("text", "number", "carrier"),
    [
        ("SF1234567890123", "SF1234567890123", "SF"),
        ("圆通单号YT8812345678901", "YT8812345678901", "YTO"),
        ("1Z999AA10123456784", "1Z999AA10123456784", "UPS"),
        ("RR473124829GB", "RR473124829GB", "ROYAL MAIL"),
        ("tracking number 794612345678", "794612345678", ""),
        ("中通 75123456789012", "75123456789012", "ZTO"),
    ],
)
def test_parcels_are_known_by_their_carrier(text: str, number: str, carrier: str) -> None:
    assert _value(text) == {"number": number} | ({"carrier": carrier} if carrier else {})


def test_a_wrong_check_digit_is_no_parcel_of_that_carrier() -> None:
    assert carriers.of("1Z999AA10123456784") == "UPS"
    assert carriers.of("1Z999AA10123456785") == ""


def test_order_numbers_have_the_form_of_the_shops_own() -> None:
    assert _find("CS80019956还没发，CS123也是") == [("ORDER_NUMBER", "CS80019956")]
    assert _find("订单号：20261111000123") == [("ORDER_NUMBER", "20261111000123")]


def test_products_are_found_by_what_customers_shorten_them_to() -> None:
    assert _value("声阔主动降噪蓝牙耳机") == {"sku": "EL-1001"}
    assert _value("那个蓝牙耳机") == {"sku": "EL-1001"}
    assert _value("耳机") == {"skus": ["EL-1001", "EL-1002"]}
    assert _value("the sports earbuds broke") == {"sku": "EL-1002"}
    assert _find("sonya") == []


_GOODS = Catalogue(
    products=tuple(
        Product(name, (name,)) for name in ("帽", "包", "门", "耳机", "红色运动鞋", "硬盘")
    )
)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("帽/n 坏/v 了/u", []),  # of one character, and nothing it belongs to
        ("工作/n 帽/n 坏/v", ["工作帽"]),
        ("，/w 包/v 邮/v", []),
        ("包邮/v 吗/u", []),
        ("门店/n 在/p 哪/r", []),
        ("蓝耳机/n 坏/v", ["蓝耳机"]),  # the word that it ends
        ("耳机孔/n 坏/v", []),
        ("运动鞋/n 小/a", ["运动鞋"]),  # the end of a name
        ("自动运动鞋/n", []),  # and no word's beginning
        ("移动硬/a 盘/n", ["硬盘"]),  # a whole name is believed more than the words
        ("一个/m 硬盘/n", ["硬盘"]),
    ],
)
def test_a_chinese_name_of_goods_is_a_word_or_several(words: str, found: list[str]) -> None:
    text = "".join(pair.split("/")[0] for pair in words.split())

    assert [
        one.text
        for one in entities.find(
            text, at=_AT, zone=_SHANGHAI, catalogue=_GOODS, tagger=Words(words)
        )
    ] == found


def test_goods_that_a_large_catalogue_lacks_are_told_by_their_ending() -> None:
    goods = Catalogue(
        products=tuple(Product(f"{one}器", (f"{one}器",)) for one in "甲乙丙丁戊己庚辛壬癸子丑")
    )
    tagger = Words("耦合器/n 坏/v")

    [one] = entities.find("耦合器坏", at=_AT, zone=_SHANGHAI, catalogue=goods, tagger=tagger)
    few = Catalogue(products=goods.products[:-1])

    assert (one.kind, one.text, dict(one.value)) == (Kind.PRODUCT, "耦合器", {})
    assert not entities.find("耦合器坏", at=_AT, zone=_SHANGHAI, catalogue=few, tagger=tagger)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("乙丙/ORG 无线/n 耳机/n", "BRAND"),
        ("乙丙/ORG 的/u 耳机/n", "ORGANISATION"),
        ("王小明/PER 买/v 耳机/n", "PERSON"),
        ("乙丙/ORG ，/w 耳机/n", "ORGANISATION"),
        ("乙丙/ORG", "ORGANISATION"),
    ],
)
def test_a_firm_before_goods_is_their_brand(words: str, kind: str) -> None:
    text = "".join(pair.split("/")[0] for pair in words.split())

    first, *_ = entities.find(text, at=_AT, zone=_SHANGHAI, catalogue=_GOODS, tagger=Words(words))

    assert str(first.kind) == kind


@pytest.mark.parametrize(
    "address",
    [
        "广东省深圳市南山区科技园南路18号阳光花园3栋2单元1502室",
        "上海市浦东新区张江镇碧波路690号2号楼301",
        "杭州市西湖区文三路478号华星时代广场A座1203",
        "221B Baker Street, London NW1 6XE, UK",
    ],
)
def test_an_address_is_one_piece(address: str) -> None:
    assert _find(f"请寄到{address}，谢谢") == [("ADDRESS", address)]


def test_names_are_found_after_the_words_that_announce_them() -> None:
    assert _find("收件人：陈秀英，电话13800138000") == [
        ("PERSON", "陈秀英"),
        ("PHONE", "13800138000"),
    ]
    assert _find("My name is John Smith and I live in London") == [
        ("PERSON", "John Smith"),
        ("PLACE", "London"),
    ]


def test_offsets_are_those_of_the_original() -> None:
    text = "😀😀退款３００元，电话138\u200b00138000"

    found = entities.find(text, at=_AT, zone=_SHANGHAI, tagger=Nobody())

    assert [(text[one.start : one.end], dict(one.value)) for one in found] == [
        ("３００元", {"amount": "300", "currency": "CNY"}),
        ("138\u200b00138000", {"number": "+8613800138000"}),
    ]


def test_rules_go_on_without_a_tagger() -> None:
    assert _find("花了300元", Broken()) == [("AMOUNT", "300元")]


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no zone"):
        entities.find("昨天", at=_AT.replace(tzinfo=None), zone=_SHANGHAI)


@pytest.mark.model
def test_lac_names_persons_places_and_organisations() -> None:
    found = entities.find("我叫王小明，在上海买的华为手机", at=_AT, zone=_SHANGHAI)

    assert [(str(one.kind), one.text) for one in found] == [
        ("PERSON", "王小明"),
        ("PLACE", "上海"),
        ("ORGANISATION", "华为"),
    ]


_PIECES = st.sampled_from(
    [
        "昨天",
        "300元",
        "CS80012037",
        "138",
        "0013",
        "8000",
        "@",
        "a.com",
        "SF1234567890123",
        "北京市",
        "朝阳区",
        "建国路",
        "88号",
        "耳机",
        "Mr.",
        "Smith",
        "¥",
        "㎏",
        "½",
        "３",
        "𠮷",
        "👩\u200d👩\u200d👧",
        "\u200b",
        "é",
        "ﬁ",
        "�",
    ]
)


@given(st.lists(_PIECES | st.text(max_size=6), max_size=20).map("".join))
def test_every_slice_is_its_text_and_none_overlaps_or_crosses_the_end(text: str) -> None:
    found = entities.find(text, at=_AT, zone=_SHANGHAI, catalogue=_CATALOGUE, tagger=Nobody())

    for one in found:
        assert 0 <= one.start < one.end <= len(text)
        assert text[one.start : one.end] == one.text
    assert all(a.end <= b.start for a, b in pairwise(found))

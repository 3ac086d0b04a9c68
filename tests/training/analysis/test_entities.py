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
        ("九九八元", "998", "CNY"),
        ("20块手续费", "20", "CNY"),
        ("20块的电池", "20", "CNY"),
        ("花了三块五电费", "3.5", "CNY"),
        ("三百元电饭煲", "300", "CNY"),
        ("20刀", "20", "USD"),
        ("twenty-five dollars", "25", "USD"),
        ("I paid three hundred twenty dollars", "320", "USD"),
        ("two thousand five hundred dollars", "2500", "USD"),
        ("one hundred and five pounds", "105", "GBP"),
        ("one hundred twenty-three thousand four hundred and six euros", "123406", "EUR"),
        ("5 hundred twenty dollars", "520", "USD"),
        ("2.5 million dollars", "2500000", "USD"),
        ("a hundred dollars", "100", "USD"),
        ("a couple of hundred dollars", "200", "USD"),
        ("a twenty dollar coupon", "20", "USD"),
        ("forty dollars", "40", "USD"),
        ("I paid 20 pounds", "20", "GBP"),
        ("20 pounds of credit", "20", "GBP"),
    ],
)
def test_money_has_amount_and_currency(text: str, amount: str, currency: str) -> None:
    assert _value(text) == {"amount": amount, "currency": currency}


@pytest.mark.parametrize(
    "text",
    [
        "也就两三块钱",
        "二三十块",
        "二十七八块",
        "花了两三百",
        "one or two dollars",
        "two fifty dollars",
        "several hundred dollars",
        "between one hundred and two hundred dollars",
        "three thousand twelve hundred dollars",
    ],
)
def test_a_guess_at_an_amount_is_none(text: str) -> None:
    assert _find(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "我买了2块电池",
        "两块手机电池",
        "5块肥皂",
        "5块面包",
        "10块腕表",
        "2块地毯",
        "两块窗帘",
        "三块钢化膜",
        "三块毛巾",
        "三块移动硬盘",
        "菜刀20刀",
        "砍了20刀",
        "100刀片",
        "it weighs 5 pounds",
        "weight: 5-6 pounds",
        "I have lost about twenty pounds",
        "5 pounds heavier",
        "five pounds of flour",
        "a pound of flour",
    ],
)
def test_pieces_cuts_and_weights_are_no_money(text: str) -> None:
    assert _find(text) == []


def test_a_year_before_a_festival_is_no_money() -> None:
    assert ("AMOUNT", "2026元") not in _find("2026元旦能到吗")


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


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("我的订单2026-11-01下的,到现在没发货", "TIME", "2026-11-01"),
        ("my order 2026-11-18 has not arrived", "TIME", "2026-11-18"),
        ("tracking 2026-11-18 shows nothing", "TIME", "2026-11-18"),
        ("退货单2026-11-01提交", "TIME", "2026-11-01"),
        ("订单123456元", "AMOUNT", "123456元"),
        ("订单123456.50元", "AMOUNT", "123456.50元"),
        ("快递信息:13812345678", "PHONE", "13812345678"),
        ("物流信息138-1234-5678", "PHONE", "138-1234-5678"),
        # What the words before it call a number is one, and so is what is no day.
        ("订单号20261101", "ORDER_NUMBER", "20261101"),
        ("order #20261101", "ORDER_NUMBER", "20261101"),
        ("订单20261399", "ORDER_NUMBER", "20261399"),
        ("订单2026-11-01-0003", "ORDER_NUMBER", "2026-11-01-0003"),
        ("订单号12345678 人民币支付", "ORDER_NUMBER", "12345678"),
        ("快递单号13812345678", "TRACKING_NUMBER", "13812345678"),
        ("waybill 20261101", "TRACKING_NUMBER", "20261101"),
    ],
)
def test_not_all_that_follows_an_order_or_a_parcel_is_its_number(
    text: str, kind: str, found: str
) -> None:
    assert _find(text) == [(kind, found)]


@pytest.mark.parametrize("text", ["订单20261101下的还没到", "物流信息20261101更新"])
def test_a_day_without_dashes_is_no_number(text: str) -> None:
    kinds = {kind for kind, _ in _find(text)}

    assert not kinds & {"ORDER_NUMBER", "TRACKING_NUMBER"}


def test_an_order_number_may_stand_before_new_year() -> None:
    assert ("ORDER_NUMBER", "12345678") in _find("订单12345678 元旦前能到吗")


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

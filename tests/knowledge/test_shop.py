"""The reply variables that the shop knows, in the customer's language."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from knowledge import shop
from knowledge.models import Customer, Order, OrderLine, Product

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    return Customer.objects.create(
        uid="C1",
        name="王梓涵",
        language="zh",
        country="CN",
        joined_on=datetime(2025, 1, 1, tzinfo=UTC),
    )


@pytest.fixture
def headphones() -> Product:
    return Product.objects.create(
        sku="EL-1",
        name_zh="耳机",
        name_en="Headphones",
        category="electronics",
        price=1299,
        origin="JP",
    )


def ordered(customer: Customer, product: Product | None, **fields: Any) -> Order:
    order = Order.objects.create(customer=customer, **fields)
    if product is not None:
        OrderLine.objects.create(order=order, product=product, unit_price=product.price)
    return order


@pytest.fixture
def shipped(customer: Customer, headphones: Product, now: datetime) -> Order:
    ordered(
        customer,
        None,
        number="OLD",
        status=Order.Status.DELIVERED,
        placed_at=now - timedelta(days=40),
        total=5,
    )
    return ordered(
        customer,
        headphones,
        number="CS80012037",
        status=Order.Status.SHIPPED,
        placed_at=now - timedelta(days=3),
        carrier="顺丰速运",
        tracking_number="SF123456",
        total=Decimal("1299.00"),
    )


def test_an_order_that_the_text_names_comes_before_the_newest(
    customer: Customer, shipped: Order, now: datetime
):
    stranger = Customer.objects.create(
        uid="C2", name="李", language="zh", country="CN", joined_on=now.date()
    )
    ordered(stranger, None, number="CS99999", status="PAID", placed_at=now, total=1)
    named = ordered(
        customer,
        None,
        number="CS70000001",
        status=Order.Status.DELIVERED,
        placed_at=now - timedelta(days=30),
        total=5,
    )

    assert shop.order_in_question("C1", "我的cs70000001到了吗") == named
    assert shop.order_in_question("C1", "到了吗") == shipped
    assert shop.order_in_question("C1", "CS99999 到了吗") == shipped  # somebody else's


def test_the_latest_order_is_told_in_english(shipped: Order, now: datetime):
    assert shop.facts_for("C1", language="en", now=now) == {
        "customer_name": "王梓涵",
        "order_number": "CS80012037",
        "order_status": "shipped",
        "carrier": "顺丰速运",
        "tracking_number": "SF123456",
        "product_name": "Headphones",
        "order_total": "1,299.00",
        "currency": "CNY",
        "placed_on": "Nov. 19, 2026",
        "days_since_order": "3",
    }


def test_names_and_dates_are_told_in_chinese(shipped: Order, now: datetime):
    facts = shop.facts_for("C1", language="zh", now=now)

    assert facts["product_name"] == "耳机"
    assert facts["placed_on"] == "2026年11月19日"
    assert facts["order_total"] == "1,299.00"


def test_days_are_counted_in_the_shops_time_zone(customer: Customer, now: datetime):
    # 23:30 in Shanghai is still the day before in UTC's count of hours.
    placed_at = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
    just_after_midnight = placed_at + timedelta(minutes=45)
    ordered(customer, None, number="N", status="PAID", placed_at=placed_at, total=1)

    facts = shop.facts_for("C1", language="zh", now=just_after_midnight)

    assert (facts["placed_on"], facts["days_since_order"]) == ("2026年11月21日", "1")


def test_what_is_not_known_is_left_out(customer: Customer, headphones: Product, now: datetime):
    ordered(customer, headphones, number="N", status="UNPAID", placed_at=now, total=1)

    facts = shop.facts_for("C1", language="en", now=now)

    assert "carrier" not in facts
    assert "tracking_number" not in facts
    assert facts["days_since_order"] == "0"


def test_a_customer_without_orders_has_a_name(customer: Customer, now: datetime):
    assert shop.facts_for("C1", language="zh", now=now) == {"customer_name": "王梓涵"}
    assert shop.order_in_question("C1") is None


def test_nothing_is_known_about_a_stranger(shipped: Order, now: datetime):
    assert shop.facts_for("anon-1", language="zh", now=now) == {}


@pytest.mark.parametrize("uid", ["C1", "anon-1"])
def test_two_queries_are_enough(
    uid: str, shipped: Order, now: datetime, django_assert_num_queries: Any
):
    with django_assert_num_queries(2):  # the order with its customer; its product, or his name
        shop.facts_for(uid, language="en", now=now)

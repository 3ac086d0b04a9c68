"""What was promised about an order: dates, and how they stand today."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge import demo, promises
from knowledge.models import Customer, Order, OrderLine, Product, Rule
from knowledge.promises import Promise, State

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 20, 4, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _shop() -> None:
    demo.load(now=NOW)
    Order.objects.all().delete()


def order(
    status: str = "DELIVERED", sku: str = "EL-1001", country: str = "CN", **ages: int
) -> Order:
    """An order whose moments are so many days ago."""
    customer = Customer.objects.create(
        uid="C1", name="王", language="zh", country=country, joined_on=NOW.date()
    )
    moments = {name: NOW - timedelta(days=days) for name, days in ages.items()}
    made = Order.objects.create(number="CS1", customer=customer, status=status, total=10, **moments)
    OrderLine.objects.create(order=made, product=Product.objects.get(sku=sku), unit_price=10)
    return made


def promised(of: Order, now: datetime = NOW) -> dict[str, Promise]:
    """What was promised, by the rule's code; the product's own warranty by "product"."""
    found = promises.of_order(of, Rule.objects.all(), now)
    return {one.rule.code if one.rule else "product": one for one in found}


def test_what_is_paid_has_a_day_by_which_it_is_sent():
    found = promised(order("PAID", placed_at=1))

    assert found["dispatch"].state == State.DUE
    assert found["dispatch"].until == date(2026, 3, 21)
    assert "returns_unopened" not in found


def test_what_was_not_sent_in_time_is_overdue():
    assert promised(order("PAID", placed_at=5))["dispatch"].state == State.OVERDUE


def test_a_parcel_on_its_way_is_expected_by_the_rule_of_its_country():
    at_home = promised(order("SHIPPED", placed_at=4, shipped_at=3))

    assert at_home["shipping_cn"].until == date(2026, 3, 24)
    assert at_home["shipping_cn"].state == State.DUE
    assert at_home["dispatch"].state == State.KEPT
    assert "shipping_world" not in at_home


def test_abroad_the_rule_for_the_world_holds():
    found = promised(order("CUSTOMS", country="SG", placed_at=20, shipped_at=18))

    assert found["shipping_world"].state == State.OVERDUE
    assert "shipping_cn" not in found


def test_what_arrived_late_was_late():
    found = promised(order(placed_at=30, shipped_at=27, delivered_at=10))

    assert (found["dispatch"].state, found["shipping_cn"].state) == (State.LATE, State.LATE)


def test_returns_count_from_delivery_and_the_last_day_is_still_open():
    of = order(placed_at=12, shipped_at=11, delivered_at=7)

    assert promised(of)["returns_no_reason"].state == State.OPEN
    assert promised(of, NOW + timedelta(days=1))["returns_no_reason"].state == State.OVER
    assert promised(of)["returns_unopened"].until == date(2026, 4, 12)


def test_a_category_with_a_rule_of_its_own_is_not_under_the_general_one():
    cosmetics = Product.objects.filter(category="beauty").first()
    found = promised(order(sku=cosmetics.sku, placed_at=12, shipped_at=11, delivered_at=3))

    assert "returns_beauty" in found
    assert not {"returns_unopened", "returns_no_reason", "returns_baby_food"} & set(found)


def test_the_warranty_is_that_of_the_product():
    found = promised(order(placed_at=12, shipped_at=11, delivered_at=3))

    assert found["product"].kind == "warranty"
    assert found["product"].until == date(2027, 3, 17)
    assert found["product"].product.sku == "EL-1001"


@pytest.mark.parametrize("status", ["UNPAID", "CANCELLED", "REFUNDED"])
def test_nothing_is_promised_for_what_nobody_gets(status: str):
    assert promised(order(status, placed_at=1)) == {}


def test_the_earliest_comes_first():
    found = promises.of_order(
        order(placed_at=12, shipped_at=11, delivered_at=3), Rule.objects.all(), NOW
    )

    assert [one.until for one in found] == sorted(one.until for one in found)


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(0, 120))
def test_a_month_later_is_the_same_day_or_the_last_of_a_shorter_month(day: date, months: int):
    later = promises._months_after(day, months)

    assert (later.year - day.year) * 12 + later.month - day.month == months
    assert later.day == day.day or (later + timedelta(days=1)).day == 1

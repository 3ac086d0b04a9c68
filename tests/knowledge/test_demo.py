"""The demo shop is the same every time, moves along with today, and leaves staff's work alone."""

import time
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.utils import timezone

from knowledge import demo
from knowledge.models import Customer, Order, OrderLine, Product, Rule

pytestmark = pytest.mark.django_db


def snapshot() -> dict[str, list[tuple[object, ...]]]:
    return {
        "customers": list(Customer.objects.order_by("uid").values_list("uid", "name", "country")),
        "products": list(Product.objects.order_by("sku").values_list("sku", "price", "name_zh")),
        "orders": list(
            Order.objects.order_by("number").values_list(
                "number", "customer__uid", "status", "placed_at", "total", "duty", "carrier"
            )
        ),
        "lines": list(
            OrderLine.objects.order_by("order__number", "product__sku").values_list(
                "order__number", "product__sku", "quantity", "unit_price"
            )
        ),
        "rules": list(Rule.objects.order_by("code").values_list("code", "days", "amount")),
    }


def test_the_shop_has_customers_products_orders_and_rules(now: datetime):
    loaded = demo.load(now)

    assert loaded == demo.Loaded(customers=120, products=61, orders=300, rules=20, moved=0)
    assert Customer.objects.count() == 120
    assert Customer.objects.filter(uid="C1001").exists()
    assert set(Order.objects.values_list("status", flat=True)) == set(Order.Status.values)
    assert set(Product.objects.values_list("category", flat=True)) == {
        *("electronics", "clothing", "beauty", "baby", "home")
    }
    assert Rule.objects.get(code="price_protection").days == 15


def test_it_is_the_same_shop_every_time(now: datetime):
    demo.load(now)
    first = snapshot()
    for table in (OrderLine, Order, Customer, Product, Rule):
        table.objects.all().delete()

    demo.load(now)

    assert snapshot() == first


def test_loading_twice_on_one_day_changes_nothing(now: datetime):
    demo.load(now)
    first = snapshot()

    loaded = demo.load(now + timedelta(hours=3))

    assert loaded == demo.Loaded(customers=0, products=0, orders=0, rules=0, moved=0)
    assert snapshot() == first


def test_dates_move_along_with_today(now: datetime):
    demo.load(now)
    before = dict(Order.objects.values_list("number", "placed_at"))

    loaded = demo.load(now + timedelta(days=10))

    assert loaded.moved == 300
    after = dict(Order.objects.values_list("number", "placed_at"))
    assert {number: moment + timedelta(days=10) for number, moment in before.items()} == after


def test_what_staff_changed_stays(now: datetime):
    demo.load(now)
    Product.objects.filter(sku="EL-1001").update(price=Decimal("999.00"), name_zh="耳机")
    Customer.objects.filter(uid="C1001").update(name="小王")
    Rule.objects.filter(code="price_protection").update(days=20)
    delivered = Order.objects.filter(customer__uid="C1001").order_by("-placed_at")[:1].get()
    delivered.status = Order.Status.DELIVERED
    delivered.delivered_at = now
    delivered.save()

    loaded = demo.load(now + timedelta(days=10))

    assert loaded.moved == 299
    product = Product.objects.get(sku="EL-1001")
    assert (product.price, product.name_zh) == (Decimal("999.00"), "耳机")
    assert Customer.objects.get(uid="C1001").name == "小王"
    assert Rule.objects.get(code="price_protection").days == 20
    kept = Order.objects.get(pk=delivered.pk)
    assert (kept.status, kept.placed_at, kept.delivered_at) == (
        *(Order.Status.DELIVERED, delivered.placed_at, now),
    )


def test_what_staff_deleted_comes_back_once(now: datetime):
    demo.load(now)
    order = Order.objects.earliest("pk")
    number, lines = order.number, order.lines.count()
    order.delete()

    loaded = demo.load(now)

    assert loaded.orders == 1
    assert Order.objects.get(number=number).lines.count() == lines
    assert OrderLine.objects.filter(order__number=number).count() == lines


def test_each_order_makes_sense(now: datetime):
    demo.load(now)

    shipped = {Order.Status.SHIPPED, Order.Status.CUSTOMS}
    arrived = {Order.Status.DELIVERED, Order.Status.REFUNDED}
    for order in Order.objects.select_related("customer").prefetch_related("lines"):
        assert order.customer.joined_on < timezone.localtime(order.placed_at).date()
        assert order.total == sum(line.unit_price * line.quantity for line in order.lines.all())
        assert order.total > 0
        moments = [m for m in (order.placed_at, order.shipped_at, order.delivered_at) if m]
        assert moments == sorted(moments)
        assert moments[-1] < now
        assert bool(order.shipped_at) == (order.status in shipped | arrived)
        assert bool(order.tracking_number) == bool(order.carrier) == bool(order.shipped_at)
        assert bool(order.delivered_at) == (order.status in arrived)


@pytest.mark.parametrize("hour", [0, 12, 23])
def test_nothing_lies_in_the_future_at_any_hour(hour: int):
    now = timezone.make_aware(datetime(2026, 11, 22, hour, 1))  # noqa: DTZ001  (made aware)

    demo.load(now)

    assert not Order.objects.filter(delivered_at__gt=now).exists()
    assert not Order.objects.filter(shipped_at__gt=now).exists()
    assert not Order.objects.filter(placed_at__gt=now).exists()


def test_loading_is_quick(now: datetime):
    started = time.process_time()

    demo.load(now)
    demo.load(now + timedelta(days=1))

    assert time.process_time() - started < 4


def test_the_command_says_what_it_did(capsys: pytest.CaptureFixture[str]):
    call_command("load_demo")

    assert "120 customers, 61 products, 300 orders and 20 rules added" in capsys.readouterr().out

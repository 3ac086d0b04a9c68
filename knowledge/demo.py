"""The demo shop: customers, products, orders and rules that look real and are always the same.

Products and rules stand in knowledge/starter/; people and orders are drawn with a
fixed seed. Every date is a fixed distance from today's midnight, so an order that
is "three days old" stays three days old however long the demo runs.
"""

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from django.db import transaction
from django.db.models import Manager
from django.utils import timezone

from knowledge.models import Customer, Order, OrderLine, Product, Rule

STARTER = Path(__file__).resolve().parent / "starter"
CUSTOMERS = 120
ORDERS = 300
_SEED = 20240618

Status = Order.Status
Row = TypeVar("Row", Customer, Product, Rule)

_COUNTRIES_ZH = ("CN", "CN", "CN", "CN", "HK", "SG", "US", "AU")
_COUNTRIES_EN = ("US", "US", "GB", "DE", "FR", "CA", "AU", "SG")
_LEVELS = ("", "", "silver", "silver", "gold", "platinum")


@dataclass(frozen=True, slots=True)
class _Market:
    """What a country's orders are paid in and brought by."""

    currency: str
    rate: Decimal  # of CNY, fixed: the demo needs plausible amounts, not today's
    carriers: tuple[tuple[str, str], ...]  # name, prefix of its tracking numbers
    duty_free: Decimal  # in its currency
    duty_rate: Decimal  # of the total; above duty_free, in mainland China always


_MARKETS = {
    "CN": _Market(
        "CNY",
        Decimal(1),
        (("顺丰速运", "SF"), ("中通快递", "ZT"), ("菜鸟国际", "LP")),
        Decimal(0),
        Decimal("0.091"),
    ),
    "HK": _Market("HKD", Decimal("1.08"), (("顺丰速运", "SF"),), Decimal("Infinity"), Decimal(0)),
    "SG": _Market(
        "SGD",
        Decimal("0.186"),
        (("DHL", "JD"), ("Ninja Van", "NV")),
        Decimal(400),
        Decimal("0.09"),
    ),
    "US": _Market(
        "USD", Decimal("0.139"), (("UPS", "1Z"), ("FedEx", "79")), Decimal(200), Decimal("0.10")
    ),
    "GB": _Market(
        "GBP",
        Decimal("0.109"),
        (("Royal Mail", "RM"), ("DHL", "JD")),
        Decimal(135),
        Decimal("0.05"),
    ),
    "DE": _Market("EUR", Decimal("0.128"), (("DHL", "JD"),), Decimal(150), Decimal("0.04")),
    "FR": _Market(
        "EUR",
        Decimal("0.128"),
        (("Colissimo", "6A"), ("DHL", "JD")),
        Decimal(150),
        Decimal("0.04"),
    ),
    "CA": _Market("CAD", Decimal("0.190"), (("Canada Post", "CP"),), Decimal(150), Decimal("0.05")),
    "AU": _Market("AUD", Decimal("0.212"), (("AusPost", "AP"),), Decimal(1000), Decimal("0.05")),
}

# Days since the order was placed, by its state. At least 1: nothing lies in the future.
_AGE_DAYS = {
    Status.UNPAID: (1, 2),
    Status.PAID: (1, 3),
    Status.SHIPPED: (3, 8),
    Status.CUSTOMS: (5, 12),
    Status.DELIVERED: (10, 240),
    Status.CANCELLED: (4, 200),
    Status.REFUNDED: (20, 240),
}
_WEIGHTS = {
    Status.UNPAID: 5,
    Status.PAID: 10,
    Status.SHIPPED: 18,
    Status.CUSTOMS: 10,
    Status.DELIVERED: 42,
    Status.CANCELLED: 7,
    Status.REFUNDED: 8,
}
# The first customers show one state each as their latest order, for demonstrations.
_SHOWN_FIRST = (
    Status.SHIPPED,
    Status.CUSTOMS,
    Status.DELIVERED,
    Status.PAID,
    Status.UNPAID,
    Status.REFUNDED,
    Status.CANCELLED,
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What `load` did: rows it made, and orders whose dates it moved along with today."""

    customers: int
    products: int
    orders: int
    rules: int
    moved: int


@transaction.atomic
def load(now: datetime) -> Loaded:
    """Put the demo shop into the database, or move its dates along with today.

    Safe to repeat. What is missing is made. What is there stays as it is, so a price
    or a text that staff changed is kept; only orders get new dates, and of those only
    the ones that are otherwise still the demo's: an order whose state, shipment or
    amounts somebody changed keeps its dates as well, since they belong together.
    A row that staff deleted comes back.
    """
    today = timezone.localtime(now).date()
    rng = random.Random(_SEED)  # noqa: S311  (the same shop every time, not a secret)
    products = [Product(**row) for row in _rows("products.csv")]
    rules = [
        Rule(**{**row, "days": row["days"] or None, "amount": row["amount"] or None})
        for row in _rows("rules.csv")
    ]
    names = _rows("names.csv")
    customers = [_customer(number, names, today, rng) for number in range(CUSTOMERS)]
    made_products = _add_missing(products, "sku")
    made_rules = _add_missing(rules, "code")
    made_customers = _add_missing(customers, "uid")

    product_ids = dict(Product.objects.values_list("sku", "pk"))
    customer_ids = dict(Customer.objects.values_list("uid", "pk"))
    drawn = [_order(number, customers, products, today, rng) for number in range(ORDERS)]
    orders = [order for order, _ in drawn]
    for order in orders:
        order.customer_id = customer_ids[order.customer.uid]
    existing = Order.objects.in_bulk([order.number for order in orders], field_name="number")
    Order.objects.bulk_create([order for order in orders if order.number not in existing])
    # Looked up, since MySQL does not tell the keys of rows that are inserted in bulk.
    order_ids = dict(Order.objects.values_list("number", "pk"))
    lines = []
    for order, chosen in drawn:
        if order.number in existing:
            continue
        for line in chosen:
            line.order_id = order_ids[order.number]
            line.product_id = product_ids[line.product.sku]
            lines.append(line)
    OrderLine.objects.bulk_create(lines)
    moved = _move_dates(orders, existing)
    return Loaded(
        customers=made_customers,
        products=made_products,
        orders=len(orders) - len(existing),
        rules=made_rules,
        moved=moved,
    )


def _rows(name: str) -> list[dict[str, str]]:
    with (STARTER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _add_missing(rows: Sequence[Row], key: str) -> int:
    """Insert the rows whose key the table lacks; return how many."""
    table: Manager[Row] = type(rows[0])._default_manager
    known = set(table.values_list(key, flat=True))
    missing = [row for row in rows if getattr(row, key) not in known]
    table.bulk_create(missing)
    return len(missing)


_DATES = ("placed_at", "shipped_at", "delivered_at")
_TOUCHED_BY_STAFF = (
    *("customer_id", "status", "carrier", "tracking_number", "total", "currency", "duty"),
)


def _move_dates(orders: list[Order], existing: dict[str, Order]) -> int:
    moving = []
    for order in orders:
        row = existing.get(order.number)
        if row is None or any(getattr(row, f) != getattr(order, f) for f in _TOUCHED_BY_STAFF):
            continue
        if any(getattr(row, field) != getattr(order, field) for field in _DATES):
            for field in _DATES:
                setattr(row, field, getattr(order, field))
            moving.append(row)
    Order.objects.bulk_update(moving, _DATES, batch_size=100)
    return len(moving)


def _customer(
    number: int, names: list[dict[str, str]], today: date, rng: random.Random
) -> Customer:
    language = "en" if number % 5 in (1, 4) else "zh"
    family, given = rng.choices([row for row in names if row["language"] == language], k=2)
    if language == "zh":
        name = family["family"] + given["given"]
        country = rng.choice(_COUNTRIES_ZH)
    else:
        name = f"{given['given']} {family['family']}"
        country = rng.choice(_COUNTRIES_EN)
    return Customer(
        uid=f"C{1001 + number}",
        name=name,
        language=language,
        level=rng.choice(_LEVELS),
        country=country,
        joined_on=today - timedelta(days=rng.randint(260, 1500)),
    )


def _order(
    number: int, customers: list[Customer], products: list[Product], today: date, rng: random.Random
) -> tuple[Order, list[OrderLine]]:
    if number < len(_SHOWN_FIRST):
        customer, status = customers[number], _SHOWN_FIRST[number]
        youngest = _AGE_DAYS[status][0]
    else:
        # The last few customers have not bought anything yet.
        customer = customers[rng.randrange(len(_SHOWN_FIRST), CUSTOMERS - 4)]
        status = rng.choices(list(_WEIGHTS), weights=list(_WEIGHTS.values()))[0]
        youngest = rng.randint(*_AGE_DAYS[status])
    market = _MARKETS[customer.country]
    lines = [
        OrderLine(
            product=product,
            quantity=rng.choice((1, 1, 1, 2)),
            unit_price=_cents(Decimal(product.price) * market.rate),
        )
        for product in rng.sample(products, rng.choice((1, 1, 1, 2, 2, 3)))
    ]
    total = sum((line.unit_price * line.quantity for line in lines), Decimal(0))
    placed_at = _moment(today, days_ago=youngest, rng=rng)
    shipped_at = placed_at + timedelta(hours=rng.randint(8, 44))
    delivered_at = shipped_at + timedelta(hours=rng.randint(60, 150))
    order = Order(
        number=f"CS{80012037 + number * 7919}",
        customer=customer,
        status=status,
        placed_at=placed_at,
        total=total,
        currency=market.currency,
        duty=_cents(total * market.duty_rate) if total > market.duty_free else Decimal("0.00"),
    )
    carrier, prefix = rng.choice(market.carriers)
    tracking_number = f"{prefix}{rng.randrange(10**11, 10**12)}"
    if status in (Status.SHIPPED, Status.CUSTOMS, Status.DELIVERED, Status.REFUNDED):
        order.carrier, order.tracking_number = carrier, tracking_number
        order.shipped_at = shipped_at
    if status in (Status.DELIVERED, Status.REFUNDED):
        order.delivered_at = delivered_at
    return order, lines


def _moment(today: date, *, days_ago: int, rng: random.Random) -> datetime:
    midnight = timezone.make_aware(datetime.combine(today, time()))
    return midnight - timedelta(days=days_ago) + timedelta(minutes=rng.randint(8 * 60, 23 * 60))


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))

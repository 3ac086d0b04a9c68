"""What the shop knows about a customer, in words that a reply can use."""

import re
from datetime import datetime

from django.db import models
from django.utils import timezone, translation
from django.utils.formats import date_format

from knowledge.models import Customer, Order, OrderLine

_LOCALES = {"zh": "zh-hans", "en": "en"}
_NUMBER = re.compile(r"[A-Z]{0,6}[0-9]{5,}", re.IGNORECASE)  # what may be an order's
_MOST_NUMBERS = 10


def order_in_question(uid: str, text: str = "") -> Order | None:
    """Return the customer's order that a text names, else his newest; None without any.

    One query. Somebody else's order number finds nothing of his.
    """
    orders = Order.objects.filter(customer__uid=uid).select_related("customer")
    orders = orders.order_by("-placed_at", "-pk")
    if not (numbers := [number.upper() for number in _NUMBER.findall(text)[:_MOST_NUMBERS]]):
        return orders.first()
    named = models.Case(models.When(number__in=numbers, then=0), default=1)
    return orders.order_by(named, "-placed_at", "-pk").first()


def facts_for(uid: str, language: str, now: datetime, text: str = "") -> dict[str, str]:
    """Return the reply variables that are known for a customer and the order in question.

    Two queries; one more text would not cost another. A variable without a value is
    left out, so that a reply which needs it is not chosen.

    Args:
        language: "zh" or "en"; names, states and dates come in it. Amounts look the
            same in both (1,299.00), and `currency` is the ISO 4217 code.
        text: What he wrote; an order of his that it names comes before his newest.
        now: Counts `days_since_order`, in whole days of the shop's time zone.

    Returns:
        Nothing for a uid that the shop does not know, such as a visitor's.
    """
    order = order_in_question(uid, text)
    if order is None:
        name = Customer.objects.filter(uid=uid).values_list("name", flat=True).first()
        return {"customer_name": name} if name else {}
    placed_on = timezone.localtime(order.placed_at).date()
    with translation.override(_LOCALES[language]):
        facts = {
            "customer_name": order.customer.name,
            "order_number": order.number,
            "order_status": order.get_status_display(),
            "carrier": order.carrier,
            "tracking_number": order.tracking_number,
            "product_name": _product_name(order, language),
            "order_total": f"{order.total:,.2f}",
            "currency": order.currency,
            "placed_on": date_format(placed_on, "DATE_FORMAT"),
            "days_since_order": str((timezone.localtime(now).date() - placed_on).days),
        }
    return {variable: value for variable, value in facts.items() if value}


def _product_name(order: Order, language: str) -> str:
    """The order's first product; "" when staff removed all its lines."""
    lines = OrderLine.objects.filter(order=order).order_by("pk")
    return lines.values_list(f"product__name_{language}", flat=True).first() or ""

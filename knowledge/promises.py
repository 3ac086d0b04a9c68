"""What the shop has promised about an order, with dates: when it is due, how long one may ask.

Dates only. Whether a case falls under a rule (unopened, not a gift) is for people to judge,
so every promise comes with the rule's own words.
"""

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.utils import timezone

from knowledge.models import Order, Product, Rule

Status = Order.Status
_MONTHS_A_YEAR = 12
# The state of an order in which a promise of this kind says anything, and since when it counts.
_GOODS = frozenset({Status.PAID, Status.SHIPPED, Status.CUSTOMS, Status.DELIVERED})
_ELSEWHERE = "world"  # ends the code of the rule for all other countries: shipping_world


class State(StrEnum):
    """How a promise stands today."""

    DUE = "DUE"  # the shop has to do it by then
    OVERDUE = "OVERDUE"  # the day is over, and it is not done
    KEPT = "KEPT"
    LATE = "LATE"  # done, after the day
    OPEN = "OPEN"  # the customer may still ask for it
    OVER = "OVER"


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise about one order."""

    kind: str  # Rule.kind
    until: date  # this day included, in the shop's time zone
    state: State
    rule: Rule | None  # None: it stands on the product itself
    product: Product | None = None  # of which it is said; None for the whole order


def of_order(order: Order, rules: Iterable[Rule], now: datetime) -> list[Promise]:
    """Return what was promised about an order, the earliest date first. Reads nothing.

    Args:
        order: With its customer, lines and their products read.
        rules: All of the shop's.
    """
    today = timezone.localtime(now).date()
    products = [line.product for line in order.lines.all()]
    found = [
        promise
        for rule in _applicable(order, list(rules), {each.category for each in products})
        if (promise := _promise(order, rule, today)) is not None
    ]
    if order.status == Status.DELIVERED and order.delivered_at:
        since = timezone.localtime(order.delivered_at).date()
        for product in products:
            if product.warranty_months:
                until = _months_after(since, product.warranty_months)
                found.append(Promise("warranty", until, _right(until, today), None, product))
    return sorted(found, key=lambda promise: promise.until)


def _applicable(order: Order, rules: Sequence[Rule], categories: set[str]) -> list[Rule]:
    """Return the rules for what was bought and where it goes.

    A category with a rule of its own is not under the general ones of that kind; a country
    whose code ends a rule's (shipping_cn) is not under the one for the world.
    """
    country = order.customer.country.lower()
    special = {(rule.kind, rule.category) for rule in rules if rule.category}
    codes = {rule.code for rule in rules}
    chosen = []
    for rule in rules:
        if rule.kind == "shipping":
            place = country if f"shipping_{country}" in codes else _ELSEWHERE
            fits = rule.code == f"shipping_{place}"
        elif rule.category:
            fits = rule.category in categories
        else:
            fits = any((rule.kind, category) not in special for category in categories or {""})
        if fits:
            chosen.append(rule)
    return chosen


def _promise(order: Order, rule: Rule, today: date) -> Promise | None:
    """Return what a rule means for an order; None where it says nothing about it (yet)."""
    if rule.days is None or order.status not in _GOODS:
        return None
    since: datetime | None
    done: datetime | None = None
    match rule.kind:
        case "dispatch":
            since, done = order.placed_at, order.shipped_at
        case "shipping":
            since, done = order.shipped_at, order.delivered_at
        case "price_protection":
            since = order.placed_at
        case "returns" | "damage" | "invoice":
            since = order.delivered_at
        case _:  # counts from something that no order knows
            return None
    if since is None:
        return None
    until = timezone.localtime(since).date() + timedelta(days=rule.days)
    if rule.kind in ("dispatch", "shipping"):
        return Promise(rule.kind, until, _duty(until, done, today), rule)
    return Promise(rule.kind, until, _right(until, today), rule)


def _duty(until: date, done: datetime | None, today: date) -> State:
    if done is None:
        return State.DUE if today <= until else State.OVERDUE
    return State.KEPT if timezone.localtime(done).date() <= until else State.LATE


def _right(until: date, today: date) -> State:
    return State.OPEN if today <= until else State.OVER


def _months_after(day: date, months: int) -> date:
    """Return the same day some months later, or the last day of a shorter month."""
    years, month = divmod(day.month - 1 + months, _MONTHS_A_YEAR)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))

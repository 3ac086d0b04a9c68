"""What staff see of the shop: names instead of codes, in lists and in filters."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from knowledge import demo
from knowledge.labels import CATEGORIES, LEVELS, RULE_KINDS, label
from knowledge.models import Customer, Order, Product, Rule
from tests.factories import StaffFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(client: Client) -> Client:
    client.force_login(
        StaffFactory(role="administrator"), backend="django.contrib.auth.backends.ModelBackend"
    )
    return client


def page_of(client: Client, model: str, **filters: str) -> str:
    url = reverse(f"admin:knowledge_{model}_changelist")
    return client.get(url, filters, headers={"accept-language": "en"}).content.decode()


def shows(page: str, text: str) -> bool:
    return re.search(rf">\s*{re.escape(text)}\s*<", page) is not None


def test_every_status_of_an_order_is_shown_by_its_name(
    administrator: Client, now: datetime
) -> None:
    customer = Customer.objects.create(uid="C1", name="王", country="CN", joined_on=now.date())
    for status in Order.Status:
        Order.objects.create(
            number=f"N{status}", customer=customer, status=status, placed_at=now, total=1
        )
    page = page_of(administrator, "order")
    for status in Order.Status:
        assert not shows(page, status.value)
        assert shows(page, str(status.label))


@pytest.mark.parametrize(
    ("model", "labels", "code"),
    [
        ("product", CATEGORIES, "baby"),
        ("customer", LEVELS, "gold"),
        ("rule", RULE_KINDS, "damage"),
    ],
)
def test_codes_are_shown_by_their_names(
    administrator: Client, now: datetime, model: str, labels: Mapping[str, Any], code: str
) -> None:
    demo.load(now)
    page = page_of(administrator, model)
    assert not shows(page, code)
    assert shows(page, str(labels[code]))


def test_a_filter_by_name_still_finds_the_code(administrator: Client, now: datetime) -> None:
    demo.load(now)
    page = page_of(administrator, "rule", kind="warranty")
    assert shows(page, "warranty_home")
    assert not shows(page, "free_shipping")


def test_the_demo_shop_has_no_code_without_a_name(now: datetime) -> None:
    demo.load(now)
    codes = [
        (set(Product.objects.values_list("category", flat=True)), CATEGORIES),
        (set(Customer.objects.exclude(level="").values_list("level", flat=True)), LEVELS),
        (set(Rule.objects.values_list("kind", flat=True)), RULE_KINDS),
        (set(Rule.objects.exclude(category="").values_list("category", flat=True)), CATEGORIES),
    ]
    for used, labels in codes:
        assert used <= set(labels)


def test_a_code_of_another_shop_is_its_own_name() -> None:
    assert label(CATEGORIES, "garden") == "garden"
    assert label(CATEGORIES, "") == "—"

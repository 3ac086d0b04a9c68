"""manage.py load_demo: fill the shop with customers, products, orders and rules."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from knowledge import demo


class Command(BaseCommand):
    help = (
        "Fill the shop with a demo: customers, products, orders and rules, with dates relative "
        "to today. Safe to repeat: it adds what is missing and moves the dates of the demo's "
        "orders along; whatever staff changed stays."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        loaded = demo.load(timezone.now())
        self.stdout.write(
            f"Demo shop: {loaded.customers} customers, {loaded.products} products, "
            f"{loaded.orders} orders and {loaded.rules} rules added; "
            f"{loaded.moved} orders moved along with today."
        )

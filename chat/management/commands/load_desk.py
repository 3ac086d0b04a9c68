"""`manage.py load_desk`: the canned replies and dispositions that agents begin with."""

from typing import Any

from django.core.management.base import BaseCommand

from chat import services


class Command(BaseCommand):
    help = (
        "Load the canned replies and dispositions to begin with, while there are none of their "
        "kind. What staff changed stays as they left it."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Canned replies and dispositions: {services.load_starter()} added.")

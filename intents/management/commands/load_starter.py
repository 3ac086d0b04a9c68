"""`manage.py load_starter`: intents, utterances, replies, phrases and words to begin with."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from intents import services


class Command(BaseCommand):
    help = (
        "Load the starter content where it is missing. What staff changed or deleted "
        "stays as they left it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--reset",
            action="store_true",
            help="DELETE all utterances, replies, phrases, questions and words first.",
        )

    def handle(self, *args: Any, reset: bool, **options: Any) -> None:
        loaded = services.load_starter(reset=reset)
        if not loaded.total:
            self.stdout.write("Starter content: nothing is missing.")
            return
        counts = ", ".join(
            f"{getattr(loaded, name)} {name.replace('_', ' ')}" for name in loaded.__slots__
        )
        self.stdout.write(self.style.SUCCESS(f"Starter content: {counts}."))

"""manage.py train_moods [CSV]: fit the head that tells moods, from the shipped sentences or a shop's own."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from intents.encoder import EncoderUnavailable
from intents.inference.loading import frozen_encoder
from training.analysis import sentiment
from training.datasets import BadDataset


class Command(BaseCommand):
    help = "Fit the head that tells moods; processes that run take it over by themselves."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "csv",
            nargs="?",
            type=Path,
            default=sentiment.STARTER,
            help="UTF-8, columns text and label (negative, neutral, positive), perhaps language and topic",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            path = sentiment.ensure(frozen_encoder(), options["csv"])
        except (BadDataset, EncoderUnavailable, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_("The head lies in {path}.").format(path=path))

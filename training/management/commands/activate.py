"""manage.py activate: choose the model that answers customers."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from csplatform.errors import Refusal
from training import registry
from training.models import ModelVersion


class Command(BaseCommand):
    help = (
        "Let a model version answer customers, in every process and without a restart; "
        "or go back to the one before. No accuracy is asked for: this is the way around the gate."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("version", nargs="?", help="name of the version, as the admin lists it")
        which.add_argument(
            "--previous", action="store_true", help="the version that answered before this one"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            if options["previous"]:
                version = registry.roll_back(now=now)
            else:
                version = self._named(options["version"])
                registry.activate(version_id=version.pk, now=now)
        except Refusal as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"{version} answers from now on.")

    def _named(self, name: str) -> ModelVersion:
        try:
            return ModelVersion.objects.get(name=name)
        except ModelVersion.DoesNotExist:
            newest = ModelVersion.objects.order_by("-pk").values_list("name", flat=True)[:5]
            known = ", ".join(newest) or "none yet; run manage.py train"
            raise CommandError(f"There is no version {name}. The newest: {known}.") from None

"""manage.py prepare: make or update everything that the processes need before they start."""

import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import translation

from csplatform import preparing, terminal


class Command(BaseCommand):
    help = (
        "Build the encoder, migrate the database, load the starter content and the demo. "
        "`manage.py run` does this by itself; run it by hand where the processes are started "
        "by something else. Safe to repeat."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override(terminal.language()):
            preparing.prepare(sys.stdout)

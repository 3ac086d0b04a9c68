"""What must be there before the first customer: encoder, tables, content, demo.

`manage.py run` does these steps each time; `manage.py prepare` is for those who start the
processes themselves. Each step is safe to repeat and quick when there is nothing to do.
"""

import io
from typing import TextIO

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _

from csplatform.terminal import Step


def prepare(out: TextIO) -> None:
    """Do every step, with its progress on `out`.

    Raises:
        CommandError: The encoder cannot be had; the message says why and what to do.
        OSError, django.db.DatabaseError: Disk or database failed (csplatform.preflight.explain).
    """
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns when it is absent
    _build_encoder(out)
    _migrate(out)
    with Step(out, _("starter content")):
        call_command("load_starter", stdout=io.StringIO())
        call_command("load_desk", stdout=io.StringIO())
    if settings.DEMO_SHOP:
        with Step(out, _("demo shop and people")):
            call_command("load_demo", stdout=io.StringIO())
            call_command("load_people", stdout=io.StringIO())


def _build_encoder(out: TextIO) -> None:
    from intents.encoder import EncoderUnavailable, ensure

    with Step(out, _("encoder")) as step:
        try:
            ensure(step.at)
        except EncoderUnavailable as error:
            raise CommandError(str(error)) from error


def _migrate(out: TextIO) -> None:
    with Step(out, _("database")):
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", interactive=False, verbosity=0)

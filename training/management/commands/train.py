"""manage.py train: train a model on this terminal."""

import contextlib
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from csplatform.errors import Refusal
from training import services
from training.models import TrainingRun

BAR_WIDTH = 30


class Command(BaseCommand):
    help = (
        "Train a model on the utterances, measure it, and let it answer customers when it is good "
        "enough. The same as a training from the admin, which shows this one as well; only one "
        "runs at a time. Ctrl-C ends it and leaves the active model as it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        fields = {field.name: field for field in TrainingRun._meta.fields}
        for name in services.PARAMETERS:
            field = fields[name]
            default = field.default if field.has_default() else "what suits the encoder"
            parser.add_argument(
                f"--{name.replace('_', '-')}",
                default=None,
                metavar=name.split("_")[-1].upper(),
                help=f"{field.verbose_name} (default: {default})",
            )

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = {name: options[name] for name in services.PARAMETERS if options[name] is not None}
        try:
            run = services.request_run(now=timezone.now(), queue=False, **chosen)
        except ValidationError as error:
            raise CommandError(
                "\n".join(
                    f"--{name.replace('_', '-')}: {' '.join(messages)}"
                    for name, messages in error.message_dict.items()
                )
            ) from None
        except Refusal as refusal:
            raise CommandError(str(refusal)) from None
        self._shown = 0
        with contextlib.suppress(KeyboardInterrupt):  # the run says so itself, below
            services.execute(run_id=run.pk, watch=lambda: self._show(run))
        self._show(run)
        if run.status != TrainingRun.Status.SUCCEEDED:
            raise CommandError(run.failure)

    def _show(self, run: TrainingRun) -> None:
        """Print what the log has gained, and the bar where there is a terminal."""
        run.refresh_from_db(fields=["log", "progress", "step", "status", "failure"])
        news, self._shown = run.log[self._shown :], len(run.log)
        on_terminal = self.stdout.isatty()
        if on_terminal:
            self.stdout.write("\r\033[K", ending="")
        if news:
            self.stdout.write(news, ending="")
        if on_terminal and run.status == TrainingRun.Status.RUNNING:
            filled = "█" * round(run.progress * BAR_WIDTH)
            bar = f"{filled:░<{BAR_WIDTH}} {run.progress:4.0%} {run.step}"
            self.stdout.write(bar, ending="")
        self.stdout.flush()

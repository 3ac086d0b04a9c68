"""The Celery application; its settings are the CELERY_… of csplatform/settings.py."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csplatform.settings")

app = Celery("csplatform")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _watch_fitness(**kwargs: Any) -> None:
    """Have a worker end, after the tasks that it runs, when its engine can no longer work."""
    from csplatform import replacement
    from intents import inference

    inference.when_unfit(replacement.ask_for_replacement)

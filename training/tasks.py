"""Background work: load nothing, decide nothing, make one call."""

from celery import shared_task
from celery.signals import worker_shutting_down
from django.utils import timezone

from training import services


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def run_training(*, run_id: int, **_newer: object) -> None:
    """Train one queued run: once, however often this is delivered.

    `**_newer` lets a worker of this release take a task that the next one sent.
    """
    services.execute(run_id=run_id)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def recover(**_newer: object) -> None:
    """Fail runs that died and queue those whose task was lost."""
    services.recover(now=timezone.now())


@worker_shutting_down.connect  # type: ignore[untyped-decorator]  # Celery has no types
def end_training(**_signal: object) -> None:
    """Let a worker stop within seconds: it waits for its tasks, and a training takes minutes."""
    services.end_training()

"""Background work: load nothing, decide nothing, make one call."""

from celery import shared_task
from celery.signals import worker_shutting_down
from django.utils import timezone

from training import planning, radar, services
from training.comparisons import services as comparisons


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def run_training(*, run_id: int, **_newer: object) -> None:
    """Train one queued run: once, however often this is delivered.

    `**_newer` lets a worker of this release take a task that the next one sent.
    """
    services.execute(run_id=run_id)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def recover(**_newer: object) -> None:
    """Fail runs that died and queue those whose task was lost; take up comparisons."""
    services.recover(now=timezone.now())
    comparisons.recover(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def compare(*, comparison_id: int, **_newer: object) -> None:
    """Carry out a queued comparison and those that wait behind it."""
    comparisons.execute(comparison_id=comparison_id)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def begin_due(**_newer: object) -> None:
    """Begin a training if the nightly time has come, or enough has changed."""
    planning.look(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def scan_labels(*, scan_id: int, **_newer: object) -> None:
    """Search all utterances for wrong labels."""
    radar.run_scan(scan_id=scan_id)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def scan_labels_if_moved(**_newer: object) -> None:
    """Search again for wrong labels if utterances have changed."""
    radar.request_if_moved(now=timezone.now())


@worker_shutting_down.connect  # type: ignore[untyped-decorator]  # Celery has no types
def end_training(**_signal: object) -> None:
    """Let a worker stop within seconds: it waits for its tasks, and a training takes minutes."""
    services.end_training()
    comparisons.end_comparing()

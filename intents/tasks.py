"""Background work on content and logs: decide nothing, make one call."""

from celery import shared_task
from django.utils import timezone

from intents import records


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def forget_old_predictions(**_newer: object) -> None:
    """Delete prediction records that are older than settings.PREDICTION_LOG_DAYS."""
    records.forget_old(now=timezone.now())

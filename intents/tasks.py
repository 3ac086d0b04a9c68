"""Background work on content and logs: decide nothing, make one call."""

from celery import shared_task
from django.utils import timezone

from intents import drafts, drift, records
from intents.exchange import jobs
from intents.review import clusters, feed


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def forget_old_predictions(**_newer: object) -> None:
    """Delete prediction records that are older than settings.PREDICTION_LOG_DAYS.

    With them what the review inbox knows of these messages.
    """
    records.forget_old(now=timezone.now())
    feed.forget_old(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def fill_review_inbox(**_newer: object) -> None:
    """Take messages that need a look into the review inbox."""
    feed.feed(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def cluster_review_inbox(**_newer: object) -> None:
    """Put sentences of the review inbox together that mean much the same."""
    from intents.inference import loading  # ONNX Runtime, only in processes that need it

    clusters.cluster(now=timezone.now(), encoder=loading.frozen_encoder)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def publish_drafts(**_newer: object) -> None:
    """Publish the drafts that are due, and take back those whose time is over."""
    now = timezone.now()
    drafts.publish_due(now=now)
    drafts.take_back_due(now=now)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def check_drift(**_newer: object) -> None:
    """Compare what customers ask now with what they used to ask."""
    drift.check(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def work_on_import(*, job_id: int, **_newer: object) -> None:
    """Check or write what is left of an import."""
    from intents.inference import backends, loading  # only in processes that need them

    jobs.work_on(job_id, lambda: loading.frozen_encoder(backends.open_backend))


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def resume_imports(**_newer: object) -> None:
    """Take up imports that were left lying."""
    jobs.resume(now=timezone.now())

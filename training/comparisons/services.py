"""Asking for a comparison, ending one, and putting right what crashes left."""

import logging
import os
import sys
import threading
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from csplatform import embedded
from csplatform.errors import Refusal
from training import contenders
from training.comparisons import judging
from training.models import Comparison

logger = logging.getLogger(__name__)

Kind, Status = Comparison.Kind, Comparison.Status
UNFINISHED = (Status.QUEUED, Status.RUNNING)

NEWEST_MOST = 20_000
# Asked for and not run yet, by all people together.
_WAITING_MOST = 10
# Renewed with every chunk, which takes a second or two; opening the contenders takes up to a minute.
SILENCE_MAX = timedelta(seconds=90)
# A comparison whose process died so often is given up.
ATTEMPTS_MOST = 5
_LOOK_EVERY_S = 0.5
_STOP_GRACE_S = 10.0
# Set when this process is told to end.
_ending = threading.Event()


class TooManyWait(Refusal):
    """There are comparisons enough in the queue."""

    code = "too_many_comparisons"
    detail = _("Several comparisons are waiting already. Try again when one is done.")


def request_side_by_side(
    *, before: str, after: str, newest: int, now: datetime, by: Any = None
) -> Comparison:
    """Have two contenders answer labelled texts and the newest texts of customers.

    Args:
        before: Contender.key of the one that the other is compared with.
        newest: Texts of customers, at most NEWEST_MOST.

    Raises:
        ValidationError: They are the same.
        ContenderUnavailable: One of them is not there any more.
        TooManyWait: Later.
    """
    return _request(
        Comparison(kind=Kind.SIDE_BY_SIDE, newest=min(newest, NEWEST_MOST), requested_by=by),
        before,
        after,
        now,
    )


def request_replay(
    *, after: str, since: datetime, until: datetime, now: datetime, by: Any = None
) -> Comparison:
    """Have a contender answer again what customers said from `since` until before `until`.

    It is compared with what answers customers now.

    Raises:
        ValidationError: The period is empty, or the contender is what answers now.
        ContenderUnavailable: It is not there any more.
        TooManyWait: Later.
    """
    if since >= until:
        raise ValidationError(_("The period ends before it begins."))
    return _request(
        Comparison(kind=Kind.REPLAY, since=since, until=min(until, now), requested_by=by),
        contenders.active().key,
        after,
        now,
    )


def _request(comparison: Comparison, before: str, after: str, now: datetime) -> Comparison:
    if before == after:
        raise ValidationError(_("Choose two different ones to compare."))
    first, second = contenders.find(before), contenders.find(after)
    comparison.before, comparison.before_name = first.key, first.name
    comparison.after, comparison.after_name = second.key, second.name
    comparison.created_at = now
    if Comparison.objects.filter(status__in=UNFINISHED).count() >= _WAITING_MOST:
        raise TooManyWait
    with transaction.atomic():
        comparison.save(force_insert=True)
        transaction.on_commit(partial(_queue, comparison.pk))
    return comparison


def _queue(comparison_id: int) -> None:
    from training.tasks import compare  # tasks call this module

    try:
        # Not behind a training, which takes minutes: its own process yields to everybody anyhow.
        compare.apply_async(
            kwargs={"comparison_id": comparison_id},
            queue=settings.CELERY_TASK_DEFAULT_QUEUE,
            retry=False,
            expires=SILENCE_MAX.total_seconds(),
        )
    except compare.OperationalError as away:
        logger.warning("Comparison %s is not queued yet: %s", comparison_id, away)


def execute(*, comparison_id: int) -> None:
    """Carry out comparisons in a process of its own, and wait for it.

    That process claims this one, and then whatever waits. Delivered twice, or while another
    one runs, it finds nothing to claim and ends.
    """
    if not Comparison.objects.filter(pk=comparison_id, status=Status.QUEUED).exists():
        return
    if Comparison.objects.filter(slot__isnull=False).exists():
        return  # whoever runs it goes on with this one
    child = embedded.spawn(
        [sys.executable, "-m", "training.comparisons.worker"],
        log=settings.VAR_DIR / "log" / "comparisons.log",
        cwd=settings.BASE_DIR,
        env={**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"},
    )
    try:
        while child.poll() is None and not _ending.wait(_LOOK_EVERY_S):
            pass
    finally:
        embedded.stop(child, grace_s=_STOP_GRACE_S)


def end_comparing() -> None:
    """Let go of the comparison that this process waits for; `recover` has it taken up elsewhere."""
    _ending.set()


def claim(*, now: datetime) -> Comparison | None:
    """Return the oldest comparison that waits, marked as running; None where one runs, or none waits."""
    waiting = Comparison.objects.filter(status=Status.QUEUED).order_by("created_at", "pk")
    for comparison_id in waiting.values_list("pk", flat=True)[:_WAITING_MOST]:
        try:
            with transaction.atomic():
                claimed = Comparison.objects.filter(pk=comparison_id, status=Status.QUEUED).update(
                    status=Status.RUNNING,
                    slot=1,
                    heartbeat_at=now,
                    started_at=Coalesce("started_at", Value(now)),
                    attempts=F("attempts") + 1,
                )
        except IntegrityError:  # the slot: another one runs
            return None
        if claimed:
            return Comparison.objects.get(pk=comparison_id)
    return None


def end(comparison_id: int, status: str, *, now: datetime, failure: str = "") -> bool:
    """End a comparison that runs; False where it has ended already."""
    running = Comparison.objects.filter(pk=comparison_id, status=Status.RUNNING)
    ended = running.update(status=status, slot=None, finished_at=now, failure=failure)
    return bool(ended)


def cancel(*, comparison_id: int, now: datetime) -> bool:
    """Stop a comparison that waits or runs: after its present chunk. What was found stays."""
    unfinished = Comparison.objects.filter(pk=comparison_id, status__in=UNFINISHED)
    return bool(unfinished.update(status=Status.CANCELLED, slot=None, finished_at=now))


def recover(*, now: datetime) -> None:
    """Take up comparisons whose process died where they stopped, and run those that wait.

    Also keeps accepted answers whose intent has been published, and forgets old comparisons.
    Safe to call at any time, by several processes at once.
    """
    silent = Comparison.objects.filter(status=Status.RUNNING, heartbeat_at__lt=now - SILENCE_MAX)
    hopeless = silent.filter(attempts__gte=ATTEMPTS_MOST)
    hopeless.update(
        status=Status.FAILED,
        slot=None,
        finished_at=now,
        failure=_("Its process died again and again."),
    )
    if lost := silent.update(status=Status.QUEUED, slot=None):
        logger.warning("%s comparison(s) died and are taken up again", lost)
    if not Comparison.objects.filter(slot__isnull=False).exists():
        waiting = Comparison.objects.filter(status=Status.QUEUED).order_by("created_at", "pk")
        if (first := waiting.values_list("pk", flat=True).first()) is not None:
            _queue(first)
    judging.keep_waiting(now=now)
    # Texts of customers are kept no longer than the log that they come from.
    kept_since = now - timedelta(days=settings.PREDICTION_LOG_DAYS)
    Comparison.objects.filter(created_at__lt=kept_since).exclude(status__in=UNFINISHED).delete()

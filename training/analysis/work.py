"""Which texts are to be read, who reads them now, and what became of it. The database is the queue.

Celery only says "look": a task that is lost is sent again by the sweep, one that comes twice finds
nothing to do. A text belongs to whoever claimed it until his lease ends; what he finds after that
is not stored, for somebody else has it by then.
"""

import logging
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from training.analysis import metrics
from training.analysis.findings import Findings
from training.models import AnalysedIntent, TextAnalysis

logger = logging.getLogger(__name__)

Status = TextAnalysis.Status
# A text that was queued and not begun after this long is queued once more: the broker lost it, or
# it has a long queue, and then the second task finds it done.
_QUEUED_AGAIN = timedelta(minutes=5)
# Not yet queued: whoever stored the message does it a moment later.
_GRACE = timedelta(seconds=10)
# One sweep; the next is some seconds away.
_MOST_PER_SWEEP = 500
# In the queue at a time of what was asked for in bulk. What customers write meanwhile waits for
# no more than these.
_MOST_IN_BULK = 50
_RETRY_S = 2.0
_LONGEST_RETRY_S = 600.0
_FAILURE_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to read one text until a lease ends."""

    message: int
    token: UUID
    attempt: int  # 1 for the first
    said_at: datetime
    is_bulk: bool  # asked for in bulk, perhaps long after it was said


def request(*, message: int, characters: int, said_at: datetime, now: datetime) -> None:
    """Have a text read; in the transaction that stores it, so that neither is lost."""
    TextAnalysis.objects.create(
        message=message,
        characters=characters,
        said_at=said_at,
        requested_at=now,
        due_at=now + _GRACE,
    )


def request_many(texts: Iterable[tuple[int, int, datetime]], *, now: datetime) -> int:
    """Have texts read when there is time; those that were asked for before stay as they are.

    Args:
        texts: (message, characters, said at).

    Returns:
        How many are new.
    """
    rows = [
        TextAnalysis(
            message=message,
            characters=characters,
            said_at=said_at,
            requested_at=now,
            due_at=now,
            is_bulk=True,
        )
        for message, characters, said_at in texts
    ]
    known = set(
        TextAnalysis.objects.filter(message__in=[row.message for row in rows]).values_list(
            "message", flat=True
        )
    )
    TextAnalysis.objects.bulk_create(rows, ignore_conflicts=True, batch_size=100)
    return sum(row.message not in known for row in rows)


def claim(message: int, *, now: datetime) -> Claim | None:
    """Take a text to read it; None: it is read already, somebody has it, or it has gone.

    One UPDATE decides between workers. What a dead one held is free again after `due`.
    """
    token = uuid.uuid4()
    mine = TextAnalysis.objects.filter(message=message, status=Status.PENDING)
    if not mine.exists():  # without a lock: what comes twice is most of what finds nothing
        return None
    if not mine.update(
        status=Status.RUNNING,
        claim=token,
        attempts=F("attempts") + 1,
        started_at=now,
        due_at=now + timedelta(seconds=settings.ANALYSIS_LEASE_S),
    ):
        return None
    row = (
        TextAnalysis.objects.filter(claim=token)
        .values_list("attempts", "said_at", "is_bulk")
        .first()
    )
    return None if row is None else Claim(message, token, *row)


class Lost(Exception):
    """Somebody else has the text by now, or it has gone."""


def renew(claimed: Claim, *, now: datetime) -> None:
    """Go on having a text that takes long.

    Raises:
        Lost: The lease had ended.
    """
    until = now + timedelta(seconds=settings.ANALYSIS_LEASE_S)
    if not _held(claimed).update(due_at=until):
        raise Lost


def succeed(claimed: Claim, findings: Findings, *, now: datetime) -> bool:
    """Store what was found, inside the caller's transaction.

    Returns:
        False when the text is somebody else's by now, or gone: nothing was stored, and whatever
        else the caller would do, somebody else does.
    """
    mood = findings.mood
    stored = _held(claimed).update(
        status=Status.DONE,
        claim=None,
        finished_at=now,
        failure="",
        findings=findings.as_dict(),
        mood=mood and mood.score,
        negative=mood and mood.negative,
    )
    if not stored:
        return False
    analysis = TextAnalysis.objects.only("pk").get(message=claimed.message)
    AnalysedIntent.objects.bulk_create(
        AnalysedIntent(
            analysis=analysis, intent=code, probability=probability, said_at=claimed.said_at
        )
        for code, probability in findings.summary.asked
    )
    metrics.ENDED.labels("done").inc()
    return True


def fail(claimed: Claim, *, reason: str, now: datetime) -> None:
    """Note that an attempt failed: it is tried again later, and after the last one left for people."""
    if claimed.attempt >= settings.ANALYSIS_ATTEMPTS:
        _held(claimed).update(
            status=Status.FAILED, claim=None, finished_at=now, failure=reason[:_FAILURE_CHARS]
        )
        metrics.ENDED.labels("failed").inc()
        return
    wait_s = min(_RETRY_S * 2 ** (claimed.attempt - 1), _LONGEST_RETRY_S)
    _held(claimed).update(
        status=Status.PENDING,
        claim=None,
        due_at=now + timedelta(seconds=wait_s),
        failure=reason[:_FAILURE_CHARS],
    )
    metrics.ENDED.labels("tried again").inc()


def _held(claimed: Claim) -> Any:
    return TextAnalysis.objects.filter(
        message=claimed.message, status=Status.RUNNING, claim=claimed.token
    )


def due(*, now: datetime) -> list[int]:
    """Return the messages whose texts are to be put into the queue now; each once in some minutes.

    Also ends what was claimed by a worker that has died meanwhile.
    """
    with transaction.atomic():
        _end_lost(now)
        waiting = TextAnalysis.objects.filter(status=Status.PENDING)
        # What customers write first, then as much in bulk as has been begun since.
        queued_in_bulk = waiting.filter(is_bulk=True, due_at__gt=now).count()
        found = [
            message
            for is_bulk, most in (
                (False, _MOST_PER_SWEEP),
                (True, max(0, _MOST_IN_BULK - queued_in_bulk)),
            )
            for message in waiting.filter(is_bulk=is_bulk, due_at__lte=now)
            .order_by("due_at")
            .values_list("message", flat=True)[:most]
        ]
        if found:
            queued = TextAnalysis.objects.filter(message__in=found, status=Status.PENDING)
            queued.update(due_at=now + _QUEUED_AGAIN)
    return found


def _end_lost(now: datetime) -> None:
    lost = TextAnalysis.objects.filter(status=Status.RUNNING, due_at__lte=now)
    if not lost.exists():
        return
    given_up = lost.filter(attempts__gte=settings.ANALYSIS_ATTEMPTS).update(
        status=Status.FAILED,
        claim=None,
        finished_at=now,
        failure=_("Whoever read it died, or did not come to an end, in every attempt."),
    )
    again = lost.update(status=Status.PENDING, claim=None, due_at=now)
    if given_up:
        metrics.ENDED.labels("failed").inc(given_up)
    if again:
        metrics.ENDED.labels("lost").inc(again)
    logger.warning("%d long texts were lost with their worker, %d are given up", again, given_up)


def retry(messages: Sequence[int], *, now: datetime) -> int:
    """Have texts that were given up read again, with all attempts before them.

    Returns:
        How many; those that are not given up stay as they are.
    """
    return TextAnalysis.objects.filter(message__in=messages, status=Status.FAILED).update(
        status=Status.PENDING, attempts=0, due_at=now, finished_at=None
    )


def forget(messages: Iterable[int]) -> None:
    """Delete what was found in texts that are deleted."""
    TextAnalysis.objects.filter(message__in=list(messages)).delete()


def lengths() -> dict[str, int]:
    """Return how many texts are in each state that somebody may have to do something about.

    Counts stop at 10,000: then it is known that there are too many.
    """
    return {
        status: TextAnalysis.objects.filter(status=status)[:10_000].count()
        for status in (Status.PENDING, Status.RUNNING, Status.FAILED)
    }

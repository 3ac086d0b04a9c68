"""The log of what was understood: one PredictionRecord a text, and later what came of it.

Written off the hot path: a caller leaves a record in a bounded buffer, and a thread writes
them a fifth of a second later. A process that is killed loses that much: these are
statistics, the conversations themselves are stored before anybody hears of them.
"""

import atexit
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from celery.signals import worker_process_shutdown
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.db.models.constants import OnConflict
from django.db.models.sql import InsertQuery
from django.utils import timezone
from prometheus_client import Counter

from intents import content, language
from intents.buffering import BufferedWriter
from intents.decisions import Decision, decide
from intents.guard import pii
from intents.models import PredictionRecord

if TYPE_CHECKING:
    from intents.inference import Prediction

logger = logging.getLogger(__name__)

Origin = PredictionRecord.Origin
Outcome = PredictionRecord.Outcome

_LOST = Counter("intents_prediction_records_lost_total", "Prediction records not written")
# Of the ranking; the rest is noise, and the table grows with every message.
_MOST_RANKED = 5
# Models read no more of a text either.
_MOST_CHARS = 1000
# Held of a text until it is redacted, which shortens it.
_MOST_CHARS_HELD = 4 * _MOST_CHARS
# Held while the database is away: some minutes of a busy site, 10 MB.
_MOST_HELD = 10_000
_EVERY_S = 0.2
# SQLite takes 999 values in a statement (SQLITE_MAX_VARIABLE_NUMBER of older ones).
_COLUMNS = [field for field in PredictionRecord._meta.concrete_fields if not field.primary_key]
_TOGETHER = 999 // len(_COLUMNS)
_DELETED_TOGETHER = 1000
_MOST_DELETIONS = 100

_FROM_DECISION = {
    Decision.ANSWER: Outcome.ANSWERED,
    Decision.CLARIFY: Outcome.ASKED_BACK,
    Decision.HAND_OVER: Outcome.HANDED_OVER,
}


@dataclass(frozen=True, slots=True)
class _News:
    """What came of a message, as columns to set."""

    message: int
    columns: dict[str, object]
    unless: tuple[str, ...] = ()  # outcomes that it does not replace


@dataclass(frozen=True, slots=True)
class _Classified:
    """What a program asked; all that takes time is left to the writer."""

    text: str
    prediction: "Prediction"
    elapsed_ms: float
    cached: bool
    now: datetime

    def record(self) -> PredictionRecord:
        current = content.current()
        return _record(
            text=self.text,
            language=language.detect(self.text),
            prediction=self.prediction,
            decision=decide(self.prediction, current),
            content_version=current.version,
            elapsed_ms=self.elapsed_ms,
            cached=self.cached,
            created_at=self.now,
            origin=Origin.API,
        )


_Item = PredictionRecord | _Classified | _News


def _write(items: list[_Item]) -> None:
    """Write items of one buffer; those that the database refuses are left out and counted.

    Each in a statement of its own transaction: what was written before a failure may be
    written again, which changes nothing.
    """
    records = [
        item.record() if isinstance(item, _Classified) else item
        for item in items
        if not isinstance(item, _News)
    ]
    try:
        _insert(records)
    except (OperationalError, InterfaceError):
        raise
    except (DatabaseError, ValueError):
        for each in records:
            try:
                _insert([each])
            except (OperationalError, InterfaceError):
                raise
            except (DatabaseError, ValueError):
                logger.exception("A prediction cannot be logged")
                _LOST.inc()
    for item in items:
        if isinstance(item, _News):
            about = PredictionRecord.objects.filter(message=item.message)
            about.exclude(outcome__in=item.unless).update(**item.columns, changed_at=timezone.now())


def _insert(records: Sequence[PredictionRecord]) -> None:
    """Insert records in one statement; of two of one message the first counts.

    Not by bulk_create, which begins its transaction before it makes the statement: on SQLite
    nobody else could write meanwhile.
    """
    if not records:
        return
    query = InsertQuery(PredictionRecord, on_conflict=OnConflict.IGNORE)
    query.insert_values(_COLUMNS, [*records])
    statements = query.get_compiler(connection=connection).as_sql()
    with connection.cursor() as cursor:
        for statement, values in statements:
            cursor.execute(statement, values)


def _writer(*, threaded: bool = True) -> BufferedWriter[_Item]:
    return BufferedWriter(
        _write,
        most=_MOST_HELD,
        together=_TOGETHER,
        every_s=_EVERY_S,
        dropped=_LOST.inc,
        threaded=threaded,
    )


_log = _writer()


def record(
    *,
    message: int,
    text: str,
    language: str,
    prediction: "Prediction",
    decision: Decision,
    content_version: int,
    elapsed_ms: float,
    cached: bool,
    now: datetime,
    outcome: Outcome | None = None,
) -> None:
    """Log what a customer's message was taken for. Personal data is replaced by its kind before it is written.

    Never waits and never fails; a second record of one message is dropped.

    Args:
        message: Its primary key.
        language: "zh", "en", or "" for neither (nothing was predicted then).
        content_version: intents.content.Content.version, which was answered from.
        elapsed_ms: From the stored message to the decision, in milliseconds.
        outcome: Where it does not follow from the decision: an agent was faster.
    """
    _log.add(
        _record(
            message=message,
            text=text,
            language=language,
            prediction=prediction,
            decision=decision,
            content_version=content_version,
            elapsed_ms=elapsed_ms,
            cached=cached,
            created_at=now,
            outcome=_FROM_DECISION[decision] if outcome is None else outcome,
        )
    )


def classified(
    texts: Sequence[str],
    predictions: "Sequence[Prediction]",
    *,
    elapsed_ms: float,
    cached: Sequence[bool],
    now: datetime,
) -> None:
    """Log what a program asked, from a thread or a coroutine; as `record`.

    Args:
        elapsed_ms: Of all of them together.
        cached: Of each, whether the model was spared.
    """
    for text, prediction, was_cached in zip(texts, predictions, cached, strict=True):
        _log.add(_Classified(text[:_MOST_CHARS_HELD], prediction, elapsed_ms, was_cached, now))


def _record(
    *, text: str, prediction: "Prediction", elapsed_ms: float, **columns: Any
) -> PredictionRecord:
    return PredictionRecord(
        text=pii.redact(text)[:_MOST_CHARS],
        intent=prediction.intent,
        probability=prediction.probability if prediction.ranked else None,
        out_of_scope=round(prediction.out_of_scope, 4),
        ranked=[[code, round(p, 4)] for code, p in prediction.ranked[:_MOST_RANKED]],
        source=prediction.source,
        model_version=prediction.model_version,
        queue_ms=round(prediction.queue_ms, 2),
        infer_ms=round(prediction.infer_ms, 2),
        elapsed_ms=round(elapsed_ms, 2),
        **columns,
    )


def clarified(*, message: int, meant: str) -> None:
    """Note which intent (a code) the customer chose when he was asked back about a message."""
    _log.add(
        _News(message, {"outcome": Outcome.CLARIFIED, "meant": meant}, unless=(Outcome.CORRECTED,))
    )


def handed_over(*, message: int) -> None:
    """Note that a human took care of a message after all: asked for, or of his own accord."""
    _log.add(_News(message, {"outcome": Outcome.HANDED_OVER}, unless=(Outcome.CORRECTED,)))


def corrected(*, message: int, meant: str) -> None:
    """Note which intent (a code) an agent says was meant; that is the last word."""
    _log.add(_News(message, {"outcome": Outcome.CORRECTED, "meant": meant}))


def rated(*, message: int, is_up: bool) -> None:
    """Note what the customer thinks of the answer to a message; the outcome stays."""
    _log.add(_News(message, {"rating": 1 if is_up else -1}))


def flush() -> None:
    """Write at once what is held, on this thread."""
    _log.flush()


def stop() -> None:
    """Write what is held before this process ends."""
    _log.stop()


def forget_old(*, now: datetime) -> int:
    """Delete what is older than settings.PREDICTION_LOG_DAYS, some at a time.

    A batch holds no lock for long; what one run does not finish, the next does.

    Returns:
        How many were deleted.
    """
    before = now - timedelta(days=settings.PREDICTION_LOG_DAYS)
    old = PredictionRecord.objects.filter(created_at__lt=before).order_by("created_at")
    deleted = 0
    for _batch in range(_MOST_DELETIONS):
        keys: Sequence[int] = list(old.values_list("pk", flat=True)[:_DELETED_TOGETHER])
        if not keys:
            break
        deleted += PredictionRecord.objects.filter(pk__in=keys).delete()[0]
    return deleted


def _stop_worker_process(**_signal: object) -> None:
    stop()  # Celery ends its forked children without atexit


atexit.register(stop)
worker_process_shutdown.connect(_stop_worker_process)

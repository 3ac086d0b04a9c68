"""Bringing in a file: stored row by row, checked, then written; each step can be taken up again."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from csplatform.errors import Refusal
from intents import conflicts, services
from intents.drafts import needs_draft
from intents.exchange import dialogflow, rasa, tables
from intents.exchange.naming import Codes
from intents.exchange.sentences import Contents
from intents.inference import FrozenEncoder
from intents.models import ImportJob, ImportRow, Intent, Utterance

logger = logging.getLogger(__name__)

Status, Outcome = ImportJob.Status, ImportRow.Outcome
READERS: dict[str, Callable[[bytes], Contents]] = {
    ImportJob.Format.TABLE: tables.read,
    ImportJob.Format.RASA: rasa.read,
    ImportJob.Format.DIALOGFLOW: dialogflow.read,
}
# Files with more rows are worked on by a worker, while the page shows how far it is.
HERE_MOST = 300
_ROWS_AT_ONCE = 500
# A job whose process said nothing for so long is taken up by the next sweep.
SILENCE_MAX = timedelta(minutes=2)
_WORKED_ON = (Status.CHECKING, Status.WRITING)


class NotNow(Refusal):
    """The job is in another state than whoever presses the button has seen."""

    code = "import_moved_on"
    detail = gettext_lazy("This import has moved on meanwhile. Load the page again.")


class IntentsNeedDraft(Refusal):
    """A second pair of eyes is asked for, and an import has none."""

    code = "intents_need_draft"
    detail = gettext_lazy(
        "A second person has to agree to new intents: propose them as drafts, and import the"
        " utterances when they are published."
    )


def begin(
    data: bytes, *, name: str, file_format: str, makes_intents: bool, by: Any, now: datetime
) -> ImportJob:
    """Read a file and store its rows; small ones are checked at once, others by a worker.

    Args:
        makes_intents: Make the intents that the file names and we lack.
        by: The user.

    Raises:
        BadFile: It cannot be read; nothing is stored.
        IntentsNeedDraft: This person may not make intents without a second one.
    """
    if makes_intents and needs_draft(by):
        raise IntentsNeedDraft
    contents = READERS[file_format](data)
    with transaction.atomic():
        job = ImportJob.objects.create(
            name=name[:200],
            format=file_format,
            makes_intents=makes_intents,
            requested_by=by,
            created_at=now,
            rows_total=len(contents.sentences),
            passed_over=[f"{what}: {number}" for what, number in contents.passed_over.items()],
        )
        ImportRow.objects.bulk_create(
            (
                ImportRow(
                    job=job,
                    number=number,
                    place=each.place[:200],
                    intent=each.intent[:200],
                    text=each.text,
                    language=each.language[:20],
                    family=each.family[:200],
                    split=each.split[:20],
                )
                for number, each in enumerate(contents.sentences, start=1)
            ),
            batch_size=500,
        )
        if job.rows_total > HERE_MOST:
            transaction.on_commit(partial(_queue, job.pk))
    if job.rows_total <= HERE_MOST:
        work_on(job.pk)
    job.refresh_from_db()
    return job


def confirm(job_id: int, *, by: Any) -> None:
    """Have the rows that are new written; the wrong ones stay out.

    Raises:
        NotNow: The job is not checked, or somebody was quicker.
        IntentsNeedDraft: It makes intents, and this person may not without a second one.
    """
    if needs_draft(by) and ImportJob.objects.filter(pk=job_id, makes_intents=True).exists():
        raise IntentsNeedDraft
    moved = ImportJob.objects.filter(pk=job_id, status=Status.CHECKED).update(
        status=Status.WRITING, heartbeat_at=None
    )
    if not moved:
        raise NotNow
    job = ImportJob.objects.get(pk=job_id)
    if job.rows_total > HERE_MOST:
        transaction.on_commit(partial(_queue, job_id))
    else:
        work_on(job_id)


def cancel(job_id: int, *, now: datetime) -> None:
    """Stop a job; what it has written stays, and a second import of the file passes it over.

    Raises:
        NotNow: It has ended already.
    """
    ended = ImportJob.objects.filter(pk=job_id, status__in=(*_WORKED_ON, Status.CHECKED)).update(
        status=Status.CANCELLED, finished_at=now
    )
    if not ended:
        raise NotNow


def resume(*, now: datetime) -> None:
    """Queue the jobs whose process has died or whose task was lost."""
    left = ImportJob.objects.filter(status__in=_WORKED_ON).filter(
        Q(heartbeat_at__lt=now - SILENCE_MAX)
        | Q(heartbeat_at=None, created_at__lt=now - SILENCE_MAX)
    )
    for pk in left.values_list("pk", flat=True):
        _queue(pk)


def _queue(job_id: int) -> None:
    from intents.tasks import work_on_import  # tasks call this module

    try:
        work_on_import.apply_async(kwargs={"job_id": job_id}, retry=False)
    except work_on_import.OperationalError as away:
        logger.warning("Import %s is not queued yet: %s", job_id, away)


def work_on(job_id: int, encoder: Callable[[], FrozenEncoder] | None = None) -> None:
    """Check or write what is left of a job. Of two that come at once, one works.

    Args:
        encoder: Gives that with which sentences are compared; None for that of this process's
            engine.
    """
    now = timezone.now()
    free = Q(heartbeat_at=None) | Q(heartbeat_at__lt=now - SILENCE_MAX)
    claimed = ImportJob.objects.filter(free, pk=job_id, status__in=_WORKED_ON).update(
        heartbeat_at=now
    )
    if not claimed:
        return
    job = ImportJob.objects.get(pk=job_id)
    try:
        if job.status == Status.CHECKING:
            _check(job, encoder() if encoder else None)
        else:
            _write(job)
    except Exception as error:
        logger.exception("Import %s failed", job_id)
        ImportJob.objects.filter(pk=job_id, status__in=_WORKED_ON).update(
            status=Status.FAILED,
            finished_at=timezone.now(),
            problem=str(error) or repr(error),
        )


def _goes_on(job: ImportJob) -> bool:
    """Say that somebody works on it; whether nobody has cancelled it."""
    moved = ImportJob.objects.filter(pk=job.pk, status=job.status)
    return bool(moved.update(heartbeat_at=timezone.now()))


def _end(job: ImportJob, status: str, finished_at: datetime | None = None) -> None:
    ImportJob.objects.filter(pk=job.pk, status=job.status).update(
        status=status, heartbeat_at=None, finished_at=finished_at
    )


# --- Checking ----------------------------------------------------------------------------------


def _check(job: ImportJob, encoder: FrozenEncoder | None) -> None:
    names = job.rows.order_by("intent").values_list("intent", flat=True).distinct()
    codes = Codes.read(names, makes=job.makes_intents)
    rows = job.rows.order_by("number")
    # Of a check that was broken off: what the file itself has brought so far.
    seen = {
        services.key_of(text): code
        for text, code in rows.filter(outcome=Outcome.NEW).values_list("text", "code")
    }
    while _goes_on(job):
        chunk = list(rows.filter(outcome=Outcome.UNKNOWN)[:_ROWS_AT_ONCE])
        if not chunk:
            _end(job, Status.CHECKED)
            return
        _judge(chunk, codes, seen)
        fresh = [row for row in chunk if row.outcome == Outcome.NEW]
        found = conflicts.look_many([(row.text, row.code) for row in fresh], encoder=encoder)
        for row, hints in zip(fresh, found, strict=True):
            row.hints = [[hint.kind, hint.text, hint.intent] for hint in hints]
            row.has_hints = bool(hints)
        ImportRow.objects.bulk_update(
            chunk, ["outcome", "message", "code", "hints", "has_hints"], batch_size=100
        )


def _judge(chunk: Sequence[ImportRow], codes: Codes, seen: dict[str, str]) -> None:
    """Say of each row what would become of it. Two queries.

    Args:
        seen: Intent.code of each key that the file has brought; grows.
    """
    keys = [services.key_of(row.text) for row in chunk]
    taken = dict(Utterance.objects.filter(key__in=keys).values_list("key", "intent__code"))
    for row, key in zip(chunk, keys, strict=True):
        try:
            row.code = codes.of(row.intent)
            services.check_row(_cells(row))
        except ValidationError as error:
            row.outcome, row.message = Outcome.WRONG, " ".join(error.messages)
            continue
        holder = taken.get(key) or seen.get(key)
        if holder is None:
            row.outcome = Outcome.NEW
            seen[key] = row.code
        elif holder == row.code:
            row.outcome = Outcome.THERE
        else:
            row.outcome = Outcome.WRONG
            row.message = _("“%(intent)s” has this sentence. One sentence has one intent.") % {
                "intent": codes.shown(holder)
            }


def _cells(row: ImportRow) -> dict[str, str | None]:
    return {
        "intent": row.code,
        "text": row.text,
        "language": row.language,
        "family": row.family,
        "split": row.split,
    }


# --- Writing -----------------------------------------------------------------------------------


def _write(job: ImportJob) -> None:
    rows = job.rows.order_by("number")
    while _goes_on(job):
        with transaction.atomic():
            chunk = list(rows.filter(outcome=Outcome.NEW)[:_ROWS_AT_ONCE])
            if not chunk:
                _end(job, Status.DONE, timezone.now())
                return
            _make_intents(chunk)
            table = [_cells(row) for row in chunk]
            # What others have changed since the check: told, not written.
            report = services.import_utterances(table, dry_run=True)
            outcomes = {
                services.Outcome.ADDED: Outcome.ADDED,
                services.Outcome.THERE: Outcome.THERE,
                services.Outcome.WRONG: Outcome.WRONG,
            }
            for row, told in zip(chunk, report, strict=True):
                row.outcome, row.message = outcomes[told.outcome], told.message
            good = [
                cells
                for cells, told in zip(table, report, strict=True)
                if told.outcome == services.Outcome.ADDED
            ]
            services.import_utterances(good, by=job.requested_by, reason=job.name[:100])
            ImportRow.objects.bulk_update(chunk, ["outcome", "message"], batch_size=200)


def _make_intents(chunk: Sequence[ImportRow]) -> None:
    """Make the intents that rows name and that are not there; `Codes` has allowed it."""
    named = {row.code: row.intent for row in chunk}
    there = set(Intent.objects.filter(code__in=named).values_list("code", flat=True))
    for code, name in named.items():
        if code not in there:
            services.save_intent(Intent(code=code, name_zh=name[:40], name_en=name[:60]))

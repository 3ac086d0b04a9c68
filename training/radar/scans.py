"""A search for wrong labels through all utterances, and what it found."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from threadpoolctl import threadpool_limits

from csplatform.errors import Refusal
from intents.guard import normalize
from intents.inference import FrozenEncoder, loading
from intents.inference.backends import open_backend
from intents.inference.base import Floats
from intents.inference.catalogue import current_version
from intents.inference.vectors import Vectors
from intents.models import Utterance
from training.models import KeptLabel, RadarScan, Suspect
from training.radar import confident
from training.radar.decisions import label_of

logger = logging.getLogger(__name__)

Status = RadarScan.Status

SUSPECTS_MOST = 1000  # of one scan; nobody reads more before the next one
SCANS_KEPT = 3  # of the earlier ones, for those whose undo is still on the screen
_NEIGHBOURS_SHOWN = 3
# A scan is dead when it has said nothing for so long: a fold of 23,000 takes under a minute.
SILENCE_MAX = timedelta(minutes=10)


class AlreadySearching(Refusal):
    """Another search waits or runs."""

    code = "already_searching"
    detail = gettext_lazy("A search waits or runs already.")


@dataclass(frozen=True, slots=True)
class _Labelled:
    """An utterance of the search."""

    pk: int
    code: str
    text: str
    readable: str
    key: str
    language: str
    family: str


def request_scan(*, requested_by: Any = None, now: datetime, queue: bool = True) -> RadarScan:
    """Store a search and have a worker run it after the commit.

    Args:
        requested_by: A user, or None for the platform itself.
        queue: False for a caller that calls `run_scan` itself.

    Raises:
        AlreadySearching: One at a time.
    """
    give_up_silent(now=now)
    try:
        with transaction.atomic():
            scan = RadarScan.objects.create(slot=1, requested_by=requested_by, requested_at=now)
            if queue:
                transaction.on_commit(partial(_queue, scan.pk))
    except IntegrityError:
        raise AlreadySearching from None
    return scan


def _queue(scan_id: int) -> None:
    from training.tasks import scan_labels  # tasks call this module

    try:
        scan_labels.apply_async(kwargs={"scan_id": scan_id}, retry=False)
    except scan_labels.OperationalError as away:
        logger.warning("Search %s is not queued: %s", scan_id, away)
        _end(scan_id, Status.FAILED, now=timezone.now(), problem=_("No worker could be told."))


def give_up_silent(*, now: datetime) -> None:
    """Fail a search whose process has died, so that another one can begin."""
    silent = RadarScan.objects.filter(slot=1, requested_at__lt=now - SILENCE_MAX).exclude(
        heartbeat_at__gte=now - SILENCE_MAX
    )
    silent.update(
        slot=None, status=Status.FAILED, finished_at=now, problem=_("The search was broken off.")
    )


def request_if_moved(*, now: datetime) -> RadarScan | None:
    """Search again if utterances have changed since the last search."""
    last = latest()
    if last is not None and last.content_version == current_version():
        return None
    try:
        return request_scan(now=now)
    except AlreadySearching:
        return None


def latest() -> RadarScan | None:
    """Return the last search that was finished, None before the first."""
    return RadarScan.objects.filter(status=Status.DONE).order_by("-finished_at", "-pk").first()


def current() -> RadarScan | None:
    """Return the search that waits or runs, None when none does."""
    return RadarScan.objects.filter(slot=1).first()


def run_scan(*, scan_id: int, encoder: FrozenEncoder | None = None) -> None:
    """Search, and store what was found. A second delivery finds nothing to do.

    Args:
        encoder: None for that of this installation.
    """
    claimed = RadarScan.objects.filter(pk=scan_id, status=Status.QUEUED).update(
        status=Status.RUNNING, heartbeat_at=timezone.now()
    )
    if not claimed:
        logger.info("Search %s does not wait: another worker has it, or it is done", scan_id)
        return
    try:
        _search(scan_id, encoder)
    except Exception as error:
        logger.exception("Search %s failed", scan_id)
        _end(scan_id, Status.FAILED, now=timezone.now(), problem=str(error) or repr(error))


def _search(scan_id: int, encoder: FrozenEncoder | None) -> None:
    version = current_version()
    rows, left_out = _read()
    codes = sorted({row.code for row in rows})
    if len(codes) < 2:
        found: list[Suspect] = []
    else:
        vectors = _vectors(rows, encoder or loading.frozen_encoder(open_backend), scan_id)
        found = _suspects(scan_id, rows, codes, vectors)
    with transaction.atomic():
        Suspect.objects.bulk_create(found, batch_size=200)
        _end(
            scan_id,
            Status.DONE,
            now=timezone.now(),
            content_version=version,
            utterances=len(rows),
            left_out=left_out,
        )
        old = RadarScan.objects.filter(slot=None).order_by("-pk").values_list("pk", flat=True)
        RadarScan.objects.filter(pk__in=list(old[SCANS_KEPT:])).delete()


def _end(scan_id: int, status: str, *, now: datetime, **columns: Any) -> None:
    RadarScan.objects.filter(pk=scan_id, slot=1).update(
        status=status, slot=None, finished_at=now, **columns
    )


def _beat(scan_id: int, _share: float = 0.0) -> None:
    RadarScan.objects.filter(pk=scan_id).update(heartbeat_at=timezone.now())


def _read() -> tuple[list[_Labelled], int]:
    """Return the utterances of intents with enough of them, and how many others there are."""
    rows = [
        _Labelled(pk, code, text, normalize.for_model(text), key, language, family)
        for pk, code, text, key, language, family in Utterance.objects.order_by("pk").values_list(
            "pk", "intent__code", "text", "key", "language", "family"
        )
    ]
    counts = Counter(row.code for row in rows)
    enough = [row for row in rows if counts[row.code] >= confident.LEAST]
    return enough, len(rows) - len(enough)


def _vectors(rows: Sequence[_Labelled], encoder: FrozenEncoder, scan_id: int) -> Floats:
    vectors = Vectors(encoder)
    texts = [row.readable for row in rows]
    missing = vectors.load(texts)
    for start in range(0, len(missing), 512):
        vectors.embed(missing[start : start + 512], most=512)
        _beat(scan_id)
    return vectors.of(texts)


def _suspects(
    scan_id: int, rows: Sequence[_Labelled], codes: Sequence[str], vectors: Floats
) -> list[Suspect]:
    columns = {code: column for column, code in enumerate(codes)}
    targets = np.array([columns[row.code] for row in rows], np.int64)
    with threadpool_limits(settings.TRAINING_THREADS or 1):
        judged = confident.judge(
            [row.readable for row in rows],
            vectors,
            targets,
            [row.family for row in rows],
            progress=partial(_beat, scan_id),
        )
    kept = set(KeptLabel.objects.values_list("label", flat=True))
    chosen = [
        int(at)
        for at in judged.order()
        if judged.believed[at] != targets[at] and label_of(rows[at].key, rows[at].code) not in kept
    ][:SUSPECTS_MOST]
    centred = vectors - vectors.mean(axis=0)
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)

    def nearest(at: int, column: int) -> list[list[Any]]:
        others = np.flatnonzero(targets == column)
        others = others[others != at]
        alike = centred[others] @ centred[at]
        order = np.argsort(-alike, kind="stable")[:_NEIGHBOURS_SHOWN]
        return [[rows[others[each]].text, round(float(alike[each]), 3)] for each in order]

    return [
        Suspect(
            scan_id=scan_id,
            rank=rank,
            utterance=rows[at].pk,
            text=rows[at].text,
            language=rows[at].language,
            labelled=rows[at].code,
            believed=codes[judged.believed[at]],
            own_probability=float(judged.own[at]),
            believed_probability=float(judged.believed_probability[at]),
            neighbours=nearest(at, int(targets[at])),
            nearest_there=nearest(at, int(judged.believed[at])),
        )
        for rank, at in enumerate(chosen, start=1)
    ]

"""Which model answers customers. The row says it; the pointer file follows the row."""

import fcntl
import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from csplatform.errors import Refusal
from intents.inference import artifacts
from intents.trials import Contender
from training import code
from training.evaluate import Measures, Scored
from training.gate import overriding
from training.models import (
    Activation,
    ActiveModel,
    Comparison,
    Evaluation,
    EvaluationScores,
    ModelVersion,
)

logger = logging.getLogger(__name__)

ACTIVE = 1  # the primary key of the one ActiveModel row
_ROLL_BACKS_KEPT = 2


class ModelBroken(Refusal):
    """The version's directory is missing or is not what training wrote."""

    code = "model_broken"


class Archived(Refusal):
    """The version's files were removed to make room."""

    code = "archived"
    detail = _("The files of this version were removed to make room. Train it again.")


class NothingToRollBackTo(Refusal):
    """No older version has answered customers before."""

    code = "nothing_to_roll_back_to"
    detail = _("No older version has answered before.")


def active() -> ModelVersion | None:
    """Return the version that answers customers, None before the first one."""
    row = ActiveModel.objects.select_related("version").filter(pk=ACTIVE).first()
    return row.version if row else None


def activate(*, version_id: int, now: datetime, by: Any = None) -> None:
    """Let this version answer customers, here and in every process that follows the pointer.

    Activating the active version again changes nothing. Hashes the directory first
    (45 MB take about 0.1 s), so call it outside a transaction.

    Args:
        by: The user who asked for it; None for the gate.

    Raises:
        RefusedByGate: The gate refused it, and nobody has overridden that.
        Archived: Its files are gone. The active version is untouched.
        ModelBroken: Its directory is missing or damaged. The active version is untouched.
    """
    version = ModelVersion.objects.get(pk=version_id)
    if version.archived_at is not None:
        raise Archived
    overriding.require_passed(version.pk)
    _verify(version)
    with transaction.atomic():
        row, _created = ActiveModel.objects.select_for_update().get_or_create(
            pk=ACTIVE, defaults={"since": now}
        )
        # Again under the lock, which archive_old takes too.
        if not ModelVersion.objects.filter(pk=version.pk, archived_at__isnull=True).exists():
            raise Archived
        # Also for the version that is active already: its pointer may have been lost. `robust`:
        # the row is saved by then, and recover() tries again.
        transaction.on_commit(sync_pointer, robust=True)
        if row.version_id == version.pk:
            return
        row.version, row.since = version, now
        row.save()
        Activation.objects.create(version=version, at=now, by=by)


def register(
    *,
    name: str,
    run_id: int | None,
    encoder: str,
    labels: Sequence[str],
    utterances: int,
    mode: str,
    fingerprint: str,
    size: int,
    fp32: Measures,
    int8: Measures,
    scored: Sequence[Scored],
    now: datetime,
) -> ModelVersion:
    """Record a model whose directory is in place; it answers nobody yet.

    Args:
        utterances: How many it learned from.
        fingerprint: Of what it was made of, as its manifest says.
        size: Of its directory, in bytes.
        scored: What it says of each evaluation text.
    """
    measured = {Evaluation.Precision.FP32: fp32, Evaluation.Precision.INT8: int8}
    with transaction.atomic():
        version = ModelVersion.objects.create(
            name=name,
            run_id=run_id,
            encoder=encoder,
            labels=list(labels),
            utterances=utterances,
            mode=mode,
            fingerprint=fingerprint,
            code=code.version(),
            size=size,
            created_at=now,
        )
        Evaluation.objects.bulk_create(
            Evaluation(version=version, precision=precision, **measures.as_dict())
            for precision, measures in measured.items()
        )
        EvaluationScores.objects.create(
            version=version,
            rows=[[text.truth, text.ranked, text.out_of_scope] for text in scored],
        )
    return version


def roll_back(*, now: datetime, by: Any = None) -> ModelVersion:
    """Go back to the newest version older than the active one that has answered before.

    Returns:
        The version that answers from now on. Calling it again goes back further.

    Raises:
        NothingToRollBackTo: There is none.
        ModelBroken: Its directory is missing or damaged.
    """
    earlier = before_active()
    if earlier is None:
        raise NothingToRollBackTo
    activate(version_id=earlier.pk, now=now, by=by)
    return earlier


def before_active() -> ModelVersion | None:
    """Return the version that `roll_back` goes back to, None where there is nothing."""
    current = active()
    if current is None:
        return None
    activations = Activation.objects.filter(
        version__lt=current.pk, version__archived_at__isnull=True
    ).select_related("version")
    earlier = activations.order_by("-version").first()
    return earlier.version if earlier else None


def _compared() -> set[int]:
    """Return the versions that comparisons wait for or read with."""
    going_on = Comparison.objects.filter(
        status__in=[Comparison.Status.QUEUED, Comparison.Status.RUNNING]
    )
    keys = {key for pair in going_on.values_list("before", "after") for key in pair}
    names = {Contender.from_key(key).version for key in keys}
    return set(ModelVersion.objects.filter(name__in=names).values_list("pk", flat=True))


def archive_old(*, now: datetime) -> list[ModelVersion]:
    """Remove the files of old versions; their rows stay, with all figures.

    Kept are the newest MODELS_KEPT, the one that answers, the two that rolling back would reach
    next, and those that a comparison has yet to read.

    Returns:
        Those that were archived now.
    """
    there = ModelVersion.objects.filter(archived_at__isnull=True).order_by("-pk")
    newest = set(there.values_list("pk", flat=True)[: settings.MODELS_KEPT])
    if len(newest) < settings.MODELS_KEPT or not there.exclude(pk__in=newest).exists():
        return []
    with transaction.atomic():
        row, _created = ActiveModel.objects.select_for_update().get_or_create(
            pk=ACTIVE, defaults={"since": now}
        )
        kept = newest | _compared()
        if row.version_id is not None:
            kept.add(row.version_id)
            earlier = there.filter(pk__lt=row.version_id, activations__isnull=False)
            kept.update(earlier.values_list("pk", flat=True).distinct()[:_ROLL_BACKS_KEPT])
        archived = list(there.exclude(pk__in=kept).order_by("pk"))
        ModelVersion.objects.filter(pk__in=[one.pk for one in archived]).update(archived_at=now)
    for version in archived:
        shutil.rmtree(settings.MODEL_DIR / version.name, ignore_errors=True)
        logger.info("The files of %s were removed: there are newer models", version)
    return archived


def sync_pointer() -> None:
    """Point to the version that the row names; heals a crash between the two.

    Call it when a process starts to serve. One at a time per machine, so that of two
    activations the later row also ends up in the pointer. A version whose directory is
    damaged is not pointed to: whatever answers now goes on.
    """
    with _one_at_a_time():
        version = active()
        name = version.name if version else None
        if artifacts.active_version() == name:
            return
        try:
            if version:
                _verify(version)
        except ModelBroken as broken:
            logger.error("The active version cannot be served: %s", broken)
            return
        artifacts.point_to(name)
        logger.info("%s answers from now on", name or "No model")


def _verify(version: ModelVersion) -> None:
    try:
        artifacts.verify(settings.MODEL_DIR / version.name)
    except (artifacts.BrokenArtifact, OSError) as error:
        raise ModelBroken(
            _("{version} cannot be used: {reason}").format(version=version.name, reason=error)
        ) from error


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Hold a lock on this machine's pointer; the kernel frees it when the process dies."""
    settings.MODEL_DIR.mkdir(parents=True, exist_ok=True)
    with (settings.MODEL_DIR / ".pointer.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def known_labels() -> set[str]:
    """Return the codes of all intents that any version knows: none of them may be deleted."""
    return {
        code for labels in ModelVersion.objects.values_list("labels", flat=True) for code in labels
    }

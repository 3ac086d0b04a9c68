"""Trainings that nobody asks for: every night, or when enough has changed."""

import hashlib
import logging
from datetime import datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from csplatform.errors import Refusal
from intents import encoder
from intents.inference import artifacts
from intents.models import ContentVersion
from training import registry, services, snapshots, utterances
from training.models import ModelVersion, RetrainingPlan, TrainingRun
from training.snapshots import Changes

logger = logging.getLogger(__name__)

_THE_ONE = 1  # the primary key of the one RetrainingPlan row
_Cause = TrainingRun.Cause
# A night that was missed by more, because the platform stood still, is left out: not at noon.
_LATE_MOST = timedelta(hours=3)


def plan() -> RetrainingPlan:
    """Return the plan; a new installation's begins nothing by itself."""
    row, _created = RetrainingPlan.objects.get_or_create(pk=_THE_ONE)
    return row


def change_plan(*, by: Any, now: datetime, **fields: Any) -> RetrainingPlan:
    """Change when trainings begin by themselves; the first night is the next one.

    Args:
        fields: nightly_at, after_changes, mode.

    Raises:
        ValidationError: A field is out of its range.
    """
    row = plan()
    for name, value in fields.items():
        setattr(row, name, value)
    row.changed_by = by
    row.full_clean()
    # What was counted or tried under the former plan is looked at again.
    row.counted_content, row.tried = None, ""
    row.last_night = _due(row.nightly_at, now).date() if row.nightly_at else None
    row.save(
        update_fields=[*fields, "changed_by", "counted_content", "tried", "last_night"],
    )
    return row


def changes_since_active() -> Changes | None:
    """Count what differs from what the model in service was made of; None without a model."""
    active = registry.active()
    if active is None:
        return None
    return _changes(active, snapshots.training_pairs(utterances.read_rows()))


def look(*, now: datetime) -> TrainingRun | None:
    """Begin a training if one is due. Called every minute; safe to call from several processes.

    Returns:
        The run that was queued, None where nothing was due.
    """
    row = plan()
    if TrainingRun.objects.filter(slot=1).exists():
        return None  # looked at again when it is done
    if _claim_night(row, now):
        return _begin(row, _Cause.SCHEDULE, now)
    if row.after_changes and _claim_content(row):
        return _begin(row, _Cause.CHANGES, now)
    return None


def _claim_night(row: RetrainingPlan, now: datetime) -> bool:
    """Whether the nightly time has come, and this process is the one to see to it."""
    if row.nightly_at is None:
        return False
    due = _due(row.nightly_at, now)
    if now - due > _LATE_MOST:
        return False
    first_today = Q(last_night__isnull=True) | Q(last_night__lt=due.date())
    claimed = RetrainingPlan.objects.filter(first_today, pk=row.pk).update(last_night=due.date())
    return bool(claimed)


def _due(at: time, now: datetime) -> datetime:
    """Return when the nightly time came last, on the shop's clock."""
    local = timezone.localtime(now)
    due = local.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    return due if due <= local else due - timedelta(days=1)


def _claim_content(row: RetrainingPlan) -> bool:
    """Whether content has moved since it was last counted, and this process is to count."""
    moved_to = ContentVersion.objects.order_by("pk").values_list("understanding", flat=True).first()
    if moved_to is None:
        return False
    not_counted = Q(counted_content__isnull=True) | Q(counted_content__lt=moved_to)
    claimed = RetrainingPlan.objects.filter(not_counted, pk=row.pk).update(counted_content=moved_to)
    return bool(claimed)


def _begin(row: RetrainingPlan, cause: _Cause, now: datetime) -> TrainingRun | None:
    today = snapshots.training_pairs(utterances.read_rows())
    active = registry.active()
    lost = active if active is not None and not _can_be_served(active) else None
    attempt = _attempt(today, lost)
    if reason := _reason_against(row, cause, today, active, lost, attempt):
        _note(row, reason, now)
        return None
    try:
        run = services.request_run(now=now, cause=cause, mode=row.mode)
    except services.AlreadyRunning:
        return None
    except Refusal as refusal:
        if isinstance(refusal, services.NotEnoughUtterances):
            _tried(row, attempt)  # memory, disk and encoder may be there tomorrow
        _note(row, str(refusal), now)
        return None
    _tried(row, attempt)
    _note(row, _("Training #{number} was queued.").format(number=run.pk), now)
    return run


def _can_be_served(active: ModelVersion) -> bool:
    """Whether the processes that answer can load the model; looks at each of its files.

    They cannot after a release with another format, with another INTENT_ENCODER, or where its
    files were damaged: the same sentences then make one that they can.
    """
    try:
        manifest = artifacts.verify(settings.MODEL_DIR / active.name)
    except (artifacts.BrokenArtifact, OSError):
        return False
    try:
        return manifest.encoder == encoder.identity()
    except encoder.EncoderUnavailable:
        return True  # no training mends that


def _attempt(today: dict[str, str], lost: ModelVersion | None) -> str:
    """Name what a training would do: learn these sentences, perhaps in place of a lost model."""
    fingerprint = snapshots.fingerprint(today)
    if lost is None:
        return fingerprint
    return hashlib.sha256(f"{fingerprint} for {lost.name}".encode()).hexdigest()


def _reason_against(
    row: RetrainingPlan,
    cause: _Cause,
    today: dict[str, str],
    active: ModelVersion | None,
    lost: ModelVersion | None,
    attempt: str,
) -> str:
    """Say why a training would be in vain, "" where it would not.

    Args:
        lost: The active model, where it cannot be served: it is replaced whatever has changed.
    """
    if lost is not None and cause == _Cause.SCHEDULE:
        return ""  # each night until there is one
    changes = _changes(active, today) if active and lost is None else None
    if changes is not None and changes.total == 0:
        return _("Nothing has changed since {version}.").format(version=active)
    if attempt == row.tried:
        # It was refused, or failed: the same sentences would make the same model again.
        return _("Nothing has changed since the last attempt.")
    least = row.after_changes or 0
    if cause == _Cause.CHANGES and changes is not None and changes.total < least:
        return _("{changes} of {least} utterances have changed.").format(
            changes=changes.total, least=least
        )
    return ""


def _changes(active: ModelVersion, today: dict[str, str]) -> Changes:
    try:
        before = snapshots.training_pairs(snapshots.rows_of(active))
    except snapshots.NoSnapshot:
        before = _seen_before(active, today)
    return snapshots.compare(before, today)


def _seen_before(active: ModelVersion, today: dict[str, str]) -> dict[str, str]:
    """Return what a model of an older release, which kept no snapshot, has seen of today's."""
    try:
        seen = artifacts.load_manifest(settings.MODEL_DIR / active.name).seen
    except artifacts.BrokenArtifact:
        return {}
    return {key: code for key, code in today.items() if artifacts.key_hash(key) in seen}


def _tried(row: RetrainingPlan, fingerprint: str) -> None:
    RetrainingPlan.objects.filter(pk=row.pk).update(tried=fingerprint)


def _note(row: RetrainingPlan, outcome: str, now: datetime) -> None:
    RetrainingPlan.objects.filter(pk=row.pk).update(outcome=outcome, outcome_at=now)
    logger.info("Retraining: %s", outcome)

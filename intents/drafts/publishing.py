"""Publishing: all edits of a draft at once, by hand or by the clock, once however often it is asked."""

import logging
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from csplatform.errors import Refusal
from intents.drafts.applying import apply, lock_intents, reason_of
from intents.drafts.comparing import Conflict, compare
from intents.drafts.refusals import (
    Conflicting,
    NeedsApproval,
    NothingProposed,
    NotValid,
    WrongStatus,
)
from intents.drafts.workflow import step, writers_of
from intents.models import Draft, DraftEdit

logger = logging.getLogger(__name__)

Status = Draft.Status
_FROM = (Status.OPEN, Status.APPROVED, Status.SCHEDULED)


class _Rehearsed(Exception):
    """Ends the transaction of a rehearsal."""


def rehearse(draft: Draft) -> dict[int, list[str]]:
    """Return what services would refuse if the draft were published now, by DraftEdit.pk.

    Everything is really written, and rolled back. Conflicts are not looked for.
    """
    edits = list(draft.edits.order_by("pk"))
    problems: dict[int, list[str]] = {}
    try:
        with transaction.atomic():
            problems = apply(edits, lock_intents(edits), by=None, reason="")
            raise _Rehearsed
    except _Rehearsed:
        return problems


def may_publish(draft: Draft, user: Any) -> bool:
    """Whether this person may publish the draft, once it is approved where that is asked for."""
    return bool(user.has_perm("intents.publish_draft"))


def is_approved(draft: Draft) -> bool:
    """Whether as many have read the draft as settings.CONTENT_FOUR_EYES asks for."""
    if not settings.CONTENT_FOUR_EYES:
        return True
    return draft.reviewer_id is not None and draft.reviewer_id not in writers_of(draft)


def publish(
    draft_id: int,
    *,
    by: Any,
    now: datetime,
    expires_at: datetime | None = None,
    seen: datetime | None = None,
) -> Draft:
    """Write all edits of a draft, in one transaction; live in every process within seconds.

    Args:
        expires_at: When it is to be taken back; None for never.
        seen: `Draft.changed_at` of what the person has read; None for whatever is there.

    Returns:
        The published draft; as it is, if somebody else was faster.

    Raises:
        MayNot: This person may not publish.
        NeedsApproval: Four eyes are asked for, and it has not been approved.
        WrongStatus: It is in review, rejected, withdrawn or taken back.
        ChangedMeanwhile: It does not say any more what was read.
        ValidationError: It would expire at once.
        NothingProposed, Conflicting, NotValid: Nothing was published.
    """
    _check_times(now, expires_at)
    try:
        return _publish(draft_id, by=by, now=now, expires_at=expires_at, seen=seen)
    except WrongStatus:
        draft = Draft.objects.get(pk=draft_id)
        if draft.status == Status.PUBLISHED and may_publish(draft, by):
            return draft
        raise


@transaction.atomic
def _publish(
    draft_id: int, *, by: Any, now: datetime, expires_at: datetime | None, seen: datetime | None
) -> Draft:
    # This UPDATE is the claim: a second publisher waits here, and then finds another status.
    published = {"status": Status.PUBLISHED, "published_at": now, "expires_at": expires_at}
    published |= {"publisher": by, "publish_at": None, "problem": "", "changed_at": now}
    draft = step(draft_id, _FROM, may_publish, by=by, seen=seen, **published)
    _write(draft, by=by)
    return draft


def _write(draft: Draft, *, by: Any) -> None:
    if not is_approved(draft):
        raise NeedsApproval
    edits = list(draft.edits.order_by("pk"))
    if not edits:
        raise NothingProposed
    intents = lock_intents(edits)
    if any(each.conflict != Conflict.NONE for each in compare(edits, lock=True)):
        raise Conflicting
    if problems := apply(edits, intents, by=by, reason=reason_of(draft)):
        raise NotValid(problems)
    DraftEdit.objects.bulk_update(edits, ["target", "published"], batch_size=200)


@transaction.atomic
def schedule(
    draft_id: int,
    *,
    publish_at: datetime,
    expires_at: datetime | None,
    by: Any,
    now: datetime,
    seen: datetime | None = None,
) -> Draft:
    """Have a draft published at a time, and taken back at another.

    Args:
        seen: As in `publish`.

    Raises:
        ValidationError: The times are past, or in the wrong order; for a form, by field.
        MayNot, NeedsApproval, WrongStatus, ChangedMeanwhile, NothingProposed: As `publish`.
        NotValid: It could not be published even now.
    """
    if publish_at <= now:
        raise ValidationError({"publish_at": _("This time is past.")})
    _check_times(publish_at, expires_at)
    scheduled = {"status": Status.SCHEDULED, "publisher": by, "publish_at": publish_at}
    scheduled |= {"expires_at": expires_at, "problem": "", "changed_at": now}
    draft = step(draft_id, _FROM, may_publish, by=by, seen=seen, **scheduled)
    if not is_approved(draft):
        raise NeedsApproval
    if not draft.edits.exists():
        raise NothingProposed
    if problems := rehearse(draft):
        raise NotValid(problems)
    return draft


def _check_times(publish_at: datetime, expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= publish_at:
        message = _("It would be taken back before it is published.")
        raise ValidationError({"expires_at": message})


def publish_due(*, now: datetime) -> list[int]:
    """Publish the drafts whose time has come; what cannot be is given back to people.

    Returns:
        Primary keys of those that were published.
    """
    due = Draft.objects.filter(status=Status.SCHEDULED, publish_at__lte=now)
    done = []
    for draft_id in due.order_by("publish_at", "pk").values_list("pk", flat=True):
        try:
            if _publish_scheduled(draft_id, now=now):
                done.append(draft_id)
        except (Refusal, ValidationError) as error:
            messages = error.messages if isinstance(error, ValidationError) else [str(error)]
            _give_back(draft_id, " ".join(messages), now=now)
        except Exception:
            # One draft that fails must not keep the others from their time; it is tried again.
            logger.exception("Draft %d could not be published", draft_id)
    return done


@transaction.atomic
def _publish_scheduled(draft_id: int, *, now: datetime) -> bool:
    """Publish one draft in the name of who scheduled it; False if somebody else was faster."""
    claimed = Draft.objects.filter(pk=draft_id, status=Status.SCHEDULED, publish_at__lte=now)
    if not claimed.update(status=Status.PUBLISHED, published_at=now, problem="", changed_at=now):
        return False
    draft = Draft.objects.select_related("publisher").get(pk=draft_id)
    _check_times(now, draft.expires_at)
    _write(draft, by=draft.publisher)
    return True


def _give_back(draft_id: int, problem: str, *, now: datetime) -> None:
    scheduled = Draft.objects.filter(pk=draft_id, status=Status.SCHEDULED)
    given_back = {"publish_at": None, "problem": problem, "changed_at": now}
    if not scheduled.filter(reviewer__isnull=False).update(status=Status.APPROVED, **given_back):
        scheduled.update(status=Status.OPEN, **given_back)

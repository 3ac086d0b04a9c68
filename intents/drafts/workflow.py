"""From the first edit to the approval: who may do what with a draft, and in which order.

Each step is one conditional UPDATE of the status, so that of two people one is told.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from intents.drafts.overlay import WAITING
from intents.drafts.refusals import ChangedMeanwhile, MayNot, NothingProposed, WrongStatus
from intents.models import Draft, DraftEdit

Status = Draft.Status


def needs_draft(user: Any) -> bool:
    """Whether what this person saves of intents and replies has to go through a draft."""
    return bool(settings.CONTENT_FOUR_EYES and not user.has_perm("intents.publish_directly"))


def may_write(draft: Draft, user: Any) -> bool:
    """Whether this person may change, submit, take back and withdraw the draft."""
    if not user.has_perm("intents.change_draft"):
        return False
    return bool(draft.author_id == user.pk or user.has_perm("intents.publish_directly"))


def may_review(draft: Draft, user: Any) -> bool:
    """Whether this person may approve or reject the draft; with four eyes no writer of it."""
    if not user.has_perm("intents.review_draft"):
        return False
    return not settings.CONTENT_FOUR_EYES or user.pk not in writers_of(draft)


def writers_of(draft: Draft) -> set[int]:
    """Return the users who began the draft or wrote an edit in it."""
    editors = draft.edits.filter(editor__isnull=False).values_list("editor_id", flat=True)
    return {*editors.distinct(), *([draft.author_id] if draft.author_id else [])}


def begin(title: str, *, by: Any, now: datetime) -> Draft:
    """Begin an empty draft.

    Raises:
        MayNot: This person writes no drafts.
        ValidationError: The title is empty or longer than 80 characters.
    """
    if not by.has_perm("intents.add_draft"):
        raise MayNot
    draft = Draft(title=title.strip(), author=by, created_at=now, changed_at=now)
    draft.full_clean()
    draft.save()
    return draft


def rename(draft_id: int, title: str, *, by: Any, now: datetime) -> Draft:
    """Give an open draft another title. Raises ValidationError, WrongStatus, MayNot."""
    with changing(draft_id, by=by, now=now) as draft:
        draft.title = title.strip()
        draft.full_clean()
        draft.save(update_fields=["title"])
    return draft


def open_drafts_of(user: Any) -> QuerySet[Draft]:
    """Return the drafts that this person is writing, the latest first."""
    return Draft.objects.filter(status=Status.OPEN, author=user).order_by("-changed_at", "-pk")


def waiting_for(
    *, intent: str = "", kind: str = "", targets: Iterable[int] = ()
) -> QuerySet[Draft]:
    """Return the drafts that would change something, with their authors, the oldest first.

    Args:
        intent: Intent.code: it, its replies, its utterances.
        kind: DraftEdit.Kind of `targets`, which are primary keys.
    """
    edits = DraftEdit.objects.filter(
        Q(intent=intent) if intent else Q(kind=kind, target__in=targets)
    )
    waiting = Draft.objects.filter(status__in=WAITING, pk__in=edits.values("draft"))
    return waiting.select_related("author").order_by("pk")


@contextmanager
def changing(draft_id: int, *, by: Any, now: datetime) -> Iterator[Draft]:
    """Run a transaction in which an open draft is changed.

    The UPDATE that begins it holds the draft's row: nobody submits or publishes it meanwhile.

    Raises:
        WrongStatus: The draft is not open.
        MayNot: It is somebody else's.
    """
    with transaction.atomic():
        yield step(draft_id, (Status.OPEN,), may_write, by=by, changed_at=now)


@transaction.atomic
def step(
    draft_id: int,
    begins: Collection[str],
    allowed: Callable[[Draft, Any], bool],
    *,
    by: Any,
    seen: datetime | None = None,
    **changes: Any,
) -> Draft:
    """Change a draft that is in one of these states; of two who do so at once, one is refused.

    Args:
        seen: `Draft.changed_at` of what the person has read; None for whatever is there.

    Raises:
        WrongStatus: It is in another one.
        ChangedMeanwhile: It does not say any more what was read.
        MayNot: `allowed` says no; nothing is changed.
    """
    drafts = Draft.objects.filter(pk=draft_id, status__in=begins)
    if seen is not None:
        drafts = drafts.filter(changed_at=seen)
    moved = drafts.update(**changes)
    draft = Draft.objects.select_related("author").get(pk=draft_id)
    if not moved:
        if draft.status in begins:
            raise ChangedMeanwhile
        raise WrongStatus(draft.get_status_display())
    if not allowed(draft, by):
        raise MayNot
    return draft


@transaction.atomic
def submit(draft_id: int, *, by: Any, now: datetime) -> Draft:
    """Ask a second person to read the draft; until he has, it does not change.

    Raises:
        NothingProposed: It has no edits.
        WrongStatus, MayNot: See `step`.
    """
    submitted: dict[str, Any] = {"status": Status.IN_REVIEW, "submitted_at": now, "changed_at": now}
    draft = step(draft_id, (Status.OPEN,), may_write, by=by, **submitted, comment="")
    if not draft.edits.exists():
        raise NothingProposed
    return draft


def approve(
    draft_id: int, *, by: Any, comment: str, now: datetime, seen: datetime | None = None
) -> Draft:
    """Say that the draft may be published. Raises WrongStatus, ChangedMeanwhile, MayNot.

    Args:
        seen: See `step`: its author may have written on and submitted again since it was read.
    """
    return _review(draft_id, Status.APPROVED, by=by, comment=comment, now=now, seen=seen)


def reject(
    draft_id: int, *, by: Any, comment: str, now: datetime, seen: datetime | None = None
) -> Draft:
    """Send the draft back to its author, who reads the comment. Arguments, errors: `approve`."""
    return _review(draft_id, Status.REJECTED, by=by, comment=comment, now=now, seen=seen)


def _review(
    draft_id: int, verdict: str, *, by: Any, comment: str, now: datetime, seen: datetime | None
) -> Draft:
    return step(
        draft_id,
        (Status.IN_REVIEW,),
        may_review,
        by=by,
        seen=seen,
        status=verdict,
        reviewer=by,
        comment=comment.strip(),
        reviewed_at=now,
        changed_at=now,
    )


def reopen(draft_id: int, *, by: Any, now: datetime) -> Draft:
    """Write on; an approval or an appointed time is void. Raises WrongStatus, MayNot."""
    return step(
        draft_id,
        (Status.IN_REVIEW, Status.APPROVED, Status.SCHEDULED, Status.REJECTED),
        may_write,
        by=by,
        status=Status.OPEN,
        reviewer=None,
        reviewed_at=None,
        publisher=None,
        publish_at=None,
        problem="",
        changed_at=now,
    )


def withdraw(draft_id: int, *, by: Any, now: datetime) -> Draft:
    """Give the draft up; it stays in the list. Raises WrongStatus, MayNot."""
    withdrawn: dict[str, Any] = {"status": Status.WITHDRAWN, "publish_at": None, "changed_at": now}
    return step(draft_id, WAITING, may_write, by=by, **withdrawn)

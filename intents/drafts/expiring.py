"""Taking back what a draft published: what was before, unless somebody changed it since."""

import logging
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from csplatform.errors import Refusal
from intents import services
from intents.drafts.applying import lock_intents, sign
from intents.drafts.publishing import may_publish
from intents.drafts.rows import SORTS, Kind, Values, values_of, write
from intents.drafts.workflow import step
from intents.models import Draft, DraftEdit, Intent

logger = logging.getLogger(__name__)

Status = Draft.Status


@transaction.atomic
def take_back(draft_id: int, *, by: Any, now: datetime) -> Draft:
    """Undo a published draft, as far as nobody has changed since what it wrote.

    What was left alone says why in `DraftEdit.outcome`.

    Raises:
        WrongStatus: It is not published, or was taken back already.
        MayNot: This person may not publish.
    """
    taken_back: dict[str, Any] = {
        "status": Status.TAKEN_BACK,
        "taken_back_at": now,
        "changed_at": now,
    }
    draft = step(draft_id, (Status.PUBLISHED,), may_publish, by=by, **taken_back)
    _undo(draft, by=by)
    return draft


def take_back_due(*, now: datetime) -> list[int]:
    """Take back the drafts whose time is over; returns the primary keys of those that were."""
    due = Draft.objects.filter(status=Status.PUBLISHED, expires_at__lte=now)
    done = []
    for draft_id in due.order_by("expires_at", "pk").values_list("pk", flat=True):
        try:
            if _take_back_expired(draft_id, now=now):
                done.append(draft_id)
        except Exception:
            # One draft that fails must not keep the others from their time; it is tried again.
            logger.exception("Draft %d could not be taken back", draft_id)
    return done


@transaction.atomic
def _take_back_expired(draft_id: int, *, now: datetime) -> bool:
    claimed = Draft.objects.filter(pk=draft_id, status=Status.PUBLISHED, expires_at__lte=now)
    if not claimed.update(status=Status.TAKEN_BACK, taken_back_at=now, changed_at=now):
        return False
    draft = Draft.objects.select_related("publisher").get(pk=draft_id)
    _undo(draft, by=draft.publisher)
    return True


def _undo(draft: Draft, *, by: Any) -> None:
    edits = list(draft.edits.exclude(published=None).order_by("pk"))
    reason = _("Draft %(number)d taken back") % {"number": draft.pk}
    intents = lock_intents(edits)
    with services.changed_once():
        undoing = _Undoing(intents, by=by, reason=reason)
        for edit in sorted(edits, key=_rank):
            undoing.undo(edit)
        services.raise_revisions(
            Intent.objects.filter(code__in=intents).values_list("pk", flat=True)
        )
    DraftEdit.objects.bulk_update(edits, ["outcome"], batch_size=200)


def _rank(edit: DraftEdit) -> int:
    """First the intents that went, then what came, what changed and what went of others."""
    before, after = edit.published or (None, None)
    if edit.kind == Kind.INTENT:
        return 0 if after is None else 4
    if before is None:
        return 1
    return 3 if after is None else 2


class _Undoing:
    def __init__(self, intents: dict[str, Intent], *, by: Any, reason: str) -> None:
        self._intents, self._by, self._reason = intents, by, reason

    def undo(self, edit: DraftEdit) -> None:
        """Undo one edit, or write down why it is left."""
        before, after = edit.published or (None, None)
        try:
            with transaction.atomic():
                if after is None:
                    edit.outcome = self._bring_back(edit, before)
                elif before is None:
                    edit.outcome = self._remove(edit, after)
                else:
                    edit.outcome = self._restore(edit, before, after)
        except ValidationError as error:
            edit.outcome = " ".join(error.messages)
        except Refusal as refusal:
            edit.outcome = str(refusal.detail)

    def _row(self, edit: DraftEdit) -> Any:
        rows = SORTS[edit.kind].model.objects.select_for_update()
        return rows.filter(pk=edit.target).first()

    def _bring_back(self, edit: DraftEdit, before: Values | None) -> str:
        """Make again what the draft deleted."""
        if before is None:
            return ""  # there was nothing to delete
        if edit.kind != Kind.INTENT:
            self._make(edit.kind, before)
            return ""
        own = {name: before[name] for name in SORTS[Kind.INTENT].fields}
        self._intents[own["code"]] = self._make(Kind.INTENT, own)
        for kind in (Kind.REPLY, Kind.UTTERANCE):
            for values in before[kind]:
                self._make(kind, values)
        return ""

    def _make(self, kind: str, values: Values) -> Any:
        code = values.get("intent")
        if code is not None and code not in self._intents:
            raise ValidationError(_("There is no intent “%(code)s”.") % {"code": code})
        row = SORTS[kind].model()
        write(row, values, self._intents)
        sign(row, by=self._by, reason=self._reason)
        SORTS[kind].save(row)
        return row

    def _remove(self, edit: DraftEdit, after: Values) -> str:
        """Delete what the draft made; an intent that lives on is switched off."""
        row = self._row(edit)
        if row is None:
            return ""
        if values_of(row) != after:
            return _("Left as it is: somebody has changed it since.")
        sign(row, by=self._by, reason=self._reason)
        if edit.kind == Kind.INTENT and (
            services.known_to(row.code) or row.replies.exists() or row.utterances.exists()
        ):
            services.switch_off(row)
            return _("Switched off instead of deleted: a model, a log or other content knows it.")
        delete = SORTS[edit.kind].delete
        if delete is not None:
            delete(row)
        self._intents.pop(after.get("code", ""), None)
        return ""

    def _restore(self, edit: DraftEdit, before: Values, after: Values) -> str:
        """Give the fields back that the draft changed."""
        row = self._row(edit)
        if row is None:
            return _("Left as it is: somebody has deleted it since.")
        live = values_of(row)
        changed = [name for name in after if after[name] != before[name]]
        if any(live[name] != after[name] for name in changed):
            return _("Left as it is: somebody has changed it since.")
        code = before.get("intent")
        if "intent" in changed and code not in self._intents:
            return _("There is no intent “%(code)s”.") % {"code": code}
        write(row, {name: before[name] for name in changed}, self._intents)
        sign(row, by=self._by, reason=self._reason)
        SORTS[edit.kind].save(row)
        return ""

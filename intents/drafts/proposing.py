"""Edits: put into a draft, changed and taken out of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from intents.drafts import publishing
from intents.drafts.comparing import compare
from intents.drafts.refusals import ChangedMeanwhile, NothingProposed
from intents.drafts.rows import Kind, Row, Values, intent_of, key_of, kind_of, values_of
from intents.drafts.workflow import changing
from intents.models import Draft, DraftEdit

Action = DraftEdit.Action


@dataclass(frozen=True, slots=True)
class Proposal:
    """A row as somebody wants it, beside what is live."""

    kind: str  # DraftEdit.Kind
    action: str  # DraftEdit.Action
    target: int | None  # primary key; None for something new
    values: Values  # all fields as they are to be; of a row that is to go, as they are
    base: Values | None  # all fields as they are live; None for something new

    @classmethod
    def to_save(cls, row: Row, base: Values | None) -> "Proposal":
        """Propose a row as it is in memory; `base` is what `values_of` said when it was read."""
        target = None if base is None else row.pk
        return cls(kind_of(row), Action.SAVE, target, values_of(row), base)

    @classmethod
    def to_delete(cls, row: Row) -> "Proposal":
        """Propose that a row goes, as it was read."""
        values = values_of(row)
        return cls(kind_of(row), Action.DELETE, row.pk, values, values)

    @property
    def key(self) -> str:
        return key_of(self.kind, self.target, self.base or self.values)

    @property
    def changes(self) -> Values:
        """What is to be stored: all of something new, else what differs."""
        if self.action == Action.DELETE:
            return {}
        base = self.base or {}
        return {
            name: value
            for name, value in self.values.items()
            if name not in base or base[name] != value
        }


def propose(
    draft_id: int, proposals: Iterable[Proposal], *, by: Any, now: datetime
) -> list[DraftEdit]:
    """Put edits into an open draft, checked as if they were saved now after those before them.

    An edit of a row that the draft edits already is laid over it, field by field.

    Returns:
        The edits that were made or changed.

    Raises:
        ValidationError: What a service would say to a direct save.
        NothingProposed: They change nothing.
        WrongStatus, MayNot: See `workflow.changing`.
    """
    with changing(draft_id, by=by, now=now) as draft:
        there = {edit.key: edit for edit in draft.edits.all()}
        edits = []
        for proposal in proposals:
            edit = _merged(there.get(proposal.key), proposal, draft)
            if edit is None:
                continue
            edit.editor, edit.edited_at = by, now
            edit.save()
            there[edit.key] = edit
            edits.append(edit)
        if not edits:
            raise NothingProposed
        _check(draft, edits)
    return edits


def _merged(edit: DraftEdit | None, proposal: Proposal, draft: Draft) -> DraftEdit | None:
    """Return the edit that a proposal makes of the one that is there; None if it is of none."""
    changes = proposal.changes
    if proposal.action == Action.SAVE and not changes:
        return None
    if edit is None:
        edit = DraftEdit(draft=draft, key=proposal.key, kind=proposal.kind, target=proposal.target)
    keeps = not edit._state.adding and edit.action == proposal.action == Action.SAVE
    if keeps and edit.base is not None and proposal.base is not None:
        # A field that only the older edit changes is still compared with what it began from.
        kept = {name: edit.base[name] for name in edit.values if name not in changes}
        edit.base = proposal.base | kept
    else:
        edit.base = proposal.base
    edit.action = proposal.action
    edit.values = edit.values | changes if keeps else changes
    edit.intent = intent_of(edit.kind, (edit.base or {}) | edit.values)
    return edit


def _check(draft: Draft, edits: Sequence[DraftEdit]) -> None:
    """Refuse what publishing would refuse of these edits."""
    problems = publishing.rehearse(draft)
    mine = [message for edit in edits for message in problems.get(edit.pk, ())]
    if mine:
        raise ValidationError(mine)


def revise(
    edit_id: int, values: Values, *, by: Any, now: datetime, seen: datetime | None = None
) -> DraftEdit:
    """Change what an edit of an open draft saves.

    Args:
        values: All fields as they are to be, or some of them.
        seen: `DraftEdit.edited_at` of what the person had before him; None for whatever is there.

    Raises:
        ChangedMeanwhile: The edit does not say any more what he had before him.
        ValidationError, NothingProposed, WrongStatus, MayNot: See `propose`.
        DraftEdit.DoesNotExist: It was taken out meanwhile.
    """
    draft_id = DraftEdit.objects.values_list("draft_id", flat=True).get(pk=edit_id)
    with changing(draft_id, by=by, now=now) as draft:
        edit = draft.edits.get(pk=edit_id)
        if seen not in (None, edit.edited_at):
            raise ChangedMeanwhile
        whole = (edit.base or {}) | edit.values | values
        base = edit.base or {}
        edit.values = {
            name: value for name, value in whole.items() if name not in base or base[name] != value
        }
        if not edit.values:
            raise NothingProposed
        edit.action = Action.SAVE
        edit.intent = intent_of(edit.kind, whole)
        if edit.base is None and edit.kind == Kind.UTTERANCE:
            edit.key = key_of(edit.kind, None, edit.values)
            if draft.edits.filter(key=edit.key).exclude(pk=edit.pk).exists():
                raise ValidationError(_("This draft has it already."))
        edit.editor, edit.edited_at = by, now
        edit.save()
        _check(draft, [edit])
    return edit


def remove(edit_id: int, *, by: Any, now: datetime) -> Draft:
    """Take one edit out of an open draft; with a new intent all that the draft puts into it.

    Raises:
        WrongStatus, MayNot: See `workflow.changing`.
        DraftEdit.DoesNotExist: It is out already.
    """
    draft_id = DraftEdit.objects.values_list("draft_id", flat=True).get(pk=edit_id)
    with changing(draft_id, by=by, now=now) as draft:
        edit = draft.edits.get(pk=edit_id)
        if edit.kind == Kind.INTENT and edit.base is None:
            draft.edits.filter(intent=edit.intent).delete()
        else:
            edit.delete()
    return draft


def settle(edit_id: int, *, keep: str, by: Any, now: datetime) -> Draft:
    """Settle the conflict of one edit with what is live now.

    Args:
        keep: "draft": the edit stands, over what is live now. "live": what differs there
            stays as it is live, the rest of the edit stands; nothing left, and it is out.

    Raises:
        WrongStatus, MayNot: See `workflow.changing`.
        DraftEdit.DoesNotExist: It is out already.
    """
    draft_id = DraftEdit.objects.values_list("draft_id", flat=True).get(pk=edit_id)
    with changing(draft_id, by=by, now=now) as draft:
        edit = draft.edits.get(pk=edit_id)
        [comparison] = compare([edit])
        live, whole = comparison.live, (edit.base or {}) | edit.values
        if keep == "live":
            lost = {change.name for change in comparison.changes if change.conflicts}
            if live is None or edit.base is None or edit.action == Action.DELETE:
                lost = set(whole)
            edit.values = {name: value for name, value in edit.values.items() if name not in lost}
            is_left = bool(edit.values)
        else:
            edit.values = {
                name: value
                for name, value in (whole if live is None else edit.values).items()
                if live is None or live[name] != value
            }
            is_left = bool(edit.values) or edit.action == Action.DELETE
        if not is_left:
            edit.delete()
            return draft
        edit.base, edit.target = live, None if comparison.row is None else comparison.row.pk
        edit.key = key_of(edit.kind, edit.target, live or edit.values)
        if draft.edits.filter(key=edit.key).exclude(pk=edit.pk).exists():
            raise ValidationError(_("This draft has it already."))
        edit.edited_at = now  # a page that shows what it said before cannot be saved over it
        edit.save()
    return draft

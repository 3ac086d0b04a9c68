"""The edits of a draft, written through intents.services in the order that their rows need."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from csplatform.errors import Refusal
from intents import services
from intents.drafts.comparing import Comparison, compare
from intents.drafts.rows import SORTS, Kind, Values, values_of, write
from intents.models import Draft, DraftEdit, Intent, Reply, Utterance

Action = DraftEdit.Action
_REASON_MAX_CHARS = 100  # of simple_history


def reason_of(draft: Draft) -> str:
    """Return what the history says of rows that a draft wrote."""
    text = _("Draft %(number)d: %(title)s") % {"number": draft.pk, "title": draft.title}
    return text[:_REASON_MAX_CHARS]


def lock_intents(edits: Iterable[DraftEdit]) -> dict[str, Intent]:
    """Hold the intents that edits concern, by code, in the order in which everybody takes them."""
    codes = {edit.intent for edit in edits}
    codes |= {edit.base["intent"] for edit in edits if edit.base and "intent" in edit.base}
    rows = Intent.objects.select_for_update().filter(code__in=codes).order_by("pk")
    return {intent.code: intent for intent in rows}


def apply(
    edits: Sequence[DraftEdit],
    intents: dict[str, Intent],
    *,
    by: Any,
    reason: str,
) -> dict[int, list[str]]:
    """Write edits inside the caller's transaction; the content version moves once.

    Fills in `target` and `published` of each, unsaved.

    Args:
        intents: From `lock_intents`.
        by: Who publishes, for the history; None for nobody who could be named.

    Returns:
        What services refuse, by DraftEdit.pk. Unless it is empty, the caller rolls back.
    """
    writer = _Writer(intents, by=by, reason=reason)
    comparisons = compare(edits, lock=True)
    with services.changed_once():
        for each in sorted(comparisons, key=_rank):
            if not _is_new_sentence(each.edit):
                writer.write(each)
            elif not writer.sentences_written:
                writer.write_sentences([one for one in comparisons if _is_new_sentence(one.edit)])
        if not writer.problems:
            writer.raise_revisions()
    return writer.problems


def _is_new_sentence(edit: DraftEdit) -> bool:
    return edit.kind == Kind.UTTERANCE and edit.base is None


def _rank(comparison: Comparison) -> int:
    """First what makes room, then what others belong to; intents go when they are empty."""
    edit = comparison.edit
    if edit.action == Action.DELETE:
        return 4 if edit.kind == Kind.INTENT else 0
    if edit.kind == Kind.INTENT:
        return 1
    return 3 if _is_new_sentence(edit) else 2


class _Writer:
    def __init__(self, intents: dict[str, Intent], *, by: Any, reason: str) -> None:
        self._intents, self._by, self._reason = intents, by, reason
        self._saved: set[str] = set()  # codes of intents whose revision was raised by a save
        self.problems: dict[int, list[str]] = {}
        self.sentences_written = False

    def write(self, comparison: Comparison) -> None:
        edit = comparison.edit
        try:
            with transaction.atomic():
                if edit.action == Action.DELETE:
                    self._delete(comparison)
                else:
                    self._save(comparison)
        except ValidationError as error:
            self.problems[edit.pk] = error.messages
        except Refusal as refusal:
            self.problems[edit.pk] = [str(refusal.detail)]

    def _save(self, comparison: Comparison) -> None:
        edit, row = comparison.edit, comparison.row
        if edit.base is not None and row is None:
            raise ValidationError(_("It has been deleted meanwhile."))
        before = comparison.live if edit.base is not None else None
        if edit.base is None:
            row = SORTS[edit.kind].model()
        self._sign(row)
        code = edit.values.get("intent")
        if code is not None and code not in self._intents:
            raise ValidationError(_("There is no intent “%(code)s”.") % {"code": code})
        write(row, edit.values, self._intents)
        SORTS[edit.kind].save(row)
        if edit.kind == Kind.INTENT:
            self._intents[row.code] = row
            self._saved.add(row.code)
        edit.target, edit.published = row.pk, [before, values_of(row)]

    def _delete(self, comparison: Comparison) -> None:
        edit, row = comparison.edit, comparison.row
        if row is None:
            edit.published = [None, None]
            return
        before = with_its_rows(row) if edit.kind == Kind.INTENT else values_of(row)
        self._sign(row)
        delete = SORTS[edit.kind].delete
        if delete is None:
            raise ValidationError(_("This cannot be deleted."))
        delete(row)
        if edit.kind == Kind.INTENT:
            self._intents.pop(before["code"], None)
        edit.published = [before, None]

    def write_sentences(self, comparisons: Sequence[Comparison]) -> None:
        """Add all new utterances with one import."""
        self.sentences_written = True
        edits = [comparison.edit for comparison in comparisons]
        report = services.import_utterances(
            [edit.values for edit in edits], by=self._by, reason=self._reason
        )
        for edit, row in zip(edits, report, strict=True):
            if row.outcome == services.Outcome.WRONG:
                self.problems[edit.pk] = [row.message]
        if self.problems:
            return
        keys = [services.key_of(edit.values["text"]) for edit in edits]
        made = {each.key: each for each in Utterance.objects.filter(key__in=keys)}
        for edit, key, row in zip(edits, keys, report, strict=True):
            edit.target = made[key].pk
            added = row.outcome == services.Outcome.ADDED
            edit.published = [None, edit.values if added else None]

    def raise_revisions(self) -> None:
        """Let nobody save over this who has the page of one of these intents open."""
        for code, intent in self._intents.items():
            if code not in self._saved:
                self._sign(intent)
                services.save_intent(intent)

    def _sign(self, row: Any) -> None:
        sign(row, by=self._by, reason=self._reason)


def sign(row: Any, *, by: Any, reason: str) -> None:
    """Tell the history of a row who writes it, and why."""
    if by is not None:
        row._history_user = by
    row._change_reason = reason


def with_its_rows(intent: Intent) -> Values:
    """Return all that goes with an intent when it is deleted."""
    replies = Reply.objects.filter(intent=intent).select_related("intent").order_by("pk")
    utterances = Utterance.objects.filter(intent=intent).select_related("intent").order_by("pk")
    return values_of(intent) | {
        Kind.REPLY: [values_of(each) for each in replies],
        Kind.UTTERANCE: [values_of(each) for each in utterances],
    }

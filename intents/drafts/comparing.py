"""Edits beside what is live now: three ways, so that what others published is not overwritten."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from intents import services
from intents.drafts.rows import SORTS, Kind, Values, values_of
from intents.models import DraftEdit

Action = DraftEdit.Action


class Conflict(StrEnum):
    """Why an edit cannot be published as it is."""

    NONE = ""
    CHANGED = "changed"  # somebody else changed what it changes
    GONE = "gone"  # what it changes has been deleted
    TAKEN = "taken"  # what it makes has been made by somebody else, differently


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of an edit: before it was begun, live now, and as it is to be."""

    name: str
    base: Any  # None of something new
    live: Any  # None where nothing is live
    draft: Any  # None of something that is to go

    @property
    def conflicts(self) -> bool:
        """Whether somebody else gave it another value than either."""
        return self.live not in (self.base, self.draft)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One edit beside what is live."""

    edit: DraftEdit
    row: Any  # what is live; None for nothing
    changes: tuple[FieldChange, ...]  # as the edit has them, in the order of the fields
    conflict: Conflict

    @property
    def live(self) -> Values | None:
        return None if self.row is None else values_of(self.row)


def compare(edits: Sequence[DraftEdit], *, lock: bool = False) -> list[Comparison]:
    """Compare edits of one draft with what is live, in their order. Three queries a kind at most.

    Args:
        lock: Inside a transaction: hold the rows until its end.
    """
    rows = {kind: _Rows(kind, edits, lock=lock) for kind in {edit.kind for edit in edits}}
    return [_compared(edit, rows[edit.kind]) for edit in edits]


def compared_with_base(edit: DraftEdit) -> Comparison:
    """Return what an edit changed of what it began from, whatever is live by now. No query."""
    return Comparison(edit, None, _changes(edit, edit.base), Conflict.NONE)


class _Rows:
    """What is live of one kind, as far as some edits touch it."""

    def __init__(self, kind: str, edits: Iterable[DraftEdit], *, lock: bool) -> None:
        of_kind = [edit for edit in edits if edit.kind == kind]
        rows = SORTS[kind].model.objects.order_by("pk")
        targets = [edit.target for edit in of_kind if edit.target is not None]
        if lock:
            _among(rows.select_for_update(), "pk", targets)
        if "intent" in SORTS[kind].fields:
            rows = rows.select_related("intent")
        self._by_target = {row.pk: row for row in _among(rows, "pk", targets)}
        new = [edit.values for edit in of_kind if edit.target is None]
        # By what is unique; what the draft itself deletes makes room.
        room = {edit.target for edit in of_kind if edit.action == Action.DELETE}
        self._unique: Any = _UNIQUE.get(kind)
        self._taken: dict[str, Any] = {}
        if self._unique and new:
            name = "code" if kind == Kind.INTENT else "key"
            found = _among(rows, name, [self._unique(values) for values in new])
            self._taken = {getattr(row, name): row for row in found if row.pk not in room}

    def of(self, edit: DraftEdit) -> Any:
        if edit.target is not None:
            return self._by_target.get(edit.target)
        return self._taken.get(self._unique(edit.values)) if self._unique else None


def _among(rows: Any, name: str, wanted: Sequence[Any]) -> list[Any]:
    """Read rows by many values of a field; databases take some hundred at once."""
    size = 500
    found: list[Any] = []
    for start in range(0, len(wanted), size):
        found += rows.filter(**{f"{name}__in": wanted[start : start + size]})
    return found


def _code(values: Values) -> str:
    return str(values["code"])


def _sentence(values: Values) -> str:
    return services.key_of(values["text"])


_UNIQUE: dict[str, Callable[[Values], str]] = {Kind.INTENT: _code, Kind.UTTERANCE: _sentence}


def _compared(edit: DraftEdit, rows: _Rows) -> Comparison:
    row = rows.of(edit)
    live = None if row is None else values_of(row)
    changes = _changes(edit, live)
    return Comparison(edit, row, changes, _conflict(edit, live, changes))


def _changes(edit: DraftEdit, live: Values | None) -> tuple[FieldChange, ...]:
    base, deletes = edit.base, edit.action == Action.DELETE
    return tuple(
        FieldChange(
            name,
            None if base is None else base[name],
            None if live is None else live[name],
            None if deletes else edit.values[name],
        )
        for name in SORTS[edit.kind].fields
        if deletes or name in edit.values
    )


def _conflict(edit: DraftEdit, live: Values | None, changes: Iterable[FieldChange]) -> Conflict:
    if edit.base is None:
        if live is None or (edit.kind == Kind.UTTERANCE and live["intent"] == edit.intent):
            return Conflict.NONE  # the sentence is there as it is to be
        return Conflict.TAKEN
    if edit.action == Action.DELETE:
        return Conflict.CHANGED if live not in (None, edit.base) else Conflict.NONE
    if live is None:
        return Conflict.GONE
    return Conflict.CHANGED if any(each.conflicts for each in changes) else Conflict.NONE

"""The edits of a draft as its page shows them, and the forms in which they are changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.admin.utils import label_for_field
from django.db.models.fields import BooleanField, TextField
from django.urls import reverse
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext_lazy as _

from intents import drafts
from intents.admin.differences import Segment, marked, shown
from intents.drafts import SORTS, Comparison, Conflict
from intents.models import Draft, DraftEdit, Intent

Kind = DraftEdit.Kind
# Not worth a line where something new has what everything new has.
_USUAL = {
    "description_zh": "",
    "description_en": "",
    "position": 1000,
    "is_active": True,
    "hands_over": False,
    "is_offered": True,
    "channel": "",
    "family": "",
    "split": "train",
}
_CONFLICTS = {
    Conflict.CHANGED: _("What is live has been changed since."),
    Conflict.GONE: _("What this changes has been deleted since."),
    Conflict.TAKEN: _("This has been made meanwhile, differently."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One field: how it is to read, and where it conflicts what is live."""

    label: str
    segments: list[Segment]  # of the edit
    base: str
    live: list[Segment]  # what others changed of `base`
    draft: list[Segment]  # what the edit changes of it
    conflicts: bool


@dataclass
class ShownEdit:
    """One edit as people read it."""

    edit: DraftEdit
    kind: str  # in words
    state: str  # "new", "changed", "deleted"
    lines: list[Line]
    conflict: Any  # in words; "" for none
    changed_by: str = ""  # who published what conflicts
    changed_at: Any = None
    url: str = ""  # of the row's own page, where it is live
    more_url: str = ""  # of the page that adds replies and utterances to a new intent
    problems: Sequence[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What tells it from others to who cannot see where its buttons stand."""
        values = (self.edit.base or {}) | self.edit.values
        return Truncator(values.get("text") or self.edit.intent).chars(30)

    @property
    def is_one_text(self) -> bool:
        """Whether it is nothing but a sentence, which needs no heading."""
        return self.state != "changed" and len(self.lines) == 1


@dataclass(frozen=True, slots=True)
class Group:
    """All edits that concern one intent, or none."""

    title: str  # of the intent; "" for what belongs to none
    edits: list[ShownEdit]


def edits_of(draft: Draft) -> list[Group]:
    """Return all edits of a draft by intent. Its queries do not grow with it."""
    edits = list(draft.edits.order_by("intent", "pk"))
    waiting = draft.status in drafts.WAITING
    if waiting:
        comparisons = drafts.compare(edits)
    else:  # what is live now says nothing about it any more
        comparisons = [drafts.compared_with_base(edit) for edit in edits]
    authors = _latest_authors([each for each in comparisons if each.conflict])
    names = {
        intent.code: f"{intent.name_zh} ({intent.code})"
        for intent in Intent.objects.filter(code__in={edit.intent for edit in edits})
    }
    for edit in edits:
        if edit.kind == Kind.INTENT and "name_zh" in edit.values:
            names.setdefault(edit.intent, f"{edit.values['name_zh']} ({edit.intent})")
    order: dict[str, int] = {Kind.INTENT: 0, Kind.REPLY: 1, Kind.UTTERANCE: 2}
    groups: dict[str, list[ShownEdit]] = {}
    for comparison in sorted(
        comparisons, key=lambda each: (each.edit.intent, order.get(each.edit.kind, 3))
    ):
        groups.setdefault(comparison.edit.intent, []).append(_shown(comparison, authors))
    return [Group(names.get(code, code), shown_edits) for code, shown_edits in groups.items()]


def _shown(comparison: Comparison, authors: dict[tuple[str, Any], Any]) -> ShownEdit:
    edit, kind = comparison.edit, comparison.edit.kind
    is_new, is_deleted = edit.base is None, edit.action == DraftEdit.Action.DELETE
    lines = []
    for change in comparison.changes:
        value = change.base if is_deleted else change.draft
        if (is_new or is_deleted) and (_is_usual(change.name, value) or change.name == "intent"):
            continue
        if change.name == "language" and kind == Kind.UTTERANCE and (is_new or is_deleted):
            continue  # its reader sees it
        old = "" if is_new else shown(kind, change.name, change.base)
        new = "" if is_deleted else shown(kind, change.name, change.draft)
        lines.append(
            Line(
                label=capfirst(str(label_for_field(change.name, SORTS[kind].model))),
                segments=marked(old, new),
                base=(base := shown(kind, change.name, change.base)),
                live=marked(base, shown(kind, change.name, change.live)),
                draft=marked(base, shown(kind, change.name, change.draft)),
                conflicts=bool(comparison.conflict) and change.conflicts,
            )
        )
    more_url = ""
    if kind == Kind.INTENT and is_new and comparison.row is None:
        # As the initial values of a form: what is not ticked is an empty text.
        values = {name: value or "" for name, value in edit.values.items()}
        query = urlencode(values | {"draft": edit.draft_id})
        more_url = f"{reverse('admin:intents_intent_add')}?{query}"
    record = authors.get((kind, edit.target))
    row = comparison.row
    return ShownEdit(
        edit=edit,
        kind=edit.get_kind_display(),
        state="deleted" if is_deleted else "new" if is_new else "changed",
        lines=lines,
        conflict=_CONFLICTS.get(comparison.conflict, ""),
        changed_by=str(record.history_user or "") if record else "",
        changed_at=record.history_date if record else None,
        url=""
        if row is None
        else reverse(f"admin:intents_{row._meta.model_name}_change", args=[row.pk]),
        more_url=more_url,
    )


def _is_usual(name: str, value: Any) -> bool:
    return name in _USUAL and _USUAL[name] == value


def _latest_authors(comparisons: Iterable[Comparison]) -> dict[tuple[str, Any], Any]:
    """Return the latest version of what conflicts, by kind and key. One query a kind."""
    wanted: dict[str, list[int]] = {}
    for comparison in comparisons:
        if comparison.edit.target is not None:
            wanted.setdefault(comparison.edit.kind, []).append(comparison.edit.target)
    found = {}
    for kind, targets in wanted.items():
        model = SORTS[kind].model
        if hasattr(model, "history"):
            records = model.history.filter(id__in=targets).select_related("history_user")
            for record in records.order_by("history_id"):
                found[kind, record.id] = record
    return found


class EditForm(forms.Form):
    """What one edit says; the fields are those of its kind."""


def form_for(edit: DraftEdit, draft: Draft, data: Any) -> EditForm:
    """Return the form of one edit, with what it says now; services check what is posted."""
    values = (edit.base or {}) | edit.values
    form = EditForm(data, initial=values)
    for name in SORTS[edit.kind].fields:
        if name in ("code", "family", "purpose"):
            continue  # a code is fixed, a family nobody writes by hand
        form.fields[name] = _field(edit.kind, name, draft)
    return form


def _field(kind: str, name: str, draft: Draft) -> forms.Field:
    model_field = SORTS[kind].model._meta.get_field(name)
    label = capfirst(str(label_for_field(name, SORTS[kind].model)))
    if name == "intent":
        return forms.ChoiceField(
            label=label, choices=_intents(draft), widget=forms.Select(attrs={"class": "cs-input"})
        )
    made = model_field.formfield(label=label)
    if isinstance(model_field, BooleanField):
        return made
    if isinstance(model_field, TextField) or name == "text":
        rows = {"class": "cs-input", "rows": 4 if isinstance(model_field, TextField) else 2}
        made.widget = forms.Textarea(attrs=rows)
    else:
        made.widget.attrs["class"] = "cs-input"
    return made


def _intents(draft: Draft) -> list[tuple[str, str]]:
    """Return the intents that a row may belong to, those that the draft makes among them."""
    live = [(each.code, str(each)) for each in Intent.objects.order_by("position", "code")]
    new = draft.edits.filter(kind=Kind.INTENT, base=None)
    return live + [(each.intent, f"{each.values['name_zh']} ({each.intent})") for each in new]

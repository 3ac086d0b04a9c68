"""Two editors on one intent: what the second one would have overwritten, field by field."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.forms import BaseInlineFormSet, BaseModelForm
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from intents.models import Intent
from intents.services import Difference

ADDED_SHOWN = 20
EXCERPT_CHARS = 20


@dataclass(frozen=True, slots=True)
class Conflict:
    """What another editor saved while this one was writing."""

    revision: int  # as it is now
    changed_by: str  # "" for a program
    changed_at: datetime
    differences: list[Difference]
    lost: list[tuple[str, str]]  # field to carry it in, text of a row that is gone


def conflict_of(
    form: BaseModelForm,
    formsets: Iterable[BaseInlineFormSet],
    lost: Mapping[str, list[str]],
) -> Conflict:
    """Return how this editor's input differs from what is saved now.

    Rows that he did not touch are filled with what is saved now: he would not be asked about
    them, and must not undo what the other one did. All forms are bound, and what they were
    built from has been read since the refusal.

    Args:
        lost: Texts of rows that are gone, by the prefix of their formset.
    """
    saved = Intent.objects.get(pk=form.instance.pk)
    latest = saved.history.select_related("history_user").first()
    editor = latest.history_user if latest else None
    differences = list(_changes(form, ""))
    for formset in formsets:
        for row in formset.initial_forms:
            differences += _of_row(row, is_deleted=row in formset.deleted_forms)
        model: Any = formset.model
        kind = str(model._meta.verbose_name)
        differences += [
            Difference(kind, _("(deleted or moved meanwhile)"), text)
            for text in lost.get(str(formset.prefix), ())
        ]
        differences += [
            Difference(kind, row.text, _("(added meanwhile; stays)"))
            for row in _added(form, formset)[:ADDED_SHOWN]
        ]
    return Conflict(
        revision=saved.revision,
        changed_by=editor.get_username() if editor else "",
        changed_at=saved.changed_at,
        differences=differences,
        lost=[(lost_field(prefix), text) for prefix, texts in lost.items() for text in texts],
    )


def lost_field(prefix: str) -> str:
    """Return the name under which the page carries texts of rows that are gone."""
    return f"{prefix}-lost"


def take_out_lost(data: QueryDict, prefix: str, rows: Any) -> list[str]:
    """Take the rows that no longer exist out of what was posted for a formset.

    A form whose row is gone has nothing to be saved to, and an error that no field shows.

    Args:
        data: Mutable; its forms are numbered anew.
        rows: The rows that there are now, a queryset.

    Returns:
        What the editor had in the rows that are gone, without those that he deleted himself.
    """
    total, initial = (data.get(f"{prefix}-{name}_FORMS", "") for name in ("TOTAL", "INITIAL"))
    if not (total.isdecimal() and initial.isdecimal()):
        return []  # the management form says so
    posted = posted_ids(data, prefix)
    there = set(rows.filter(pk__in=posted.values()).values_list("pk", flat=True))
    gone = [number for number, pk in posted.items() if pk not in there]
    if not gone:
        return []
    lost = [
        data.get(f"{prefix}-{number}-text", "")
        for number in gone
        if f"{prefix}-{number}-DELETE" not in data
    ]
    forms = _forms(data, prefix)
    kept = [forms.get(number, {}) for number in range(int(total)) if number not in gone]
    for number in forms:
        for name in forms[number]:
            del data[name.format(number)]
    for number, fields in enumerate(kept):
        for name, values in fields.items():
            data.setlist(name.format(number), values)
    data[f"{prefix}-TOTAL_FORMS"] = str(len(kept))
    data[f"{prefix}-INITIAL_FORMS"] = str(int(initial) - len(gone))
    return lost


def posted_ids(data: Mapping[str, Any], prefix: str) -> dict[int, int]:
    """Return the keys of the rows that a formset's data speaks of, by number of the form."""
    initial = data.get(f"{prefix}-INITIAL_FORMS", "")
    ids = {
        number: data.get(f"{prefix}-{number}-id", "")
        for number in range(int(initial) if initial.isdecimal() else 0)
    }
    return {number: int(pk) for number, pk in ids.items() if pk.isdecimal()}


def _forms(data: QueryDict, prefix: str) -> dict[int, dict[str, list[str]]]:
    """Return each form's values by name, the number in which is left open."""
    forms: dict[int, dict[str, list[str]]] = {}
    for start in (f"{prefix}-", f"initial-{prefix}-"):
        for name in data:
            number, _dash, field = name.removeprefix(start).partition("-")
            if name.startswith(start) and number.isdecimal():
                forms.setdefault(int(number), {})[f"{start}{{}}-{field}"] = data.getlist(name)
    return forms


def _of_row(row: BaseModelForm, *, is_deleted: bool) -> list[Difference]:
    text = str(row.initial.get("text", ""))
    label = f"{row.instance._meta.verbose_name} “{Truncator(text).chars(EXCERPT_CHARS)}” · "
    if is_deleted:
        return [Difference(label + str(row["text"].label), text, _("(deleted)"))]
    if row.has_changed():
        return list(_changes(row, label))
    return list(_taken_over(row, label))


def _changes(form: BaseModelForm, label: str) -> Iterator[Difference]:
    """Compare each field of the model. A form's initial value is the one saved now."""
    for bound in _of_model(form):
        saved, written = form.initial.get(bound.name), _value(bound, bound.data)
        if _plain(saved) != _plain(written):
            yield Difference(label + str(bound.label), _shown(bound, saved), _shown(bound, written))


def _taken_over(row: BaseModelForm, label: str) -> Iterator[Difference]:
    """Fill a row that this editor did not touch with what is saved now."""
    data: Any = row.data
    for bound in _of_model(row):
        saved, opened = row.initial.get(bound.name), _value(bound, data[bound.html_initial_name])
        if _plain(saved) == _plain(opened):
            continue
        yield Difference(
            label + str(bound.label),
            _shown(bound, saved),
            _("(not changed by you: stays as saved now)"),
        )
        data[bound.html_initial_name] = str(saved)
        if saved is False:
            data.pop(bound.html_name, None)
        else:
            data[bound.html_name] = "on" if saved is True else str(saved)


def _added(form: BaseModelForm, formset: BaseInlineFormSet) -> Any:
    """Return the rows that were not there when the page was opened."""
    model: Any = formset.model
    rows = model.objects.filter(intent=form.instance.pk).order_by("pk")
    if not getattr(formset, "per_page", None):  # the page has all of them
        return rows.exclude(pk__in=posted_ids(formset.data, str(formset.prefix)).values())
    newest = form.data.get("newest_utterance", "")
    return rows.filter(pk__gt=int(newest)) if newest.isdecimal() else rows.none()


def _of_model(form: BaseModelForm) -> list[BoundField]:
    written = {field.name for field in form.instance._meta.fields if not field.is_relation}
    return [form[name] for name in form.fields if name in written - {"id"}]


def _value(bound: BoundField, raw: Any) -> Any:
    """Return what a field would save; what it would refuse, as it was typed."""
    try:
        return bound.field.to_python(raw)
    except ValidationError:
        return raw


def _plain(value: Any) -> Any:
    """Browsers end lines with two characters."""
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else value


def _shown(bound: BoundField, value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(dict(getattr(bound.field, "choices", ())).get(value, value))

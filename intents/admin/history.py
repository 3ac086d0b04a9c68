"""The history of an intent: its own versions, and those of its replies and utterances."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.utils import label_for_field
from django.db.models import Q
from simple_history.template_utils import HistoricalRecordContextHelper

from intents import drafts
from intents.admin.differences import Segment, marked, shown
from intents.models import Reply, Utterance

CHANGES_SHOWN = 50  # of each kind
# They differ every time, or follow from the others, and tell nobody anything.
_UNWRITTEN = ("revision", "changed_at", "key")


class ChangesInWords(HistoricalRecordContextHelper):
    """What a version changed of what people write, marked in the text."""

    def context_for_delta_changes(self, delta: Any) -> list[dict[str, Any]]:
        kind = drafts.kind_of(self.model())
        return [
            {
                "field": label_for_field(change.field, self.model),
                "segments": marked(
                    shown(kind, change.field, change.old), shown(kind, change.field, change.new)
                ),
            }
            for change in delta.changes
            if change.field not in _UNWRITTEN
        ]


@dataclass(frozen=True, slots=True)
class Change:
    """One version of a reply or utterance: what it said, and what was different before."""

    kind: str  # DraftEdit.Kind
    record: Any  # of simple_history
    fields: tuple[tuple[str, list[Segment]], ...]  # label, the value with its changes marked


def intent_timeline(intent_id: int) -> list[Change]:
    """Return how replies and utterances of an intent changed, the latest first. Four queries.

    What was moved away is there with the version that moved it.
    """
    changes = [*_changes(Reply, intent_id), *_changes(Utterance, intent_id)]
    changes.sort(key=lambda change: change.record.history_date, reverse=True)
    return changes[:CHANGES_SHOWN]


def _changes(model: Any, intent_id: int) -> Iterable[Change]:
    rows = model.history.filter(intent_id=intent_id).values("id")
    newest = model.history.filter(Q(intent_id=intent_id) | Q(id__in=rows)).select_related(
        "history_user", "intent"
    )
    records = list(newest.order_by("-history_date", "-history_id")[:CHANGES_SHOWN])
    older = model.history.filter(
        id__in={record.id for record in records},
        history_id__lt=max((record.history_id for record in records), default=0),
    ).select_related("intent")
    versions: dict[int, list[Any]] = {}
    for record in older.order_by("history_id"):
        versions.setdefault(record.id, []).append(record)
    kind = drafts.kind_of(model())
    for record in records:
        before = [one for one in versions.get(record.id, ()) if one.history_id < record.history_id]
        yield Change(kind, record, _fields(model, before[-1] if before else None, record))


def _fields(model: Any, before: Any, record: Any) -> tuple[tuple[str, list[Segment]], ...]:
    kind = drafts.kind_of(model())
    label = str(label_for_field("text", model))
    if before is None or record.history_type != "~":
        return ((label, [("=", record.text)]),)
    changed = []
    for name in drafts.SORTS[kind].fields:
        old, new = (_value(each, name) for each in (before, record))
        if old != new:
            segments = marked(shown(kind, name, old), shown(kind, name, new))
            changed.append((str(label_for_field(name, model)), segments))
    return tuple(changed)


def _value(record: Any, name: str) -> Any:
    if name != "intent":
        return getattr(record, name)
    return record.intent.code if record.intent else ""

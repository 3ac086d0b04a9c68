"""Today's content with the edits of a draft laid over it; computed, never stored."""

from dataclasses import dataclass
from typing import Any

from intents import content
from intents.drafts.rows import SORTS, Kind, Values, values_of, write
from intents.models import Draft, DraftEdit, Intent, Phrase, Reply, SuggestedQuestion, Utterance

# Of the others nothing is laid over: they are live already, or never will be.
WAITING = (
    Draft.Status.OPEN,
    Draft.Status.IN_REVIEW,
    Draft.Status.APPROVED,
    Draft.Status.SCHEDULED,
    Draft.Status.REJECTED,
)


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A sentence of a customer, and what he meant."""

    code: str  # Intent.code
    text: str
    language: str  # intents.models.Language
    family: str  # paraphrases of each other; "" for one of its own
    split: str  # Utterance.Split


def content_with(draft_id: int) -> content.Content:
    """Return what the bot would answer from if the draft were published now.

    An edit whose row is gone meanwhile changes nothing. A draft that is not waiting to be
    published gives today's content. Six queries besides those of today's content.

    Raises:
        Draft.DoesNotExist: There is none of this number.
    """
    edits = _edits_of(draft_id)
    base = content.current()
    if not edits:
        return base
    intents = _laid_over(Kind.INTENT, list(Intent.objects.all()), edits, {})
    by_code = {intent.code: intent for intent in intents}
    replies = list(Reply.objects.select_related("intent"))
    questions = list(SuggestedQuestion.objects.all())
    return content.built_from(
        base,
        intents=intents,
        replies=_laid_over(Kind.REPLY, replies, edits, by_code),
        questions=_laid_over(Kind.QUESTION, questions, edits, by_code),
        phrases=_laid_over(Kind.PHRASE, list(Phrase.objects.all()), edits, by_code),
    )


def utterances_with(draft_id: int | None, *, of_all: bool = False) -> list[LabelledText]:
    """Return the utterances of the intents that are answered, as after the draft.

    Args:
        draft_id: None for those of today.
        of_all: Those of intents that are switched off, too: the engine compares with them.

    Returns:
        All splits, in the order of their primary keys, new ones last. At most four queries.

    Raises:
        Draft.DoesNotExist: There is none of this number.
    """
    edits = _edits_of(draft_id) if draft_id is not None else []
    utterances = list(Utterance.objects.select_related("intent").order_by("pk"))
    if edits:
        intents = _laid_over(Kind.INTENT, list(Intent.objects.all()), edits, {})
        by_code = {intent.code: intent for intent in intents}
        utterances = _laid_over(Kind.UTTERANCE, utterances, edits, by_code)
    return [
        LabelledText(each.intent.code, each.text, each.language, each.family, each.split)
        for each in utterances
        if of_all or each.intent.is_active
    ]


def _edits_of(draft_id: int) -> list[DraftEdit]:
    draft = Draft.objects.get(pk=draft_id)
    return list(draft.edits.order_by("pk")) if draft.status in WAITING else []


def _laid_over(
    kind: str, rows: list[Any], edits: list[DraftEdit], intents: dict[str, Intent]
) -> list[Any]:
    """Return the rows with the edits of their kind, each with the intent as it is to be.

    Args:
        rows: As they are live; changed in place.
        intents: As they are to be, by code; of rows that belong to one.
    """
    of_kind = [edit for edit in edits if edit.kind == kind]
    changed = {edit.target: edit for edit in of_kind if edit.target is not None}
    kept = []
    for row in rows:
        edit = changed.get(row.pk)
        if edit is not None and edit.action == DraftEdit.Action.DELETE:
            continue
        values = (values_of(row) | edit.values) if edit else values_of(row)
        if _wrote(row, values, intents):
            kept.append(row)
    new = [(SORTS[kind].model(), edit.values) for edit in of_kind if edit.target is None]
    return kept + [row for row, values in new if _wrote(row, values, intents)]


def _wrote(row: Any, values: Values, intents: dict[str, Intent]) -> bool:
    """Whether the row's intent is still there; the values are in the row then."""
    if "intent" in values and values["intent"] not in intents:
        return False
    write(row, values, intents)
    return True

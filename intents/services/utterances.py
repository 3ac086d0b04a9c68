"""Utterances: one sentence, one intent; alone and by the table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from intents import language
from intents.guard import normalize
from intents.models import Intent, Language, Utterance
from intents.services.intents import raise_revisions
from intents.services.versions import content_changed

_KEY_MAX_CHARS = 500
_COLUMNS = ("intent", "language", "text", "family", "split")
# What people write in the columns of a table, in lower case, and what it stands for.
_LANGUAGES = {
    "zh": Language.CHINESE,
    "中文": Language.CHINESE,
    "chinese": Language.CHINESE,
    "en": Language.ENGLISH,
    "英文": Language.ENGLISH,
    "english": Language.ENGLISH,
}
_SPLITS = {
    "train": Utterance.Split.TRAIN,
    "训练": Utterance.Split.TRAIN,
    "training": Utterance.Split.TRAIN,
    "evaluation": Utterance.Split.EVALUATION,
    "评测": Utterance.Split.EVALUATION,
}


def validate_utterance(utterance: Utterance) -> None:
    """Fill in key and language, and accept the utterance or say what is wrong with it.

    Raises:
        ValidationError: Empty, longer than 500 characters, or another utterance is the
            same sentence; the message names the intent that has it.
    """
    _fill_in(utterance)
    utterance.full_clean(exclude=["key"])
    _check_taken(
        utterance,
        Utterance.objects.filter(key=utterance.key)
        .exclude(pk=utterance.pk)
        .select_related("intent")
        .first(),
    )


def key_of(text: str) -> str:
    """Return what all spellings of a sentence have in common; of one key there is one utterance."""
    # Unicode's compatibility forms may be longer than the text: ﷺ is 18 letters.
    return normalize.key(text.strip())[:_KEY_MAX_CHARS]


def _fill_in(utterance: Utterance) -> None:
    utterance.text = utterance.text.strip()
    if not normalize.visible(utterance.text).strip():
        raise ValidationError({"text": _("The text is empty.")})
    utterance.key = key_of(utterance.text)
    if not utterance.language:
        utterance.language = language.detect(utterance.text) or Language.CHINESE


def _check_taken(utterance: Utterance, other: Utterance | None) -> None:
    if other is None:
        return
    if other.intent_id == utterance.intent_id:
        message = _("This intent has it already: “%(text)s”.")
    else:
        message = _(
            "%(intent)s has it already: “%(text)s”. One sentence has one intent. To move it, find "
            "it in Utterances and choose the action “Move to another intent”."
        )
    raise ValidationError(
        {
            "text": ValidationError(
                message, code="taken", params={"intent": other.intent, "text": other.text}
            )
        }
    )


@transaction.atomic
def save_utterance(utterance: Utterance) -> Utterance:
    """Create or save one utterance.

    Raises:
        ValidationError: See `validate_utterance`; the same if somebody adds the same
            sentence at the same moment.
    """
    validate_utterance(utterance)
    try:
        with transaction.atomic():
            utterance.save()
    except IntegrityError:
        validate_utterance(utterance)
        raise
    content_changed(understanding=True)
    return utterance


@transaction.atomic
def delete_utterance(utterance: Utterance) -> None:
    """Delete one utterance."""
    utterance.delete()
    content_changed(understanding=True)


@transaction.atomic
def move_utterance(pk: int, *, source: str, target: str) -> bool:
    """Move one utterance from one intent to another, if it is still there.

    Args:
        source: Intent.code in which whoever moves it has seen it.
        target: Intent.code.

    Returns:
        Whether it was moved: not if somebody else has moved or deleted it meanwhile.

    Raises:
        Intent.DoesNotExist: There is no intent `target`.
    """
    # Held first: everybody locks intents, by their keys, before their rows.
    held = Intent.objects.select_for_update().filter(code__in=(source, target)).order_by("pk")
    intents = {intent.code: intent for intent in held}
    if target not in intents:
        raise Intent.DoesNotExist(target)
    if source not in intents or source == target:
        return False
    moved = Utterance.objects.filter(pk=pk, intent=intents[source]).update(intent=intents[target])
    if not moved:
        return False
    Utterance.objects.get(pk=pk).save()  # so that the history has it
    raise_revisions({intent.pk for intent in intents.values()})
    content_changed(understanding=True)
    return True


@transaction.atomic
def move_utterances(utterances: QuerySet[Utterance], intent: Intent) -> int:
    """Give utterances to another intent, all together; returns how many were another's."""
    moving = list(utterances.exclude(intent=intent).select_related("intent"))
    if not moving:
        return 0
    # First: everybody locks intents before their rows.
    raise_revisions({utterance.intent_id for utterance in moving} | {intent.pk})
    for utterance in moving:
        utterance.intent = intent
    bulk_update_with_history(moving, Utterance, ["intent"], batch_size=500)
    content_changed(understanding=True)
    return len(moving)


class Outcome(StrEnum):
    """What became of one row of a table."""

    ADDED = "added"
    THERE = "already there"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """One row of a table and what became of it, or would become."""

    line: int  # in the file; the heading is line 1
    outcome: Outcome
    text: str
    message: str = ""  # what is wrong


@transaction.atomic
def import_utterances(
    rows: Iterable[Mapping[str, str | None]],
    *,
    dry_run: bool = False,
    by: AbstractBaseUser | None = None,
    reason: str = "",
) -> list[ImportedRow]:
    """Add a table of utterances: all of it, or nothing if a single row is wrong.

    Args:
        rows: Columns intent (its code) and text; optionally language (guessed if empty),
            family and split ("train" if empty).
        dry_run: Report only.
        by: Who does it, for the history; None for whoever's request this is.
        reason: For the history, at most 100 characters.

    Returns:
        One report a row. A sentence that its intent has already is left as it is, so that
        the same table can be imported again.
    """
    intents = {intent.code: intent for intent in Intent.objects.all()}
    taken = {u.key: u for u in Utterance.objects.select_related("intent")}
    new: list[Utterance] = []
    report: list[ImportedRow] = []
    for line, row in enumerate(rows, start=2):
        # A row longer than the heading has its rest, a list, under None.
        cells = {name: (row.get(name) or "").strip() for name in _COLUMNS}
        text = cells["text"]
        try:
            utterance = _read_row(cells, intents)
            other = taken.get(utterance.key)
            if other is not None and other.intent_id == utterance.intent_id:
                report.append(ImportedRow(line, Outcome.THERE, text))
                continue
            _check_taken(utterance, other)
        except ValidationError as error:
            report.append(ImportedRow(line, Outcome.WRONG, text, " ".join(error.messages)))
            continue
        taken[utterance.key] = utterance
        new.append(utterance)
        report.append(ImportedRow(line, Outcome.ADDED, text))
    wrong = any(row.outcome == Outcome.WRONG for row in report)
    if new and not wrong and not dry_run:
        bulk_create_with_history(
            new, Utterance, batch_size=500, default_user=by, default_change_reason=reason or None
        )
        content_changed(understanding=True)
    return report


def check_row(cells: Mapping[str, str | None]) -> None:
    """Accept one row of a table, but for its intent and for what else has the sentence. No query.

    Raises:
        ValidationError: The message says what is wrong.
    """
    found = {name: (cells.get(name) or "").strip() for name in _COLUMNS}
    _read_row(found, {found["intent"]: Intent(code=found["intent"])})


def read_language(cell: str) -> str:
    """Return the language that a cell of a table names; "" for an empty one.

    Raises:
        ValidationError: It names none; the message says what to write.
    """
    if not cell:
        return ""
    found = _LANGUAGES.get(cell.lower())
    if found is None:
        raise ValidationError(
            _(
                "“%(value)s” is no language: write 中文 or zh, 英文 or en, "
                "or leave it empty to have it guessed."
            ),
            params={"value": cell},
        )
    return found


def read_split(cell: str) -> str:
    """Return what an utterance is for, as a cell of a table names it; empty is training.

    Raises:
        ValidationError: It names neither; the message says what to write.
    """
    if not cell:
        return Utterance.Split.TRAIN
    found = _SPLITS.get(cell.lower())
    if found is None:
        raise ValidationError(
            _(
                "“%(value)s” is no use of a sentence: write 训练 or train, "
                "评测 or evaluation; empty means training."
            ),
            params={"value": cell},
        )
    return found


def _read_row(cells: Mapping[str, str], intents: Mapping[str, Intent]) -> Utterance:
    intent = intents.get(cells["intent"])
    if intent is None:
        raise ValidationError(_("There is no intent “%(code)s”."), params={"code": cells["intent"]})
    utterance = Utterance(
        intent=intent,
        text=cells["text"],
        language=read_language(cells["language"]),
        family=cells["family"],
        split=read_split(cells["split"]),
    )
    _fill_in(utterance)
    utterance.clean_fields(exclude=["key", "intent"])
    return utterance

"""The content that a new installation begins with, loaded through the same rules as staff's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext_noop
from simple_history.utils import bulk_create_with_history

from intents import starter
from intents.guard import normalize, sensitive
from intents.models import (
    AllowedPhrase,
    Intent,
    Phrase,
    Reply,
    SensitiveWord,
    SuggestedQuestion,
    Utterance,
)
from intents.services.phrases import validate_phrase_text
from intents.services.replies import validate_reply_text
from intents.services.utterances import Outcome, import_utterances
from intents.services.versions import content_changed

_REASON = gettext_noop("starter content")  # in the history, which the page translates


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many rows of each kind were added."""

    intents: int
    utterances: int
    replies: int
    phrases: int
    suggested_questions: int
    sensitive_words: int
    allowed_phrases: int

    @property
    def total(self) -> int:
        return sum(getattr(self, name) for name in self.__slots__)


@transaction.atomic
def load_starter(*, reset: bool = False) -> Loaded:
    """Load the starter content where it is missing; safe to repeat, and after staff's work.

    What staff changed, switched off or deleted stays as they left it: an intent or reply
    that was there once does not come back, an intent's utterances are loaded while it has
    none, questions and words while there are none of their kind.

    Args:
        reset: First delete all utterances, replies, phrases, questions and words, and give
            the starter's intents back their names. Intents of staff stay, without content.

    Raises:
        ValidationError: A file is wrong; nothing is loaded.
    """
    if reset:
        for model in (Utterance, Reply, Phrase, SuggestedQuestion, SensitiveWord, AllowedPhrase):
            model.objects.all().delete()
    loaded = Loaded(
        intents=_load_intents(reset=reset),
        utterances=_load_utterances(),
        replies=_load_replies(reset=reset),
        phrases=_load_phrases(),
        suggested_questions=_load_questions(),
        sensitive_words=_load_words(),
        allowed_phrases=_load_allowed_phrases(),
    )
    if loaded.total or reset:
        content_changed(understanding=True)
    return loaded


def _load_intents(*, reset: bool) -> int:
    there = {intent.code: intent for intent in Intent.objects.all()}
    once_there = set(Intent.history.values_list("code", flat=True))
    new = []
    for row in starter.rows("intents"):
        fields = {
            **row,
            "position": int(row["position"]),
            "hands_over": row["hands_over"] == "True",
            "is_offered": row["is_offered"] == "True",
        }
        if row["code"] in there and reset:
            intent = there[row["code"]]
            for name, value in fields.items():
                setattr(intent, name, value)
            intent.is_active = True
            intent.revision += 1
            intent.save()
        elif row["code"] not in there and (reset or row["code"] not in once_there):
            new.append(Intent(**fields))
    return _create(new)


def _load_utterances() -> int:
    empty = set(Intent.objects.filter(utterances=None).values_list("code", flat=True))
    taken = set(Utterance.objects.values_list("key", flat=True))
    rows = [
        row
        for row in starter.rows("utterances")
        if row["intent"] in empty and normalize.key(row["text"]) not in taken
    ]
    report = import_utterances(rows)
    if wrong := [row for row in report if row.outcome != Outcome.ADDED]:
        raise ValidationError(
            f"utterances.csv: {wrong[0].text}: {wrong[0].outcome} {wrong[0].message}"
        )
    return len(report)


def _load_replies(*, reset: bool) -> int:
    intents = {intent.code: intent for intent in Intent.objects.all()}
    once_there: set[Any] = set()
    if not reset:
        once_there = set(Reply.history.values_list("intent__code", "language", "channel", "text"))
    new = []
    for row in starter.rows("replies"):
        if row["intent"] not in intents:
            continue  # staff deleted it
        if (row["intent"], row["language"], row["channel"], row["text"]) in once_there:
            continue
        validate_reply_text(row["text"])
        new.append(Reply(**{**row, "intent": intents[row["intent"]]}))
    return _create(new)


def _load_phrases() -> int:
    there = set(Phrase.objects.values_list("purpose", "language"))
    rows = [r for r in starter.rows("phrases") if (r["purpose"], r["language"]) not in there]
    for row in rows:
        validate_phrase_text(row["purpose"], row["text"])
    return _create([Phrase(**row) for row in rows])


def _load_questions() -> int:
    if SuggestedQuestion.objects.exists():
        return 0
    rows = starter.rows("suggested_questions")
    return _create([SuggestedQuestion(**{**row, "position": int(row["position"])}) for row in rows])


def _load_words() -> int:
    if SensitiveWord.objects.exists():
        return 0
    new = [SensitiveWord(**row) for row in starter.rows("sensitive_words")]
    _check_forms([word.word for word in new])
    return _create(new)


def _load_allowed_phrases() -> int:
    if AllowedPhrase.objects.exists():
        return 0
    new = [AllowedPhrase(**row) for row in starter.rows("allowed_phrases")]
    _check_forms([phrase.text for phrase in new])
    return _create(new)


def _check_forms(texts: Sequence[str]) -> None:
    forms: dict[str, str] = {}
    for text in texts:
        form = sensitive.folded(text)
        if not form or form in forms:
            raise ValidationError(f"“{text}” is empty, or the same as “{forms.get(form)}”")
        forms[form] = text


def _create(rows: Sequence[models.Model]) -> int:
    """Insert validated rows at once, with their history where the model keeps one."""
    if not rows:
        return 0
    for row in rows:
        row.clean_fields()
    model = type(rows[0])
    if hasattr(model, "history"):
        bulk_create_with_history(rows, model, batch_size=500, default_change_reason=_REASON)
    else:
        model._default_manager.bulk_create(rows, batch_size=500)
    return len(rows)

"""Which rows of content a draft may change, and how each is written as plain values."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from intents import services
from intents.guard import normalize
from intents.models import DraftEdit, Intent, Phrase, Reply, SuggestedQuestion, Utterance

Kind = DraftEdit.Kind
Row = Intent | Reply | Utterance | SuggestedQuestion | Phrase
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sort:
    """One kind of row: what is written in it, and the services that write it."""

    model: type[Any]
    fields: tuple[str, ...]  # in the order in which people read them
    save: Callable[[Any], Any]
    delete: Callable[[Any], None] | None  # None: it can only be changed


SORTS: dict[str, Sort] = {
    Kind.INTENT: Sort(
        Intent,
        (
            "code",
            "name_zh",
            "name_en",
            "description_zh",
            "description_en",
            "is_active",
            "hands_over",
            "is_offered",
            "position",
        ),
        services.save_intent,
        services.delete_intent,
    ),
    Kind.REPLY: Sort(
        Reply,
        ("intent", "language", "channel", "text", "is_active"),
        services.save_reply,
        services.delete_reply,
    ),
    Kind.UTTERANCE: Sort(
        Utterance,
        ("intent", "text", "language", "family", "split"),
        services.save_utterance,
        services.delete_utterance,
    ),
    Kind.QUESTION: Sort(
        SuggestedQuestion,
        ("language", "text", "position", "is_active"),
        services.save_suggested_question,
        services.delete_suggested_question,
    ),
    Kind.PHRASE: Sort(Phrase, ("purpose", "language", "text"), services.save_phrase, None),
}
_KINDS = {sort.model: kind for kind, sort in SORTS.items()}


def kind_of(row: Row) -> str:
    """Return the DraftEdit.Kind of a row."""
    return str(_KINDS[type(row)])


def values_of(row: Row) -> Values:
    """Return what is written in a row; the intent that it belongs to by its code."""
    return {
        name: row.intent.code if name == "intent" else getattr(row, name)  # type: ignore[union-attr]
        for name in SORTS[kind_of(row)].fields
    }


def write(row: Row, values: Values, intents: dict[str, Intent]) -> None:
    """Put values into a row, saving nothing.

    Raises:
        KeyError: The row's intent is none of `intents` (by code).
    """
    for name, value in values.items():
        setattr(row, name, intents[value] if name == "intent" else value)


def intent_of(kind: str, values: Values) -> str:
    """Return the code of the intent that a row is, or belongs to; "" for none."""
    return str(values.get("code" if kind == Kind.INTENT else "intent", ""))


def key_of(kind: str, target: int | None, values: Values) -> str:
    """Return what tells an edit of this row from others in a draft.

    An intent goes by its code and a new utterance by its normalised text, so that neither is
    made twice by one draft; a new reply is always another one.
    """
    if kind == Kind.INTENT:
        return f"{kind}:{values['code']}"
    if target is not None:
        return f"{kind}:{target}"
    if kind == Kind.UTTERANCE:
        sentence = normalize.key(values["text"]).encode()
        return f"{kind}:+{hashlib.sha256(sentence).hexdigest()[:32]}"
    return f"{kind}:+{secrets.token_hex(8)}"

"""Conflicts: what stands against a sentence in an intent, found while it is being typed.

One function for the field where somebody types, for imports, and for the review inbox. An index
of all utterances lives in each process that asks. A new version of the content is indexed beside
it, while the one of before answers: what another colleague saved a second ago may be missing.
"""

import logging
import threading
from collections.abc import Sequence

from django.db import connection

from intents import inference, language
from intents.conflicts.hints import MOST, Effect, Hint, Kind, Sentence, find
from intents.conflicts.index import Index, build
from intents.conflicts.keeping import keep, kept, pair_of
from intents.guard import normalize
from intents.inference import FrozenEncoder
from intents.inference.catalogue import current_version
from intents.models import Language

__all__ = [
    "Effect",
    "Hint",
    "Index",
    "Kind",
    "compare",
    "forget",
    "is_behind",
    "keep",
    "look",
    "look_many",
    "prepare",
]

logger = logging.getLogger(__name__)

_ORDER = list(Kind)
_held: Index | None = None
_building = threading.Lock()


def look(text: str, intent: str, *, utterance: int | None = None) -> list[Hint]:
    """Return what stands against a sentence in an intent, the plainest first.

    Pairs that somebody has looked at and kept (`keep`) are left out.

    Args:
        text: As a customer would write it.
        intent: Intent.code that it is to be added to; "" for one that is not there yet.
        utterance: Primary key, where the sentence is an utterance already.
    """
    return look_many([(text, intent)], utterances=[utterance])[0]


def compare(text: str, intents: Sequence[str]) -> list[tuple[Hint, list[str]]]:
    """Return what stands against a sentence in any of several intents, each utterance once.

    Args:
        intents: Intent.code of each that it may be given; "" for one that is not there yet.

    Returns:
        At most `MOST` hints, the plainest first and of these what stands against most, each with
        those of `intents` that it stands against: none of an intent's own one that is the same.
    """
    merged: dict[int, tuple[Hint, list[str]]] = {}
    for intent, found in zip(intents, look_many([(text, each) for each in intents]), strict=True):
        for hint in found:
            known, against = merged.get(hint.pk, (hint, []))
            plainer = min(known, hint, key=lambda each: _ORDER.index(each.kind))
            merged[hint.pk] = plainer, against + [intent] * (hint.intent != intent)
    rows = sorted(
        merged.values(),
        key=lambda row: (_ORDER.index(row[0].kind), -len(row[1]), -row[0].similarity),
    )
    return rows[:MOST]


def look_many(
    pairs: Sequence[tuple[str, str]],
    *,
    utterances: Sequence[int | None] = (),
    encoder: FrozenEncoder | None = None,
    by_meaning: bool = True,
) -> list[list[Hint]]:
    """Return what stands against each of many sentences; see `look`.

    Args:
        pairs: Text and Intent.code.
        utterances: Primary keys of those that are utterances already; empty for none.
        encoder: None for that of this process's engine. While it is being loaded, keys alone
            are compared.
        by_meaning: False compares keys alone: 20,000 sentences in a second instead of a minute.
    """
    encoder = (encoder or inference.encoder()) if by_meaning else None
    index = _current(encoder)
    sentences = [
        Sentence(text, intent, language.detect(text) or Language.CHINESE, pk)
        for (text, intent), pk in zip(pairs, utterances or [None] * len(pairs), strict=True)
    ]
    vectors = None
    if encoder is not None and index.encoder == encoder.id and sentences:
        readable = [normalize.for_model(each.text) for each in sentences]
        row = {text: at for at, text in enumerate(dict.fromkeys(readable))}  # each is read once
        vectors = encoder.embedder.embed([*row])[[row[text] for text in readable]]
    return _without_kept(sentences, find(index, sentences, vectors))


def _without_kept(
    sentences: Sequence[Sentence], found: Sequence[Sequence[Hint]]
) -> list[list[Hint]]:
    pairs = [
        [pair_of(sentence.text, hint.text) for hint in hints]
        for sentence, hints in zip(sentences, found, strict=True)
    ]
    left = kept(pair for row in pairs for pair in row)
    return [
        [hint for hint, pair in zip(hints, row, strict=True) if pair not in left]
        for hints, row in zip(found, pairs, strict=True)
    ]


def prepare() -> bool:
    """Have the index made or renewed beside what else is done. Returns whether one is there."""
    held = _held
    if held is None or held.version != current_version() or not held.is_complete:
        _renew_beside(inference.encoder())
    return held is not None


def is_behind() -> bool:
    """Whether the index that answers is older than the content; a newer one is being made."""
    held = _held
    return held is not None and held.version != current_version()


def forget() -> None:
    """Drop the index, for rows that did not come through intents.services."""
    global _held
    with _building:
        _held = None


def _current(encoder: FrozenEncoder | None) -> Index:
    """Return an index: that of now, or the former one while that of now is being made."""
    global _held
    held, version = _held, current_version()
    if held is not None and (encoder is None or held.encoder == encoder.id):
        if held.version != version or not held.is_complete:
            _renew_beside(encoder)
        return held
    with _building:
        if _held is None or (encoder is not None and _held.encoder != encoder.id):
            _held = build(version, encoder, _held)
        return _held


def _renew_beside(encoder: FrozenEncoder | None) -> None:
    """Make the index of now on a thread, unless one is at it."""
    if _building.acquire(blocking=False):
        threading.Thread(
            target=_renew, args=(encoder,), name="intents-conflicts", daemon=True
        ).start()


def _renew(encoder: FrozenEncoder | None) -> None:
    global _held
    try:
        _held = build(current_version(), encoder or inference.encoder(), _held)
    except Exception:
        logger.exception("The index of utterances cannot be renewed; that of before answers")
    finally:
        connection.close()
        _building.release()

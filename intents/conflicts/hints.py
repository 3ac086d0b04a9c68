"""What stands against a sentence in an intent: the same or nearly the same in another one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from intents.conflicts.index import Entry, Index, language_number
from intents.conflicts.masking import has_masks, masked_key
from intents.guard import normalize
from intents.inference.base import Floats

# Chosen on the dev parts of intent_zh_jddc and intent_en_banking77 and on the starter content, with
# sentences planted among them (benchmarks/conflicts.py). Cosines of `Index.similarities`.


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on an utterance of another intent says the same as a sentence."""

    least: float  # likeness
    margin: float  # by which it is nearer than the nearest of the sentence's own intent
    alone: float  # likeness, where its own intent has nothing to compare with


SAME_MEANING = Limits(0.55, 0.20, 0.70)  # in one language
TRANSLATED = Limits(0.30, 0.12, 0.40)
# A sentence belongs rather to another intent when the three nearest there are nearer than the
# three nearest here by that much, in the mean.
LEANS = 0.15
# What leans at all is said only where something is near.
NEAR_AT_ALL = 0.35
_NEAREST = 3
_LOOKED_AT = 64  # nearest utterances whose intents are weighed
MOST = 5  # hints of one sentence
_MOST_OF_A_KIND = 3
# Utterances of another intent that could come nearer to a sentence than to their own intent.
_DRAWN_MOST = 64


class Kind(StrEnum):
    """How another utterance stands to the sentence, the plainest first."""

    DUPLICATE = "duplicate"  # the same but for spelling and punctuation
    MASKED = "masked"  # the same but for numbers, names, dates
    CONFLICT = "conflict"  # says the same in other words, in another intent
    TRANSLATION = "translation"  # says the same in the other language, in another intent
    NEIGHBOUR = "neighbour"  # another intent is nearer than this one


@dataclass(frozen=True, slots=True)
class Effect:
    """What it would do to both intents if the sentence stayed where it is.

    Measured by nearest neighbours, as the cascade's prototypes read texts: the first two say
    where the sentence itself pulls, the others whom it takes away from the other intent.
    """

    here: float | None  # mean likeness of the nearest three in its own intent; None: none there
    there: float  # of the nearest three in the other intent
    drawn: int  # utterances of the other intent that would be nearer to it than to their own
    of: int  # utterances of the other intent


@dataclass(frozen=True, slots=True)
class Hint:
    """One utterance that stands against a sentence."""

    kind: Kind
    pk: int  # Utterance
    text: str
    intent: str  # Intent.code that has it
    language: str
    similarity: float  # -1 to 1; 1 for what is the same
    effect: Effect | None  # None for one of the same intent, and without vectors


@dataclass(frozen=True, slots=True)
class Sentence:
    """What somebody is about to add."""

    text: str
    intent: str  # Intent.code, "" for a new one
    language: str
    pk: int | None = None  # Utterance, if it is one already


def find(index: Index, sentences: Sequence[Sentence], vectors: Floats | None) -> list[list[Hint]]:
    """Return the hints of each sentence, the plainest kinds first, at most `MOST` each.

    Args:
        vectors: Of the sentences, unit length, shape (m, d); None: keys alone are compared.
    """
    if vectors is None or not index.has_vectors or not sentences:
        return [_by_keys(index, sentence) for sentence in sentences]
    centred = index.centred(vectors, [each.language for each in sentences])
    similarities = index.similarities(centred)
    return [
        _by_everything(index, sentence, row)
        for sentence, row in zip(sentences, similarities, strict=True)
    ]


def _by_keys(index: Index, sentence: Sentence) -> list[Hint]:
    return [_hint(kind, index.entries[row], 1.0, None) for kind, row in _same(index, sentence)][
        :MOST
    ]


def _same(index: Index, sentence: Sentence) -> Iterator[tuple[Kind, int]]:
    """Yield the utterances with the same key, then those of other intents with the same mask."""
    same = index.by_key.get(normalize.key(sentence.text))
    if same is not None and index.entries[same].pk != sentence.pk:
        yield Kind.DUPLICATE, same
    masked = masked_key(sentence.text)
    if not has_masks(masked):
        return
    others = [
        row
        for row in index.by_masked.get(masked, ())
        if row != same
        and index.entries[row].intent != sentence.intent
        and index.entries[row].pk != sentence.pk
    ]
    for row in others[:_MOST_OF_A_KIND]:
        yield Kind.MASKED, row


def _by_everything(index: Index, sentence: Sentence, similarities: Floats) -> list[Hint]:
    own = index.rows_of.get(sentence.intent, slice(0, 0))
    itself = index.by_pk.get(sentence.pk) if sentence.pk is not None else None
    own_rows = np.arange(own.start, own.stop)
    own_rows = own_rows[own_rows != (-1 if itself is None else itself)]
    here = _mean_of_nearest(similarities[own_rows])
    elsewhere = similarities.copy()
    elsewhere[own] = -1.0
    if itself is not None:
        elsewhere[itself] = -1.0
    alike = index.languages == language_number(sentence.language)
    found = {row: kind for kind, row in _same(index, sentence)}
    for kind, limits, in_language in (
        (Kind.CONFLICT, SAME_MEANING, alike),
        (Kind.TRANSLATION, TRANSLATED, ~alike),
    ):
        compared = own_rows[in_language[own_rows]]
        least = (
            max(limits.least, float(similarities[compared].max()) + limits.margin)
            if len(compared)
            else limits.alone
        )
        candidates = np.flatnonzero(in_language & (elsewhere >= least))
        nearest = candidates[np.argsort(-elsewhere[candidates], kind="stable")]
        for row in nearest[:_MOST_OF_A_KIND]:
            found.setdefault(int(row), kind)
    nearer = _nearer_intent(index, elsewhere, here)
    if nearer is not None and index.entries[nearer].intent not in {
        index.entries[row].intent for row in found
    }:
        found[nearer] = Kind.NEIGHBOUR
    order = list(Kind)
    rows = sorted(found, key=lambda row: (order.index(found[row]), -similarities[row]))[:MOST]
    effects = {
        code: _effect(index, code, similarities, here)
        for code in {index.entries[row].intent for row in rows} - {sentence.intent}
    }
    exact = (Kind.DUPLICATE, Kind.MASKED)
    return [
        _hint(
            found[row],
            index.entries[row],
            1.0 if found[row] in exact else float(similarities[row]),
            effects.get(index.entries[row].intent),
        )
        for row in rows
    ]


def _nearer_intent(index: Index, elsewhere: Floats, here: float | None) -> int | None:
    """Return the nearest utterance of the intent to which a sentence belongs rather, if any.

    None, too, where its own intent has nothing to compare with: new intents are near to old ones.

    Args:
        elsewhere: Likeness to each utterance, -1 to those of the sentence's own intent and to itself.
        here: Mean likeness of the nearest three of its own intent.
    """
    if here is None or not len(elsewhere):
        return None
    some = np.argpartition(-elsewhere, min(_LOOKED_AT, len(elsewhere) - 1))[:_LOOKED_AT]
    likeness = {
        code: _mean_of_nearest(elsewhere[index.rows_of[code]]) or -1.0
        for code in {index.entries[row].intent for row in some if elsewhere[row] > -1.0}
    }
    if not likeness:
        return None
    code, there = max(likeness.items(), key=lambda pair: pair[1])
    if there < max(NEAR_AT_ALL, here + LEANS):
        return None
    rows = index.rows_of[code]
    first: int = rows.start
    return first + int(elsewhere[rows].argmax())


def _effect(index: Index, code: str, similarities: Floats, here: float | None) -> Effect:
    rows = index.rows_of[code]
    likeness = similarities[rows]
    some = rows.start + np.argsort(-likeness, kind="stable")[:_DRAWN_MOST]
    drawn = int(np.count_nonzero(similarities[some] > index.own_nearest(some, code)))
    there = _mean_of_nearest(likeness) or 0.0
    return Effect(here=here, there=there, drawn=drawn, of=len(likeness))


def _hint(kind: Kind, entry: Entry, similarity: float, effect: Effect | None) -> Hint:
    return Hint(kind, entry.pk, entry.text, entry.intent, entry.language, similarity, effect)


def _mean_of_nearest(similarities: Floats) -> float | None:
    """Return the mean of the largest three, None of nothing."""
    if not len(similarities):
        return None
    return float(np.sort(similarities)[-_NEAREST:].mean())

"""The answer to a batch of texts, from all that is known at one moment."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from intents.guard import normalize
from intents.inference import artifacts, metrics
from intents.inference.base import (
    NOTHING,
    Floats,
    FrozenEncoder,
    Prediction,
    Read,
    Source,
    TrainedModel,
)
from intents.inference.catalogue import EMPTY, Catalogue, Sentence
from intents.inference.features import Features
from intents.inference.keywords import Keywords
from intents.inference.letters import Grams
from intents.inference.prototypes import Group, Prototypes
from intents.inference.scope import Scope, Seen

logger = logging.getLogger(__name__)

# Of a text that staff have labelled themselves. Not 1: some labels are slips.
_LABELLED = 0.97
# Models read the first and the last 32 tokens, and no utterance is longer than 500 characters.
_MOST_CHARS = 1000
# Beyond these nobody looks, and each answer is stored with its ranking.
_RANKED_MOST = 10


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one text may mean."""

    masses: dict[str, float]  # probability by intent, given that any of them is meant
    out_of_scope: float = 0.0  # probability that none is


@dataclass(frozen=True, slots=True)
class Examples:
    """Prototypes and the encoder that they were made with."""

    prototypes: Prototypes
    encoder: FrozenEncoder
    scope: Scope | None = None  # None: the model has one, or there are too few examples
    features_of: str = ""  # version of the model whose features they are compared by

    @property
    def any_fresh(self) -> bool:
        return self.prototypes.any_fresh

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return the vectors of texts, shape (n, d)."""
        with metrics.INFERRED.labels("encoder").time():
            return self.encoder.embedder.embed(texts)


class Understanding:
    """A catalogue with whatever can read texts by it. Immutable: replaced, never changed.

    With a trained model and utterances that it has not seen, both answer in one
    distribution. The unseen ("fresh") ones compete as prototypes against those of all
    intents and take their share; the model divides the rest:

        p(intent) = fresh(intent) + (1 - sum of fresh) * model(intent)

    so a new intent answers at once, old ones lose only what is nearer to the fresh
    utterances than to anything that they were taught, and without fresh utterances this is
    the model's own answer. Fewer than five fresh utterances of an intent count for less
    (`Prototypes.compare`), unless a text says the same as one of them.
    """

    def __init__(
        self,
        catalogue: Catalogue = EMPTY,
        *,
        keywords: Keywords | None = None,
        examples: Examples | None = None,
        model: TrainedModel | None = None,
        is_complete: bool = True,
    ) -> None:
        """Put together what is there.

        Args:
            is_complete: False while prototypes are still being made of this catalogue.
        """
        self.is_complete = is_complete
        self.catalogue = catalogue
        self.keywords = keywords
        self.examples = examples
        self.model = model
        # By the text as models read it, as questions come: courtesies make no other sentence.
        self._labelled = {
            normalize.key(sentence.text): sentence.intent for sentence in catalogue.sentences
        }

    @property
    def source(self) -> Source:
        """What would answer a text."""
        if self.model:
            return "model"
        if self.examples:
            return "prototypes"
        return "keywords" if self.keywords and self.catalogue.active else "none"

    @property
    def runtime(self) -> str:
        """Name of the runtime that would read a text; "" when none would."""
        if self.model:
            return self.model.runtime()
        return self.examples.encoder.runtime() if self.examples else ""

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Answer texts by the model, where there is none as `predict_without_model` does.

        Raises:
            Exception: Whatever the model raises: the batcher finds out on which text.
        """
        return decided(self.begin(texts))

    def predict_without_model(self, texts: Sequence[str]) -> list[Prediction]:
        """Answer texts by prototypes, where that fails by keywords. Never raises."""
        return decided(self._begin_without_model(texts))

    def begin(self, texts: Sequence[str]) -> "list[Begun | Prediction]":
        """Run the model over texts, which takes most of the time; `decided` does the rest.

        Raises:
            Exception: As `predict`.
        """
        if self.model is None:
            return self._begin_without_model(texts)
        readable = self._prepared(texts)
        with metrics.INFERRED.labels("model").time():
            read = self.model.classifier.read(readable)
        shape = len(texts), len(self.model.classifier.labels)
        if read.probabilities.shape != shape or not np.isfinite(read.probabilities).all():
            raise ValueError(f"{self.model.version} gave {read.probabilities.shape}, or no numbers")
        return _Pass(self, readable, read.vectors, read).begun()

    def _begin_without_model(self, texts: Sequence[str]) -> "list[Begun | Prediction]":
        readable = self._prepared(texts)
        if self.examples is not None:
            try:
                return _Pass(self, readable, self.examples.embed(readable)).begun()
            except Exception:
                logger.exception("The encoder failed on %d texts; keywords answer", len(texts))
                metrics.FAILED.labels("prototypes").inc()
        return [self.predict_without_waiting(text) for text in texts]

    def decide(self, one: "_Pass") -> list[Prediction]:
        """Return what texts mean that were read by this; see `decided`."""
        if one.read is not None and self.model is not None:
            by_model = self._by_model(self.model, one.texts, one.read)
            return self._predictions(one.texts, by_model, "model")
        answers = None
        try:
            answers = self._by_prototypes(one)
        except Exception:
            logger.exception("Prototypes failed on %d texts; keywords answer", len(one.texts))
            metrics.FAILED.labels("prototypes").inc()
        if answers is None:
            return [self.predict_without_waiting(text) for text in one.texts]
        return self._predictions(one.texts, answers, "prototypes")

    def _prepared(self, texts: Sequence[str]) -> list[str]:
        with metrics.PREPARED.time():
            return [_readable(text) for text in texts]

    def _predictions(
        self, texts: Sequence[str], answers: Sequence[_Answer], source: Source
    ) -> list[Prediction]:
        return [
            self._prediction(text, answer, source)
            for text, answer in zip(texts, answers, strict=True)
        ]

    def without_models(self) -> "Understanding":
        """Return what is left when neither model nor encoder can be trusted: keywords."""
        return Understanding(self.catalogue, keywords=self.keywords, is_complete=self.is_complete)

    def predict_without_waiting(self, text: str) -> Prediction:
        """Answer one text by keywords, in well under a millisecond. Never raises."""
        try:
            return self._by_keywords(_readable(text))
        except Exception:
            logger.exception("Keywords failed; no intent is named")
            return NOTHING

    def _by_model(self, model: TrainedModel, texts: Sequence[str], read: Read) -> list[_Answer]:
        labels = model.classifier.labels
        fresh = self._fresh(texts, read, labels)
        strange = np.zeros(len(texts)) if read.out_of_scope is None else read.out_of_scope
        answers = []
        for row, taken, unknown in zip(
            read.probabilities.tolist(), fresh, strange.tolist(), strict=True
        ):
            # What is near to fresh utterances is in scope, however new it is to the model.
            rest = 1.0 - sum(taken.values())
            masses = {label: rest * mass for label, mass in zip(labels, row, strict=True)}
            for intent, share in taken.items():
                masses[intent] = masses.get(intent, 0.0) + share
            answers.append(_Answer(masses, rest * unknown))
        return answers

    def _fresh(
        self, texts: Sequence[str], read: Read, labels: Sequence[str]
    ) -> list[dict[str, float]]:
        """Return what utterances that the model has not seen take of each text, by intent."""
        nothing: list[dict[str, float]] = [{} for _ in texts]
        if self.examples is None or not self.examples.any_fresh:
            return nothing
        prototypes = self.examples.prototypes
        try:
            # Those of a model that has just taken over are compared once examples are refitted.
            is_same = self.model is not None and self.examples.features_of == self.model.version
            features = read.features if is_same else None
            compared = prototypes.compare(texts, read.vectors, features)
            shares = prototypes.fresh_shares(compared, labels, read.probabilities)
        except Exception:
            logger.exception("Prototypes failed; the model answers without fresh utterances")
            metrics.FAILED.labels("prototypes").inc()
            return nothing
        rows = np.stack(list(shares.values()), axis=1).tolist()
        return [dict(zip(shares, row, strict=True)) for row in rows]

    def _by_prototypes(self, one: "_Pass") -> list[_Answer] | None:
        if self.examples is None:
            return None
        prototypes, scope = self.examples.prototypes, self.examples.scope
        compared = prototypes.compare(one.texts, one.vectors)
        strange = (
            np.zeros(len(one.texts)) if scope is None else scope.out_of_scope(Seen(one.vectors))
        )
        answers = []
        for row, unknown in zip(prototypes.probabilities(compared), strange, strict=True):
            masses: dict[str, float] = {}
            for group, probability in zip(prototypes.groups, row, strict=True):
                masses[group.intent] = masses.get(group.intent, 0.0) + float(probability)
            answers.append(_Answer(masses, float(unknown)))
        return answers

    def _by_keywords(self, text: str) -> Prediction:
        if self.keywords is None:
            return NOTHING
        return self._prediction(text, _Answer(dict(self.keywords.rank(text))), "keywords")

    def _prediction(self, text: str, answer: _Answer, source: Source) -> Prediction:
        masses, out_of_scope = answer.masses, answer.out_of_scope
        labelled = self._labelled.get(normalize.key(text))
        if labelled is not None:
            out_of_scope *= 1 - _LABELLED
            others = sum(mass for intent, mass in masses.items() if intent != labelled) or 1.0
            masses = {intent: mass * (1 - _LABELLED) / others for intent, mass in masses.items()}
            masses[labelled] = _LABELLED
        # What is switched off or gone keeps its share, which nobody else gets: a customer who
        # asks for it is asked back or handed over, not given the next best reply.
        answered = [pair for pair in masses.items() if pair[0] in self.catalogue.active]
        ranked = tuple(sorted(answered, key=lambda pair: -pair[1])[:_RANKED_MOST])
        if not ranked:
            return NOTHING
        version = self.model.version if self.model and source == "model" else ""
        return Prediction(
            ranked=ranked, source=source, model_version=version, out_of_scope=out_of_scope
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Pass:
    """What one run of a model, or of the encoder alone, found of some texts."""

    by: Understanding
    texts: Sequence[str]  # as models read them
    vectors: Floats  # of the frozen encoder, shape (n, d)
    read: Read | None = None  # of a trained model

    def begun(self) -> "list[Begun | Prediction]":
        return [Begun(self, place) for place in range(len(self.texts))]

    def part(self, places: Sequence[int]) -> "_Pass":
        rows = list(places)
        if rows == list(range(len(self.texts))):
            return self
        texts = [self.texts[place] for place in rows]
        read = self.read and self.read.part(rows)
        return _Pass(self.by, texts, self.vectors[rows], read)


@dataclass(frozen=True, slots=True, eq=False)
class Begun:
    """One text that a model has read, and that has no answer yet."""

    of: _Pass
    place: int  # among its texts


def decided(begun: Sequence[Begun | Prediction]) -> list[Prediction]:
    """Return what texts mean that `Understanding.begin` was given, on any thread.

    Args:
        begun: As `begin` gives them, of one call or several, in their order; all of them, or some.
    """
    places: defaultdict[_Pass, list[int]] = defaultdict(list)
    for one in begun:
        if isinstance(one, Begun):
            places[one.of].append(one.place)
    found = {of: iter(of.by.decide(of.part(own))) for of, own in places.items()}
    return [next(found[one.of]) if isinstance(one, Begun) else one for one in begun]


def _readable(text: str) -> str:
    if len(text) > _MOST_CHARS:
        half = _MOST_CHARS // 2
        text = f"{text[:half]} {text[-half:]}"
    return normalize.for_model(text)


def examples_of(
    catalogue: Catalogue,
    vectors: Floats,
    encoder: FrozenEncoder,
    model: TrainedModel | None,
    grams: Grams | None = None,
    features: Features | None = None,
) -> Examples:
    """Fit prototypes.

    Args:
        catalogue: Its sentences are those of `vectors`, shape (n, d), n at least 1.
        model: What it was trained on is not fresh. Without one, nothing is.
        grams: Those of sentences that were there before are then not counted again.
        features: Of the model. None: texts are compared by vectors and letters alone.
    """
    groups = [
        Group(sentence.intent, fresh=model is not None and _is_news(sentence, model))
        for sentence in catalogue.sentences
    ]
    families = [sentence.family for sentence in catalogue.sentences]
    scope = None
    if model is None:
        intents = [sentence.intent for sentence in catalogue.sentences]
        scope = Scope.of_examples(vectors, intents, families)
    texts = [sentence.text for sentence in catalogue.sentences]
    directions = features.directions(texts, groups) if features is not None else None
    prototypes = Prototypes(texts, vectors, groups, families, grams, directions)
    version = features.model.version if features is not None else ""
    return Examples(prototypes, encoder, scope, features_of=version)


def _is_news(sentence: Sentence, model: TrainedModel) -> bool:
    """Whether an utterance was added after training, so that the model cannot know it."""
    return (
        sentence.intent not in model.classifier.labels
        or artifacts.key_hash(normalize.key(sentence.text)) not in model.seen
    )

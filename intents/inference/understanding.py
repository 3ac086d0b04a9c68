"""The answer to a batch of texts, from all that is known at one moment."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from intents.guard import normalize
from intents.inference import artifacts, metrics
from intents.inference.base import (
    NOTHING,
    Floats,
    FrozenEncoder,
    Prediction,
    Source,
    TrainedModel,
)
from intents.inference.catalogue import EMPTY, Catalogue, Sentence
from intents.inference.keywords import Keywords
from intents.inference.prototypes import Group, Prototypes

logger = logging.getLogger(__name__)

# Of a text that staff have labelled themselves. Not 1: some labels are slips.
_LABELLED = 0.97
# Models cut a text after 64 tokens, and no utterance is longer than 500 characters.
_MOST_CHARS = 1000
# Beyond these nobody looks, and each answer is stored with its ranking.
_RANKED_MOST = 10

# Probability masses by intent, one mapping a text; None when this one cannot answer at all.
_Answer = Callable[[Sequence[str]], list[dict[str, float]] | None]


@dataclass(frozen=True, slots=True)
class Examples:
    """Prototypes and the encoder that they were made with."""

    prototypes: Prototypes
    encoder: FrozenEncoder

    @property
    def any_fresh(self) -> bool:
        return any(group.fresh for group in self.prototypes.groups)

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
        self._labelled = {sentence.key: sentence.intent for sentence in catalogue.sentences}

    @property
    def source(self) -> Source:
        """What would answer a text."""
        if self.model:
            return "model"
        if self.examples:
            return "prototypes"
        return "keywords" if self.keywords and self.catalogue.active else "none"

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Answer texts by the best that works: the model, prototypes, keywords. Never raises."""
        started = time.perf_counter()
        readable = [_readable(text) for text in texts]
        metrics.PREPARED.observe(time.perf_counter() - started)
        cascade: tuple[tuple[Source, _Answer], ...] = (
            ("model", self._by_model),
            ("prototypes", self._by_prototypes),
        )
        for source, answer in cascade:
            try:
                answers = answer(readable)
            except Exception:
                logger.exception(
                    "The %s failed on %d texts; the next best answers", source, len(texts)
                )
                metrics.FAILED.labels(source).inc()
                continue
            if answers is not None:
                return [
                    self._prediction(text, masses, source)
                    for text, masses in zip(readable, answers, strict=True)
                ]
        return [self._by_keywords(text) for text in readable]

    def predict_without_waiting(self, text: str) -> Prediction:
        """Answer one text by keywords, in well under a millisecond. Never raises."""
        try:
            return self._by_keywords(_readable(text))
        except Exception:
            logger.exception("Keywords failed; no intent is named")
            return NOTHING

    def _by_model(self, texts: Sequence[str]) -> list[dict[str, float]] | None:
        if self.model is None:
            return None
        labels = self.model.classifier.labels
        vectors = self._vectors_for_fresh(texts)
        with metrics.INFERRED.labels("model").time():
            by_model = self.model.classifier.predict_probabilities(texts, vectors)
        if by_model.shape != (len(texts), len(labels)) or not np.isfinite(by_model).all():
            raise ValueError(f"{self.model.version} gave {by_model.shape}, or no numbers")
        fresh = self._fresh(texts, vectors)
        answers = []
        for row, taken in zip(by_model, fresh, strict=True):
            rest = 1.0 - sum(taken.values())
            masses = dict(taken)
            for label, probability in zip(labels, row, strict=True):
                masses[label] = masses.get(label, 0.0) + rest * float(probability)
            answers.append(masses)
        return answers

    def _vectors_for_fresh(self, texts: Sequence[str]) -> Floats | None:
        """Return the vectors that fresh utterances are compared by; None when there are none."""
        if self.examples is None or not self.examples.any_fresh:
            return None  # the usual case: the model asks for vectors itself if it wants them
        try:
            return self.examples.embed(texts)
        except Exception:
            logger.exception("The encoder failed; the model answers without fresh utterances")
            metrics.FAILED.labels("prototypes").inc()
            return None

    def _fresh(self, texts: Sequence[str], vectors: Floats | None) -> list[dict[str, float]]:
        """Return what utterances that the model has not seen take of each text, by intent."""
        if self.examples is None or vectors is None:
            return [{} for _ in texts]
        probabilities, sureness = self.examples.prototypes.compare(vectors)
        shares = probabilities * sureness
        return [
            {
                group.intent: float(share)
                for group, share in zip(self.examples.prototypes.groups, row, strict=True)
                if group.fresh
            }
            for row in shares
        ]

    def _by_prototypes(self, texts: Sequence[str]) -> list[dict[str, float]] | None:
        if self.examples is None:
            return None
        probabilities, _ = self.examples.prototypes.compare(self.examples.embed(texts))
        answers = []
        for row in probabilities:
            masses: dict[str, float] = {}
            for group, probability in zip(self.examples.prototypes.groups, row, strict=True):
                masses[group.intent] = masses.get(group.intent, 0.0) + float(probability)
            answers.append(masses)
        return answers

    def _by_keywords(self, text: str) -> Prediction:
        if self.keywords is None:
            return NOTHING
        return self._prediction(text, dict(self.keywords.rank(text)), "keywords")

    def _prediction(self, text: str, masses: Mapping[str, float], source: Source) -> Prediction:
        labelled = self._labelled.get(normalize.key(text))
        if labelled is not None:
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
        return Prediction(ranked=ranked, source=source, model_version=version)


def _readable(text: str) -> str:
    return normalize.for_model(text[:_MOST_CHARS])


def examples_of(
    catalogue: Catalogue, vectors: Floats, encoder: FrozenEncoder, model: TrainedModel | None
) -> Examples:
    """Fit prototypes.

    Args:
        catalogue: Its sentences are those of `vectors`, shape (n, d), n at least 1.
        model: What it was trained on is not fresh. Without one, nothing is.
    """
    groups = [
        Group(sentence.intent, fresh=model is not None and _is_news(sentence, model))
        for sentence in catalogue.sentences
    ]
    families = [sentence.family for sentence in catalogue.sentences]
    return Examples(Prototypes(vectors, groups, families), encoder)


def _is_news(sentence: Sentence, model: TrainedModel) -> bool:
    """Whether an utterance was added after training, so that the model cannot know it."""
    return (
        sentence.intent not in model.classifier.labels
        or artifacts.key_hash(sentence.key) not in model.seen
    )

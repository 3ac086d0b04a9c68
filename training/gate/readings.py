"""What a model says of texts, and how long it takes: both models side by side."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from intents.guard import normalize
from intents.inference import Prediction, artifacts

_RANKED_KEPT = 10
_ROUNDS, _WARM_UP = 40, 5


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says of one text."""

    ranked: tuple[tuple[str, float], ...]  # code and calibrated probability, best first
    out_of_scope: float

    @property
    def intent(self) -> str:
        return self.ranked[0][0]

    @property
    def probability(self) -> float:
        return self.ranked[0][1]

    def prediction(self) -> Prediction:
        return Prediction(self.ranked, "model", out_of_scope=self.out_of_scope)


class Contender:
    """A model directory, opened to be judged.

    Raises:
        BrokenArtifact: It cannot be loaded.
    """

    def __init__(self, directory: Path) -> None:
        self._classifier = artifacts.load_classifier(directory)
        self.manifest = self._classifier.manifest
        self.labels = frozenset(self._classifier.labels)
        self.bytes = sum(path.stat().st_size for path in directory.iterdir())

    def read(self, texts: Sequence[str]) -> list[Answer]:
        """Answer texts as they were written."""
        if not texts:
            return []
        read = self._classifier.read([normalize.for_model(text) for text in texts])
        labels = self._classifier.labels
        best = np.argsort(-read.probabilities, axis=1, kind="stable")[:, :_RANKED_KEPT]
        strange = np.zeros(len(texts)) if read.out_of_scope is None else read.out_of_scope
        return [
            Answer(tuple((labels[at], float(row[at])) for at in columns), float(unknown))
            for row, columns, unknown in zip(read.probabilities, best, strange, strict=True)
        ]

    def seconds(self, text: str) -> float:
        """Return how long one text alone takes."""
        started = time.perf_counter()
        self._classifier.read([normalize.for_model(text)])
        return time.perf_counter() - started


def race(
    active: Contender | None, candidate: Contender, texts: Sequence[str]
) -> tuple[float | None, float]:
    """Return the median milliseconds of both, a text alone, measured in turn.

    In turn, so that whatever else the machine does meanwhile slows both alike.
    """
    times: list[tuple[float, float]] = []
    for number in range(_WARM_UP + _ROUNDS):
        text = texts[number % len(texts)]
        before = active.seconds(text) if active else 0.0
        after = candidate.seconds(text)
        if number >= _WARM_UP:
            times.append((before, after))
    before_ms, after_ms = (1000 * statistics.median(column) for column in zip(*times, strict=True))
    return (before_ms if active else None), after_ms

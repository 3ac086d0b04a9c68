"""How good a model is: accuracy, F1, calibration, intent by intent."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

CALIBRATION_BINS = 15


@dataclass(frozen=True, slots=True)
class Measures:
    """Of one model on one set of texts. All from 0 to 1, except counts."""

    texts: int
    accuracy: float
    macro_f1: float  # mean over the intents that occur in the truth
    calibration_error: float  # expected, 15 bins of equal mass
    per_intent: Mapping[str, Mapping[str, float]]  # code: {precision, recall, f1, texts}
    confusion: Sequence[tuple[str, str, int]]  # (true, predicted, count), most frequent first

    def as_dict(self) -> dict[str, Any]:
        """Return plain lists and numbers, for JSON."""
        return asdict(self)


def evaluate(
    probabilities: npt.NDArray[Any], labels: Sequence[str], truth: Sequence[str]
) -> Measures:
    """Compare predictions with the truth.

    Args:
        probabilities: Shape (n, k), rows sum to 1, n at least 1.
        labels: The intent of each column.
        truth: The right intent of each row; one that is no column is always missed.

    Raises:
        ValueError: Shapes do not fit, or there is nothing to measure.
    """
    if probabilities.shape != (len(truth), len(labels)) or not truth:
        raise ValueError(
            f"{len(truth)} texts of {len(labels)} intents, probabilities of {probabilities.shape}"
        )
    predicted = [labels[column] for column in probabilities.argmax(axis=1)]
    right = np.array([guess == true for guess, true in zip(predicted, truth, strict=True)])
    per_intent = _per_intent(predicted, truth)
    wrong = Counter(
        (true, guess) for guess, true in zip(predicted, truth, strict=True) if guess != true
    )
    return Measures(
        texts=len(truth),
        accuracy=float(right.mean()),
        macro_f1=float(np.mean([row["f1"] for row in per_intent.values() if row["texts"]])),
        calibration_error=calibration_error(probabilities.max(axis=1), right),
        per_intent=per_intent,
        confusion=[
            (true, guess, count)
            for (true, guess), count in sorted(wrong.items(), key=lambda item: (-item[1], item[0]))
        ],
    )


def calibration_error(
    confidence: npt.NDArray[Any], right: npt.NDArray[np.bool_], bins: int = CALIBRATION_BINS
) -> float:
    """Return the expected calibration error over bins of equal mass.

    Texts are sorted by confidence and cut into `bins` groups that differ by at most one in
    size; the error is the mean of |accuracy - mean confidence|, weighted by size. 0 is right.

    Args:
        confidence: Probability of the predicted intent, shape (n,).
        right: Whether it was the right one, shape (n,).

    Source: Nixon et al., "Measuring Calibration in Deep Learning", CVPR workshops 2019,
    section 3 (adaptive bins).
    """
    if not len(confidence):
        return 0.0
    order = np.argsort(confidence, kind="stable")
    gaps = [
        abs(float(right[group].mean()) - float(confidence[group].mean())) * len(group)
        for group in np.array_split(order, bins)
        if len(group)
    ]
    return sum(gaps) / len(confidence)


def _per_intent(predicted: Sequence[str], truth: Sequence[str]) -> dict[str, dict[str, float]]:
    hits = Counter(true for guess, true in zip(predicted, truth, strict=True) if guess == true)
    guessed, present = Counter(predicted), Counter(truth)
    rows: dict[str, dict[str, float]] = {}
    for intent in sorted(guessed.keys() | present.keys()):
        precision = hits[intent] / guessed[intent] if guessed[intent] else 0.0
        recall = hits[intent] / present[intent] if present[intent] else 0.0
        both = precision + recall
        rows[intent] = {
            "precision": precision,
            "recall": recall,
            "f1": 2 * precision * recall / both if both else 0.0,
            "texts": present[intent],
        }
    return rows

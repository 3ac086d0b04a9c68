"""How good a model is: accuracy, F1, calibration, intent by intent."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

CALIBRATION_BINS = 15
_SIMULATIONS = 200


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


@dataclass(frozen=True, slots=True)
class Scored:
    """What a model says of one text whose intent is known."""

    truth: str  # Intent.code
    ranked: tuple[tuple[str, float], ...]  # (Intent.code, probability), best first, at most ten
    out_of_scope: float


_RANKED_KEPT = 10


def scored(
    probabilities: npt.NDArray[Any],
    out_of_scope: npt.NDArray[Any],
    labels: Sequence[str],
    truth: Sequence[str],
) -> list[Scored]:
    """Return what a model says, text by text.

    Args:
        probabilities: Shape (n, k), rows sum to 1.
        out_of_scope: Shape (n,).
    """
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :_RANKED_KEPT]
    return [
        Scored(
            truth=true,
            ranked=tuple((labels[column], round(float(row[column]), 5)) for column in columns),
            out_of_scope=round(float(unknown), 5),
        )
        for true, row, columns, unknown in zip(
            truth, probabilities, best, out_of_scope, strict=True
        )
    ]


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


def simulated_calibration_error(confidence: npt.NDArray[Any], seed: int = 0) -> float:
    """Return the error that a perfectly calibrated model of these confidences would show.

    Whether each text is right is drawn with its confidence; the mean of 200 draws. It is above
    0 because a bin of few texts is never exactly as right as it is confident.
    """
    draw = np.random.default_rng(seed)
    return float(
        np.mean(
            [
                calibration_error(confidence, draw.random(len(confidence)) < confidence)
                for _ in range(_SIMULATIONS)
            ]
        )
    )


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

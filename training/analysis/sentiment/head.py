"""Fits a head for moods: logistic regression over the encoder's vectors and n-grams."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse
from sklearn.linear_model import LogisticRegression

from intents.guard import normalize
from intents.inference.mood import LABELS
from intents.inference.scoring import Floats, LightHead, softmax
from training import light_head

# Chosen on real reviews that are not shipped (development part only). Vectors count four times as
# much as n-grams: a few hundred sentences hold few of the words that customers use.
_VECTOR_SCALE = 4.0
_INVERSE_PENALTY = 0.3
_FOLDS = 4
_TEMPERATURES = (0.2, 5.0)


def fit(
    texts: Sequence[str],
    vectors: Floats,
    labels: Sequence[str],
    groups: Sequence[str],
    *,
    inverse_penalty: float = _INVERSE_PENALTY,
) -> LightHead:
    """Fit and calibrate.

    The temperature is the one under which held-out texts are likeliest, each read by a head that
    saw nothing of its group; it goes into weights and bias.

    Args:
        texts: As customers write.
        vectors: Of the frozen encoder for them, unit length, shape (n, d).
        labels: Of mood.LABELS; at least two of them occur.
        groups: What belongs together (topics): never on both sides of a fold.

    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2.
    """
    targets = np.array([LABELS.index(label) for label in labels], np.int64)
    spelled = [normalize.spelled(text) for text in texts]
    names = sorted(set(groups))
    fold = np.array([names.index(group) % _FOLDS for group in groups])
    held_out = np.full((len(texts), len(LABELS)), np.nan, np.float32)
    for number in range(_FOLDS):
        inside, outside = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        if len(outside) and set(targets[inside]) == set(targets):
            head = _fit(
                [spelled[at] for at in inside], vectors[inside], targets[inside], inverse_penalty
            )
            held_out[outside] = head.logits([spelled[at] for at in outside], vectors[outside])
    head = _fit(spelled, vectors, targets, inverse_penalty)
    known = ~np.isnan(held_out[:, 0])
    return _cooled(head, _temperature(held_out[known], targets[known]))


def _fit(
    texts: Sequence[str], vectors: Floats, targets: npt.NDArray[np.int64], inverse_penalty: float
) -> LightHead:
    tfidf = light_head.tfidf_of(texts)
    grams = light_head.matrix(tfidf, texts)
    centre = vectors.mean(axis=0)
    features = sparse.hstack(
        [grams, sparse.csr_matrix((vectors - centre) * _VECTOR_SCALE)], format="csr"
    )
    model = LogisticRegression(C=inverse_penalty, max_iter=500, tol=1e-3).fit(features, targets)
    weights, bias = model.coef_.T, model.intercept_
    if weights.shape[1] == 1:  # of two classes sklearn keeps the second one's logit only
        weights, bias = np.hstack([-weights, weights]) / 2, np.hstack([-bias, bias]) / 2
    every = np.zeros((len(weights), len(LABELS)))
    every_bias = np.full(len(LABELS), -30.0)  # of a label that does not occur: never
    every[:, model.classes_], every_bias[model.classes_] = weights, bias
    columns = len(tfidf.columns)
    vector_weights = _VECTOR_SCALE * every[columns:]
    return LightHead(
        tfidf=tfidf,
        gram_weights=every[:columns].astype(np.float16),
        vector_weights=vector_weights.astype(np.float32),
        bias=(every_bias - centre @ vector_weights).astype(np.float32),
    )


def _temperature(logits: Floats, targets: npt.NDArray[np.int64]) -> float:
    if not len(logits):
        return 1.0
    rows = np.arange(len(targets))

    def loss(temperature: float) -> float:
        shares = softmax(logits / temperature)[rows, targets]
        return float(-np.log(np.maximum(shares, 1e-9)).mean())

    found = optimize.minimize_scalar(loss, bounds=_TEMPERATURES, method="bounded")
    return float(found.x)


def _cooled(head: LightHead, temperature: float) -> LightHead:
    return LightHead(
        tfidf=head.tfidf,
        gram_weights=(head.gram_weights.astype(np.float32) / temperature).astype(np.float16),
        vector_weights=head.vector_weights / np.float32(temperature),
        bias=head.bias / np.float32(temperature),
    )

"""Fits a head for moods: logistic regression over the encoder's vectors and n-grams."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from intents.guard import normalize
from intents.inference.mood import LABELS
from intents.inference.scoring import Floats, LightHead, Tfidf, softmax
from training import light_head


@dataclass(frozen=True, slots=True)
class Fitting:
    """How a head is fitted."""

    vector_scale: float  # how much the vector counts; the n-grams of a text have length 1
    inverse_penalty: float


# Chosen on real reviews that are not shipped (training and development part only). A few hundred
# sentences hold few of the words that customers use; many thousand hold most.
FEW = Fitting(vector_scale=4.0, inverse_penalty=0.1)
MANY = Fitting(vector_scale=1.0, inverse_penalty=3.0)
_MANY_TEXTS = 5_000
# Added to the counts of which n-grams are weighed.
_SMOOTHING = 0.3
_FOLDS = 4
_TEMPERATURES = (0.2, 5.0)


def fit(
    texts: Sequence[str],
    vectors: Floats,
    labels: Sequence[str],
    groups: Sequence[str],
    *,
    fitting: Fitting | None = None,
) -> LightHead:
    """Fit and calibrate.

    The temperature is the one under which held-out texts are likeliest, each read by a head that
    saw nothing of its group; it goes into weights and bias.

    Args:
        texts: As customers write.
        vectors: Of the frozen encoder for them, unit length, shape (n, d).
        labels: Of mood.LABELS; at least two of them occur.
        groups: What belongs together (topics): never on both sides of a fold.
        fitting: None for what suits the number of texts.

    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2.
    """
    fitting = fitting or (MANY if len(texts) >= _MANY_TEXTS else FEW)
    targets = np.array([LABELS.index(label) for label in labels], np.int64)
    spelled = [normalize.spelled(text) for text in texts]
    names = sorted(set(groups))
    fold = np.array([names.index(group) % _FOLDS for group in groups])
    held_out = np.full((len(texts), len(LABELS)), np.nan, np.float32)
    for number in range(_FOLDS):
        inside, outside = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        if len(outside) and set(targets[inside]) == set(targets):
            head = _fit([spelled[at] for at in inside], vectors[inside], targets[inside], fitting)
            held_out[outside] = head.logits([spelled[at] for at in outside], vectors[outside])
    head = _fit(spelled, vectors, targets, fitting)
    known = ~np.isnan(held_out[:, 0])
    return _cooled(head, _temperature(held_out[known], targets[known]))


def _fit(
    texts: Sequence[str], vectors: Floats, targets: npt.NDArray[np.int64], fitting: Fitting
) -> LightHead:
    from scipy import sparse  # as in light_head: not where nothing is fitted
    from sklearn.linear_model import LogisticRegression

    tfidf = _weighed(texts, targets)
    grams = light_head.matrix(tfidf, texts)
    centre = vectors.mean(axis=0)
    features = sparse.hstack(
        [grams, sparse.csr_matrix((vectors - centre) * fitting.vector_scale)], format="csr"
    )
    model = LogisticRegression(C=fitting.inverse_penalty, max_iter=500, tol=1e-3).fit(
        features, targets
    )
    weights, bias = model.coef_.T, model.intercept_
    if weights.shape[1] == 1:  # of two classes sklearn keeps the second one's logit only
        weights, bias = np.hstack([-weights, weights]) / 2, np.hstack([-bias, bias]) / 2
    every = np.zeros((len(weights), len(LABELS)))
    every_bias = np.full(len(LABELS), -30.0)  # of a label that does not occur: never
    every[:, model.classes_], every_bias[model.classes_] = weights, bias
    columns = len(tfidf.columns)
    vector_weights = fitting.vector_scale * every[columns:]
    return LightHead(
        tfidf=tfidf,
        gram_weights=every[:columns].astype(np.float16),
        vector_weights=vector_weights.astype(np.float32),
        bias=(every_bias - centre @ vector_weights).astype(np.float32),
    )


def _weighed(texts: Sequence[str], targets: npt.NDArray[np.int64]) -> Tfidf:
    """Weigh n-grams by how differently often the labels have them, rare or not.

    How rare one is says what a text is about, and not in which mood it is.

    Source: Wang and Manning, "Baselines and Bigrams: Simple, Good Sentiment and Topic
    Classification", ACL 2012 (log-count ratios); of several labels, each against the others.
    """
    columns = light_head.tfidf_of(texts).columns
    plain = Tfidf(columns, np.ones(len(columns), np.float32))
    seen = light_head.matrix(plain, texts) > 0
    weights = np.zeros(len(columns))
    for label in set(targets):
        inside, outside = (
            np.asarray(seen[rows].sum(axis=0), np.float64).ravel() + _SMOOTHING
            for rows in (targets == label, targets != label)
        )
        ratio = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
        weights = np.maximum(weights, np.abs(ratio))
    return Tfidf(columns, weights.astype(np.float32))


def _temperature(logits: Floats, targets: npt.NDArray[np.int64]) -> float:
    from scipy import optimize

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

"""Fits the light head: logistic regression over n-grams and the frozen encoder's vectors.

SciPy and scikit-learn are imported where something is fitted: with them, each process that only
reads models would have 60 MB more.
"""

import warnings
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from intents.inference.scoring import Floats, LightHead, Tfidf, ngrams

if TYPE_CHECKING:
    from scipy import sparse

# Chosen on dev sets (jddc, massive, banking77): see the table in docs/accuracy.md.
_LEAST_TEXTS = 2  # an n-gram of one text alone only makes the file larger
_MOST_GRAMS = 30_000
_SHRINKAGE = 0.3
_INVERSE_PENALTY = 10.0


def fit(texts: Sequence[str], vectors: Floats, targets: npt.NDArray[np.int64]) -> LightHead:
    """Fit on training texts.

    Args:
        texts: As models read them.
        vectors: Of the frozen encoder, unit length, shape (n, d).
        targets: Column of each text's intent, shape (n,); all of 0 to k - 1 occur, k at least 2.
    """
    from scipy import sparse

    tfidf = tfidf_of(texts)
    grams = matrix(tfidf, texts)
    centre = vectors.mean(axis=0)
    whitening = _whitening(vectors, targets)
    whitened = (vectors - centre) @ whitening
    # Length about 1, as the n-gram rows have: the penalty then weighs both alike.
    scale = 1.0 / max(float(np.sqrt(np.square(whitened).sum(axis=1).mean())), 1e-12)
    features = sparse.hstack([grams, sparse.csr_matrix(whitened * scale)], format="csr")
    weights, bias = regression(features, targets)
    columns = len(tfidf.columns)
    # Centring, whitening and scaling are linear: they go into weights and bias.
    vector_weights = (whitening * scale) @ weights[columns:]
    return LightHead(
        tfidf=tfidf,
        gram_weights=weights[:columns].astype(np.float16),
        vector_weights=vector_weights.astype(np.float32),
        bias=(bias - centre @ vector_weights).astype(np.float32),
    )


def regression(
    features: Any, targets: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Fit a multinomial logistic regression, (weights of shape (d, k), bias of shape (k,)).

    Args:
        features: Dense or sparse, rows of length about 1, shape (n, d).
        targets: Columns, shape (n,); all of 0 to k - 1 occur, k at least 2.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=_INVERSE_PENALTY, max_iter=300, tol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # early is good enough
        model.fit(features, targets)
    weights, bias = model.coef_.T, model.intercept_
    if weights.shape[1] == 1:  # of two classes sklearn keeps the second one's logit only
        weights = np.hstack([-weights, weights]) / 2
        bias = np.hstack([-bias, bias]) / 2
    return weights, bias


def tfidf_of(texts: Sequence[str]) -> Tfidf:
    """Weigh the n-grams of training texts; the most frequent ones are kept."""
    counts = Counter(gram for text in texts for gram in set(ngrams(text)))
    frequent = [(gram, count) for gram, count in counts.items() if count >= _LEAST_TEXTS]
    frequent.sort(key=lambda item: (-item[1], item[0]))
    kept = frequent[:_MOST_GRAMS]
    documents = np.array([count for _, count in kept], np.float32)
    return Tfidf(
        columns={gram: column for column, (gram, _) in enumerate(kept)},
        idf=(np.log((1 + len(texts)) / (1 + documents)) + 1).astype(np.float32),
    )


def matrix(tfidf: Tfidf, texts: Sequence[str]) -> "sparse.csr_matrix":
    """Return the weighted n-grams of texts, shape (n, n-grams)."""
    from scipy import sparse

    rows = [tfidf.row(text) for text in texts]
    starts = np.cumsum([0, *(len(columns) for columns, _ in rows)])
    return sparse.csr_matrix(
        (
            np.concatenate([weights for _, weights in rows]),
            np.concatenate([columns for columns, _ in rows]),
            starts,
        ),
        shape=(len(texts), len(tfidf.columns)),
    )


def _whitening(vectors: Floats, targets: npt.NDArray[np.int64]) -> Floats:
    """Return the matrix that makes the spread within intents alike in every direction, (d, d).

    Directions in which sentences of one intent differ anyway tell little, and the penalty
    should not favour them. The covariance is shrunk towards the identity.
    """
    counts = np.bincount(targets)
    sums = np.zeros((len(counts), vectors.shape[1]))
    np.add.at(sums, targets, vectors)
    within = vectors - (sums / counts[:, None])[targets]
    covariance = within.T @ within / len(vectors)
    spread = float(np.trace(covariance)) / len(covariance)
    covariance = (1 - _SHRINKAGE) * covariance + _SHRINKAGE * max(spread, 1e-9) * np.eye(
        len(covariance)
    )
    values, directions = np.linalg.eigh(covariance)
    whitening: Floats = directions / np.sqrt(np.maximum(values, 1e-12))
    return whitening

"""Fits how network and light head are mixed; says how well strange intents can be told."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from intents.inference.scope import Novelty
from intents.inference.scoring import Floats, Mixture

# A weight outside of this says that there were too few texts to fit one.
_WEIGHTS = (0.05, 3.0)
# The light head stays only if it makes the held-out truth likelier by this share.
_GAIN_MIN = 0.01
# Pulls towards plain averaging while texts are few: counts as much as this many texts.
_PRIOR_TEXTS = 10.0
# Into how many parts the intents are cut, each in turn unknown.
_PARTS = 4


def fit_mixture(network: Floats, light: Floats | None, targets: npt.NDArray[np.int64]) -> Mixture:
    """Return the weights under which the truth of held-out texts is likeliest.

    The loss is convex in both weights, so there is one answer.

    Args:
        network: Logits, shape (n, k), n at least 1.
        light: The light head's, same shape; None without one.
        targets: The right column of each row, shape (n,).
    """
    alone, alone_loss = _fit([network], targets, start=[1.0])
    if light is None:
        return Mixture(network=alone[0])
    both, both_loss = _fit([network, light], targets, start=[0.5, 0.5])
    if both_loss > alone_loss * (1 - _GAIN_MIN):
        return Mixture(network=alone[0])
    return Mixture(network=both[0], light=both[1])


def _fit(
    logits: list[Floats], targets: npt.NDArray[np.int64], start: list[float]
) -> tuple[list[float], float]:
    """Return the weights and the mean loss in nats."""
    from scipy import optimize  # as in light_head: not where nothing is fitted

    rows = np.arange(len(targets))
    stacked = np.stack(logits).astype(np.float64)
    prior = _PRIOR_TEXTS / len(targets)

    def loss(weights: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        pooled = np.tensordot(weights, stacked, axes=1)
        pooled -= pooled.max(axis=1, keepdims=True)
        exponentials = np.exp(pooled)
        totals = exponentials.sum(axis=1, keepdims=True)
        value = float((np.log(totals[:, 0]) - pooled[rows, targets]).mean())
        errors = exponentials / totals
        errors[rows, targets] -= 1
        slope = np.einsum("nk,mnk->m", errors, stacked) / len(targets)
        away = weights - np.array(start)
        return value + 0.5 * prior * float(away @ away), slope + prior * away

    function: Callable[..., object] = loss
    found = optimize.minimize(
        function, np.array(start), jac=True, method="L-BFGS-B", bounds=[_WEIGHTS] * len(start)
    )
    return [float(weight) for weight in found.x], float(found.fun)


def held_out_auroc(
    vectors: Floats,
    targets: npt.NDArray[np.int64],
    others: Floats,
    other_targets: npt.NDArray[np.int64],
) -> float | None:
    """Return how well texts of intents that were left out are told from those of the rest.

    A quarter of the intents is left out in turn. Of the signals of `Scope` only the first can
    be fitted without training the network again, so what serves does better than this.

    Args:
        vectors: Of the frozen encoder for the training texts, shape (n, d).
        targets: Number of each one's intent, shape (n,).
        others: Of held-out texts, shape (m, d), with `other_targets`, shape (m,).

    Returns:
        The mean area under the receiver operating characteristic; None with fewer than eight
        intents.
    """
    count = int(targets.max()) + 1
    if count < 2 * _PARTS:
        return None
    areas = []
    for part in range(_PARTS):
        known = np.arange(count) % _PARTS != part
        kept = known[targets]
        number = np.cumsum(known) - 1
        scores = Novelty.fit(vectors[kept], number[targets[kept]]).scores(others)
        inside = known[other_targets]
        if inside.any() and not inside.all():
            areas.append(_auroc(scores[inside], scores[~inside]))
    return float(np.mean(areas)) if areas else None


def _auroc(higher: Floats, lower: Floats) -> float:
    """Return the share of pairs in which the first is greater; ties count half."""
    from scipy import stats

    ranks = stats.rankdata(np.concatenate([higher, lower]))[: len(higher)]
    pairs = len(higher) * len(lower)
    return float((ranks.sum() - len(higher) * (len(higher) + 1) / 2) / pairs)

"""Fits how network and light head are mixed, on texts that neither was trained on."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import optimize

from intents.inference.scoring import Floats, Mixture

# A weight outside of this says that there were too few texts to fit one.
_WEIGHTS = (0.05, 3.0)
# The light head stays only if it makes the held-out truth likelier by this share.
_GAIN_MIN = 0.01
# Pulls towards plain averaging while texts are few: counts as much as this many texts.
_PRIOR_TEXTS = 10.0


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

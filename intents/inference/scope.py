"""Whether a text means any of the intents at all: a calibrated probability that it means none.

A classifier divides its certainty among the intents that it knows, whatever it is asked. Here
a text is compared with what every intent looks like, and with how unlike each other intents
are: one of its own kind is likelier to be a new intent than a strange example of an old one.
NumPy only, and closed-form: fitting takes a second, a text some 50 microseconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from intents.encoder.embedding import unit
from intents.inference.base import Floats

# Chosen on the development splits of two public sets, a quarter of the intents held out:
# docs/accuracy.md has the table.
_WITHIN_SHRINKAGE = 0.95
_BETWEEN_SHRINKAGE = 0.3
_LEAST_SPREAD = 1e-3
# What the mean of the standardized signals says, as log odds when both kinds are as frequent.
_SLOPE, _INTERCEPT = -1.6, -1.1
# Share of customers' messages that are about something else. It moves no ranking.
PRIOR = 0.2
# Weights of the signals; one that is not there is left out.
_WEIGHTS = (1.0, 0.5, 1.0, 0.5)
_NEIGHBOURS = 10
_ROWS = 1024  # of the training texts compared with all others at once
# Every so many-th family of examples is held out, where there is no other text to compare with.
_HELD_OUT_EVERY = 5


@dataclass(frozen=True)  # no slots: what is derived is kept
class Novelty:
    """How much likelier vectors are of an intent that is known than of one that is not.

    Intents are Gaussians with a common spread, whose means are themselves drawn from a
    Gaussian; a new intent is one more draw. With x whitened and turned so that the spread
    within intents is 1 and that between them the diagonal b, a text of intent k with n
    examples has mean n b / (n b + 1) * mean(k) and variance 1 + b / (n b + 1) in each
    direction, one of a new intent has mean 0 and variance 1 + b. The score is the difference
    of the log densities for the likeliest intent, in nats.

    Source: Ioffe, "Probabilistic Linear Discriminant Analysis", ECCV 2006. It is the
    Mahalanobis distance relative to a background (Ren et al., "A Simple Fix to Mahalanobis
    Distance for Improving Near-OOD Detection", 2021) with the uncertainty of the means.
    """

    centre: Floats  # shape (d,)
    turn: Floats  # shape (d, d): to whitened, turned coordinates
    means: Floats  # shape (k, d), shrunk
    precisions: Floats  # shape (k, d), 1 / variance
    offsets: Floats  # shape (k,), log density at the mean, without the common constant
    between: Floats  # shape (d,)

    @classmethod
    def fit(cls, vectors: Floats, targets: npt.NDArray[np.int64]) -> "Novelty":
        """Fit.

        Args:
            vectors: Shape (n, d).
            targets: Number of each one's intent, shape (n,); all of 0 to k - 1 occur.
        """
        counts = np.bincount(targets).astype(np.float64)
        centre = vectors.mean(axis=0).astype(np.float64)
        means = np.zeros((len(counts), vectors.shape[1]))
        np.add.at(means, targets, vectors - centre)
        means /= counts[:, None]
        apart = (vectors - centre) - means[targets]
        within = _shrunk(apart.T @ apart / len(vectors), _WITHIN_SHRINKAGE)
        whiten = np.linalg.cholesky(np.linalg.inv(within))
        means = means @ whiten
        # The means' own error is not a difference between intents.
        between = means.T @ means / len(counts) - (1 / counts).mean() * np.eye(len(centre))
        spread, directions = np.linalg.eigh(_shrunk(between, _BETWEEN_SHRINKAGE))
        spread = np.maximum(spread, _LEAST_SPREAD)
        known = counts[:, None] * spread / (counts[:, None] * spread + 1)
        variances = 1 + spread / (counts[:, None] * spread + 1)
        return cls(
            centre=centre.astype(np.float32),
            turn=(whiten @ directions).astype(np.float32),
            means=(known * (means @ directions)).astype(np.float32),
            precisions=(1 / variances).astype(np.float32),
            offsets=(-0.5 * np.log(variances).sum(axis=1)).astype(np.float32),
            between=spread.astype(np.float32),
        )

    def scores(self, vectors: Floats) -> Floats:
        """Return log p(x | likeliest intent) - log p(x | a new one) in nats, shape (n,)."""
        turned = (vectors - self.centre) @ self.turn
        squares = turned**2
        # -1/2 (x - m)' P (x - m) of each intent, multiplied out.
        densities = turned @ self._weighted.T - 0.5 * (squares @ self.precisions.T)
        known = (self._at_zero + densities).max(axis=1)
        new = -0.5 * (squares @ self._new_precisions) + self._new_offset
        scores: Floats = (known - new).astype(np.float32)
        return scores

    @cached_property
    def _weighted(self) -> Floats:
        return self.means * self.precisions

    @cached_property
    def _at_zero(self) -> Floats:
        """Log density of each intent where the coordinates are 0, shape (k,)."""
        squares = np.sum(self.means * self._weighted, axis=1)
        return np.asarray(self.offsets - 0.5 * squares, np.float32)

    @cached_property
    def _new_precisions(self) -> Floats:
        return np.asarray(1 / (1 + self.between), np.float32)

    @cached_property
    def _new_offset(self) -> float:
        return float(-0.5 * np.log(1 + self.between).sum())


def _shrunk(covariance: npt.NDArray[np.float64], share: float) -> npt.NDArray[np.float64]:
    """Pull a covariance, shape (d, d), towards one that is alike in every direction."""
    width = len(covariance)
    spread = max(float(np.trace(covariance)) / width, 1e-6)
    shrunk: npt.NDArray[np.float64] = (1 - share) * covariance + share * spread * np.eye(width)
    return shrunk


@dataclass(frozen=True)  # no slots: what is derived is kept
class Scope:
    """Four signals, each standardized by what held-out texts in scope have, and one answer.

    1. `Novelty` of the frozen encoder's vector, which has learned nothing about the intents;
    2. `Novelty` of the light head's logits: what a text has of each intent, whatever else it has;
    3. `Neighbourhood` of the fine-tuned network's feature;
    4. the negative entropy of the probabilities.

    p(none) = sigmoid(intercept + slope * weighted mean + log odds of PRIOR).
    """

    novelty: Novelty
    light: Novelty | None  # None without a light head
    neighbourhood: "Neighbourhood | None"  # None without a fine-tuned network
    weights: Floats  # of the signals, shape (4,); 0 for one that is not there
    centres: Floats  # shape (4,)
    scales: Floats  # shape (4,), above 0

    @classmethod
    def fit(cls, learned: "Seen", targets: npt.NDArray[np.int64], *, held_out: "Seen") -> "Scope":
        """Fit. What `learned` is without is no signal.

        Args:
            learned: The training texts.
            targets: Number of each one's intent, shape (n,); all of 0 to k - 1 occur.
            held_out: At least one text in scope that none of the above has seen.
        """
        weights = np.array(_WEIGHTS, np.float32)
        weights[1] *= learned.light is not None
        weights[2] *= learned.features is not None
        weights[3] *= held_out.probabilities is not None
        plain = cls(
            novelty=Novelty.fit(learned.vectors, targets),
            light=None if learned.light is None else Novelty.fit(learned.light, targets),
            neighbourhood=(
                None if learned.features is None else Neighbourhood.fit(learned.features)
            ),
            weights=weights / weights.sum(),
            centres=np.zeros(4, np.float32),
            scales=np.ones(4, np.float32),
        )
        signals = plain._signals(held_out)
        return replace(
            plain,
            centres=signals.mean(axis=0),
            scales=np.maximum(signals.std(axis=0), 1e-6),
        )

    @classmethod
    def of_examples(
        cls, vectors: Floats, intents: Sequence[str], families: Sequence[str]
    ) -> "Scope | None":
        """Fit on examples alone, with the first signal alone; None where they are too few.

        Args:
            vectors: Of the frozen encoder, shape (n, d).
            intents: Of each example.
            families: Paraphrases share one and do not vouch for each other; "" stands alone.
        """
        names = [family or f"\0{number}" for number, family in enumerate(families)]
        order = {name: number for number, name in enumerate(dict.fromkeys(names))}
        held = np.array([order[name] % _HELD_OUT_EVERY == 0 for name in names], bool)
        labels = np.array(intents)
        # What is held out needs kin that is not.
        held &= np.isin(labels, labels[~held])
        if not held.any() or len(set(intents)) < 2:
            return None
        kept = np.unique(labels[~held], return_inverse=True)[1]
        fitted = cls.fit(Seen(vectors[~held]), kept, held_out=Seen(vectors[held]))
        everything = np.unique(labels, return_inverse=True)[1]
        return replace(fitted, novelty=Novelty.fit(vectors, everything))

    def out_of_scope(self, seen: "Seen") -> Floats:
        """Return the probability that each text means none of the intents, shape (n,)."""
        mean = (self._signals(seen) - self.centres) / self.scales @ self.weights
        odds = _INTERCEPT + np.log(PRIOR / (1 - PRIOR)) + _SLOPE * mean
        probabilities: Floats = (1 / (1 + np.exp(-odds))).astype(np.float32)
        return probabilities

    def _signals(self, seen: "Seen") -> Floats:
        signals = np.zeros((len(seen.vectors), 4), np.float32)
        signals[:, 0] = self.novelty.scores(seen.vectors)
        if self.light is not None:
            if seen.light is None:
                raise ValueError("fitted with a light head's logits, and asked without")
            signals[:, 1] = self.light.scores(seen.light)
        if self.neighbourhood is not None:
            if seen.features is None:
                raise ValueError("fitted with features, and asked without")
            signals[:, 2] = self.neighbourhood.scores(seen.features)
        if self.weights[3]:
            if seen.probabilities is None:
                raise ValueError("fitted with probabilities, and asked without")
            signals[:, 3] = (seen.probabilities * np.log(seen.probabilities + 1e-12)).sum(axis=1)
        return signals

    def save(self, path: Path) -> None:
        """Write one .npz file without pickles."""
        np.savez_compressed(
            path,
            weights=self.weights,
            centres=self.centres,
            scales=self.scales,
            **_arrays(self.novelty, "novelty"),
            **({} if self.light is None else _arrays(self.light, "light")),
            **({} if self.neighbourhood is None else self.neighbourhood.arrays()),
        )

    @classmethod
    def load(cls, path: Path) -> "Scope":
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            return cls(
                novelty=_novelty(stored, "novelty"),
                light=_novelty(stored, "light") if "light_centre" in stored else None,
                neighbourhood=Neighbourhood.of(stored) if "bank" in stored else None,
                weights=stored["weights"],
                centres=stored["centres"],
                scales=stored["scales"],
            )


def _arrays(novelty: Novelty, name: str) -> dict[str, Any]:
    return {f"{name}_{each.name}": getattr(novelty, each.name) for each in fields(Novelty)}


def _novelty(stored: Mapping[str, Floats], name: str) -> Novelty:
    return Novelty(**{each.name: stored[f"{name}_{each.name}"] for each in fields(Novelty)})


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """How near vectors are to what was learned, compared with how near that lies to itself.

    The mean cosine of a text with its nearest training texts, less the mean that those have
    with their own nearest: what is as far as is usual in those parts is no stranger there.

    Source: Breunig et al., "LOF: Identifying Density-Based Local Outliers", SIGMOD 2000, with
    a difference of cosines for the ratio of reachabilities.
    """

    bank: Floats  # training texts, unit length, shape (m, f)
    densities: Floats  # mean cosine of each with its nearest others, shape (m,)

    @classmethod
    def fit(cls, vectors: Floats) -> "Neighbourhood":
        """Fit on training texts, shape (m, f); m is 2 or more."""
        bank = unit(vectors)
        densities = np.empty(len(bank), np.float32)
        for start in range(0, len(bank), _ROWS):
            cosines = bank[start : start + _ROWS] @ bank.T
            own = np.arange(len(cosines))
            cosines[own, start + own] = -np.inf
            densities[start : start + _ROWS] = _nearest(cosines, len(bank) - 1)[1].mean(axis=1)
        return cls(bank, densities)

    def scores(self, vectors: Floats) -> Floats:
        """Return mean cosine less the neighbours' own, shape (n,)."""
        places, cosines = _nearest(unit(vectors) @ self.bank.T, len(self.bank))
        scores: Floats = cosines.mean(axis=1) - self.densities[places].mean(axis=1)
        return scores

    def arrays(self) -> dict[str, Any]:
        """Return what `of` reads."""
        # Half precision halves the file, and moves no answer.
        return {"bank": self.bank.astype(np.float16), "densities": self.densities}

    @classmethod
    def of(cls, stored: Mapping[str, Floats]) -> "Neighbourhood":
        return cls(stored["bank"].astype(np.float32), stored["densities"])


def _nearest(cosines: Floats, most: int) -> tuple[npt.NDArray[np.intp], Floats]:
    """Return the columns of the greatest of each row, at most `most`, and their cosines."""
    count = min(_NEIGHBOURS, most)
    places = np.argpartition(cosines, -count, axis=1)[:, -count:]
    return places, np.take_along_axis(cosines, places, axis=1)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one pass found of n texts, as scope reads it."""

    vectors: Floats  # of the frozen encoder, shape (n, d)
    light: Floats | None = None  # logits of the light head, shape (n, k)
    features: Floats | None = None  # of the fine-tuned network, shape (n, f)
    probabilities: Floats | None = None  # shape (n, k)

"""Understanding from examples alone: what a text is nearest to, without any training.

Saving an utterance changes the answer as soon as its vector is known, which takes
milliseconds. Everything here is closed-form: centring and whitening, means, neighbours,
and one temperature.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from intents.inference.base import Floats

# Chosen on the starter utterances by leaving one family out: neighbours 3, 5, 10 and the mean's
# share 0.3, 0.5, 0.7 lie within a point of each other; mean or neighbours alone are 3 to 5 below.
_NEIGHBOURS = 3
_MEAN_SHARE = 0.5
# Few examples lie farther from a text than the nearest of many: a small group gets this bonus
# at 5 examples, falling with the root of their number. Measured by holding out each starter
# intent in turn and adding it with 5 utterances (tests/intents/test_prototypes.py).
_SMALL_GROUP_BONUS = 0.06
_FULL_GROUP = 5
# Cosine (whitened) to an example at which a text says the same thing: of 4.2 million pairs of
# starter utterances with different intents, 1 in 1,000 is above 0.29; in one family, 1 in 20
# is above 0.59.
_ALIKE_FROM, _ALIKE_SURELY = 0.45, 0.65
# Score at which a text has anything to do with a group. Texts about something else entirely have
# 0.07 with the nearest of five groups in the median, texts of the group's own intent 0.15.
_RELATED_FROM, _RELATED_SURELY = 0.05, 0.15
# Softmax temperature when there are too few examples to fit one.
_USUAL_TEMPERATURE = 0.04
_FIT_FROM = 50  # examples
_FIT_MOST = 1500  # more tell nothing new, and time grows with their number


@dataclass(frozen=True, slots=True)
class Group:
    """Examples of one intent that are compared as one.

    `fresh` ones were not there when the active model was trained.
    """

    intent: str
    fresh: bool


class Prototypes:
    """Groups of examples in whitened space.

    A text's score for a group is the average of its cosine to the group's mean and the mean
    of its cosines to the nearest examples. Whitening takes out the directions in which
    utterances of one intent differ anyway (the within-class covariance, shrunk towards the
    identity), as in linear discriminant analysis; it needs no labels at answering time, so a
    new group joins without touching the others. On the starter's evaluation split the frozen
    encoder reaches 75.8 % with means alone, 83.7 % so, and 82.0 % with logistic regression.
    """

    def __init__(
        self,
        vectors: Floats,
        groups: Sequence[Group],
        families: Sequence[str] | None = None,
    ) -> None:
        """Fit.

        Args:
            vectors: One unit vector an example, shape (n, d), n at least 1.
            groups: The group of each example.
            families: Paraphrases share one and do not vouch for each other when the
                temperature is fitted; "" stands alone.
        """
        self.groups = sorted(set(groups), key=lambda group: (group.intent, group.fresh))
        number = {group: index for index, group in enumerate(self.groups)}
        member = np.array([number[group] for group in groups])
        order = np.argsort(member, kind="stable")  # one slice a group
        member = member[order]
        self.sizes = np.bincount(member, minlength=len(self.groups))
        self._starts = np.concatenate([[0], np.cumsum(self.sizes)])
        self._whiten(vectors[order], member)
        self._examples = self._whitened(vectors[order])
        self._means = _unit(np.add.reduceat(self._examples, self._starts[:-1], axis=0))
        few = np.sqrt(_FULL_GROUP / np.maximum(self.sizes, _FULL_GROUP)).astype(np.float32)
        self._bonus: Floats = _SMALL_GROUP_BONUS * few
        families = families or [""] * len(groups)
        self.temperature = self._fit_temperature(member, [families[index] for index in order])

    def compare(self, vectors: Floats) -> tuple[Floats, Floats]:
        """Compare texts with every group.

        Args:
            vectors: One unit vector a text, shape (m, d).

        Returns:
            Probabilities, shape (m, g), rows sum to 1; and how surely each group's own
            examples speak for it, shape (m, g), from 0 to 1: five examples or one that says
            the same thing are enough for 1, below that it falls with their number; and it is 0
            for a text that has nothing to do with them, whatever the others have.
        """
        texts = self._whitened(vectors)
        cosines = texts @ self._examples.T
        scores = np.empty((len(vectors), len(self.groups)), np.float32)
        nearest = np.empty_like(scores)
        for index, (start, end) in enumerate(zip(self._starts, self._starts[1:], strict=False)):
            block = cosines[:, start:end]
            scores[:, index] = _mean_of_largest(block)
            nearest[:, index] = block.max(axis=1)
        scores = _MEAN_SHARE * (texts @ self._means.T) + (1 - _MEAN_SHARE) * scores
        alike = np.clip((nearest - _ALIKE_FROM) / (_ALIKE_SURELY - _ALIKE_FROM), 0, 1)
        enough = np.minimum(1.0, self.sizes / _FULL_GROUP)
        related = np.clip((scores - _RELATED_FROM) / (_RELATED_SURELY - _RELATED_FROM), 0, 1)
        sureness: Floats = (np.maximum(alike, enough) * related).astype(np.float32)
        return _softmax((scores + self._bonus) / self.temperature), sureness

    def _whiten(self, vectors: Floats, member: npt.NDArray[np.int64]) -> None:
        count, width = vectors.shape
        self._centre: Floats = (
            vectors.mean(axis=0) if len(self.groups) > 1 else np.zeros(width, np.float32)
        )
        means = np.add.reduceat(vectors, self._starts[:-1], axis=0) / self.sizes[:, None]
        within = vectors - means[member]
        covariance = within.T @ within / count
        spread = np.trace(covariance) / width
        if spread < 1e-8:  # one example a group: nothing is known about directions
            self._whitening = np.eye(width, dtype=np.float32)
            return
        # Fewer examples than directions cannot tell them apart: shrink, at least by half.
        shrinkage = 0.5 + 0.5 * width / (width + count)
        covariance = (1 - shrinkage) * covariance + shrinkage * spread * np.eye(width)
        eigenvalues, eigenvectors = np.linalg.eigh(covariance)
        self._whitening = (eigenvectors / np.sqrt(eigenvalues)).astype(np.float32)

    def _whitened(self, vectors: Floats) -> Floats:
        return _unit((vectors - self._centre).astype(np.float32) @ self._whitening)

    def _fit_temperature(self, member: npt.NDArray[np.int64], families: Sequence[str]) -> float:
        """Return the temperature that makes the examples likeliest, each left out with its family.

        Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2.
        """
        count = len(member)
        if count < _FIT_FROM or len(self.groups) < 2:
            return _USUAL_TEMPERATURE
        sample = np.unique(np.linspace(0, count - 1, min(count, _FIT_MOST)).astype(int))
        # A family of its own for each example that has none.
        names = np.array([family or f"\0{index}" for index, family in enumerate(families)])
        family = np.unique(names, return_inverse=True)[1]
        sums = np.add.reduceat(self._examples, self._starts[:-1], axis=0)
        rows, truth = [], []
        for index in sample:
            left_out = np.flatnonzero(family == family[index])
            own = member[index]
            if len(left_out[member[left_out] == own]) == self.sizes[own]:
                continue  # its group is this family: nothing is left to recognise it by
            cosines = self._examples @ self._examples[index]
            cosines[left_out] = -1.0
            means = sums.copy()
            np.subtract.at(means, member[left_out], self._examples[left_out])
            to_mean = _unit(means) @ self._examples[index]
            to_nearest = [
                _mean_of_largest(cosines[start:end][None])[0]
                for start, end in zip(self._starts, self._starts[1:], strict=False)
            ]
            rows.append(_MEAN_SHARE * to_mean + (1 - _MEAN_SHARE) * np.array(to_nearest))
            truth.append(own)
        if len(rows) < _FIT_FROM:
            return _USUAL_TEMPERATURE
        scores = np.array(rows) + self._bonus
        right = (np.arange(len(truth)), np.array(truth))
        candidates = np.geomspace(0.01, 0.3, 60)
        losses = [
            -np.log(_softmax(scores / candidate)[right] + 1e-12).mean() for candidate in candidates
        ]
        return float(candidates[int(np.argmin(losses))])


def _mean_of_largest(block: Floats) -> Floats:
    """Return the mean of the `_NEIGHBOURS` largest of each row, shape (m,)."""
    count = min(_NEIGHBOURS, block.shape[1])
    largest: Floats = np.partition(block, block.shape[1] - count, axis=1)[:, -count:].mean(axis=1)
    return largest


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Floats = vectors / np.maximum(lengths, 1e-9)
    return scaled


def _softmax(scores: Floats) -> Floats:
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    result: Floats = (exponentials / exponentials.sum(axis=-1, keepdims=True)).astype(np.float32)
    return result

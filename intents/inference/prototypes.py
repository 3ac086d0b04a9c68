"""Understanding from examples alone: what a text is nearest to, without any training.

Saving an utterance changes the answer as soon as its vector is known, which takes
milliseconds. Everything here is closed-form: centring and whitening, means, neighbours,
shared letters, and one temperature.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from intents.inference.base import Floats
from intents.inference.letters import Grams, Letters

# Chosen on development sets (docs/accuracy.md, "New intents"): 1, 3 or all neighbours, and shares
# of the means from 0.3 to 0.7, lie within a point of each other.
_NEIGHBOURS = 3
_MEAN_SHARE = 0.5
# Of the cosine of letters, beside 1 for that of vectors. 0.25 to 1 are alike; 0 loses 2 points.
_LETTERS_SHARE = 0.5
# Few examples lie farther from a text than the nearest of many: a small group gets this bonus
# at 5 examples, falling with the root of their number. Fresh ones all get a little less, for
# they compete with what the trained model holds for likely only, not with all old intents.
_SMALL_GROUP_BONUS = 0.06
_FRESH_HANDICAP = 0.018
# Of the cosine of the fine-tuned network's features with the mean ones of a group, and the
# handicap then. 0.5 to 1.2 are alike; without it 3 points fewer of the new ones are found.
_FEATURE_SHARE = 0.7
_FRESH_HANDICAP_OF_FEATURES = 0.005
_FLATTER_WITH_FEATURES = 1.3  # features say partly the same as vectors
_FULL_GROUP = 5
# Cosine (whitened) to an example at which a text says the same thing: of 4.2 million pairs of
# starter utterances with different intents, 1 in 1,000 is above 0.29; in one family, 1 in 20
# is above 0.59.
_ALIKE_FROM, _ALIKE_SURELY = 0.45, 0.65
# Score of vectors at which a text has anything to do with a group. Texts about something else
# entirely have 0.07 with the nearest of five groups in the median, texts of its own intent 0.15.
_RELATED_FROM, _RELATED_SURELY = 0.05, 0.15
# Softmax temperature when there are too few examples to fit one.
_USUAL_TEMPERATURE = 0.05
_FIT_FROM = 50  # examples
_FIT_MOST = 1000  # more tell nothing new, and time grows with their number
_AT_ONCE = 64  # texts compared with all examples at a time: memory


@dataclass(frozen=True, slots=True)
class Group:
    """Examples of one intent that are compared as one.

    `fresh` ones were not there when the active model was trained.
    """

    intent: str
    fresh: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """Texts compared with every group; arrays of shape (texts, groups)."""

    scores: Floats  # likeness, bonus included; e^(score / temperature) is a likelihood
    sureness: Floats  # 0 to 1, see Prototypes.compare
    flatness: float = 1.0  # by which the temperature is multiplied


class Prototypes:
    """Groups of examples in whitened space.

    A text's score for a group is the average of its cosine to the group's mean and the mean
    of its cosines to the nearest examples, and half the cosine of their letters. Whitening
    takes out the directions in which utterances of one intent differ anyway (the within-class
    covariance, shrunk towards the identity), as in linear discriminant analysis; it needs no
    labels at answering time, so a new group joins without touching the others. Where a trained
    model reads the text, the cosine of its feature with the group's mean one is added: intents
    that it was taught are far apart in it, and new ones lie between them. On the
    starter's evaluation split the frozen encoder reaches 75.8 % with means alone, 83.7 % so, and
    82.0 % with logistic regression.
    """

    def __init__(
        self,
        texts: Sequence[str],
        vectors: Floats,
        groups: Sequence[Group],
        families: Sequence[str] | None = None,
        grams: Grams | None = None,
        directions: Mapping[Group, Floats] | None = None,
    ) -> None:
        """Fit.

        Args:
            texts: The examples, as models read them, n at least 1.
            vectors: One unit vector an example, shape (n, d).
            groups: The group of each example.
            families: Paraphrases share one and do not vouch for each other when the
                temperature is fitted; "" stands alone.
            grams: Those of texts that were there before are then not counted again.
            directions: The mean feature of each group in a trained model, unit length, shape
                (f,); of all groups or none.
        """
        self.groups = sorted(set(groups), key=lambda group: (group.intent, group.fresh))
        number = {group: index for index, group in enumerate(self.groups)}
        member = np.array([number[group] for group in groups])
        order = np.argsort(member, kind="stable")  # one slice a group
        self._member = member = member[order]
        self.texts = [texts[index] for index in order]
        self.sizes = np.bincount(member, minlength=len(self.groups))
        self._starts = np.concatenate([[0], np.cumsum(self.sizes)])[:-1]
        vectors = vectors[order]
        self._whiten(vectors)
        self._examples = self._whitened(vectors)
        self._sums: Floats = np.add.reduceat(self._examples, self._starts, axis=0)
        self._means = _unit(self._sums)
        self._letters = Letters(grams or Grams(), self.texts, member, len(self.groups))
        self._fresh = np.array([group.fresh for group in self.groups], bool)
        few = np.sqrt(_FULL_GROUP / np.maximum(self.sizes, _FULL_GROUP)).astype(np.float32)
        bonus = _SMALL_GROUP_BONUS * few - _FRESH_HANDICAP * self._fresh
        self._bonus: Floats = bonus.astype(np.float32)
        self._directions = (
            np.stack([directions[group] for group in self.groups]) if directions else None
        )
        # A family of its own for each example that has none.
        names = [
            (families[index] if families else "") or f"\0{place}"
            for place, index in enumerate(order)
        ]
        self._family = np.unique(names, return_inverse=True)[1]
        self.temperature = self._fit_temperature()

    @property
    def any_fresh(self) -> bool:
        return bool(self._fresh.any())

    def compare(
        self, texts: Sequence[str], vectors: Floats, features: Floats | None = None
    ) -> Compared:
        """Compare texts with every group.

        Args:
            texts: As models read them.
            vectors: One unit vector a text, shape (m, d).
            features: Of the trained model, one a text, unit length, shape (m, f).

        Returns:
            Scores, and how surely each group's own examples speak for it: five examples or one
            that says the same thing are enough for 1, below that it falls with their number;
            and it is 0 for a text that has nothing to do with them, whatever the others have.
        """
        scores = np.empty((len(texts), len(self.groups)), np.float32)
        sureness = np.empty_like(scores)
        whitened = self._whitened(vectors)
        for start in range(0, len(texts), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            cosines = whitened[some] @ self._examples.T
            scores[some], sureness[some] = self._score(cosines, whitened[some] @ self._means.T)
        scores += _LETTERS_SHARE * self._letters.cosines(texts) + self._bonus
        if features is not None and self._directions is not None:
            scores += _FEATURE_SHARE * (features @ self._directions.T)
            scores += (_FRESH_HANDICAP - _FRESH_HANDICAP_OF_FEATURES) * self._fresh
            return Compared(scores, sureness, _FLATTER_WITH_FEATURES)
        return Compared(scores, sureness)

    def probabilities(self, compared: Compared) -> Floats:
        """Return what the examples alone say, shape (m, groups); rows sum to 1."""
        return _softmax(compared.scores / (self.temperature * compared.flatness))

    def fresh_shares(
        self, compared: Compared, labels: Sequence[str], by_model: Floats
    ) -> dict[str, Floats]:
        """Return what each intent's fresh examples take of each text from a trained model.

        What the model knows has the likelihood of its examples, averaged by the model's own
        probabilities; fresh groups stand beside it with theirs:

            share(f) = sureness(f) * e^(s(f) / T) / (sum of fresh e^(s / T) + sum of labels p e^(s / T))

        so that fresh examples take most where they are nearer to the text than the examples of
        what the model takes it for, however near those of other old intents may be.

        Args:
            labels: The intents that the model knows.
            by_model: Its probabilities, shape (m, labels).

        Returns:
            Shape (m,) by intent; their sum is at most 1.
        """
        fresh = np.flatnonzero(self._fresh)
        scaled = compared.scores / (self.temperature * compared.flatness)
        scaled -= scaled.max(axis=1, keepdims=True)  # no overflow; it cancels out
        likelihoods = np.exp(scaled)
        of_old = self._of_labels(likelihoods, labels)
        old = (by_model * of_old).sum(axis=1, keepdims=True)
        taken = likelihoods[:, fresh]
        shares = taken / (taken.sum(axis=1, keepdims=True) + old + 1e-30)
        shares = shares * compared.sureness[:, fresh]
        return {self.groups[group].intent: shares[:, at] for at, group in enumerate(fresh)}

    def _of_labels(self, likelihoods: Floats, labels: Sequence[str]) -> Floats:
        """Return the likelihood of each label's trained examples, shape (m, labels).

        One that has none any more gets the best of the others: the model may well be right.
        """
        column = {group.intent: at for at, group in enumerate(self.groups) if not group.fresh}
        trained = likelihoods[:, ~self._fresh]
        best = trained.max(axis=1, initial=0.0)
        of_labels = likelihoods.take([column.get(label, 0) for label in labels], axis=1)
        for at, label in enumerate(labels):
            if label not in column:
                of_labels[:, at] = best
        return of_labels

    def nearest(self, vector: Floats, most: int) -> list[tuple[int, float]]:
        """Return the examples that are most like a text, and how much (cosine), the likest first.

        Args:
            vector: Of the text, unit length, shape (d,).

        Returns:
            Places, in the order of `texts`, and cosines in whitened space.
        """
        cosines = self._examples @ self._whitened(vector)
        best = np.argsort(-cosines, kind="stable")[:most]
        return [(int(place), float(cosines[place])) for place in best]

    def newest(self, group: int, most: int) -> list[int]:
        """Return the places of the last `most` examples of a group."""
        end = int(self._starts[group] + self.sizes[group])
        return list(range(max(end - most, int(self._starts[group])), end))

    def group_of(self, place: int) -> Group:
        return self.groups[int(self._member[place])]

    def without(self, places: npt.NDArray[np.intp]) -> Compared:
        """Compare examples with every group as if they, and the paraphrases of each, were not there.

        Args:
            places: Of examples, in the order of `texts`.

        Returns:
            NaN in all scores of a row whose group would be empty.
        """
        scores = np.empty((len(places), len(self.groups)), np.float32)
        sureness = np.empty_like(scores)
        for start in range(0, len(places), _AT_ONCE):
            some = places[start : start + _AT_ONCE]
            cosines = self._examples[some] @ self._examples.T
            to_means = self._examples[some] @ self._means.T
            letters = np.empty_like(to_means)
            empty = np.zeros(len(some), bool)
            for row, place in enumerate(some):
                left_out = np.flatnonzero(self._family == self._family[place])
                empty[row] = self._leave_out(left_out, place, cosines[row], to_means[row])
                letters[row] = self._letters.cosines_without(place, left_out)
            rows = slice(start, start + _AT_ONCE)
            scores[rows], sureness[rows] = self._score(cosines, to_means)
            scores[rows] += _LETTERS_SHARE * letters + self._bonus
            scores[rows][empty] = np.nan
        return Compared(scores, sureness)

    def _leave_out(
        self, left_out: npt.NDArray[np.intp], place: int, cosines: Floats, to_means: Floats
    ) -> bool:
        """Take examples out of one text's cosines. Returns whether its group has no other."""
        cosines[left_out] = -1.0
        for group in np.unique(self._member[left_out]):
            own = left_out[self._member[left_out] == group]
            if len(own) == self.sizes[group]:
                to_means[group] = -1.0
                if group == self._member[place]:
                    return True
                continue
            mean = _unit(self._sums[group] - self._examples[own].sum(axis=0))
            to_means[group] = mean @ self._examples[place]
        return False

    def _score(self, cosines: Floats, to_means: Floats) -> tuple[Floats, Floats]:
        """Return scores of vectors and the sureness, shape (m, groups) each.

        Args:
            cosines: To every example, shape (m, n); written over.
        """
        nearest = np.maximum.reduceat(cosines, self._starts, axis=1)
        total, largest = nearest.copy(), nearest
        for rank in range(1, _NEIGHBOURS):  # the next nearest: cross out, and look again
            # Not np.repeat, which takes ten times as long over many columns.
            cosines[cosines == largest.take(self._member, axis=1)] = -1.0
            largest = np.maximum.reduceat(cosines, self._starts, axis=1)
            total += np.where(self.sizes > rank, largest, 0.0)
        to_nearest = total / np.minimum(self.sizes, _NEIGHBOURS)
        scores = (_MEAN_SHARE * to_means + (1 - _MEAN_SHARE) * to_nearest).astype(np.float32)
        alike = np.clip((nearest - _ALIKE_FROM) / (_ALIKE_SURELY - _ALIKE_FROM), 0, 1)
        enough = np.minimum(1.0, self.sizes / _FULL_GROUP)
        related = np.clip((scores - _RELATED_FROM) / (_RELATED_SURELY - _RELATED_FROM), 0, 1)
        return scores, (np.maximum(alike, enough) * related).astype(np.float32)

    def _whiten(self, vectors: Floats) -> None:
        count, width = vectors.shape
        centre: Floats = (
            vectors.mean(axis=0) if len(self.groups) > 1 else np.zeros(width, np.float32)
        )
        sums = np.add.reduceat(vectors, self._starts, axis=0).astype(np.float64)
        # Of all, less that of the means: no second copy of all vectors is needed.
        covariance = (vectors.T @ vectors - (sums.T / self.sizes) @ sums) / count
        spread = np.trace(covariance) / width
        if spread < 1e-8:  # one example a group: nothing is known about directions
            self._whitening = np.eye(width, dtype=np.float32)
            self._offset: Floats = centre
            return
        # Fewer examples than directions cannot tell them apart: shrink, at least by half.
        shrinkage = 0.5 + 0.5 * width / (width + count)
        covariance = (1 - shrinkage) * covariance + shrinkage * spread * np.eye(width)
        eigenvalues, eigenvectors = np.linalg.eigh(covariance)
        self._whitening = (eigenvectors / np.sqrt(eigenvalues)).astype(np.float32)
        self._offset = centre @ self._whitening

    def _whitened(self, vectors: Floats) -> Floats:
        # (vectors - centre) @ whitening, in one new array
        whitened: Floats = vectors @ self._whitening
        whitened -= self._offset
        whitened /= np.maximum(np.linalg.norm(whitened, axis=-1, keepdims=True), 1e-9)
        return whitened

    def _fit_temperature(self) -> float:
        """Return the temperature that makes the examples likeliest, each left out with its family.

        Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2.
        """
        count = len(self._member)
        if count < _FIT_FROM or len(self.groups) < 2:
            return _USUAL_TEMPERATURE
        sample = np.unique(np.linspace(0, count - 1, min(count, _FIT_MOST)).astype(int))
        scores = self.without(sample).scores
        kept = ~np.isnan(scores[:, 0])
        if kept.sum() < _FIT_FROM:
            return _USUAL_TEMPERATURE
        scores, truth = scores[kept], self._member[sample][kept]
        right = (np.arange(len(truth)), truth)
        candidates = np.geomspace(0.02, 0.2, 40)
        losses = [
            -np.log(_softmax(scores / candidate)[right] + 1e-12).mean() for candidate in candidates
        ]
        return float(candidates[int(np.argmin(losses))])


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Floats = vectors / np.maximum(lengths, 1e-9)
    return scaled


def _softmax(scores: Floats) -> Floats:
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    result: Floats = (exponentials / exponentials.sum(axis=-1, keepdims=True)).astype(np.float32)
    return result

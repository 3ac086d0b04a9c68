"""Which labels are probably wrong: confident learning with probabilities of models that did not
see the sentence. Knows no database.

Source: Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset
Labels", JAIR 70 (2021): out-of-sample probabilities (section 3), thresholds of each class and the
confident joint (3.1), ranking (3.3). The package `cleanlab` is by the same authors; of it only
these formulas would be used here.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from intents.inference.base import Floats
from training import light_head

FOLDS = 5
# A label with fewer sentences than folds cannot be learnt without one of them.
LEAST = FOLDS
_SEED = 17
# Ranking: nearest neighbours that share the label weigh as much as a factor of e^4 in probability
# between none and all of them. Chosen on train parts of intent_zh_jddc and intent_en_banking77.
_NEIGHBOURS = 10
_VOTE = 4.0
_LEAST_PROBABILITY = 1e-6
# Whom the models give its own label with this much are not compared with neighbours: no suspects.
_SURE = 0.9
_ROWS_AT_ONCE = 1024

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the others say of each sentence; arrays of shape (n,)."""

    own: Floats  # probability of the label that it has, 0 to 1
    believed: Integers  # column of the likeliest label
    believed_probability: Floats  # of that, 0 to 1
    is_doubted: npt.NDArray[np.bool_]  # off the diagonal of the confident joint
    score: Floats  # the lower, the likelier its label is wrong; no unit

    def order(self) -> npt.NDArray[np.intp]:
        """Return all sentences, the likeliest wrong ones first."""
        return np.argsort(self.score, kind="stable")


def judge(
    texts: Sequence[str],
    vectors: Floats,
    targets: Integers,
    families: Sequence[str] | None = None,
    *,
    progress: Callable[[float], None] = lambda _share: None,
) -> Judgement:
    """Judge each sentence by models that were fitted without it and without its paraphrases.

    Args:
        texts: As models read them.
        vectors: Of the frozen encoder, unit length, shape (n, d).
        targets: Column of each text's label, shape (n,); all of 0 to k - 1 occur, each `LEAST`
            times or more, k at least 2.
        families: Of paraphrases, "" for none.
        progress: Called with the share that is done; what it raises ends the search.
    """
    probabilities = out_of_sample(texts, vectors, targets, families, progress)
    rows = np.arange(len(targets))
    own = probabilities[rows, targets]
    others = probabilities.copy()
    others[rows, targets] = 0.0
    votes = _votes(vectors, targets, own)
    floor = _LEAST_PROBABILITY
    score = np.log(own + floor) - np.log(others.max(axis=1) + floor) + _VOTE * votes
    believed = probabilities.argmax(axis=1)
    return Judgement(
        own=own.astype(np.float32),
        believed=believed.astype(np.int64),
        believed_probability=probabilities[rows, believed].astype(np.float32),
        is_doubted=confident_labels(probabilities, targets) != targets,
        score=score.astype(np.float32),
    )


def out_of_sample(
    texts: Sequence[str],
    vectors: Floats,
    targets: Integers,
    families: Sequence[str] | None = None,
    progress: Callable[[float], None] = lambda _share: None,
) -> npt.NDArray[np.float64]:
    """Return probabilities of light heads, none of which saw the sentence, shape (n, k)."""
    folds = _folds(targets, families)
    found = np.zeros((len(targets), int(targets.max()) + 1))
    for number in range(FOLDS):
        out = folds == number
        left = np.flatnonzero(~out).tolist()
        # A label of one large family has nothing left here: its column stays empty.
        known, renumbered = np.unique(targets[left], return_inverse=True)
        if not out.any() or len(known) < 2:
            continue
        head = light_head.fit([texts[int(row)] for row in left], vectors[left], renumbered)
        asked = np.flatnonzero(out)
        logits = head.logits([texts[row] for row in asked.tolist()], vectors[asked])
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        found[np.ix_(asked, known)] = shares / shares.sum(axis=1, keepdims=True)
        progress((number + 1) / FOLDS)
    return found


def confident_labels(probabilities: npt.NDArray[np.float64], targets: Integers) -> Integers:
    """Return the label that each sentence has with confidence, else the one that it is given.

    A sentence has label j with confidence when its probability of j is at least the mean that
    sentences labelled j get for it; of several such labels the likeliest counts (the confident
    joint, equation 2).

    Args:
        probabilities: Out of sample, shape (n, k).
        targets: Shape (n,).
    """
    labels = probabilities.shape[1]
    thresholds = np.array(
        [
            probabilities[targets == label, label].mean() if np.any(targets == label) else np.inf
            for label in range(labels)
        ]
    )
    confident = np.where(probabilities >= thresholds, probabilities, -1.0)
    likeliest: Integers = np.where(
        confident.max(axis=1) >= 0, confident.argmax(axis=1), targets
    ).astype(np.int64)
    return likeliest


def _folds(targets: Integers, families: Sequence[str] | None) -> Integers:
    """Deal the sentences of each label into folds alike, paraphrases of one family into one."""
    chance = np.random.default_rng(_SEED)
    folds = np.zeros(len(targets), np.int64)
    for label in np.unique(targets):
        groups: dict[str, list[int]] = defaultdict(list)
        for row in np.flatnonzero(targets == label).tolist():
            groups[(families[int(row)] if families else "") or f"\0{row}"].append(row)
        dealt = list(groups.values())
        if len(dealt) < 2:  # all of one family: better each by the others than by nobody
            dealt = [[row] for rows in dealt for row in rows]
        sizes = np.zeros(FOLDS, np.int64)
        for at in chance.permutation(len(dealt)):
            fold = int(sizes.argmin())
            folds[dealt[at]] = fold
            sizes[fold] += len(dealt[at])
    return folds


def _votes(vectors: Floats, targets: Integers, own: npt.NDArray[np.float64]) -> Floats:
    """Return the share of the nearest ten that have the same label, 1 for sure ones, shape (n,)."""
    votes = np.ones(len(targets), np.float32)
    asked = np.flatnonzero(own < _SURE)
    most = min(_NEIGHBOURS, len(targets) - 1)
    centred = vectors - vectors.mean(axis=0)
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    for start in range(0, len(asked), _ROWS_AT_ONCE):
        rows = asked[start : start + _ROWS_AT_ONCE]
        alike = centred[rows] @ centred.T
        alike[np.arange(len(rows)), rows] = -2.0
        nearest = np.argpartition(-alike, most - 1, axis=1)[:, :most]
        votes[rows] = (targets[nearest] == targets[rows][:, None]).mean(axis=1)
    return votes

"""Which sentences mean much the same, by the frozen encoder's vectors. Pure."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

# Cosine, in centred space, from which on sentences belong together. Chosen on the training and
# development sentences of intent_zh_jddc for the best F0.5 over pairs of sentences (precision
# weighs twice as much: a cluster is to become one intent); `python -m benchmarks.review` sweeps it.
ALIKE = 0.30


def centred(vectors: Floats, centre: Floats) -> Floats:
    """Return vectors of unit length without what all sentences have in common.

    The encoder's vectors lie in a narrow cone: any two sentences have a cosine above 0.8. Without
    their mean those of different meaning point in different directions (Mu and Viswanath,
    "All-but-the-Top", ICLR 2018).

    Args:
        vectors: Shape (n, d).
        centre: Mean of sentences of all kinds, shape (d,).
    """
    moved = vectors - centre
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    scaled: Floats = (moved / np.maximum(lengths, 1e-9)).astype(np.float32)
    return scaled


def nearest(vectors: Floats, middles: Floats) -> tuple[npt.NDArray[np.intp], Floats]:
    """Return for each vector the row of the nearest middle, and its cosine.

    Args:
        vectors: Unit length, shape (n, d).
        middles: Unit length, shape (k, d), k at least 1.
    """
    cosines = vectors @ middles.T
    best = np.argmax(cosines, axis=1)
    return best, np.take_along_axis(cosines, best[:, None], axis=1)[:, 0]


def groups(vectors: Floats) -> list[list[int]]:
    """Return the rows that belong together, each row in one group, the largest groups first.

    Average linkage (Sokal and Michener, 1958) up to the cosine ALIKE: a group's sentences are
    alike in the mean, so that chains of neighbours do not join what differs.

    Args:
        vectors: Unit length, shape (n, d); memory grows with n², 32 MB for 2,000.
    """
    if len(vectors) < 2:
        return [[row] for row in range(len(vectors))]
    from sklearn.cluster import AgglomerativeClustering

    labels = AgglomerativeClustering(
        n_clusters=None, distance_threshold=1 - ALIKE, metric="cosine", linkage="average"
    ).fit_predict(vectors)
    found: dict[int, list[int]] = {}
    for row, label in enumerate(labels.tolist()):
        found.setdefault(label, []).append(row)
    return sorted(found.values(), key=lambda rows: (-len(rows), rows[0]))


def merges(middles: Floats, sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Return which groups have grown into one: (the row that goes, the row that it joins).

    The larger one stays, of equals the earlier row; what joins another takes nobody with it.

    Args:
        middles: Unit length, shape (k, d), oldest first.
        sizes: Members of each.
    """
    cosines = middles @ middles.T
    order = sorted(range(len(sizes)), key=lambda row: (-sizes[row], row))
    found: list[tuple[int, int]] = []
    stays: list[int] = []
    for row in order:
        into = max(stays, key=lambda other: cosines[row, other], default=None)
        if into is not None and cosines[row, into] >= _ONE_CLUSTER:
            found.append((row, into))
        else:
            stays.append(row)
    return found


# Two middles are means of many sentences, without what is accidental in each: they are nearer to
# each other than their sentences are. Well above ALIKE, so that clusters stay what they were.
_ONE_CLUSTER = 0.8

"""From logits to calibrated probabilities, and the light head beside the network.

NumPy only: this runs in every process that answers customers.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

# A word of Latin letters and digits, or a stretch of anything else but spaces (Chinese).
_STRETCH = re.compile(r"[a-z0-9]+|[^\sa-z0-9]+")
_WORD_GRAMS = range(2, 6)  # of " word ", so that beginnings and endings are their own
_OTHER_GRAMS = range(1, 4)


def ngrams(text: str) -> list[str]:
    """Return the character n-grams of a text, repeats included.

    Latin words give 2 to 5 characters, spaces around the word counted; Chinese and all else
    gives 1 to 3. "iPhone坏了" -> " i", "ip", ..., "坏", "了", "坏了".
    """
    grams: list[str] = []
    for stretch in _STRETCH.findall(text.lower()):
        if stretch[0].isascii() and stretch[0].isalnum():
            stretch, lengths = f" {stretch} ", _WORD_GRAMS
        else:
            lengths = _OTHER_GRAMS
        for length in lengths:
            grams += [stretch[at : at + length] for at in range(len(stretch) - length + 1)]
    return grams


@dataclass(frozen=True, slots=True)
class Tfidf:
    """N-grams weighted by how much they tell: (1 + ln count) * idf, scaled to length 1.

    Source: Manning, Raghavan, Schuetze, "Introduction to Information Retrieval", 2008,
    section 6.4.
    """

    columns: dict[str, int]  # n-gram -> its column
    idf: Floats  # shape (n-grams,)

    def row(self, text: str) -> tuple[npt.NDArray[np.intp], Floats]:
        """Return columns and weights of one text; both empty when it has no known n-gram."""
        counts = Counter(gram for gram in ngrams(text) if gram in self.columns)
        columns = np.array([self.columns[gram] for gram in counts], np.intp)
        weights = (1 + np.log(np.array(list(counts.values()), np.float32))) * self.idf[columns]
        length = float(np.linalg.norm(weights))
        return columns, (weights / length if length else weights).astype(np.float32)


@dataclass(frozen=True, slots=True)
class LightHead:
    """Logistic regression over n-grams and the frozen encoder's vector, side by side.

    It reads what fine-tuning tends to forget, single telling words, and costs under 0.2 ms.
    """

    tfidf: Tfidf
    gram_weights: npt.NDArray[np.float16]  # shape (n-grams, k)
    vector_weights: Floats  # shape (d, k)
    bias: Floats  # shape (k,)

    def logits(self, texts: Sequence[str], vectors: Floats) -> Floats:
        """Return one row a text, shape (n, k).

        Args:
            vectors: Of the frozen encoder for the same texts, unit length, shape (n, d).
        """
        logits: Floats = vectors @ self.vector_weights + self.bias
        for row, text in enumerate(texts):
            columns, weights = self.tfidf.row(text)
            logits[row] += weights @ self.gram_weights[columns].astype(np.float32)
        return logits

    def save(self, path: Path) -> None:
        """Write one .npz file without pickles."""
        grams = sorted(self.tfidf.columns, key=self.tfidf.columns.__getitem__)
        np.savez_compressed(
            path,
            # No n-gram holds a line break: it is white space, which separates them.
            grams=np.frombuffer("\n".join(grams).encode(), np.uint8),
            idf=self.tfidf.idf,
            gram_weights=self.gram_weights,
            vector_weights=self.vector_weights,
            bias=self.bias,
        )

    @classmethod
    def load(cls, path: Path) -> "LightHead":
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            grams = stored["grams"].tobytes().decode().split("\n")
            columns = {gram: column for column, gram in enumerate(grams)}
            return cls(
                tfidf=Tfidf(columns, stored["idf"]),
                gram_weights=stored["gram_weights"],
                vector_weights=stored["vector_weights"],
                bias=stored["bias"],
            )


@dataclass(frozen=True, slots=True)
class Mixture:
    """How the network and the light head become one calibrated probability.

    p = softmax(network * a + light * b) with a, b fitted on held-out texts: a logarithmic
    opinion pool, whose two weights are also the temperatures of both. With b = 0 it is plain
    temperature scaling with temperature 1 / a.

    Source: Heskes, "Selecting weighting factors in logarithmic opinion pools", NIPS 1997;
    Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2.
    """

    network: float = 1.0
    light: float = 0.0

    def probabilities(self, network: Floats, light: Floats | None) -> Floats:
        """Turn logits, shape (n, k) each, into probabilities; rows sum to 1 within 1e-5."""
        pooled = network * self.network
        if light is not None and self.light:
            pooled = pooled + light * self.light
        return softmax(pooled)


def softmax(logits: npt.NDArray[Any]) -> Floats:
    """Return probabilities, shape unchanged; n = 0 gives none."""
    shifted = logits - logits.max(axis=-1, keepdims=True, initial=-np.inf)
    exponentials = np.exp(shifted.astype(np.float32))
    result: Floats = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return result

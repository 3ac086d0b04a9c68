"""The last resort: which intent's sentences share the most letters with a text.

Needs nothing but the sentences themselves, so it is there within a second of a start. It is
asked when no model and no encoder can answer in time.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from intents.guard import normalize

_GRAMS = (1, 2, 3)  # letters: one to three Chinese characters, pieces of English words
_MOST_CHARS = 256  # of a text: its beginning says what it is about
# Softmax temperature of the scores, which are cosines. On the starter's evaluation split it gives
# 68 % accuracy at a mean confidence of 50 %: sharing letters proves little, so better too modest.
_TEMPERATURE = 0.015
_MOST_SURE = 0.8


class Keywords:
    """Compare a text's letter n-grams with those of each intent (TF-IDF, cosine to the mean)."""

    def __init__(
        self, sentences: Iterable[tuple[str, str]], names: Mapping[str, Sequence[str]]
    ) -> None:
        """Count.

        Args:
            sentences: (Intent.code, text as models read it).
            names: What each intent is called; counts as sentences of it.
        """
        self.intents = sorted(names)
        number = {code: index for index, code in enumerate(self.intents)}
        named = ((code, name) for code, called in names.items() for name in called)
        counts: list[Counter[str]] = [Counter() for _ in self.intents]
        found_in: Counter[str] = Counter()
        total = 0
        for code, text in [*sentences, *named]:
            grams = _grams(text)
            total += 1
            found_in.update(grams)
            counts[number[code]].update(grams)
        self._rarity = {gram: math.log((1 + total) / count) for gram, count in found_in.items()}
        self._unknown = math.log(1 + total)
        # gram -> (intent's number, its share in that intent's mean), of unit length an intent
        self._shares: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for index, counted in enumerate(counts):
            weights = {gram: count * self._rarity[gram] for gram, count in counted.items()}
            length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
            for gram, weight in weights.items():
                self._shares[gram].append((index, weight / length))

    def rank(self, text: str) -> list[tuple[str, float]]:
        """Return (Intent.code, probability), best first; [] when no letter is known.

        Takes well under a millisecond: it may run on an event loop.
        """
        grams = _grams(text)
        known = [gram for gram in grams if gram in self._rarity]
        if not known:
            return []
        # Letters that no sentence has count against all intents alike.
        weights = [self._rarity.get(gram, self._unknown) for gram in grams]
        length = math.sqrt(sum(weight * weight for weight in weights))
        scores = np.zeros(len(self.intents))
        for gram in known:
            for index, share in self._shares[gram]:
                scores[index] += self._rarity[gram] * share / length
        exponentials = np.exp((scores - scores.max()) / _TEMPERATURE)
        probabilities = _MOST_SURE * exponentials / exponentials.sum()
        return [
            (self.intents[index], float(probabilities[index]))
            for index in np.argsort(-probabilities)
        ]


def _grams(text: str) -> set[str]:
    letters = f" {normalize.for_model(text[:_MOST_CHARS]).lower()} "
    return {
        gram
        for size in _GRAMS
        for start in range(len(letters) - size + 1)
        if (gram := letters[start : start + size]).strip()
    }

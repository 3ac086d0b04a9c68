"""The last resort: which intent's sentences share the most letters with a text.

Needs nothing but the sentences themselves, so it is there within a second of a start. It is
asked when no model and no encoder can answer in time.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from intents.guard import normalize
from intents.inference.letters import MOST_CHARS, Grams, Letters

# Softmax temperature of the scores, which are cosines. On the starter's evaluation split it gives
# 68 % accuracy at a mean confidence of 50 %: sharing letters proves little, so better too modest.
_TEMPERATURE = 0.015
_MOST_SURE = 0.8


class Keywords:
    """Compare a text's letters with those of each intent's sentences and names."""

    def __init__(
        self,
        sentences: Iterable[tuple[str, str]],
        names: Mapping[str, Sequence[str]],
        grams: Grams | None = None,
    ) -> None:
        """Count.

        Args:
            sentences: (Intent.code, text as models read it).
            names: What each intent is called; counts as sentences of it.
            grams: Of the sentences of before, which are then not counted again.
        """
        self.intents = sorted(names)
        number = {code: index for index, code in enumerate(self.intents)}
        named = [
            (code, normalize.for_model(name)) for code, called in names.items() for name in called
        ]
        taught = [*sentences, *named]
        self._letters = Letters(
            Grams() if grams is None else grams,
            [text for _, text in taught],
            (number[code] for code, _ in taught),
            len(self.intents),
        )

    def rank(self, text: str) -> list[tuple[str, float]]:
        """Return (Intent.code, probability), best first; [] when no letter is known.

        Takes well under a millisecond: it may run on an event loop.
        """
        [scores] = self._letters.cosines([normalize.for_model(text[:MOST_CHARS])])
        if not scores.any():
            return []
        exponentials = np.exp((scores - scores.max()) / _TEMPERATURE)
        probabilities = _MOST_SURE * exponentials / exponentials.sum()
        return [
            (self.intents[index], float(probabilities[index]))
            for index in np.argsort(-probabilities)
        ]

"""Where a trained model sees what it was not trained on: mean features of fresh utterances."""

import logging
from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np

from intents.encoder.embedding import unit
from intents.inference.base import Floats, TrainedModel
from intents.inference.prototypes import Group

logger = logging.getLogger(__name__)

# Of a group's utterances, the newest: their mean changes little after so many.
_READ_MOST = 30
_AT_ONCE = 32  # texts in one pass


class Features:
    """The features of one model. Each text is read once; owned by one thread."""

    def __init__(self, model: TrainedModel) -> None:
        self.model = model
        self._known: dict[str, Floats] = {}

    def directions(
        self, texts: Sequence[str], groups: Sequence[Group]
    ) -> dict[Group, Floats] | None:
        """Return the mean feature of each group, unit length, shape (f,).

        Args:
            texts: As models read them, the newest last.
            groups: That of each text.

        Returns:
            None where the model tells no features, or has no fresh group to compare.
        """
        by_group: dict[Group, list[str]] = {}
        for text, group in zip(texts, groups, strict=True):
            by_group.setdefault(group, []).append(text)
        trained = self.model.directions
        fresh = {group: of[-_READ_MOST:] for group, of in by_group.items() if group.fresh}
        if trained is None or not fresh or not self._read(chain(*fresh.values())):
            return None
        column = {label: at for at, label in enumerate(self.model.classifier.labels)}
        return {
            group: (
                unit(np.sum([self._known[text] for text in fresh[group]], axis=0))
                if group.fresh
                else trained[column[group.intent]]
            )
            for group in by_group
        }

    def _read(self, wanted: Iterable[str]) -> bool:
        """Have the model read what it has not; forget all else. Returns whether it could."""
        wanted = dict.fromkeys(wanted)
        self._known = {text: self._known[text] for text in wanted if text in self._known}
        new = [text for text in wanted if text not in self._known]
        for start in range(0, len(new), _AT_ONCE):
            some = new[start : start + _AT_ONCE]
            try:
                found = self.model.classifier.read(some).features
            except Exception:
                logger.exception("Fresh utterances are not read; vectors alone compare them")
                return False
            if found is None:
                return False
            self._known |= zip(some, found, strict=True)
        return True

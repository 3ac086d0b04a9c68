"""Which labels of which model mean an intent of today."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from intents.lineage import Lineage
from training.gate.evidence import Labelled


@dataclass(frozen=True, slots=True)
class Kinship:
    """Labels of both models, and the intents that are answered."""

    lineage: Lineage
    active: frozenset[str]  # labels; empty without an active model
    candidate: frozenset[str]
    answered: frozenset[str]

    def right(self, intent: str) -> tuple[frozenset[str], frozenset[str]]:
        """Return the labels that are right for texts of an intent: active model, candidate.

        A model that knew an intent before it was split cannot tell its parts apart. Both are
        then asked for the whole, so that telling them apart is not held against the candidate.
        """
        by_active = self._meaning(intent, self.active)
        meant = {intent}
        if by_active and intent not in by_active:
            meant = set().union(*(self.lineage.now(label) for label in by_active))
        by_candidate = frozenset().union(*(self._meaning(one, self.candidate) for one in meant))
        return by_active, by_candidate

    def is_known(self, intent: str) -> bool:
        """Whether the active model knows it."""
        return bool(self._meaning(intent, self.active))

    def is_new(self, intent: str) -> bool:
        """Whether the candidate knows it and the active model does not: examples answer it now."""
        return not self.is_known(intent) and bool(self._meaning(intent, self.candidate))

    def is_missing(self, intent: str) -> bool:
        """Whether the active model knows an intent that is answered, and the candidate does not."""
        return (
            intent in self.answered
            and self.is_known(intent)
            and not self._meaning(intent, self.candidate)
        )

    def name(self, label: str) -> str:
        """Return what a label is called today; of a split intent that is gone the first part."""
        return label if label in self.answered else min(self.lineage.now(label))

    def is_same(self, intent: str, label: str) -> bool:
        """Whether a model's label may be what an intent of whatever time is now."""
        return bool(self.lineage.now(intent) & self.lineage.now(label))

    def today(self, former: Labelled, is_now: Collection[str]) -> Labelled:
        """Give a sentence that the active model learned the code of today.

        Args:
            is_now: The intents of the same sentence today; empty where it is gone.
        """
        codes = self.lineage.now(former.intent)
        # A move to a part that was split off since is no change of anybody's mind.
        moved = sorted(code for code in codes & set(is_now) if code not in self.active)
        if former.intent in is_now or not moved:
            return replace(former, intent=self.name(former.intent))
        return replace(former, intent=moved[0])

    def _meaning(self, intent: str, labels: frozenset[str]) -> frozenset[str]:
        """Return the labels of a model that are right for an intent."""
        return frozenset(
            label
            for label in labels
            if label == intent
            or self.lineage.now(label) == {intent}
            or (intent in self.lineage.now(label) and intent not in labels)
        )

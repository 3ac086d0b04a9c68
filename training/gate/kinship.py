"""Which labels of which model mean an intent of today."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from intents.lineage import UNCHANGED, Lineage
from training.gate.evidence import Labelled


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of a model, and what they mean today."""

    codes: frozenset[str] = frozenset()
    lineage: Lineage = UNCHANGED  # since the model was taught

    def meaning(self, intent: str) -> frozenset[str]:
        """Return the labels that are right for an intent."""
        return frozenset(
            label
            for label in self.codes
            if (now := self.lineage.now(label)) == {intent}
            or (intent in now and (label == intent or intent not in self.codes))
        )

    def name(self, label: str) -> str:
        """Return what a label is called today; of a split intent that is gone the first part."""
        now = self.lineage.now(label)
        return label if label in now else min(now)

    def may_be(self, label: str, intents: frozenset[str]) -> bool:
        """Whether a label may mean one of these intents."""
        return bool(self.lineage.now(label) & intents)


@dataclass(frozen=True, slots=True)
class Kinship:
    """Labels of both models, and the intents that are answered. All intents are by today's codes."""

    active: Labels  # none without an active model
    candidate: Labels
    answered: frozenset[str]

    def right(self, intent: str) -> tuple[frozenset[str], frozenset[str]]:
        """Return the labels that are right for texts of an intent: active model, candidate.

        A model that knew an intent before it was split cannot tell its parts apart. Both are
        then asked for the whole, so that telling them apart is not held against the candidate.
        """
        by_active = self.active.meaning(intent)
        meant = {intent}
        if by_active and intent not in by_active:
            meant = set().union(*(self.active.lineage.now(label) for label in by_active))
        by_candidate = frozenset().union(*(self.candidate.meaning(one) for one in meant))
        return by_active, by_candidate

    def is_known(self, intent: str) -> bool:
        """Whether the active model knows it."""
        return bool(self.active.meaning(intent))

    def is_new(self, intent: str) -> bool:
        """Whether the candidate knows it and the active model does not: examples answer it now."""
        return not self.is_known(intent) and bool(self.candidate.meaning(intent))

    def is_missing(self, intent: str) -> bool:
        """Whether the active model knows an intent that is answered, and the candidate does not."""
        return (
            intent in self.answered and self.is_known(intent) and not self.candidate.meaning(intent)
        )

    def today(self, former: Labelled, is_now: Collection[str]) -> Labelled:
        """Give a sentence that the active model learned the code of today.

        Args:
            is_now: The intents of the same sentence today; empty where it is gone.
        """
        codes = self.active.lineage.now(former.intent)
        # A move to a part that was split off since is no change of anybody's mind.
        moved = sorted(code for code in codes & set(is_now) if code not in self.active.codes)
        if former.intent in codes & set(is_now) or not moved:
            return replace(former, intent=self.active.name(former.intent))
        return replace(former, intent=moved[0])

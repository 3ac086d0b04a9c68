"""What the change of the training data does, by cross-fitting."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from intents.guard import normalize
from intents.inference import artifacts
from training.gate import causes
from training.gate.crossfit import Learner, Space
from training.gate.evidence import Change, Evidence
from training.gate.kinship import Kinship
from training.gate.readings import Contender
from training.gate.statistics import NO_TEXTS, Paired, paired
from training.gate.verdict import Cause, Flip, Reading, Suspect

_CURVE = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)


class Teaching:
    """The data of both models, and what a simple learner makes of each."""

    def __init__(
        self,
        evidence: Evidence,
        active: Contender | None,
        readings: Sequence[Reading],
        kinship: Kinship,
    ) -> None:
        self._candidate = evidence.candidate_data
        after = Change((), self._candidate).after
        if evidence.active_data is not None:
            before = [
                kinship.today(each, after.get(normalize.key(each.text), ()))
                for each in evidence.active_data
            ]
        else:
            seen = active.manifest.seen if active else frozenset()
            before = [
                each
                for each in evidence.candidate_data
                if artifacts.key_hash(normalize.key(normalize.for_model(each.text))) in seen
            ]
        self._change = Change(before if active else (), self._candidate)
        self._readings = readings
        self.result, self.by_intent, self.flips = NO_TEXTS, dict[str, Paired](), list[Flip]()
        self._space: Space | None = None
        texts = [each.text for part in (self._change.active, self._candidate) for each in part]
        if not self._candidate:
            return
        self._space = Space.of([*texts, *(each.text for each in readings)], evidence.embed)
        self._after = Learner(self._candidate, self._space)
        self._before = (
            Learner(self._change.active, self._space) if self._change.active else self._after
        )
        if active and not self._change.is_none:
            self._compare()

    def _compare(self) -> None:
        agreed = self._change.agreed
        if not agreed:
            return
        old, new = self._before.read(agreed), self._after.read(agreed)
        rows: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
        for each, was, is_now in zip(agreed, old, new, strict=True):
            rows[each.intent].append((was == each.intent, is_now == each.intent))
            if was == each.intent != is_now:
                self.flips.append(Flip(each.text, each.intent, is_now, is_frozen=False))
        self.by_intent = {
            code: paired([a for a, _ in pairs], [b for _, b in pairs])
            for code, pairs in rows.items()
        }
        for part in self.by_intent.values():
            self.result += part

    def of_new(self, code: str) -> tuple[int, int]:
        """Return how many sentences of an intent the others lead to it, and how many it has."""
        own = [each for each in self._candidate if each.intent == code]
        if not own:
            return 0, 0
        return sum(read == code for read in self._after.read(own)), len(own)

    def causes(
        self, flips: Sequence[Flip], missing: Sequence[str]
    ) -> tuple[list[Cause], list[Suspect]]:
        """See `causes.find`."""
        if self._space is None:
            return [], []
        return causes.find(flips, self._change, self._space, self._before, missing)

    def learning_curve(self) -> list[tuple[float, float]]:
        """Return how right the simple learner is on frozen texts, by the share of the data."""
        known = {each.intent for each in self._candidate}
        asked = [each for each in self._readings if each.intent in known]
        if self._space is None or not asked:
            return []
        order = np.random.default_rng(0).permutation(len(self._candidate))
        curve = []
        for share in _CURVE:
            part = [self._candidate[at] for at in order[: max(2, round(share * len(order)))]]
            read = Learner(part, self._space).read_unseen([each.text for each in asked])
            right = sum(guess == each.intent for guess, each in zip(read, asked, strict=True))
            curve.append((share, round(right / len(asked), 4)))
        return curve

"""Which change of the training data most likely made sentences flip.

A sentence that is now taken for intent B has neighbours in B: those of them that are new, or
that used to belong elsewhere, are to blame, and so are former neighbours in its own intent
that are gone or moved. Blame goes to single sentences, and from these to the groups that they
form: "relabelled from A to B", "new in B and looks like A", "gone from A".
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from intents.guard import normalize
from intents.inference.base import Floats
from training.gate.crossfit import Learner, Space
from training.gate.evidence import Change, Labelled
from training.gate.verdict import Cause, Flip, Suspect

_NEIGHBOURS = 5
# How much the nearest neighbour counts before the next ones: e^(sharpness * cosine).
_SHARPNESS = 8.0
# Of unchanged sentences: they were there when the sentence was still understood.
_UNCHANGED_WEIGHT = 0.1
# Fewer changed sentences of one kind are no group of their own, but part of what is scattered.
_LEAST_OF_A_GROUP = 5
# Whatever explains less than this share of what the first cause explains is chance.
_LEAST_SHARE = 0.03
_CAUSES_KEPT, _SUSPECTS_KEPT, _EXAMPLES_KEPT = 10, 20, 5
_Group = tuple[str, str, str]  # kind, intent, other: see `Cause`
_SCATTERED: _Group = ("scattered", "", "")


@dataclass
class _Tally:
    """What is to blame so far."""

    weight: float = 0.0
    flips: set[int] = field(default_factory=set)


def find(
    flips: Sequence[Flip], change: Change, space: Space, before: Learner, missing: Sequence[str]
) -> tuple[list[Cause], list[Suspect]]:
    """Return groups and single sentences, likeliest first.

    Args:
        space: Holds the texts of flips and of both data sets.
        before: Fitted to the active model's data: what new sentences look like to it.
        missing: Intents that the candidate does not know any more.
    """
    groups = _Groups(change, before)
    blamed: dict[_Group, float] = defaultdict(float)
    singles: dict[tuple[str, str], _Tally] = defaultdict(_Tally)
    candidate = _by_intent(change.candidate)
    gone = _by_intent(groups.gone)
    by_intents: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, flip in enumerate(flips):
        by_intents[flip.intent, flip.taken_for].append(number)
    for (meant, taken), numbers in by_intents.items():
        # What pulls it over there, and what no longer holds it here.
        near = [*candidate.get(taken, ()), *gone.get(meant, ())]
        if not near:
            continue
        likeness = space.likeness([flips[at].text for at in numbers], [one.text for one in near])
        for row, number in zip(likeness, numbers, strict=True):
            for place, weight in _weights(row):
                sentence = near[place]
                group = groups.of(sentence, meant)
                if group[0] == "alike":
                    weight *= _UNCHANGED_WEIGHT
                blamed[group] += weight
                tally = singles[sentence.text, "" if group[0] == "removed" else sentence.intent]
                tally.weight += weight
                tally.flips.add(number)
    for intent in missing:  # nothing explains more than that there is nothing to learn from
        blamed["removed", intent, ""] += len(flips) + 1
    return groups.causes(blamed), _suspects(singles, change)


class _Groups:
    """Which group each changed sentence belongs to."""

    def __init__(self, change: Change, before: Learner) -> None:
        self._change = change
        changed = [each for each in change.candidate if change.is_changed(each)]
        new = [each for each in changed if change.former(each) is None]
        looks = dict(
            zip(
                (each.text for each in new),
                before.read(new) if new else (),
                strict=True,
            )
        )
        self.gone = [
            each
            for each in change.active
            if each.intent not in change.after.get(normalize.key(each.text), ())
        ]
        self._groups: dict[tuple[str, str], _Group] = {}
        self._sentences: dict[_Group, list[str]] = defaultdict(list)
        for each in changed:
            self._put(each, self._group_of_changed(each, looks))
        for each in self.gone:
            if normalize.key(each.text) not in change.after:
                self._put(each, ("removed", each.intent, ""))
        self._scatter()
        self._sizes = {
            "active": {code: len(rows) for code, rows in _by_intent(change.active).items()},
            "candidate": {code: len(rows) for code, rows in _by_intent(change.candidate).items()},
        }

    def of(self, sentence: Labelled, meant: str) -> _Group:
        """Return the group of a sentence that is near to one that means `meant`."""
        known = self._groups.get((sentence.text, sentence.intent))
        if known:
            return known
        after = self._change.after.get(normalize.key(sentence.text), frozenset())
        if sentence.intent not in after:  # it moved: where it went, it is known
            for other in sorted(after):
                if group := self._groups.get((sentence.text, other)):
                    return group
        return ("alike", meant, sentence.intent)

    def causes(self, blamed: dict[_Group, float]) -> list[Cause]:
        least = _LEAST_SHARE * max(blamed.values(), default=0.0)
        ranked = sorted(blamed.items(), key=lambda item: (-item[1], item[0]))[:_CAUSES_KEPT]
        return [self._cause(group, weight) for group, weight in ranked if weight > least]

    def _cause(self, group: _Group, weight: float) -> Cause:
        kind, intent, other = group
        sentences = self._sentences.get(group, [])
        if kind == "scattered":
            whole = len(self._change.candidate)
        elif kind in ("removed", "relabelled", "copied"):
            whole = self._sizes["active"].get(intent, 0)
        else:
            whole = self._sizes["candidate"].get(other, 0)
        return Cause(
            kind, intent, other, len(sentences), whole, round(weight, 2), sentences[:_EXAMPLES_KEPT]
        )

    def _group_of_changed(self, each: Labelled, looks: dict[str, str]) -> _Group | None:
        former = self._change.former(each)
        if former is None:
            look = looks[each.text]
            return ("added", look, each.intent) if look != each.intent else None
        # Of several former intents the first will do: it is one that it no longer has alone.
        source = min(former)
        still = source in self._change.after[normalize.key(each.text)]
        return ("copied" if still else "relabelled", source, each.intent)

    def _put(self, each: Labelled, group: _Group | None) -> None:
        if group:
            self._groups[each.text, each.intent] = group
            self._sentences[group].append(each.text)

    def _scatter(self) -> None:
        """Put groups that are too small together: many small ones are one cause, or none."""
        small = {
            group
            for group, sentences in self._sentences.items()
            if group[0] != "removed" and len(sentences) < _LEAST_OF_A_GROUP
        }
        for place, group in self._groups.items():
            if group in small:
                self._groups[place] = _SCATTERED
        for group in small:
            self._sentences[_SCATTERED] += self._sentences.pop(group)


def _weights(likeness: Floats) -> list[tuple[int, float]]:
    """Return the nearest few and what share of the blame each bears; together 1."""
    nearest = np.argsort(-likeness)[:_NEIGHBOURS]
    weights = np.exp(_SHARPNESS * (likeness[nearest] - likeness[nearest[0]]))
    weights /= weights.sum()
    return [(int(at), float(weight)) for at, weight in zip(nearest, weights, strict=True)]


def _suspects(singles: dict[tuple[str, str], _Tally], change: Change) -> list[Suspect]:
    ranked = sorted(singles.items(), key=lambda item: (-item[1].weight, item[0]))
    return [
        Suspect(
            text=text,
            intent=intent,
            former=sorted(change.before.get(normalize.key(text), ())),
            flips=len(tally.flips),
            weight=round(tally.weight, 2),
        )
        for (text, intent), tally in ranked[:_SUSPECTS_KEPT]
    ]


def _by_intent(sentences: Sequence[Labelled]) -> dict[str, list[Labelled]]:
    found: dict[str, list[Labelled]] = defaultdict(list)
    for each in sentences:
        found[each.intent].append(each)
    return found

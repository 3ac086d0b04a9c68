"""What a candidate is judged by. Plain data: nothing here reads the database."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from intents.guard import normalize
from intents.inference.base import Floats
from intents.lineage import Step

# Texts as models read them in, vectors of the frozen encoder out: unit length, shape (n, d).
Embed = Callable[[Sequence[str]], Floats]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A sentence and its intent."""

    text: str
    intent: str  # Intent.code
    language: str = ""
    family: str = ""  # paraphrases of one another share it


@dataclass(frozen=True, slots=True)
class Case:
    """A regression sentence."""

    text: str
    intent: str = ""  # "" for any
    decision: str = ""  # "" for any
    added_at: datetime | None = None  # the intent's code is of that time


@dataclass(frozen=True)  # no slots: what is derived is kept
class Change:
    """How the training data of the candidate differ from those of the active model.

    A sentence is known by `normalize.key`.
    """

    active: Sequence[Labelled]
    candidate: Sequence[Labelled]

    @cached_property
    def before(self) -> Mapping[str, frozenset[str]]:
        """Intents of each sentence, by key."""
        return _intents_by_key(self.active)

    @cached_property
    def after(self) -> Mapping[str, frozenset[str]]:
        return _intents_by_key(self.candidate)

    @cached_property
    def agreed(self) -> list[Labelled]:
        """Sentences of both, about whose intent nobody has changed his mind."""
        found: dict[str, Labelled] = {}
        for each in self.active:
            key = normalize.key(each.text)
            if len(self.before[key]) == 1 and each.intent in self.after.get(key, ()):
                found[key] = each
        return list(found.values())

    @property
    def is_none(self) -> bool:
        """Whether both learned the same sentences with the same intents."""
        return self.before == self.after

    def former(self, each: Labelled) -> frozenset[str] | None:
        """Return what a sentence of the candidate was for the active model; None: it is new."""
        return self.before.get(normalize.key(each.text))

    def is_changed(self, each: Labelled) -> bool:
        """Whether a sentence of the candidate is new, or has an intent that it had not."""
        former = self.former(each)
        return former is None or each.intent not in former


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything but the models. Intents of sentences are by today's codes, if not said otherwise."""

    frozen: Sequence[Labelled]  # neither model has learned from them
    candidate_data: Sequence[Labelled]  # what it was trained on
    embed: Embed
    # What the active model was trained on, by the codes of then; None: not known any more, `active_seen` then says
    # which of the candidate's sentences it knew.
    active_data: Sequence[Labelled] | None = None
    intents: frozenset[str] = frozenset()  # codes of those that are answered
    cases: Sequence[Case] = ()
    out_of_scope: Sequence[str] = ()  # texts that mean none of any shop's intents
    set_aside: Sequence[str] = ()  # customers' texts that reviewers found to mean none of ours
    steps: Sequence[Step] = ()  # by which codes of older times are read, oldest first


def _intents_by_key(sentences: Iterable[Labelled]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for each in sentences:
        found[normalize.key(each.text)].add(each.intent)
    return {key: frozenset(intents) for key, intents in found.items()}

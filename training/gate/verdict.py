"""What the gate says of a candidate, as data: stored, shown, and put into words elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from training.gate.statistics import Paired, wilson


class Outcome(StrEnum):
    """May the candidate answer customers?"""

    PASSED = "PASSED"
    REFUSED = "REFUSED"  # it is worse
    INCONCLUSIVE = "INCONCLUSIVE"  # too little is known; a person may promote it


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a candidate is refused, or why the verdict is open; `wording` has the words."""

    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SetResult:
    """How both models did on a set of texts."""

    name: str  # "frozen", "data" (cross-fitted), or a language
    result: Paired
    p: float  # corrected


@dataclass(frozen=True, slots=True)
class IntentResult:
    """How both models did on the texts of one intent."""

    intent: str
    result: Paired  # frozen texts, and where these are few cross-fitted ones
    frozen: int  # how many of them are frozen
    p: float  # corrected for the number of intents
    state: str = ""  # "fallen", "open", "missing", "new", "weak" (new and below its minimum)

    @property
    def intervals(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """95 % intervals of the shares that are right: active, candidate."""
        result = self.result
        return (
            wilson(result.active_right, result.texts),
            wilson(result.candidate_right, result.texts),
        )


@dataclass(frozen=True, slots=True)
class Flip:
    """A sentence that was understood and no longer is."""

    text: str
    intent: str  # meant
    taken_for: str  # by the candidate
    is_frozen: bool  # else cross-fitted


@dataclass(frozen=True, slots=True)
class Suspect:
    """A training sentence near to sentences that flipped."""

    text: str
    intent: str  # as the candidate learned it; "" for one that was taken out
    former: Sequence[str]  # its intents for the active model; empty for a new one
    flips: int  # sentences that flipped near to it
    weight: float


@dataclass(frozen=True, slots=True)
class Cause:
    """A change of the training data that explains sentences that flipped; likeliest first.

    Kinds: "removed" (sentences of `intent` are gone), "relabelled" (from `intent` to `other`),
    "copied" (sentences of `intent` now belong to `other` as well), "added" (new sentences of
    `other` look like `intent`), "alike" (unchanged sentences of `other` look like `intent`),
    "scattered" (changed sentences of many intents contradict the others).
    """

    kind: str
    intent: str
    other: str
    sentences: int
    of: int  # sentences that `intent` (removed, relabelled, copied) or `other` has
    weight: float  # flipped sentences that it explains
    examples: Sequence[str]


@dataclass(frozen=True, slots=True)
class Reading:
    """What both models say of one frozen text. Codes are those of the models' time."""

    text: str
    intent: str  # meant; "" for none of the intents
    language: str
    active: tuple[str, float, float] | None  # code, its probability, out of scope
    candidate: tuple[str, float, float]
    active_right: bool
    candidate_right: bool


@dataclass(frozen=True, slots=True)
class BrokenCase:
    """A regression sentence that the candidate fails."""

    text: str
    intent: str
    decision: str
    got: str  # Intent.code
    got_decision: str
    is_new: bool  # the active model does not fail it


@dataclass(frozen=True, slots=True)
class Measured:
    """A number of both models; of a first model the active one's is None."""

    active: float | None
    candidate: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The whole of it."""

    outcome: Outcome
    reasons: Sequence[Reason]  # why it is refused
    doubts: Sequence[Reason]  # why it is not known whether it is as good
    sets: Sequence[SetResult] = ()
    intents: Sequence[IntentResult] = ()  # the worst first
    flips: Sequence[Flip] = ()
    causes: Sequence[Cause] = ()
    suspects: Sequence[Suspect] = ()
    broken_cases: Sequence[BrokenCase] = ()
    cases: int = 0
    accuracy: Measured | None = None
    calibration: Measured | None = None
    wrongly_accepted: Measured | None = None  # share of texts out of scope
    wrongly_accepted_again: Measured | None = None  # share of those that reviewers set aside
    milliseconds: Measured | None = None  # a text alone, median
    size: Measured | None = None  # bytes
    learning_curve: Sequence[tuple[float, float]] = ()  # share of the data, share right
    readings: Sequence[Reading] = ()

    @property
    def fallen(self) -> list[str]:
        """Codes of the intents that fell."""
        return [each.intent for each in self.intents if each.state in ("fallen", "missing")]

    def as_dict(self) -> dict[str, Any]:
        """Return plain lists and numbers, for JSON; without the readings."""
        content = asdict(self)
        del content["readings"]
        for each, row in zip(self.intents, content["intents"], strict=True):
            row["intervals"] = each.intervals
        return content

"""Why a message is in the inbox, and how likely it was misunderstood. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntFlag

from intents.decisions import Decision
from intents.models import PredictionRecord, ReviewCandidate

Outcome = PredictionRecord.Outcome
Verdict = ReviewCandidate.Verdict

# The likeliest intent is ahead of the second by less than this share of the probability.
LOW_MARGIN = 0.3
# More likely about none of the intents than about any.
MOSTLY_OUT_OF_SCOPE = 0.5
# Wrongness is stored as a whole number of these, so that sums are exact in any order.
UNIT = 10_000


class Reason(IntFlag):
    """Why somebody should look. The first six bring a message in; the last two only vote."""

    ASKED_BACK = 1
    UNSURE = 2
    OUT_OF_SCOPE = 4
    HANDED_OVER = 8
    RATED_DOWN = 16
    CORRECTED = 32
    CONFIRMED = 64  # an agent says that the prediction was right
    CHOSEN = 128  # the customer pressed a button of "did you mean"

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.name.lower() for one in Reason if one in self and one.name)


_BRINGS_IN = (
    Reason.ASKED_BACK
    | Reason.UNSURE
    | Reason.OUT_OF_SCOPE
    | Reason.HANDED_OVER
    | Reason.RATED_DOWN
    | Reason.CORRECTED
)
_BY_AGENT = Reason.CORRECTED | Reason.CONFIRMED


@dataclass(frozen=True, slots=True)
class Finding:
    """What one message says: why it is here, how wrong it was, and which intent was meant."""

    reasons: Reason
    wrongness: int  # probability that it was misunderstood, in 1/UNIT
    meant: str = ""  # Intent.code by agent or customer (`reasons` tells which), "" for nobody

    @property
    def needs_a_look(self) -> bool:
        return bool(self.reasons & _BRINGS_IN)

    @property
    def vote(self) -> str:
        """Whose word on what: "agent:refund"; "" for nobody's."""
        if not self.meant:
            return ""
        return f"{'agent' if self.reasons & _BY_AGENT else 'customer'}:{self.meant}"

    def joined(self, other: "Finding") -> "Finding":
        """Return what two looks at one message say together, in whichever order they came.

        An agent's word stands over the customer's; of two agents' words on one message, the
        one that contradicts the bot, of two of those the later code in the alphabet.
        """
        reasons = self.reasons | other.reasons
        ranks = [
            (bool(one.reasons & Reason.CORRECTED), bool(one.reasons & _BY_AGENT), one.meant)
            for one in (self, other)
            if one.meant
        ]
        meant = max(ranks)[-1] if ranks else ""
        return Finding(reasons, max(self.wrongness, other.wrongness), meant)


def of_record(record: PredictionRecord, hands_over: frozenset[str]) -> Finding:
    """Say why a logged prediction deserves a look.

    Args:
        hands_over: Codes of the intents that a human takes care of by design: what is handed
            over for that reason was understood.
    """
    reasons, meant = Reason(0), ""
    is_outside = record.out_of_scope >= MOSTLY_OUT_OF_SCOPE
    if record.decision == Decision.CLARIFY:
        reasons |= Reason.ASKED_BACK
    if margin(record.ranked) * (1.0 - record.out_of_scope) < LOW_MARGIN:
        reasons |= Reason.UNSURE
    if is_outside:
        reasons |= Reason.OUT_OF_SCOPE
    is_planned = (
        record.decision == Decision.HAND_OVER
        and record.intent in hands_over
        and not is_outside
        and (record.probability or 0.0) >= MOSTLY_OUT_OF_SCOPE
    )
    if record.outcome == Outcome.HANDED_OVER and not is_planned:
        reasons |= Reason.HANDED_OVER
    if record.rating == -1:
        reasons |= Reason.RATED_DOWN
    if record.outcome == Outcome.CORRECTED and record.meant:
        meant = record.meant
        reasons |= Reason.CORRECTED if meant != record.intent else Reason.CONFIRMED
    elif record.outcome == Outcome.CLARIFIED and record.meant:
        reasons, meant = reasons | Reason.CHOSEN, record.meant
    wrong = wrongness(
        reasons,
        record.probability,
        record.out_of_scope,
        is_other=bool(meant and meant != record.intent),
    )
    return Finding(reasons, wrong, meant)


def of_candidate(candidate: ReviewCandidate) -> Finding:
    """Say why what an agent judged deserves a look."""
    is_other = bool(candidate.meant) and candidate.meant != candidate.predicted
    if candidate.verdict == Verdict.DISMISSED:
        reasons, meant = Reason.RATED_DOWN, ""
    elif is_other:
        reasons, meant = Reason.CORRECTED, candidate.meant
    else:
        reasons, meant = Reason.CONFIRMED, candidate.meant
        if (candidate.probability or 0.0) < (1.0 + LOW_MARGIN) / 2:
            reasons |= Reason.UNSURE
    return Finding(
        reasons, wrongness(reasons, candidate.probability, 0.0, is_other=is_other), meant
    )


def wrongness(
    reasons: Reason, probability: float | None, out_of_scope: float, *, is_other: bool
) -> int:
    """Return how likely a message was misunderstood, in 1/UNIT.

    With p the calibrated probability of the likeliest intent and o that of none:
    u = 1 - (1 - o) p, "least confidence" of Lewis and Gale, "A Sequential Algorithm for Training
    Text Classifiers", SIGIR 1994. Where somebody named another intent it is 1. Where the
    customer rated the answer down or a human had to help, that word weighs as much as the
    model's: (u + 1) / 2.

    Args:
        probability: None where nothing was predicted.
        is_other: Somebody named another intent than the predicted one.
    """
    if is_other:
        return UNIT
    doubt = 1.0 - (1.0 - out_of_scope) * (probability or 0.0)
    if reasons & (Reason.RATED_DOWN | Reason.HANDED_OVER):
        doubt = (doubt + 1.0) / 2
    return round(UNIT * min(1.0, max(0.0, doubt)))


def margin(ranked: Sequence[Sequence[object]]) -> float:
    """Return by how much the likeliest leads, 0 to 1; 0 where nothing is ranked."""
    shares = [float(str(pair[1])) for pair in ranked[:2]]
    return shares[0] - (shares[1] if len(shares) > 1 else 0.0) if shares else 0.0


def proposed(votes: Mapping[str, int]) -> str:
    """Return the intent that most agents named, else most customers; of equals the first code."""
    for whose in ("agent:", "customer:"):
        named = [
            (-count, vote.removeprefix(whose))
            for vote, count in votes.items()
            if vote.startswith(whose) and count > 0
        ]
        if named:
            return min(named)[1]
    return ""

"""From a prediction to what the bot does: answer, ask what was meant, or offer a human.

Pure: the costs that staff have set come with the content, the probabilities with the
prediction. There are no thresholds; they follow from both.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from intents.content import Content
    from intents.inference import Prediction

# How many intents are offered when it is unclear which was meant, and how likely one must
# be, compared with the likeliest, to be worth a button.
MOST_OFFERED = 3
_LEAST_SHARE = 0.2


class Decision(StrEnum):
    """What the bot does with one message."""

    ANSWER = "ANSWER"  # it says the reply of the likeliest intent
    CLARIFY = "CLARIFY"  # it asks which of the likeliest intents was meant
    HAND_OVER = "HAND_OVER"  # a human is called, or, when nothing was understood, offered


@dataclass(frozen=True, slots=True)
class Costs:
    """How bad each outcome is. Only ratios count: with a hand-over at 1, in hand-overs.

    The defaults were chosen on development sets; see docs/accuracy.md.
    """

    wrong_answer: float = 2.0  # the reply of an intent that was not meant
    clarification: float = 0.35  # the customer reads a question and presses a button
    hand_over: float = 1.0  # a colleague's time, the customer's wait
    missed: float = 2.0  # a text about none of the intents is answered all the same


def expected_costs(
    prediction: "Prediction", content: "Content", costs: Costs | None = None
) -> dict[Decision, float]:
    """Return what each outcome costs in the mean, given what the text may mean.

    With p(i) the probability of an intent given that any of them is meant, o that none is,
    and B the intents of the buttons:

        answer     wrong_answer * (1 - o) * (1 - p(1)) + missed * o
        clarify    clarification + hand_over * (1 - (1 - o) * sum of p(i) over B)
        hand over  hand_over

    since who finds no button to press ends with a human after all. `clarify` is missing when
    there is no button to offer. Nothing understood can only be handed over.

    Args:
        costs: Those of the likeliest intent when None.

    Source: the Bayes decision rule, Duda, Hart, Stork, "Pattern Classification", 2001, section
    2.2; refusing as one of the actions: Chow, "On Optimum Recognition Error and Reject
    Tradeoff", IEEE Trans. Information Theory 1970.
    """
    costs = costs or content.costs_of(prediction.intent)
    expected = {Decision.HAND_OVER: costs.hand_over}
    if not prediction.ranked:
        return expected
    inside = 1.0 - prediction.out_of_scope
    expected[Decision.ANSWER] = (
        costs.wrong_answer * inside * (1.0 - prediction.probability)
        + costs.missed * prediction.out_of_scope
    )
    offered = frozenset(choices(prediction, content))
    if offered:
        found = inside * sum(p for code, p in prediction.ranked if code in offered)
        expected[Decision.CLARIFY] = costs.clarification + costs.hand_over * (1.0 - found)
    return expected


def choices(prediction: "Prediction", content: "Content") -> tuple[str, ...]:
    """Return the codes that a clarification offers, likeliest first, at most three.

    Only intents that staff let the bot offer, and that are likely beside the likeliest.
    """
    least = prediction.probability * _LEAST_SHARE
    return tuple(
        code
        for code, probability in prediction.ranked
        if probability >= least and (intent := content.intents.get(code)) and intent.is_offered
    )[:MOST_OFFERED]


def cheapest(prediction: "Prediction", content: "Content", costs: Costs | None = None) -> Decision:
    """Return the outcome with the least expected cost; of equals the one that helps sooner."""
    expected = expected_costs(prediction, content, costs)
    in_order = (Decision.ANSWER, Decision.CLARIFY, Decision.HAND_OVER)
    return min((each for each in in_order if each in expected), key=expected.__getitem__)


def is_understood(prediction: "Prediction", content: "Content") -> bool:
    """Whether the likeliest intent is likely enough to be acted on."""
    return cheapest(prediction, content) == Decision.ANSWER


def decide(prediction: "Prediction", content: "Content") -> Decision:
    """Decide by expected cost. An intent that a human takes care of is handed over."""
    decision = cheapest(prediction, content)
    if decision == Decision.ANSWER and content.intents[prediction.intent].hands_over:
        return Decision.HAND_OVER
    return decision

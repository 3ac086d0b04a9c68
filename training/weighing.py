"""What the bot would have done with texts whose intent is known, under given costs."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from intents.content import Content
from intents.decisions import Costs, Decision, cheapest, choices
from intents.inference import Prediction
from intents.models import PredictionRecord
from training.models import ActiveModel, EvaluationScores

# Of the log: the newest ones. More would keep the page waiting and move nothing.
_MOST_LOGGED = 2000
# A wrong answer costs this many times what staff have set, from one end of the curve to the other.
_CURVE = np.geomspace(0.05, 20, 25)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A prediction, and what was meant."""

    prediction: Prediction
    truth: str  # Intent.code of its time; "" for none of the intents


@dataclass(frozen=True, slots=True)
class Shares:
    """What became of some texts, as shares of them; they sum to 1."""

    texts: int
    right: float  # answered with the intent that was meant
    wrong: float  # answered with another one, or at all when none was meant
    found: float  # asked what was meant, and that was among the buttons
    not_found: float  # asked, and it was not
    handed_over: float
    cost: float  # in the mean, by what really happened

    @property
    def asked(self) -> float:
        return self.found + self.not_found


@dataclass(frozen=True, slots=True)
class Point:
    """One trade of wrong answers against hand-overs."""

    factor: float  # what a wrong answer costs, times what is set
    shares: Shares


def own_data() -> list[Labelled]:
    """Return what this installation knows: evaluation texts, and messages that were labelled.

    The first are as the active model scored them when it was made; the second are those of
    which a customer has chosen, or an agent said, what was meant. Two queries.
    """
    rows = EvaluationScores.objects.filter(
        version__in=ActiveModel.objects.values("version")
    ).values_list("rows", flat=True)
    found = [
        Labelled(
            Prediction(
                tuple((code, float(share)) for code, share in ranked),
                source="model",
                out_of_scope=out_of_scope,
            ),
            truth,
        )
        for truth, ranked, out_of_scope in (rows.first() or [])
    ]
    logged = PredictionRecord.objects.exclude(meant="").order_by("-created_at")[:_MOST_LOGGED]
    for record in logged:
        ranked = tuple((code, float(share)) for code, share in record.ranked)
        prediction = Prediction(ranked, source="model", out_of_scope=record.out_of_scope)
        found.append(Labelled(prediction, record.meant))
    return found


def weigh(texts: Sequence[Labelled], content: Content, *, factor: float = 1.0) -> Shares:
    """Return what becomes of texts under the costs that `content` has.

    Args:
        factor: What a wrong answer costs, times what is set.
    """
    counts = dict.fromkeys(("right", "wrong", "found", "not_found", "handed_over"), 0)
    cost = 0.0
    for text in texts:
        outcome, costs = _outcome(text, content, factor)
        counts[outcome] += 1
        cost += _real_cost(outcome, text, costs)
    number = max(1, len(texts))
    return Shares(
        len(texts), **{name: count / number for name, count in counts.items()}, cost=cost / number
    )


def weigh_by_intent(texts: Iterable[Labelled], content: Content) -> dict[str, Shares]:
    """Return the same for the texts of each intent that was meant, by its code of now."""
    by_truth: dict[str, list[Labelled]] = defaultdict(list)
    for text in texts:
        by_truth[content.code_of_now(text.truth)].append(text)
    return {code: weigh(own, content) for code, own in by_truth.items()}


def curve(texts: Sequence[Labelled], content: Content) -> list[Point]:
    """Return wrong answers against hand-overs as a wrong answer costs more and more."""
    return [Point(float(factor), weigh(texts, content, factor=float(factor))) for factor in _CURVE]


def _outcome(text: Labelled, content: Content, factor: float) -> tuple[str, Costs]:
    prediction, truth = content.answered(text.prediction), content.code_of_now(text.truth)
    set_costs = content.costs_of(prediction.intent)
    costs = replace(
        set_costs, wrong_answer=set_costs.wrong_answer * factor, missed=set_costs.missed * factor
    )
    decision = cheapest(prediction, content, costs)
    if decision == Decision.ANSWER:
        return ("right" if prediction.intent == truth else "wrong"), set_costs
    if decision == Decision.CLARIFY:
        return ("found" if truth in choices(prediction, content) else "not_found"), set_costs
    return "handed_over", set_costs


def _real_cost(outcome: str, text: Labelled, costs: Costs) -> float:
    return {
        "right": 0.0,
        "wrong": costs.wrong_answer if text.truth else costs.missed,
        "found": costs.clarification,
        "not_found": costs.clarification + costs.hand_over,
        "handed_over": costs.hand_over,
    }[outcome]


def least_certain(costs: Costs) -> float:
    """Return from which probability on a text that is surely in scope is answered, 0 to 1.

    For a page's explanation: with two intents to choose from, so that asking always finds.
    """
    alternative = min(costs.hand_over, costs.clarification)
    return max(0.0, 1.0 - alternative / costs.wrong_answer) if costs.wrong_answer else 0.0

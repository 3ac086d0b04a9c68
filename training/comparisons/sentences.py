"""All regression sentences at once, by one contender or two."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from intents.trials import Answered, Opened
from training.models import RegressionCase

# Read while somebody waits for the page: some three seconds. Side by side takes any number.
MOST = 1000


@dataclass(frozen=True, slots=True)
class Held:
    """What one contender does with one sentence."""

    answered: Answered
    passes: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """A sentence, what is expected of it, and what each contender does with it."""

    case: RegressionCase
    held: Sequence[Held]

    @property
    def passes(self) -> bool:
        return all(one.passes for one in self.held)

    @property
    def differs(self) -> bool:
        """Whether one contender passes and another one does not, or they understand it differently."""
        return len({(one.answered.intent, one.answered.decision) for one in self.held}) > 1


def passes(case: RegressionCase, answered: Answered) -> bool:
    """Whether an answer is what a sentence must lead to."""
    return case.intent in ("", answered.intent) and case.decision in ("", answered.decision)


def run(contenders: Sequence[Opened]) -> list[Outcome]:
    """Have each contender answer the newest MOST sentences that count. One query."""
    found = list(RegressionCase.objects.filter(is_active=True).order_by("-pk")[:MOST])
    texts, languages = [case.text for case in found], [case.language for case in found]
    answers = [contender.answer(texts, languages) for contender in contenders]
    return [
        Outcome(case, [Held(answered, passes(case, answered)) for answered in of_case])
        for case, of_case in zip(found, zip(*answers, strict=True), strict=True)
    ]


def rows(outcomes: Sequence[Outcome], names: Sequence[str]) -> Iterator[list[str]]:
    """Yield outcomes as lines of a table, with a heading."""
    heading = ["text", "language", "intent_expected", "decision_expected"]
    for name in names:
        heading += [f"{name}: {what}" for what in ("passes", "intent", "probability", "decision")]
    yield heading
    for outcome in outcomes:
        case = outcome.case
        line = [case.text, case.language, case.intent, case.decision]
        for one in outcome.held:
            probability = f"{one.answered.prediction.probability:.4f}"
            passed = "yes" if one.passes else "no"
            line += [passed, one.answered.intent, probability, one.answered.decision]
        yield line

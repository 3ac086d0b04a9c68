"""What became of intents whose codes changed: renamed, merged into another, split in several.

Models, logs and regression sentences keep the codes of their time; here is how to read them now.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Step:
    """A code that was given up, or part of what it stood for."""

    at: datetime
    source: str  # code that was
    targets: tuple[str, ...]  # codes that it became; of a split the first is the intent itself


def later(steps: Iterable[Step], then: datetime | None) -> tuple[Step, ...]:
    """Return the steps that were made after a time; all where it is unknown."""
    return tuple(step for step in steps if then is None or step.at > then)


def heir(code: str, steps: Iterable[Step]) -> str:
    """Return the one intent that answers for a code today: of a split that which kept the code.

    Args:
        steps: Oldest first.
    """
    for step in steps:
        if step.source == code:
            code = step.targets[0]
    return code


def heirs(steps: Sequence[Step]) -> dict[str, str]:
    """Return the heir of each code that was ever given up."""
    return {step.source: heir(step.source, steps[at:]) for at, step in enumerate(steps)}


@dataclass(frozen=True, slots=True)
class Lineage:
    """Codes of then to codes of now."""

    _now: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def since(cls, steps: Iterable[Step], then: datetime | None) -> "Lineage":
        """Read codes of one time; None: of a time before all steps.

        What was given up before is another intent's code by then, if it is one at all.

        Args:
            steps: Oldest first.
        """
        now: dict[str, frozenset[str]] = {}
        for step in later(steps, then):
            became = frozenset(step.targets)
            now = {code: _followed(codes, step.source, became) for code, codes in now.items()}
            now.setdefault(step.source, became)  # else its own intent has another code since
        return cls(now)

    @classmethod
    def of(cls, steps: Iterable[tuple[str, Iterable[str]]]) -> "Lineage":
        """Chain steps, oldest first, for codes of unknown time: (code that was, what it became).

        A code that is used again later, after it was given up, is that of the later intent.
        """
        now: dict[str, frozenset[str]] = {}
        for source, targets in steps:
            became = frozenset(targets)
            now = {code: _followed(codes, source, became) for code, codes in now.items()}
            now[source] = became
        return cls(now)

    def now(self, code: str) -> frozenset[str]:
        """Return what a code stands for today; itself where nothing happened to it."""
        return self._now.get(code, frozenset((code,)))


def _followed(codes: frozenset[str], source: str, became: frozenset[str]) -> frozenset[str]:
    return (codes - {source}) | became if source in codes else codes


UNCHANGED = Lineage()

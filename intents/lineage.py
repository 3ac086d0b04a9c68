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
    def of(cls, steps: Iterable[tuple[str, Iterable[str]]]) -> "Lineage":
        """Chain steps, oldest first: (code that was, codes that it became).

        A code that is used again later, after it was given up, is that of the later intent.
        """
        now: dict[str, frozenset[str]] = {}
        for source, targets in steps:
            became = frozenset(targets)
            now = {
                code: frozenset().union(*(became if one == source else {one} for one in codes))
                for code, codes in now.items()
            }
            now[source] = became
        return cls(now)

    def now(self, code: str) -> frozenset[str]:
        """Return what a code stands for today; itself where nothing happened to it."""
        return self._now.get(code, frozenset((code,)))


UNCHANGED = Lineage()

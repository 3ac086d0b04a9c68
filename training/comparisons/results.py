"""What a comparison found: groups of changed answers, filters, rows for a spreadsheet."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet, Sum

from training.models import ChangedAnswer, Comparison

Verdict = ChangedAnswer.Verdict

WHAT = ("intent", "decision", "reply", "fixed", "broken")
_GROUPS_MOST = 200


@dataclass(frozen=True, slots=True)
class Group:
    """Texts that went from one intent to another (or stayed in it, and are answered differently)."""

    before: str  # Intent.code; "" for none
    after: str
    texts: int
    times: int  # said by customers; a labelled text counts once
    judged: int

    @property
    def key(self) -> str:
        """Names it on a page; codes have no hyphen."""
        return f"{self.before}-{self.after}"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which changed answers are looked at; "" for all."""

    what: str = ""  # one of WHAT
    verdict: str = ""
    origin: str = ""
    language: str = ""
    before: str | None = None  # Intent.code; "" for texts that meant none; None for all
    after: str | None = None

    def of(self, comparison: Comparison) -> QuerySet[ChangedAnswer]:
        """Return the answers that pass, the commonest first."""
        found = ChangedAnswer.objects.filter(comparison=comparison)
        if self.what in ("intent", "decision", "reply"):
            found = found.filter(**{f"{self.what}_differs": True})
        if self.what == "fixed":
            found = found.filter(_IS_KNOWN, intent_after=F("expected")).exclude(
                intent_before=F("expected")
            )
        if self.what == "broken":
            found = found.filter(_IS_KNOWN, intent_before=F("expected")).exclude(
                intent_after=F("expected")
            )
        chosen = {"verdict": self.verdict, "origin": self.origin, "language": self.language}
        found = found.filter(**{name: value for name, value in chosen.items() if value})
        if self.before is not None:
            found = found.filter(intent_before=self.before)
        if self.after is not None:
            found = found.filter(intent_after=self.after)
        return found.order_by("-times", "number")


_IS_KNOWN = ~Q(expected="")


def groups(found: QuerySet[ChangedAnswer]) -> list[Group]:
    """Return the groups of changed answers, those said most often first. One query."""
    rows = (
        found.order_by()
        .values("intent_before", "intent_after")
        .annotate(
            count=Count("pk"),
            said=Sum("times"),
            judged=Count("pk", filter=~Q(verdict=Verdict.OPEN)),
        )
        .order_by("-said", "intent_before", "intent_after")
    )
    return [
        Group(row["intent_before"], row["intent_after"], row["count"], row["said"], row["judged"])
        for row in rows[:_GROUPS_MOST]
    ]


def group_of(change: ChangedAnswer, found: QuerySet[ChangedAnswer]) -> Group:
    """Return the group of one changed answer among those; empty where none is left. One query."""
    before, after = change.intent_before, change.intent_after
    own = groups(found.filter(intent_before=before, intent_after=after))
    return own[0] if own else Group(before, after, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Standing:
    """How labelled texts fared, and how far the judging is."""

    fixed: int  # labelled texts that only the second contender understands
    broken: int  # that only the first one does
    open: int
    accepted: int
    rejected: int


def standing(comparison: Comparison) -> Standing:
    """Count what became better and worse, and what has been judged. One query."""
    known, right_before = _IS_KNOWN, Q(intent_before=F("expected"))
    right_after = Q(intent_after=F("expected"))
    counts = ChangedAnswer.objects.filter(comparison=comparison).aggregate(
        fixed=Count("pk", filter=known & right_after & ~right_before),
        broken=Count("pk", filter=known & right_before & ~right_after),
        open=Count("pk", filter=Q(verdict=Verdict.OPEN)),
        accepted=Count("pk", filter=Q(verdict=Verdict.ACCEPTED)),
        rejected=Count("pk", filter=Q(verdict=Verdict.REJECTED)),
    )
    return Standing(**counts)


COLUMNS = (
    *("text", "language", "origin", "times", "expected", "recorded"),
    *("intent_before", "probability_before", "decision_before"),
    *("intent_after", "probability_after", "decision_after"),
    *("replies_before", "replies_after", "verdict", "decided_by__username"),
)


def rows(found: QuerySet[ChangedAnswer]) -> Iterator[list[str]]:
    """Yield changed answers as lines of a table, COLUMNS first."""
    yield list(COLUMNS)
    for values in found.values_list(*COLUMNS).iterator(chunk_size=1000):
        yield [_cell(value) for value in values]


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, list):
        return "\n---\n".join(map(str, value))
    return "" if value is None else str(value)

"""The texts that two contenders are compared on, each once."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db.models import QuerySet

from intents import language
from intents.guard import normalize, pii
from intents.models import PredictionRecord, Utterance
from training.models import ChangedAnswer, Comparison, RegressionCase

Origin = ChangedAnswer.Origin

# Turns of one comparison, the newest: half an hour of reading, and 30 MB while they are gathered.
MOST_TURNS = 200_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A text, and what is known of it."""

    text: str  # personal data is masked
    language: str  # "zh", "en" or "" for neither
    origin: str
    times: int = 1
    expected: str = ""  # Intent.code
    recorded: str = ""  # Intent.code, the commonest of those times

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return asdict(self)


@dataclass(slots=True)
class _Said:
    """What customers said, in the spelling in which it was said last."""

    text: str
    recorded: Counter[str] = field(default_factory=Counter)


def gather(comparison: Comparison) -> list[Asked]:
    """Return the texts of a comparison: labelled ones first, then those of customers.

    Spellings of one sentence count as one text (normalize.key), the commonest first.
    """
    found: dict[tuple[str, str], Asked] = {}
    if comparison.kind == Comparison.Kind.SIDE_BY_SIDE:
        for asked in [*_regression(), *_evaluation()]:
            found.setdefault(_key(asked.text, asked.language), asked)
    for key, asked in _customers(_turns(comparison)):
        found.setdefault(key, asked)
    return list(found.values())


def _regression() -> Iterator[Asked]:
    rows = RegressionCase.objects.filter(is_active=True).order_by("pk")
    for text, spoken, intent in rows.values_list("text", "language", "intent").iterator():
        yield Asked(text, spoken, Origin.REGRESSION, expected=intent)


def _evaluation() -> Iterator[Asked]:
    rows = Utterance.objects.filter(
        split=Utterance.Split.EVALUATION, intent__is_active=True
    ).order_by("pk")
    for text, spoken, intent in rows.values_list("text", "language", "intent__code").iterator():
        yield Asked(pii.redact(text), spoken, Origin.EVALUATION, expected=intent)


def _turns(comparison: Comparison) -> QuerySet[PredictionRecord, tuple[str, str, str]]:
    records = PredictionRecord.objects.exclude(language="").order_by("-created_at", "-pk")
    most = MOST_TURNS
    if comparison.kind == Comparison.Kind.REPLAY:
        records = records.filter(
            origin=PredictionRecord.Origin.CHAT,
            created_at__gte=comparison.since,
            created_at__lt=comparison.until,
        )
    else:
        most = min(most, comparison.newest)
    return records.values_list("text", "language", "intent")[:most]


def _customers(
    turns: QuerySet[PredictionRecord, tuple[str, str, str]],
) -> Iterator[tuple[tuple[str, str], Asked]]:
    said: dict[tuple[str, str], _Said] = {}
    for text, spoken, intent in turns.iterator(chunk_size=2000):
        if language.is_code(text):
            continue  # goes on with what was spoken of before: no contender can tell from it
        known = said.setdefault(_key(text, spoken), _Said(text))
        known.recorded[intent] += 1
    for key, known in sorted(said.items(), key=lambda item: -item[1].recorded.total()):
        commonest = known.recorded.most_common(1)[0][0]
        times = known.recorded.total()
        yield key, Asked(known.text, key[1], Origin.CUSTOMER, times, recorded=commonest)


def _key(text: str, spoken: str) -> tuple[str, str]:
    return normalize.key(text), spoken

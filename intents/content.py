"""What staff have written, as every process of the platform reads it: an immutable snapshot.

Synchronous, because it may look into the database: coroutines call it through
`csplatform.threads.in_thread`.
"""

import math
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from django.conf import settings
from django.db import transaction

from intents import starter
from intents.decisions import Costs
from intents.guard.sensitive import Masker
from intents.inference.base import Prediction
from intents.lineage import heirs
from intents.models import (
    AllowedPhrase,
    Channel,
    ContentVersion,
    DecisionCosts,
    Intent,
    IntentCosts,
    IntentMigration,
    Language,
    Phrase,
    Reply,
    SensitiveWord,
    SuggestedQuestion,
)


@dataclass(frozen=True, slots=True)
class IntentInfo:
    """An intent that is answered."""

    code: str
    name_zh: str
    name_en: str
    hands_over: bool
    is_offered: bool

    def name(self, language: str) -> str:
        return self.name_en if language == Language.ENGLISH else self.name_zh


@dataclass(frozen=True, slots=True)
class Content:
    """All of it at one version; never changes, so that it is shared between threads."""

    version: int  # ContentVersion.answers; 0 where nothing was ever saved
    intents: dict[str, IntentInfo]  # by code, in the order of staff; active ones only
    masker: Masker
    _replies: dict[tuple[str, str, str], tuple[str, ...]]  # by code, language, channel
    _phrases: dict[tuple[str, str], str]  # by purpose, language
    _suggestions: dict[str, tuple[str, ...]]  # by language
    costs: Costs = field(default_factory=Costs)  # of intents without costs of their own
    _costs: dict[str, Costs] = field(default_factory=dict)  # by code
    _heirs: dict[str, str] = field(default_factory=dict)  # codes that were given up, and of now

    def answered(self, prediction: Prediction) -> Prediction:
        """Return a prediction with nothing but intents that are answered.

        The engine may be a moment behind: what staff switched off is never acted on, and what they
        have just renamed or merged goes by its code of now.
        """
        if all(code in self.intents for code, _ in prediction.ranked):
            return prediction
        shares: dict[str, float] = {}
        for code, share in prediction.ranked:
            now = self.code_of_now(code)
            if now in self.intents:
                shares[now] = shares.get(now, 0.0) + share
        ranked = tuple(sorted(shares.items(), key=lambda pair: -pair[1]))
        return replace(prediction, ranked=ranked)

    def code_of_now(self, code: str) -> str:
        """Return the intent that answers for a code of then; itself where nothing became of it."""
        return code if code in self.intents else self._heirs.get(code, code)

    def costs_of(self, code: str) -> Costs:
        """Return what the outcomes cost when this intent is the likeliest; "" for none."""
        return self._costs.get(code, self.costs)

    def with_costs(self, costs: Costs, own: dict[str, Costs]) -> "Content":
        """Return the same with other costs, for all and by code: what would be, if."""
        return replace(self, costs=costs, _costs=own)

    def replies(self, code: str, language: str, channel: str) -> list[str]:
        """Return the variants that fit: those written for the channel, else those for any.

        Empty where the intent has none in the language, or is not answered.
        """
        own = self._replies.get((code, language, channel))
        return list(own or self._replies.get((code, language, Channel.ANY), ()))

    def phrase(self, purpose: str, language: str) -> str:
        """Return the bot's sentence; where staff have none, their other language's, else ours."""
        own = self._phrases.get((purpose, language))
        if own:
            return own
        others = (text for (of, _), text in self._phrases.items() if of == purpose and text)
        return next(others, "") or _built_in_phrases()[purpose, _answered_in(language)]

    def suggestions(self, language: str) -> list[str]:
        """Return the questions to offer, in the order of staff."""
        return list(self._suggestions.get(language, ()))


def _answered_in(language: str) -> str:
    return Language.ENGLISH if language == Language.ENGLISH else Language.CHINESE


@cache
def _built_in_phrases() -> dict[tuple[str, str], str]:
    return {(row["purpose"], row["language"]): row["text"] for row in starter.rows("phrases")}


_lock = threading.Lock()
_held: Content | None = None
_looked_at = -math.inf  # time.monotonic() of the latest look at the version


def current() -> Content:
    """Return the content as it is now, at most `CONTENT_POLL_S` seconds old.

    One thread looks and rebuilds; the others go on with the snapshot they have. Inside
    a transaction the snapshot is not shared: what is read there may be rolled back.
    """
    global _held, _looked_at
    held = _held
    if held is not None and time.monotonic() - _looked_at < settings.CONTENT_POLL_S:
        return held
    if not _lock.acquire(blocking=held is None):
        return held  # type: ignore[return-value]  # None waits for the lock
    try:
        # Taken before the look: a change that commits during it is seen by the next one.
        looking_at = time.monotonic()
        version = _version()
        if _held is not None and _held.version == version:
            _looked_at = looking_at
            return _held
        content = _read(version)
        if not transaction.get_connection().in_atomic_block:
            _held, _looked_at = content, looking_at
        return content
    finally:
        _lock.release()


def look_again() -> None:
    """Let the next call of `current` look at the version at once."""
    global _looked_at
    _looked_at = -math.inf


def forget() -> None:
    """Drop the snapshot, for rows that did not come through intents.services."""
    global _held
    _held = None


def _version() -> int:
    return ContentVersion.objects.values_list("answers", flat=True).first() or 0


def _read(version: int) -> Content:
    """Read everything. What commits meanwhile moves the version, so it is read again then."""
    costs, own_costs = read_costs()
    empty = Content(
        version=version,
        intents={},
        masker=Masker(
            SensitiveWord.objects.filter(is_active=True).values_list("word", flat=True),
            AllowedPhrase.objects.values_list("text", flat=True),
        ),
        _replies={},
        _phrases={},
        _suggestions={},
        costs=costs,
        _costs=own_costs,
        _heirs=heirs(IntentMigration.steps()),
    )
    return built_from(
        empty,
        intents=Intent.objects.filter(is_active=True),
        replies=Reply.objects.filter(is_active=True, intent__is_active=True).select_related(
            "intent"
        ),
        questions=SuggestedQuestion.objects.filter(is_active=True),
        phrases=Phrase.objects.all(),
    )


def built_from(
    base: Content,
    *,
    intents: Iterable[Intent],
    replies: Iterable[Reply],
    questions: Iterable[SuggestedQuestion],
    phrases: Iterable[Phrase],
) -> Content:
    """Return the content that says what these rows say, with words and costs of `base`.

    Args:
        intents: In any order, as the other rows; what is switched off is left out.
        replies: With their intents.
    """
    answered: dict[Any, list[str]] = defaultdict(list)
    for reply in sorted(replies, key=_age):
        if reply.is_active and reply.intent.is_active:
            answered[reply.intent.code, reply.language, reply.channel].append(reply.text)
    offered: dict[str, list[str]] = defaultdict(list)
    for question in sorted(questions, key=lambda each: (each.position, _age(each))):
        if question.is_active:
            offered[question.language].append(question.text)
    return replace(
        base,
        intents={
            intent.code: IntentInfo(
                intent.code, intent.name_zh, intent.name_en, intent.hands_over, intent.is_offered
            )
            for intent in sorted(intents, key=lambda each: (each.position, each.code))
            if intent.is_active
        },
        _replies={key: tuple(texts) for key, texts in answered.items()},
        _phrases={(p.purpose, p.language): p.text for p in sorted(phrases, key=_age)},
        _suggestions={key: tuple(texts) for key, texts in offered.items()},
    )


def _age(row: Any) -> float:
    """Return the order in which rows were made; one that is not stored yet comes last."""
    return math.inf if row.pk is None else row.pk


def read_costs() -> tuple[Costs, dict[str, Costs]]:
    """Return what outcomes cost, and the costs of intents that have their own, by code."""
    row = DecisionCosts.objects.order_by("pk").first()
    costs = row.as_costs() if row else Costs()
    own = IntentCosts.objects.select_related("intent")
    return costs, {each.intent.code: each.over(costs) for each in own}

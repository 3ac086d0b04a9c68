"""What the bot cannot say in one of its languages."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from intents import services
from intents.models import Intent, Language, Phrase, Reply, SuggestedQuestion


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that has no text in one language, and the page where it is written."""

    kind: Any  # what it is, in words
    name: str
    language: str  # the one that is missing, in words
    url: str


def gaps() -> list[Gap]:
    """Return all that is missing: replies of active intents, phrases, questions. Four queries."""
    return [*_replies(), *_phrases(), *_questions()]


def _replies() -> list[Gap]:
    spoken: dict[int, set[str]] = defaultdict(set)
    # A reply that needs data of the customer leaves those without an order unanswered.
    replies = Reply.objects.filter(services.for_everybody())
    for intent_id, language in replies.values_list("intent_id", "language"):
        spoken[intent_id].add(language)
    return [
        Gap(
            Reply._meta.verbose_name,
            str(intent),
            str(Language(language).label),
            reverse("admin:intents_reply_add")
            + "?"
            + urlencode({"intent": str(intent.pk), "language": language}),
        )
        for intent in Intent.objects.filter(is_active=True).order_by("position", "code")
        for language in Language.values
        if language not in spoken[intent.pk]
    ]


def _phrases() -> list[Gap]:
    written = set(Phrase.objects.exclude(text="").values_list("purpose", "language"))
    return [
        Gap(
            Phrase._meta.verbose_name,
            str(Phrase.Purpose(purpose).label),
            str(Language(language).label),
            reverse("admin:intents_phrase_add")
            + "?"
            + urlencode({"purpose": purpose, "language": language}),
        )
        for purpose in Phrase.Purpose.values
        for language in Language.values
        if (purpose, language) not in written
    ]


def _questions() -> list[Gap]:
    offered = set(
        SuggestedQuestion.objects.filter(is_active=True).values_list("language", flat=True)
    )
    return [
        Gap(
            SuggestedQuestion._meta.verbose_name,
            "—",
            str(Language(language).label),
            reverse("admin:intents_suggestedquestion_add")
            + "?"
            + urlencode({"language": language}),
        )
        for language in Language.values
        if language not in offered
    ]

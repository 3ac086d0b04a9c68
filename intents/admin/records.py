"""What the bot understood: a log to read, nothing to write."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from csplatform.read_only import ReadOnly
from intents.admin.labels import DECISIONS, RATINGS, SOURCES
from intents.models import Intent, Language, PredictionRecord


class LabelFilter(admin.SimpleListFilter):
    """One column of codes, in words."""

    labels: ClassVar[Mapping[Any, Any]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        return [(str(code), label) for code, label in self.labels.items()]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[PredictionRecord]
    ) -> QuerySet[PredictionRecord]:
        chosen = {str(self.parameter_name): self.value()} if self.value() else {}
        return queryset.filter(**chosen)


class DecisionFilter(LabelFilter):
    title, parameter_name, labels = _("decision"), "decision", DECISIONS


class SourceFilter(LabelFilter):
    title, parameter_name, labels = _("answered by"), "source", SOURCES


class LanguageFilter(LabelFilter):
    # Not Django's own, which looks for the values in the whole log.
    title, parameter_name, labels = _("language"), "language", dict(Language.choices)


class RatingFilter(LabelFilter):
    title, parameter_name, labels = _("rating"), "rating", RATINGS


@admin.register(PredictionRecord)
class PredictionRecordAdmin(ReadOnly, ModelAdmin):
    list_display = (
        *("created_at", "excerpt", "named_intent", "share", "decided", "came_of_it"),
        *("answered_by", "elapsed"),
    )
    list_filter = (
        *("outcome", DecisionFilter, SourceFilter, LanguageFilter, RatingFilter, "origin"),
        *("cached", "created_at"),
    )
    list_per_page = 50
    # Counting a long log for "of N in all" costs more than the page itself.
    show_full_result_count = False
    search_fields = ("text", "intent")
    ordering = ("-created_at",)
    fields = (
        *("created_at", "origin", "text", "language", "candidates", "outside", "decided"),
        *("came_of_it", "rated", "answered_by", "model_version", "content_version", "cached"),
        *("elapsed_ms", "queue_ms", "infer_ms"),
    )
    readonly_fields = ("candidates", "outside", "decided", "came_of_it", "rated", "answered_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PredictionRecord]:
        def named(column: str) -> Subquery:
            return Subquery(
                Intent.objects.filter(code=OuterRef(column)).values(f"name_{shown_language()}")
            )

        return (
            super()
            .get_queryset(request)
            .annotate(intent_name=named("intent"), meant_name=named("meant"))
        )

    @display(description=_("text"))
    def excerpt(self, record: PredictionRecord) -> str:
        return record.text if len(record.text) <= 60 else f"{record.text[:60]}…"

    @display(description=_("intent"), ordering="intent")
    def named_intent(self, record: Any) -> str:
        return shown_name(record.intent_name, record.intent)

    @display(description=_("probability"), ordering="probability")
    def share(self, record: PredictionRecord) -> str:
        return "—" if record.probability is None else f"{100 * record.probability:.0f} %"

    @display(description=_("decision"), ordering="decision")
    def decided(self, record: PredictionRecord) -> str:
        return str(DECISIONS.get(record.decision, record.decision))  # type: ignore[call-overload]

    @display(description=_("answered by"), ordering="source")
    def answered_by(self, record: PredictionRecord) -> str:
        return str(SOURCES.get(record.source, record.source))

    @display(description=_("outcome"), ordering="outcome")
    def came_of_it(self, record: Any) -> str:
        outcome = record.get_outcome_display() or "—"
        meant = shown_name(record.meant_name, record.meant)
        return f"{outcome}: {meant}" if meant else str(outcome)

    @display(description=_("rating"))
    def rated(self, record: PredictionRecord) -> str:
        return str(RATINGS.get(record.rating or 0, "—"))

    @display(description=_("milliseconds"), ordering="elapsed_ms")
    def elapsed(self, record: PredictionRecord) -> str:
        return f"{record.elapsed_ms:.0f}"

    @display(description=_("means none of the intents"))
    def outside(self, record: PredictionRecord) -> str:
        return f"{100 * record.out_of_scope:.0f} %"

    @display(description=_("ranked"))
    def candidates(self, record: PredictionRecord) -> str:
        codes = [code for code, _probability in record.ranked]
        names = {
            intent.code: f"{intent.name(shown_language())} ({intent.code})"
            for intent in Intent.objects.filter(code__in=codes)
        }
        shares = (
            (names.get(code, code), f"{100 * probability:.1f} %")
            for code, probability in record.ranked
        )
        return format_html_join(", ", "{} {}", shares) or "—"


def shown_name(name: str | None, code: str) -> str:
    """Return an intent's name with its code; the code alone where it is gone, "" for none."""
    return f"{name} ({code})" if name else code


def shown_language() -> str:
    """Return in which of its two names an intent is shown to this reader."""
    return Language.CHINESE if (get_language() or "").startswith("zh") else Language.ENGLISH

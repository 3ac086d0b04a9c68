"""Beside the review inbox, to read: what colleagues said at work, and what was decided."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from csplatform.read_only import ReadOnly
from intents.admin.records import LanguageFilter, shown_language, shown_name
from intents.admin.review_inbox import urls
from intents.models import Intent, ReviewCandidate, ReviewDecision

_EXCERPT = 60
_MOST_INTENTS = 200
_EXAMPLES = 3


class _IntentFilter(admin.SimpleListFilter):
    """One column of intents, by their names."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        intents = Intent.objects.order_by("position", "code")[:_MOST_INTENTS]
        return [(intent.code, intent.name(shown_language())) for intent in intents]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[ReviewCandidate]
    ) -> QuerySet[ReviewCandidate]:
        chosen = {str(self.parameter_name): self.value()} if self.value() else {}
        return queryset.filter(**chosen)


class PredictedFilter(_IntentFilter):
    title, parameter_name = _("predicted intent"), "predicted"


class MeantFilter(_IntentFilter):
    title, parameter_name = _("meant"), "meant"


@admin.register(ReviewCandidate)
class ReviewCandidateAdmin(ReadOnly, ModelAdmin):
    list_display = (
        *("decided_at", "excerpt", "taken_for", "share", "was_meant", "judged", "likeness"),
        *("decided_by", "status"),
    )
    list_filter = (
        *("status", "verdict", PredictedFilter, MeantFilter, LanguageFilter, "decided_at"),
    )
    list_select_related = ("decided_by",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("text", "edited_reply")
    ordering = ("-decided_at",)
    fields = (
        *("decided_at", "decided_by", "status", "text", "language", "taken_for", "share"),
        *("was_meant", "judged", "reply", "edited_reply", "likeness", "model_version"),
    )
    readonly_fields = ("taken_for", "share", "was_meant", "judged", "likeness")

    def get_urls(self) -> list[URLPattern]:
        return [*urls(self.admin_site.admin_view), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReviewCandidate]:
        def named(column: str) -> Subquery:
            name = f"name_{shown_language()}"
            return Subquery(Intent.objects.filter(code=OuterRef(column)).values(name))

        return (
            super()
            .get_queryset(request)
            .annotate(predicted_name=named("predicted"), meant_name=named("meant"))
        )

    @display(description=_("text"))
    def excerpt(self, candidate: ReviewCandidate) -> str:
        text = candidate.text
        return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}…"

    @display(description=_("predicted intent"), ordering="predicted")
    def taken_for(self, candidate: Any) -> str:
        return shown_name(candidate.predicted_name, candidate.predicted) or "—"

    @display(description=_("probability"), ordering="probability")
    def share(self, candidate: ReviewCandidate) -> str:
        return "—" if candidate.probability is None else f"{100 * candidate.probability:.0f} %"

    @display(description=_("meant"), ordering="meant")
    def was_meant(self, candidate: Any) -> str:
        return shown_name(candidate.meant_name, candidate.meant) or "—"

    @display(
        description=_("verdict"),
        ordering="verdict",
        label={
            ReviewCandidate.Verdict.CONFIRMED: "success",
            ReviewCandidate.Verdict.EDITED: "info",
            ReviewCandidate.Verdict.CORRECTED: "warning",
            ReviewCandidate.Verdict.DISMISSED: "default",
        },
    )
    def judged(self, candidate: ReviewCandidate) -> tuple[str, str]:
        return candidate.verdict, candidate.get_verdict_display()

    @display(description=_("similarity"), ordering="similarity")
    def likeness(self, candidate: ReviewCandidate) -> str:
        return "—" if candidate.similarity is None else f"{100 * candidate.similarity:.0f} %"


class DecidedIntentFilter(_IntentFilter):
    title, parameter_name = _("intent"), "intent"


@admin.register(ReviewDecision)
class ReviewDecisionAdmin(ReadOnly, ModelAdmin):
    """Who decided what in the review inbox, and what came of it."""

    list_display = ("at", "by", "kind", "intent", "sentences", "examples", "undone")
    list_filter = ("kind", DecidedIntentFilter, "by", "at")
    list_select_related = ("by", "undone_by")
    list_per_page = 50
    show_full_result_count = False
    ordering = ("-at",)
    fields = ("at", "by", "kind", "intent", "sentences", "examples", "undone_at", "undone_by")
    readonly_fields = ("examples",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReviewDecision]:
        return super().get_queryset(request).prefetch_related("items")

    @display(description=_("text"))
    def examples(self, decision: ReviewDecision) -> str:
        texts = [item.text for item in decision.items.all()]
        shown = " · ".join(texts[:_EXAMPLES])
        return f"{shown} …" if len(texts) > _EXAMPLES else shown or "—"

    @display(description=_("undone by"), ordering="undone_at")
    def undone(self, decision: ReviewDecision) -> str:
        return str(decision.undone_by) if decision.undone_by else "—"

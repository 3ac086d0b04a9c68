"""The list of intents: what each has, what it lacks, and who understands it."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.views import ChangeList

from intents import services
from intents.inference import artifacts
from intents.models import Intent, Language, LiveIntent, Reply, Utterance


def _count_of(model: Any, *conditions: Q, **where: Any) -> Coalesce:
    """Count the rows of an intent in a subquery of its own: joins would multiply them."""
    rows = model.objects.filter(*conditions, intent=OuterRef("pk"), **where)
    rows = rows.order_by().values("intent")
    count = rows.annotate(rows=Count("pk")).values("rows")
    return Coalesce(Subquery(count, output_field=IntegerField()), 0)


def trained_codes() -> frozenset[str]:
    """Return the intents that the model in service knows; none where there is no such model."""
    version = artifacts.active_version()
    if version is None:
        return frozenset()
    try:
        return frozenset(artifacts.load_manifest(settings.MODEL_DIR / version).labels)
    except artifacts.BrokenArtifact:
        return frozenset()


class IntentList(ChangeList):
    """The list, with what the model knows and what lives on examples looked up for all rows."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        known = trained_codes()
        lives = {live.intent: live for live in LiveIntent.objects.all()}
        self.result_list: list[Any] = list(self.result_list)
        for intent in self.result_list:
            intent.is_trained = intent.code in known
            intent.live = lives.get(intent.code)


class LacksFilter(admin.SimpleListFilter):
    """Active intents that cannot be answered in a language."""

    title = _("missing replies")
    parameter_name = "lacks"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        return [("any", _("in any language")), *Language.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Intent]) -> QuerySet[Intent]:
        if self.value() in Language.values:
            return queryset.filter(is_active=True, **{f"for_everybody_{self.value()}": 0})
        if self.value() == "any":
            return queryset.filter(Q(for_everybody_zh=0) | Q(for_everybody_en=0), is_active=True)
        return queryset


def counted(intents: QuerySet[Intent]) -> QuerySet[Intent]:
    """Add to each intent how many utterances and replies it has, by language."""
    return intents.annotate(
        utterances_zh=_count_of(Utterance, language=Language.CHINESE),
        utterances_en=_count_of(Utterance, language=Language.ENGLISH),
        replies_zh=_count_of(Reply, language=Language.CHINESE, is_active=True),
        replies_en=_count_of(Reply, language=Language.ENGLISH, is_active=True),
        for_everybody_zh=_count_of(Reply, services.for_everybody(), language=Language.CHINESE),
        for_everybody_en=_count_of(Reply, services.for_everybody(), language=Language.ENGLISH),
    )


class IntentColumns:
    """The columns of the list."""

    @display(description=_("intent"), ordering="position", header=True)
    def title(self, intent: Intent) -> list[str]:
        return [intent.name_zh, f"{intent.name_en} · {intent.code}"]

    @display(description=_("state"), ordering="is_active", label={"on": "success", "off": "danger"})
    def state(self, intent: Intent) -> tuple[str, str]:
        if not intent.is_active:
            return "off", gettext("switched off")
        return "on", gettext("hands over") if intent.hands_over else gettext("switched on")

    @display(description=_("utterances zh / en"), ordering=F("utterances_zh") + F("utterances_en"))
    def utterance_counts(self, intent: Any) -> str:
        url = reverse("admin:intents_utterance_changelist")
        return format_html(
            '<a href="{}?intent__id__exact={}">{} / {}</a>',
            url,
            intent.pk,
            intent.utterances_zh,
            intent.utterances_en,
        )

    @display(description=_("replies zh / en"), ordering=F("replies_zh") + F("replies_en"))
    def reply_counts(self, intent: Any) -> str:
        return f"{intent.replies_zh} / {intent.replies_en}"

    @display(description=_("missing replies"), label="danger")
    def missing(self, intent: Any) -> list[str]:
        if not intent.is_active:
            return []
        counts = {
            Language.CHINESE: intent.for_everybody_zh,
            Language.ENGLISH: intent.for_everybody_en,
        }
        return [str(language.label) for language, count in counts.items() if not count]

    @display(
        description=_("understood by"),
        label={"model": "success", "prototypes": "info", "off": "warning"},
    )
    def understood_by(self, intent: Any) -> tuple[str, str]:
        if not intent.is_active:
            return "off", "—"
        live = intent.live
        if intent.is_trained:
            if live is None:
                return "model", gettext("trained model")
            return "model", gettext("trained model, %(number)d new") % {"number": live.utterances}
        if live is None or not live.judged:
            return "prototypes", gettext("examples")
        # As on the page of all that live on examples.
        return "prototypes", gettext("examples, %(found)d of %(judged)d found") % {
            "found": live.found,
            "judged": live.judged,
        }

"""Utterances: found, moved between intents, brought in and out as spreadsheets."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.widgets import UnfoldAdminSelectWidget

from intents import services
from intents.admin import exchange, hints
from intents.admin.forms import UtteranceForm
from intents.admin.publishing import ContentHistoryAdmin
from intents.admin.resources import UtteranceResource
from intents.admin.spreadsheets import SpreadsheetMixin
from intents.models import Intent, Utterance


class MoveForm(forms.Form):
    """Where the chosen utterances go."""

    intent = forms.ModelChoiceField(
        label=_("to the intent"),
        queryset=Intent.objects.order_by("position", "code"),
        widget=UnfoldAdminSelectWidget,
    )


@admin.register(Utterance)
class UtteranceAdmin(SpreadsheetMixin, ContentHistoryAdmin):
    live_note = _("Understood in every chat within three seconds.")
    form = UtteranceForm
    resource_classes = [UtteranceResource]
    list_display = ("text", "intent", "language", "split", "created_at")
    list_filter = (("intent", RelatedDropdownFilter), "language", "split")
    list_filter_submit = True
    list_select_related = ("intent",)
    list_per_page = 50
    search_fields = ("text", "intent__name_zh", "intent__name_en", "intent__code")
    ordering = ("intent__position", "-language", "pk")
    autocomplete_fields = ("intent",)
    fields = ("text", "intent", "language", "split")
    actions = ("move",)
    change_form_outer_before_template = "admin/intents/utterance/hints.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("imports/", view(exchange.imports), name="imports"),
            path("imports/<int:pk>/", view(exchange.import_job), name="import_job"),
            path(
                "exports/<slug:kind>/", view(exchange.export_everything), name="export_everything"
            ),
            path("hints/", view(hints.utterance_hints), name="utterance_hints"),
            path("hints/keep/", view(hints.keep_utterances), name="keep_utterances"),
            path("hints/move/", view(hints.move_utterance), name="move_utterance"),
            *super().get_urls(),
        ]

    def save_content(self, request: HttpRequest, obj: Any, form: Any) -> None:
        concerned = {obj.intent_id}
        if obj.pk:
            concerned |= _intents_of(Utterance.objects.filter(pk=obj.pk))
        services.raise_revisions(concerned)  # first: everybody locks intents before their rows
        services.save_utterance(obj)

    def delete_content(self, obj: Any) -> None:
        services.raise_revisions({obj.intent_id})
        services.delete_utterance(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with transaction.atomic():
            services.raise_revisions(_intents_of(queryset))
            queryset.delete()
            services.content_changed(understanding=True)

    @admin.action(description=_("Move to another intent"), permissions=["change"])
    @transaction.atomic
    def move(self, request: HttpRequest, queryset: QuerySet[Utterance]) -> HttpResponse | None:
        """Ask where to, then move them together."""
        form = MoveForm(request.POST if "apply" in request.POST else None)
        if form.is_valid():
            intent = form.cleaned_data["intent"]
            moved = services.move_utterances(queryset, intent)
            self.message_user(
                request,
                ngettext(
                    "%(count)d utterance moved to %(intent)s.",
                    "%(count)d utterances moved to %(intent)s.",
                    moved,
                )
                % {"count": moved, "intent": intent},
                messages.SUCCESS,
            )
            return None
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": gettext("Move to another intent"),
            "opts": self.opts,
            "form": form,
            "utterances": queryset.select_related("intent"),
            "action": "move",
        }
        return TemplateResponse(request, "admin/intents/utterance/move.html", context)


def _intents_of(utterances: QuerySet[Utterance]) -> set[int]:
    return set(utterances.order_by().values_list("intent_id", flat=True))

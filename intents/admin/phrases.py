"""The bot's fixed sentences, and the questions it offers."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from intents import services
from intents.admin.forms import OwnPageForm
from intents.admin.proposing import ProposesDrafts
from intents.admin.publishing import ContentHistoryAdmin
from intents.models import Phrase, SuggestedQuestion


@admin.register(Phrase)
class PhraseAdmin(ProposesDrafts, ContentHistoryAdmin):
    """Greeting, fallback, hand-over and the like; one text each in each language."""

    form = OwnPageForm
    list_display = ("purpose_name", "language", "excerpt", "changed_at")
    list_filter = ("language", "purpose")
    search_fields = ("text",)
    ordering = ("purpose", "-language")
    fields = ("purpose", "language", "text")
    change_form_before_template = "admin/intents/saved_meanwhile.html"
    change_form_outer_before_template = "admin/intents/draft/waiting.html"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # The bot must be able to say it; who wants it shorter writes it shorter.
        return False

    def save_content(self, request: HttpRequest, obj: Any, form: Any) -> None:
        self.refuse_if_changed(request, form)
        services.save_phrase(obj)

    @display(description=_("purpose"), ordering="purpose")
    def purpose_name(self, phrase: Phrase) -> str:
        return phrase.get_purpose_display()

    @display(description=_("text"))
    def excerpt(self, phrase: Phrase) -> str:
        return phrase.text if len(phrase.text) <= 60 else f"{phrase.text[:60]}…"


@admin.register(SuggestedQuestion)
class SuggestedQuestionAdmin(ProposesDrafts):
    list_display = ("text", "language", "position", "is_active")
    list_filter = ("language", "is_active")
    search_fields = ("text",)
    ordering = ("-language", "position", "pk")
    form = OwnPageForm
    change_form_before_template = "admin/intents/saved_meanwhile.html"
    change_form_outer_before_template = "admin/intents/draft/waiting.html"

    def save_content(self, request: HttpRequest, obj: Any, form: Any) -> None:
        self.refuse_if_changed(request, form)
        services.save_suggested_question(obj)

    def delete_content(self, obj: Any) -> None:
        services.delete_suggested_question(obj)

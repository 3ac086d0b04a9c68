"""Sensitive words, the innocent phrases that hold them, and a box to try a sentence."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from intents import guard, services
from intents.admin.forms import ContentForm
from intents.admin.publishing import ContentAdmin
from intents.admin.resources import AllowedPhraseResource, SensitiveWordResource
from intents.admin.spreadsheets import SpreadsheetMixin
from intents.models import AllowedPhrase, SensitiveWord


class SentenceForm(forms.Form):
    """A sentence to try."""

    text = forms.CharField(
        label=_("a customer's sentence"),
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )


@admin.register(SensitiveWord)
class SensitiveWordAdmin(SpreadsheetMixin, ContentAdmin):
    form = ContentForm
    resource_classes = [SensitiveWordResource]
    list_display = ("word", "category", "is_active", "note")
    list_filter = ("is_active", "category")
    search_fields = ("word", "category", "note")
    list_per_page = 50
    ordering = ("word",)
    list_before_template = "admin/intents/sensitiveword/box.html"

    def save_content(self, request: HttpRequest, obj: Any, form: Any) -> None:
        services.save_sensitive_word(obj)
        if warning := services.warning_about(obj.word):
            self.message_user(request, warning, messages.WARNING)

    def delete_content(self, obj: Any) -> None:
        services.delete_sensitive_word(obj)

    def get_urls(self) -> list[URLPattern]:
        return [
            path("try/", self.admin_site.admin_view(self.try_sentence), name="try_sentence"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(
            request, {"sentence": SentenceForm(), **(extra_context or {})}
        )

    def try_sentence(self, request: HttpRequest) -> HttpResponse:
        """Show what would be starred out, and because of which words; nothing is saved."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = SentenceForm(request.POST or None)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Try a sentence"),
            "opts": self.opts,
            "sentence": form,
            "masked": guard.mask(form.cleaned_data["text"]) if form.is_valid() else None,
        }
        return TemplateResponse(request, "admin/intents/sensitiveword/try.html", context)


@admin.register(AllowedPhrase)
class AllowedPhraseAdmin(SpreadsheetMixin, ContentAdmin):
    form = ContentForm
    resource_classes = [AllowedPhraseResource]
    list_display = ("text", "note")
    search_fields = ("text", "note")
    ordering = ("text",)

    def save_content(self, request: HttpRequest, obj: Any, form: Any) -> None:
        services.save_allowed_phrase(obj)

    def delete_content(self, obj: Any) -> None:
        services.delete_allowed_phrase(obj)

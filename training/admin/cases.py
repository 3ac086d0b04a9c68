"""Regression sentences: what every new model must still understand."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from intents.admin.forms import ContentForm
from intents.admin.publishing import ContentAdmin
from intents.models import Intent, Language
from training.gate import cases
from training.models import RegressionCase


def intent_choices() -> list[tuple[str, str]]:
    """Return code and name of every intent, and "any"."""
    language = (get_language() or "")[:2]
    intents = Intent.objects.order_by("position", "code")
    return [("", str(_("any"))), *((one.code, one.name(language)) for one in intents)]


class RegressionCaseForm(ContentForm):
    """A sentence and what is expected of it; the language is recognised where it is left open."""

    intent = forms.ChoiceField(
        label=_("intent expected"),
        required=False,
        choices=intent_choices,
        widget=UnfoldAdminSelectWidget,
    )
    language = forms.ChoiceField(
        label=_("language"),
        required=False,
        choices=[("", _("recognise")), *Language.choices],
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        model = RegressionCase
        fields = ("text", "language", "intent", "decision", "is_active")


@admin.register(RegressionCase)
class RegressionCaseAdmin(ContentAdmin):
    live_note = _("The gate holds the next model to it.")
    form = RegressionCaseForm
    list_display = ("text", "expected", "origin", "is_active", "created_by", "created_at")
    list_filter = ("is_active", "origin", "language", "decision")
    list_select_related = ("created_by",)
    list_per_page = 50
    search_fields = ("text", "intent")
    ordering = ("-pk",)

    def save_content(self, request: HttpRequest, obj: Any, form: Any) -> None:
        if obj.pk is None:
            obj.created_by, obj.created_at = request.user, timezone.now()
        elif "intent" in form.changed_data:  # its code is of now
            obj.created_at = timezone.now()
        cases.save(obj)

    def delete_content(self, obj: Any) -> None:
        obj.delete()

    @display(description=_("expected"))
    def expected(self, case: RegressionCase) -> str:
        decision = case.get_decision_display() if case.decision else ""
        return " · ".join(filter(None, (case.intent, decision)))

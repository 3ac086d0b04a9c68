"""Labels: which ones agents may put on conversations. For supervisors and administrators."""

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from chat.admin.routing import ExplainedAdmin
from chat.models import Label


class LabelForm(forms.ModelForm):
    class Meta:
        model = Label
        fields = ("name", "colour")
        widgets = {"colour": forms.TextInput(attrs={"type": "color", "class": "cs-colour"})}


@admin.register(Label)
class LabelAdmin(ExplainedAdmin):
    explanation = _(
        "Agents put labels on conversations to find them again. A label that is deleted goes from "
        "all conversations."
    )
    form = LabelForm
    list_display = ("name", "chip", "used")
    search_fields = ("name",)
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Label]:
        return super().get_queryset(request).annotate(number=Count("labelled"))

    @display(description=_("as agents see it"))
    def chip(self, label: Label) -> SafeString:
        # No style attribute: the policy forbids those. A drawing may have colours.
        return format_html(
            '<svg class="cs-chip" role="img" aria-label="{}" width="{}" height="24">'
            '<rect width="100%" height="24" rx="12" fill="{}"/>'
            '<text x="50%" y="16.5" text-anchor="middle" font-size="13" fill="{}">{}</text></svg>',
            label.colour,
            28 + sum(14 if ord(letter) > 0x2E80 else 8 for letter in label.name),
            label.colour,
            label.ink,
            label.name,
        )

    @display(description=_("conversations"), ordering="number")
    def used(self, label: Label) -> int:
        return int(getattr(label, "number", 0))

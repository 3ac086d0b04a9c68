"""What agents have ready: canned replies, and how conversations can come out."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from chat.admin.routing import ExplainedAdmin
from chat.models import CannedReply, Disposition
from chat.services.canned import VARIABLES, check


class CannedReplyForm(forms.ModelForm):
    class Meta:
        model = CannedReply
        fields = ("shortcut", "title", "text_zh", "text_en", "team", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = "; ".join(f"{{{name}}} {label}" for name, label in VARIABLES.items())
        for name in ("text_zh", "text_en"):
            if name in self.fields:  # not on the page of somebody who only reads
                self.fields[name].help_text = gettext("Variables: %(known)s") % {"known": known}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if not self.errors:
            for name, value in (cleaned or {}).items():
                setattr(self.instance, name, value)
            try:
                check(self.instance)
            except ValidationError as error:
                self.add_error(None, error)
        return cleaned


@admin.register(CannedReply)
class CannedReplyAdmin(ExplainedAdmin):
    explanation = _(
        "Replies that agents put into their field with “/”, in the customer's language and with "
        "his facts. Agents write their own ones in the workspace; those are not in this list."
    )
    form = CannedReplyForm
    list_display = ("shortcut", "title", "beginning", "team", "is_active")
    list_filter = ("is_active", "team")
    list_select_related = ("team",)
    search_fields = ("shortcut", "title", "text_zh", "text_en", "pinyin")
    ordering = ("shortcut", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CannedReply]:
        return super().get_queryset(request).filter(owner=None)

    @display(description=_("text"))
    def beginning(self, reply: CannedReply) -> str:
        return Truncator(reply.text_zh or reply.text_en).chars(60)


@admin.register(Disposition)
class DispositionAdmin(ExplainedAdmin):
    explanation = _(
        "How conversations come out: agents choose one when they end a conversation. Switch off "
        "what is not used any more instead of deleting it, so that old ones keep theirs."
    )
    list_display = ("name", "name_en", "position", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "name_en")
    ordering = ("position", "pk")

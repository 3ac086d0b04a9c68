"""Replies: every variant, in each language and channel."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import StackedInline
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.decorators import display

from intents import services
from intents.admin import missing
from intents.admin.forms import ReplyForm
from intents.admin.proposing import ProposesDrafts
from intents.admin.publishing import ContentHistoryAdmin
from intents.models import Intent, Reply


class ShowsVariables(ContentHistoryAdmin):
    """Pages that list what may stand in braces in a reply, and preview it."""

    class Media:
        js = ("js/admin/reply-preview.js",)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> Any:
        context["reply_variables"] = dict(services.VARIABLES)
        return super().render_change_form(request, context, *args, **kwargs)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        self._warn_about_guests(request, obj)
        return super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        self._warn_about_guests(request, obj)
        return super().response_change(request, obj)

    def _warn_about_guests(self, request: HttpRequest, saved: Intent | Reply) -> None:
        """Say in which languages only customers with an order are answered now."""
        intent = saved.intent if isinstance(saved, Reply) else saved
        for language in services.not_for_everybody(intent):
            self.message_user(
                request,
                gettext(
                    "%(intent)s, %(language)s: every reply has variables of the customer or his "
                    "order. Customers without an order do not get this reply; write one without "
                    "variables as well."
                )
                % {"intent": intent, "language": language.label},
                messages.WARNING,
            )


class ReplyInline(StackedInline):
    """The replies of one intent, on its page."""

    model = Reply
    form = ReplyForm
    fields = (("language", "channel"), "text", "is_active")
    ordering = ("-language", "channel", "pk")  # Chinese first
    extra = 0
    tab = True
    show_count = True
    hide_title = True
    template_before = "admin/intents/reply/variables.html"


@admin.register(Reply)
class ReplyAdmin(ProposesDrafts, ShowsVariables):
    form = ReplyForm
    list_display = ("excerpt", "intent", "language", "channel_name", "is_active", "changed_at")
    list_filter = (("intent", RelatedDropdownFilter), "language", "channel", "is_active")
    list_filter_submit = True
    list_select_related = ("intent",)
    list_per_page = 50
    search_fields = ("text", "intent__name_zh", "intent__name_en", "intent__code")
    ordering = ("intent__position", "-language", "pk")
    autocomplete_fields = ("intent",)
    fields = ("intent", ("language", "channel"), "text", "is_active")
    change_form_before_template = "admin/intents/reply/before.html"
    change_form_outer_before_template = "admin/intents/draft/waiting.html"

    def save_content(self, request: HttpRequest, obj: Any, form: Any) -> None:
        # Whoever has an intent's page open sees the reply in it, and must not save over it: that
        # of the intent which it is moved from, too.
        concerned = {obj.intent_id, *_intent_of(obj)}
        services.raise_revisions(concerned)  # first: everybody locks intents before their rows
        self.refuse_if_changed(request, form)
        services.save_reply(obj)

    def delete_content(self, obj: Any) -> None:
        services.raise_revisions({obj.intent_id})
        services.delete_reply(obj)

    def get_urls(self) -> list[URLPattern]:
        return [
            path("missing/", self.admin_site.admin_view(self.missing), name="missing_translations"),
            *super().get_urls(),
        ]

    def missing(self, request: HttpRequest) -> HttpResponse:
        """List what cannot be said in one of the two languages."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Missing translations"),
            "opts": self.opts,
            "gaps": missing.gaps(),
        }
        return TemplateResponse(request, "admin/intents/missing.html", context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reply]:
        return super().get_queryset(request).select_related("intent")

    @display(description=_("text"))
    def excerpt(self, reply: Reply) -> str:
        return reply.text if len(reply.text) <= 80 else f"{reply.text[:80]}…"

    @display(description=_("channel"), ordering="channel")
    def channel_name(self, reply: Reply) -> str:
        return reply.get_channel_display()


def _intent_of(reply: Reply) -> set[int]:
    """Return the intent that a reply has in the database; none where it is new."""
    return set(Reply.objects.filter(pk=reply.pk).values_list("intent_id", flat=True))

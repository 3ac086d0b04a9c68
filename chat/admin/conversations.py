"""Conversations, to read only: they are changed by talking."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import display

from chat.admin import bench, bot_report, preview
from chat.longtexts import bulk
from chat.models import Conversation
from csplatform.read_only import ReadOnly

TRANSCRIPT_MAX = 500  # messages of one page; longer conversations are cut at their beginning


@admin.register(Conversation)
class ConversationAdmin(ReadOnly, ModelAdmin):
    list_display = ("uid", "customer", "state", "agent", "language", "channel", "opened_at")
    list_filter = ("status", "language", "channel", "opened_at")
    list_select_related = ("customer", "agent")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("uid", "customer__name", "messages__text")
    search_help_text = _("Searches customers and what was said.")
    ordering = ("-opened_at",)
    actions = ("read_texts",)
    fields = ("uid", "customer", "status", "agent", "language", "channel", "opened_at")
    change_form_outer_after_template = "admin/chat/conversation/transcript.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("bench/", view(bench.bench), name="bench"),
            path("bench/keep/", view(bench.keep), name="bench_keep"),
            path("try/", view(bench.moved), name="try_question"),
            path("preview/", view(preview.preview_reply), name="preview_reply"),
            path("bot/", view(bot_report.page), name="bot_report"),
            path("bot/csv/", view(bot_report.table), name="bot_report_csv"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        return super().get_queryset(request).select_related("customer", "agent")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        conversation = self.get_object(request, object_id)
        latest = []
        if conversation is not None:
            messages = conversation.messages.select_related("author").order_by("-seq")
            messages = messages.prefetch_related("attachments")
            latest = list(messages[:TRANSCRIPT_MAX])[::-1]
        context = {"transcript": latest, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def has_read_texts_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("training.change_textanalysis"))

    @admin.action(
        description=_("Find out mood and contents of the selected ones"),
        permissions=["read_texts"],
    )
    def read_texts(self, request: HttpRequest, queryset: QuerySet[Conversation]) -> None:
        chosen = list(queryset.values_list("pk", flat=True))
        count = bulk.ask_for(chosen, now=timezone.now())
        self.message_user(
            request,
            ngettext(
                "%(count)d message is read behind the scenes. “Long texts” shows how far it is.",
                "%(count)d messages are read behind the scenes. “Long texts” shows how far it is.",
                count,
            )
            % {"count": count},
        )

    @display(
        description=_("status"),
        ordering="status",
        label={
            Conversation.Status.BOT: "info",
            Conversation.Status.WAITING: "danger",
            Conversation.Status.AGENT: "success",
            Conversation.Status.CLOSED: "default",
        },
    )
    def state(self, conversation: Conversation) -> tuple[str, str]:
        return conversation.status, conversation.get_status_display()

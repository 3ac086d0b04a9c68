"""Long texts: how far their reading is, and those that could not be read."""

import json
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display

from chat.models import Message
from csplatform.read_only import ReadOnly
from training.analysis import work
from training.analysis.findings import MOOD_EDGE, Kind
from training.models import TextAnalysis

Status = TextAnalysis.Status
_KINDS = {
    Kind.PERSON: pgettext_lazy("named by the customer", "Person"),
    Kind.PLACE: _("Place"),
    Kind.ORGANISATION: _("Organisation"),
    Kind.TIME: _("Time"),
    Kind.AMOUNT: _("Amount"),
    Kind.PHONE: _("Phone number"),
    Kind.EMAIL: _("E-mail address"),
    Kind.ADDRESS: _("Address"),
    Kind.ORDER_NUMBER: _("Order number"),
    Kind.TRACKING_NUMBER: _("Tracking number"),
    Kind.PRODUCT: _("Article"),
    Kind.BRAND: _("Brand"),
}
_MOODS = {
    "negative": pgettext_lazy("mood", "negative"),
    "neutral": pgettext_lazy("mood", "neutral"),
    "positive": pgettext_lazy("mood", "positive"),
}


def progress() -> dict[str, Any]:
    """Return what the line above the list says: how many wait, are read, were given up."""
    lengths = work.lengths()
    waiting, running = lengths[Status.PENDING], lengths[Status.RUNNING]
    return {
        "waiting": waiting,
        "running": running,
        "failed": lengths[Status.FAILED],
        "is_busy": bool(waiting or running),
    }


@admin.register(TextAnalysis)
class TextAnalysisAdmin(ReadOnly, ModelAdmin):
    """What is read, what waits, and what was given up: with its reason, and to be tried again."""

    list_display = ("said_at", "state", "characters", "attempts", "failure_shown", "finished_at")
    list_filter = ("status", "is_bulk", "said_at")
    list_per_page = 50
    show_full_result_count = False
    ordering = ("-pk",)
    actions = ("retry_selected",)
    fields = (
        *("conversation", "characters", "status", "attempts", "failure", "said_at", "is_bulk"),
        *("requested_at", "started_at", "finished_at"),
        "findings_shown",
    )
    readonly_fields = ("conversation", "findings_shown")
    list_before_template = "admin/chat/textanalysis/progress.html"

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "progress/",
                self.admin_site.admin_view(self.progress),
                name="training_textanalysis_progress",
            ),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[TextAnalysis]:
        found = super().get_queryset(request)
        # Lists show none of it, and it is long.
        return found.defer("findings")

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("training.change_textanalysis"))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {**progress(), **(extra_context or {})})

    def progress(self, request: HttpRequest) -> HttpResponse:
        """The line above the list, again."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return TemplateResponse(request, "admin/chat/textanalysis/progress.html", progress())

    @admin.action(description=_("Read the selected ones again"), permissions=["retry"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[TextAnalysis]) -> None:
        count = work.retry(list(queryset.values_list("message", flat=True)), now=timezone.now())
        if not count:
            self.message_user(
                request, _("Only texts that were given up are read again."), messages.WARNING
            )
            return
        self.message_user(
            request,
            ngettext("%(count)d text is read again.", "%(count)d texts are read again.", count)
            % {"count": count},
        )

    @display(
        description=_("status"),
        ordering="status",
        label={
            Status.PENDING: "info",
            Status.RUNNING: "warning",
            Status.DONE: "success",
            Status.FAILED: "danger",
        },
    )
    def state(self, analysis: TextAnalysis) -> tuple[str, str]:
        return analysis.status, analysis.get_status_display()

    @display(description=_("why it failed"))
    def failure_shown(self, analysis: TextAnalysis) -> str:
        return analysis.failure[:120]

    @display(description=_("conversation"))
    def conversation(self, analysis: TextAnalysis) -> str:
        message = Message.objects.filter(pk=analysis.message).select_related("conversation").first()
        if message is None:
            return "—"
        address = reverse("admin:chat_conversation_change", args=[message.conversation_id])
        return format_html(
            '<a class="cs-link" href="{}">{} · {}</a>', address, message.conversation, message.seq
        )

    @display(description=_("findings"))
    def findings_shown(self, analysis: TextAnalysis) -> str:
        if analysis.findings is None:
            return "—"
        found = analysis.findings
        score = (found.get("mood") or {}).get("score")
        return render_to_string(
            "admin/chat/textanalysis/findings.html",
            {
                "mood": "" if score is None else _MOODS[_mood_name(score)],
                "sentences": len(found.get("sentences") or ()),
                "entities": [
                    (_KINDS.get(each["kind"], each["kind"]), each["text"])
                    for each in found.get("entities") or ()
                ],
                "data": json.dumps(found, ensure_ascii=False, indent=2),
            },
        )


def _mood_name(score: float) -> str:
    """Return the name of a mood's score, as the workspace has it (static/js/spans.js)."""
    if abs(score) < MOOD_EDGE:
        return "neutral"
    return "positive" if score > 0 else "negative"

"""What customers thought, of conversations and of single answers: to read only."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from chat.admin.routing import ExplainedAdmin
from chat.models import LeftAddress, MessageFeedback, Rating
from chat.sockets import name_of
from csplatform.read_only import ReadOnly


def _conversation_link(conversation_id: Any, name: object) -> SafeString:
    return format_html(
        '<a href="{}">{}</a>',
        reverse("admin:chat_conversation_change", args=[conversation_id]),
        name,
    )


@admin.register(Rating)
class RatingAdmin(ReadOnly, ExplainedAdmin):
    explanation = _(
        "Customers rate a conversation when it has ended: 1 is worst, 5 is best. The worst are "
        "worth reading first."
    )
    list_display = ("rated_at", "score", "comment", "whose", "told")
    list_filter = ("score", "rated_at")
    list_select_related = ("agent", "conversation")
    show_full_result_count = False
    search_fields = ("comment", "conversation__uid", "agent__username")
    ordering = ("-rated_at", "-pk")
    fields = ("told", "score", "comment", "whose", "rated_at", "changed_at")
    readonly_fields = fields

    @display(description=_("who had it"), ordering="agent__username")
    def whose(self, rating: Rating) -> Any:
        return name_of(rating.agent) or _("the assistant")

    @display(description=_("conversation"))
    def told(self, rating: Rating) -> SafeString:
        return _conversation_link(rating.conversation_id, rating.conversation)


@admin.register(MessageFeedback)
class MessageFeedbackAdmin(ReadOnly, ExplainedAdmin):
    explanation = _(
        "Thumbs that customers gave to answers of the bot. An intent with many thumbs down needs "
        "another reply, or its questions are another intent's."
    )
    list_display = ("given_at", "thumb", "reason", "intent", "question", "answer", "told")
    list_filter = ("is_up", "reason", "given_at")
    show_full_result_count = False
    search_fields = ("message__text", "message__intent")
    ordering = ("-given_at", "-pk")
    fields = ("told", "thumb", "reason", "intent", "question", "answer", "given_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[MessageFeedback]:
        joined = ("message__conversation", "message__recall", "message__answers__recall")
        return super().get_queryset(request).select_related(*joined)

    @display(description=_("thumb"), ordering="is_up")
    def thumb(self, feedback: MessageFeedback) -> Any:
        return _("thumbs up") if feedback.is_up else _("thumbs down")

    @display(description=_("intent"), ordering="message__intent")
    def intent(self, feedback: MessageFeedback) -> str:
        return feedback.message.intent or "—"

    @display(description=_("question"))
    def question(self, feedback: MessageFeedback) -> str:
        asked = feedback.message.answers
        return asked.shown_text if asked else "—"

    @display(description=_("answer"))
    def answer(self, feedback: MessageFeedback) -> str:
        return feedback.message.shown_text

    @display(description=_("conversation"))
    def told(self, feedback: MessageFeedback) -> SafeString:
        conversation = feedback.message.conversation
        return _conversation_link(conversation.pk, conversation)


@admin.register(LeftAddress)
class LeftAddressAdmin(ReadOnly, ExplainedAdmin):
    explanation = _(
        "E-mail addresses that customers left to be answered there. Each is used for its one "
        "conversation only, and deleted with it."
    )
    list_display = ("left_at", "email", "told")
    list_select_related = ("conversation",)
    show_full_result_count = False
    search_fields = ("email", "conversation__uid")
    ordering = ("-left_at", "-pk")
    fields = ("email", "told", "left_at")
    readonly_fields = fields

    @display(description=_("conversation"))
    def told(self, address: LeftAddress) -> SafeString:
        return _conversation_link(address.conversation_id, address.conversation)

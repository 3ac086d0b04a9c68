"""The admin's sidebar: what business staff look for, in their words, and only what they may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Link:
    """One line of the sidebar: the page's URL name, and who sees the line."""

    title: Any
    icon: str  # of Material Symbols, https://fonts.google.com/icons
    page: str  # URL name
    permission: str = ""  # "app.codename"; empty: everybody in the admin

    def is_for(self, user: Any) -> bool:
        return not self.permission or user.has_perm(self.permission)

    def item(self, active: str) -> dict[str, Any]:
        """Return it in Unfold's shape; `active` is the address of the line to mark."""
        link = reverse(self.page)
        return {
            "title": self.title,
            "icon": self.icon,
            "link": link,
            "active": lambda _request: link == active,
        }


SECTIONS: Sequence[tuple[Any, Sequence[Link]]] = (
    (
        None,
        (
            Link(_("Overview"), "dashboard", "admin:index"),
            Link(_("Test bench"), "experiment", "admin:bench", "intents.view_intent"),
        ),
    ),
    (
        _("What the bot says"),
        (
            Link(
                _("Intents"), "category", "admin:intents_intent_changelist", "intents.view_intent"
            ),
            Link(_("Replies"), "chat", "admin:intents_reply_changelist", "intents.view_reply"),
            Link(
                _("Utterances"),
                "format_quote",
                "admin:intents_utterance_changelist",
                "intents.view_utterance",
            ),
            Link(_("Drafts"), "edit_note", "admin:intents_draft_changelist", "intents.view_draft"),
            Link(_("Import and export"), "swap_vert", "admin:imports", "intents.change_utterance"),
            Link(
                _("Phrases of the bot"),
                "waving_hand",
                "admin:intents_phrase_changelist",
                "intents.view_phrase",
            ),
            Link(
                _("Suggested questions"),
                "quiz",
                "admin:intents_suggestedquestion_changelist",
                "intents.view_suggestedquestion",
            ),
            Link(
                _("Missing translations"),
                "translate",
                "admin:missing_translations",
                "intents.view_reply",
            ),
        ),
    ),
    (
        _("What is starred out"),
        (
            Link(
                _("Sensitive words"),
                "shield",
                "admin:intents_sensitiveword_changelist",
                "intents.view_sensitiveword",
            ),
            Link(
                _("Allowed phrases"),
                "verified_user",
                "admin:intents_allowedphrase_changelist",
                "intents.view_allowedphrase",
            ),
        ),
    ),
    (
        _("How well it understands"),
        (
            Link(
                _("How the bot is doing"),
                "monitoring",
                "admin:bot_report",
                "intents.view_predictionrecord",
            ),
            Link(
                _("What the bot understood"),
                "fact_check",
                "admin:intents_predictionrecord_changelist",
                "intents.view_predictionrecord",
            ),
            Link(
                _("Review inbox"),
                "rate_review",
                "admin:review_inbox",
                "intents.view_reviewitem",
            ),
            Link(
                _("Compare answers"),
                "compare_arrows",
                "admin:training_comparison_changelist",
                "training.view_comparison",
            ),
            Link(_("Likely wrong labels"), "radar", "admin:radar", "intents.view_utterance"),
            Link(
                _("What decisions cost"), "balance", "admin:decision_costs", "intents.view_intent"
            ),
            Link(
                _("Training"),
                "model_training",
                "admin:training_trainingrun_changelist",
                "training.view_trainingrun",
            ),
            Link(
                _("Regression sentences"),
                "checklist",
                "admin:training_regressioncase_changelist",
                "training.view_regressioncase",
            ),
            Link(
                _("Models"),
                "deployed_code",
                "admin:training_modelversion_changelist",
                "training.view_modelversion",
            ),
        ),
    ),
    (
        _("Customers"),
        (
            Link(
                _("Conversations"),
                "forum",
                "admin:chat_conversation_changelist",
                "chat.view_conversation",
            ),
            Link(
                _("Long texts"),
                "article",
                "admin:training_textanalysis_changelist",
                "training.view_textanalysis",
            ),
            Link(
                _("Ratings"),
                "star",
                "admin:chat_rating_changelist",
                "chat.view_rating",
            ),
            Link(
                _("Feedback on answers"),
                "thumb_up",
                "admin:chat_messagefeedback_changelist",
                "chat.view_messagefeedback",
            ),
            Link(
                _("Addresses left by customers"),
                "mail",
                "admin:chat_leftaddress_changelist",
                "chat.view_leftaddress",
            ),
            Link(
                _("Reading along"),
                "visibility",
                "admin:chat_watch_changelist",
                "chat.view_watch",
            ),
            Link(
                _("Customers"),
                "person",
                "admin:knowledge_customer_changelist",
                "knowledge.view_customer",
            ),
            Link(
                _("Orders"),
                "package_2",
                "admin:knowledge_order_changelist",
                "knowledge.view_order",
            ),
            Link(
                _("Products"),
                "storefront",
                "admin:knowledge_product_changelist",
                "knowledge.view_product",
            ),
            Link(
                _("Rules of the shop"),
                "gavel",
                "admin:knowledge_rule_changelist",
                "knowledge.view_rule",
            ),
        ),
    ),
    (
        _("Who answers, and when"),
        (
            Link(_("Queues"), "queue", "admin:chat_queue_changelist", "chat.view_queue"),
            Link(
                _("Agent profiles"),
                "support_agent",
                "admin:chat_agentprofile_changelist",
                "chat.view_agentprofile",
            ),
            Link(_("Teams"), "groups", "admin:chat_team_changelist", "chat.view_team"),
            Link(
                _("Canned replies"),
                "quickreply",
                "admin:chat_cannedreply_changelist",
                "chat.view_cannedreply",
            ),
            Link(
                _("Dispositions"),
                "done_all",
                "admin:chat_disposition_changelist",
                "chat.view_disposition",
            ),
            Link(_("Labels"), "label", "admin:chat_label_changelist", "chat.view_label"),
            Link(
                _("Special days"),
                "event",
                "admin:chat_specialday_changelist",
                "chat.view_specialday",
            ),
        ),
    ),
    (
        _("Who gets in"),
        (
            Link(_("Users"), "group", "admin:auth_user_changelist", "auth.view_user"),
            Link(_("Roles"), "badge", "admin:auth_group_changelist", "auth.view_group"),
            Link(
                _("Service tokens"),
                "key",
                "admin:csplatform_servicetoken_changelist",
                "csplatform.view_servicetoken",
            ),
            Link(
                _("Webhooks"),
                "webhook",
                "admin:chat_webhookendpoint_changelist",
                "chat.view_webhookendpoint",
            ),
            Link(
                _("Webhook deliveries"),
                "outbox",
                "admin:chat_webhookdelivery_changelist",
                "chat.view_webhookdelivery",
            ),
        ),
    ),
)


def sections(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sidebar for the person who asks (UNFOLD["SIDEBAR"]["navigation"])."""
    addresses = [reverse(link.page) for _title, links in SECTIONS for link in links]
    # The page itself, or the nearest one above it: /admin/intents/reply/missing/ is a line too.
    active = max((one for one in addresses if request.path.startswith(one)), key=len, default="")
    if active == reverse("admin:index") != request.path:
        active = ""
    return [
        {"title": title, "items": [one.item(active) for one in links if one.is_for(request.user)]}
        for title, links in SECTIONS
    ]

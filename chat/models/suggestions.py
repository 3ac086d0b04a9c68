"""What was suggested to agents, and what they made of it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from chat.models.conversations import Conversation
from chat.models.messages import Message


class SuggestionQuerySet(models.QuerySet["Suggestion"]):
    """Reads, named for the person who asks."""

    def open_in(self, conversation: Conversation) -> "SuggestionQuerySet":
        """Those that nobody has used or dismissed, the newest first."""
        pending = self.filter(message__conversation=conversation)
        return pending.filter(use__in=("", Suggestion.Use.UNUSED)).order_by("-message__seq")


class Suggestion(models.Model):
    """The reply that the bot would have given to a customer's words, for an agent to use or not.

    One a message, shared by all who look at it. Nothing here ever reaches a customer by itself.
    """

    class State(models.TextChoices):
        SUGGESTED = "SUGGESTED", _("a reply is suggested")
        UNSURE = "UNSURE", _("not understood well enough")
        NO_REPLY = "NO_REPLY", _("no reply fits")
        PEOPLE = "PEOPLE", _("a matter for people")

    class Use(models.TextChoices):
        VERBATIM = "VERBATIM", _("sent as it was")
        EDITED = "EDITED", _("edited and sent")
        UNUSED = "UNUSED", _("something else was sent")
        DISMISSED = "DISMISSED", _("dismissed")

    # What the customer said last; the suggestion is for all that he said since he got an answer.
    message = models.OneToOneField(
        Message, models.CASCADE, related_name="suggestion", verbose_name=_("message")
    )
    said = models.TextField()  # all of it, in its order
    language = models.CharField(max_length=2, blank=True)
    state = models.CharField(_("state"), max_length=9, choices=State)
    ranked = models.JSONField(default=list)  # [[Intent.code, probability], …], best first
    source = models.CharField(max_length=12)  # as of intents.inference.Prediction
    model_version = models.CharField(max_length=64, blank=True)
    content_version = models.BigIntegerField()
    made_at = models.DateTimeField()
    # What is suggested: the reply of this intent, the likeliest or one that the agent has chosen.
    intent = models.CharField(_("intent"), max_length=40, blank=True)  # Intent.code
    template = models.TextField(blank=True)  # the reply as staff wrote it
    facts = models.JSONField(default=dict)  # its variables: {"order_number": "CS80012037"}
    text = models.TextField(_("suggested reply"), blank=True)
    # What came of it, told from what was really sent.
    use = models.CharField(_("use"), max_length=9, choices=Use, blank=True)
    similarity = models.FloatField(_("similarity"), null=True)  # of text and what was sent, 0 to 1
    used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    used_at = models.DateTimeField(null=True)

    objects = SuggestionQuerySet.as_manager()

    class Meta:
        verbose_name = _("suggestion")
        verbose_name_plural = _("suggestions")
        indexes = [
            # reports: what suggestions were good for in a period
            models.Index(fields=["used_at"], name="chat_suggestions_used"),
        ]

    def __str__(self) -> str:
        return f"{self.message_id}: {self.intent or self.state}"

    @property
    def predicted(self) -> str:
        """The likeliest Intent.code, "" for none."""
        return self.ranked[0][0] if self.ranked else ""

    @property
    def probability(self) -> float | None:
        """Of `predicted`, 0 to 1."""
        return self.ranked[0][1] if self.ranked else None

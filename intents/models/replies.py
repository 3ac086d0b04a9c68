"""What the bot says: replies to intents, its fixed sentences, questions that it offers."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from intents.models.intents import Intent
from intents.models.languages import Channel, Language


class Reply(models.Model):
    """One way of answering an intent; among those that fit, one is chosen at random."""

    intent = models.ForeignKey(
        Intent, models.CASCADE, related_name="replies", verbose_name=_("intent")
    )
    language = models.CharField(_("language"), max_length=2, choices=Language)
    channel = models.CharField(
        _("channel"), max_length=8, choices=Channel, default=Channel.ANY, blank=True
    )
    text = models.TextField(
        _("text"),
        max_length=2000,
        help_text=_("Variables in braces, such as {order_number}; see the list of variables."),
    )
    is_active = models.BooleanField(_("in use"), default=True)
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("reply")
        verbose_name_plural = _("replies")

    def __str__(self) -> str:
        return self.text[:60]


class Phrase(models.Model):
    """A fixed sentence of the bot: greeting, fallback, hand-over and the like."""

    class Purpose(models.TextChoices):
        GREETING = "greeting", _("greeting")
        CLARIFY = "clarify", _("asks what was meant")
        FALLBACK = "fallback", _("did not understand")
        UNSUPPORTED = "unsupported", _("neither Chinese nor English")
        NO_REPLY = "no_reply", _("the intent has no reply in this language")
        HANDED_OVER = "handed_over", _("a human has been called")
        AGENT_JOINED = "agent_joined", _("an agent has joined")
        HANDED_BACK = "handed_back", _("the bot answers again")
        CLOSED = "closed", _("the conversation has ended")
        RECALLED = "recalled", _("an agent has taken a message back")
        FILES_ONLY = "files_only", _("a picture or file without a word")

    purpose = models.CharField(_("purpose"), max_length=20, choices=Purpose)
    language = models.CharField(_("language"), max_length=2, choices=Language)
    text = models.TextField(_("text"), max_length=1000)
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("phrase of the bot")
        verbose_name_plural = _("phrases of the bot")
        constraints = [
            models.UniqueConstraint(
                fields=["purpose", "language"], name="intents_one_phrase_per_purpose"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} ({self.language})"


class SuggestedQuestion(models.Model):
    """A question offered to a customer who has not asked one yet."""

    language = models.CharField(_("language"), max_length=2, choices=Language)
    text = models.CharField(_("text"), max_length=80)
    position = models.PositiveSmallIntegerField(_("position"), default=100)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("suggested question")
        verbose_name_plural = _("suggested questions")

    def __str__(self) -> str:
        return self.text

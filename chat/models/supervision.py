"""What supervisors do beside a conversation: reading along, and words for its agent only."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from chat.models.conversations import Conversation


class WatchQuerySet(models.QuerySet["Watch"]):
    """Reads, named for the person who asks."""

    def running(self, seen_since: datetime) -> "WatchQuerySet":
        """Those that go on: not ended, and heard of lately (a killed process ends nothing)."""
        return self.filter(ended_at__isnull=True, seen_at__gte=seen_since)


class Watch(models.Model):
    """Somebody of the staff read along in a conversation that was not his: who, and when.

    Written when it begins, whoever is told of it; never changed but for its end.
    """

    conversation = models.ForeignKey(
        Conversation, models.CASCADE, related_name="watches", verbose_name=_("conversation")
    )
    watcher = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("who watched")
    )
    # Who had the conversation then; NULL: the bot.
    watched = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("agent"),
    )
    began_at = models.DateTimeField(_("from"))
    # The latest sign of it, every heartbeat: where `ended_at` is missing, this is its end.
    seen_at = models.DateTimeField(_("heard of"))
    ended_at = models.DateTimeField(_("until"), null=True, blank=True)

    objects = WatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("reading along")
        verbose_name_plural = _("reading along")
        indexes = [
            # the audit log, newest first
            models.Index(fields=["began_at"], name="chat_watches_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.watcher_id} → {self.conversation_id}"


class Whisper(models.Model):
    """A supervisor's words to the agent who has a conversation. No customer ever reads them.

    They are no line of the conversation and have no seq: no frame for customers is made of
    this table.
    """

    conversation = models.ForeignKey(
        Conversation, models.CASCADE, related_name="whispers", verbose_name=_("conversation")
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("author")
    )
    # Made by the sending browser, so that a repeated send is the same whisper.
    client_id = models.UUIDField()
    text = models.TextField(_("text"))
    # It stands below this message; clocks need not agree for that.
    after_seq = models.PositiveIntegerField()
    sent_at = models.DateTimeField(_("sent at"))

    class Meta:
        verbose_name = _("whisper")
        verbose_name_plural = _("whispers")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "client_id"], name="chat_whisper_client_id_once"
            ),
        ]

    def __str__(self) -> str:
        return self.text[:40]

"""What staff write about a conversation for each other. No customer ever gets any of it.

Notes are no messages: a table, an endpoint and a hint of their own, so that there is no way
from here to a customer's screen.
"""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from chat.models.conversations import Conversation


class Note(models.Model):
    """One note of one colleague."""

    conversation = models.ForeignKey(
        Conversation, models.CASCADE, related_name="notes", verbose_name=_("conversation")
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("author")
    )
    # Made by the writing browser, so that a repeated send is the same note.
    client_id = models.UUIDField(null=True, blank=True)
    text = models.TextField(_("text"))
    # It stands below this message; clocks need not agree for that.
    after_seq = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(_("written at"))
    mentions = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        through="Mention",
        related_name="+",
        verbose_name=_("mentioned colleagues"),
    )

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "client_id"], name="chat_note_client_id_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.author_id}: {self.text[:40]}"


class Mention(models.Model):
    """A colleague is named in a note, and has seen that or not."""

    note = models.ForeignKey(Note, models.CASCADE, related_name="mentioned")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("mention")
        verbose_name_plural = _("mentions")
        constraints = [
            models.UniqueConstraint(fields=["note", "user"], name="chat_mentioned_once"),
        ]
        indexes = [
            # how many are unread: each heartbeat of each workspace
            models.Index(fields=["user", "seen_at"], name="chat_mentions_of_user"),
        ]

    def __str__(self) -> str:
        return f"{self.note_id} → {self.user_id}"

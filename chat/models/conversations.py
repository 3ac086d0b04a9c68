"""Conversations: who has which. Changes are made by chat/services/."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.models.dispositions import Disposition
from chat.models.queues import Queue
from intents.models import Channel, Language


class ConversationQuerySet(models.QuerySet["Conversation"]):
    """Reads, named for the person who asks."""

    def open_of(self, uid: str) -> "ConversationQuerySet":
        """The open conversation of a customer: none or one."""
        return self.filter(open_for=uid)

    def current_of(self, uid: str) -> "ConversationQuerySet":
        """What the customer's next message goes into: the open one, or one that reopens."""
        return self.filter(Q(open_for=uid) | Q(reopens_for=uid))

    def inbox(self) -> "ConversationQuerySet":
        """What agents see: handed over and not closed, the longest waiting first."""
        return self.filter(
            status__in=[Conversation.Status.WAITING, Conversation.Status.AGENT]
        ).order_by("changed_at")


class Conversation(models.Model):
    """One customer's visit. The bot has it until an agent takes it over."""

    class Status(models.TextChoices):
        BOT = "BOT", _("answered by the bot")
        WAITING = "WAITING", _("waiting for an agent")
        AGENT = "AGENT", _("with an agent")
        CLOSED = "CLOSED", _("closed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Who may read and write it: a shop customer's uid, or "anon-…" of a visitor.
    uid = models.CharField(_("uid"), max_length=64, db_index=True)
    # The uid while it is open, else NULL: a customer has at most one open conversation.
    open_for = models.CharField(max_length=64, null=True, unique=True, editable=False)
    customer = models.ForeignKey(
        "knowledge.Customer",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("customer"),
    )
    channel = models.CharField(_("channel"), max_length=8, choices=Channel, default=Channel.WEB)
    language = models.CharField(
        _("language"), max_length=2, choices=Language, default=Language.CHINESE
    )
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.BOT)
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("agent"),
    )
    last_seq = models.PositiveIntegerField(default=0, editable=False)  # of its newest message
    opened_at = models.DateTimeField(_("opened at"), default=timezone.now)
    changed_at = models.DateTimeField(_("changed at"), default=timezone.now)  # of `status`
    # The uid while it was closed for idleness only, else NULL: his next message goes on with it.
    reopens_for = models.CharField(max_length=64, null=True, unique=True, editable=False)
    queue = models.ForeignKey(
        Queue, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("queue")
    )
    # Since the customer was handed over until an agent has opened it; NULL otherwise.
    waiting_since = models.DateTimeField(_("waiting since"), null=True, blank=True)
    # He was handed over outside business hours: a message to read when people are back.
    offline = models.BooleanField(_("message left outside business hours"), default=False)
    # Waited too long: supervisors have to see to it.
    escalated_at = models.DateTimeField(_("escalated at"), null=True, blank=True)
    # Read marks: what the customer, and the agent who has it, had on their screens, up to this seq.
    customer_read_seq = models.PositiveIntegerField(default=0, editable=False)
    agent_read_seq = models.PositiveIntegerField(default=0, editable=False)
    # The customer is asked how content he was: it was ended, or handed back to the bot.
    asks_rating = models.BooleanField(default=False, editable=False)
    # How it came out, chosen by who ended it; NULL while it is open, and where nobody said.
    disposition = models.ForeignKey(
        Disposition,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("disposition"),
    )
    labels = models.ManyToManyField(
        "chat.Label",
        through="chat.ConversationLabel",
        blank=True,
        related_name="+",
        verbose_name=_("labels"),
    )

    objects = ConversationQuerySet.as_manager()

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        constraints = [
            models.CheckConstraint(
                condition=Q(status="AGENT", agent__isnull=False)
                | ~Q(status="AGENT") & Q(agent__isnull=True),
                name="chat_agent_only_while_with_agent",
            ),
        ]
        indexes = [
            # inbox(): every refresh of every workspace
            models.Index(fields=["status", "changed_at"], name="chat_inbox"),
            # who waits longest, and who waits too long (chat/inbox)
            models.Index(fields=["status", "waiting_since"], name="chat_waiting"),
            models.Index(fields=["status", "escalated_at"], name="chat_escalated"),
        ]

    def __str__(self) -> str:
        return f"{self.uid} {timezone.localtime(self.opened_at):%Y-%m-%d %H:%M}"

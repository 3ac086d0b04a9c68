"""Conversations and their messages: rows and reads. Changes are made by chat/services/."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from intents.models import Channel, Language


class ConversationQuerySet(models.QuerySet["Conversation"]):
    """Reads, named for the person who asks."""

    def open_of(self, uid: str) -> "ConversationQuerySet":
        """The open conversation of a customer: none or one."""
        return self.filter(open_for=uid)

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
        ]

    def __str__(self) -> str:
        return f"{self.uid} {timezone.localtime(self.opened_at):%Y-%m-%d %H:%M}"


class MessageQuerySet(models.QuerySet["Message"]):
    """Reads, named for the person who asks."""

    def after(self, seq: int) -> "MessageQuerySet":
        """What a client missed since it saw `seq`; 0 for everything."""
        return self.filter(seq__gt=seq).order_by("seq")

    def unanswered_before(self, moment: "timezone.datetime") -> "MessageQuerySet":  # type: ignore[name-defined]
        """Customer messages that the bot still owes an answer, oldest first."""
        return self.filter(awaits_answer=True, sent_at__lt=moment).order_by("pk")


class Message(models.Model):
    """One line of a conversation. `seq` counts 1, 2, 3, … without a gap within it."""

    class Sender(models.TextChoices):
        CUSTOMER = "CUSTOMER", _("customer")
        BOT = "BOT", _("bot")
        AGENT = "AGENT", _("agent")
        SYSTEM = "SYSTEM", _("system")  # "an agent has joined"

    conversation = models.ForeignKey(
        Conversation, models.CASCADE, related_name="messages", verbose_name=_("conversation")
    )
    seq = models.PositiveIntegerField()
    sender = models.CharField(_("sender"), max_length=8, choices=Sender)
    # Made by the sending browser, so that a repeated send is the same message.
    client_id = models.UUIDField(null=True, blank=True)
    text = models.TextField(_("text"))
    language = models.CharField(_("language"), max_length=2, blank=True)  # "" for neither
    sent_at = models.DateTimeField(_("sent at"), default=timezone.now)
    author = models.ForeignKey(  # of an agent's message
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("author"),
    )
    # True from the insert of a customer message until the bot answered or an agent has it.
    awaits_answer = models.BooleanField(default=False, editable=False)
    # Of the bot's answer
    answers = models.OneToOneField(
        "self",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="answer",
        verbose_name=_("answers"),
    )
    decision = models.CharField(
        _("decision"), max_length=10, blank=True
    )  # ANSWER, CLARIFY, HAND_OVER
    intent = models.CharField(_("intent"), max_length=40, blank=True)  # Intent.code
    probability = models.FloatField(_("probability"), null=True, blank=True)
    model_version = models.CharField(_("model version"), max_length=64, blank=True)
    buttons = models.JSONField(
        default=list, blank=True
    )  # [{"label", "text"} or {"label", "action"}]

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(fields=["conversation", "seq"], name="chat_seq_once"),
            models.UniqueConstraint(
                fields=["conversation", "client_id"], name="chat_client_id_once"
            ),
        ]
        indexes = [
            # unanswered_before(): the sweep, every two seconds
            models.Index(fields=["awaits_answer", "sent_at"], name="chat_unanswered"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.sender}: {self.text[:40]}"

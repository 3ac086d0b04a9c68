"""Messages: the lines of a conversation."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.models.conversations import Conversation

# More than a message that is being answered can be ahead of the sweep's clock.
_CLOCK_WAS_SET_BACK = timedelta(minutes=5)


class MessageQuerySet(models.QuerySet["Message"]):
    """Reads, named for the person who asks."""

    def after(self, seq: int) -> "MessageQuerySet":
        """What a client missed since it saw `seq`; 0 for everything."""
        return self.filter(seq__gt=seq).order_by("seq")

    def unanswered_before(self, moment: "timezone.datetime") -> "MessageQuerySet":  # type: ignore[name-defined]
        """Customer messages that the bot still owes an answer, oldest first.

        Also those of the future: they were stored before the clock was set back.
        """
        is_due = Q(sent_at__lt=moment) | Q(sent_at__gt=moment + _CLOCK_WAS_SET_BACK)
        return self.filter(is_due, awaits_answer=True).order_by("pk")

    def latest_unanswered(self, moment: "timezone.datetime") -> "models.QuerySet[Message, int]":  # type: ignore[name-defined]
        """The latest message of each conversation that waits for an answer since `moment`.

        Primary keys: the answer to it is one to all that was said before it.
        """
        overdue = self.unanswered_before(moment).order_by().values("conversation")
        owed = self.filter(awaits_answer=True, conversation__in=overdue).order_by()
        newest = owed.values("conversation").annotate(newest=models.Max("pk"))
        return newest.order_by("newest").values_list("newest", flat=True)

    def answer_to(self, message_id: int) -> "Message | None":
        """The bot's answer to a message: its own, or the next one if that is to later words too."""
        if (own := self.filter(answers_id=message_id).first()) is not None:
            return own
        asked = self.filter(pk=message_id)
        following = self.filter(
            ~Q(sender=Message.Sender.CUSTOMER),
            Q(answers=None) | Q(answers__gt=message_id),
            conversation=asked.values("conversation")[:1],
            seq__gt=asked.values("seq")[:1],
        )
        # An agent's or the system's line first: it was left to him, and nobody answered it.
        line = following.order_by("seq").first()
        return line if line and line.answers_id else None


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

    # Spares a look for files at the lines without any, which are nearly all.
    has_attachments = models.BooleanField(default=False, editable=False)

    # Of the system's line that takes an agent's message back: that message. Its text stays here
    # for supervisors; everybody else is sent none (sockets.py).
    recalls = models.OneToOneField(
        "self",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="recall",
        verbose_name=_("recalls"),
    )

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

    @property
    def recalled_at(self) -> datetime | None:
        """When its author took it back. Costs a query unless `recall` was joined."""
        recall: Message | None = getattr(self, "recall", None)
        return recall.sent_at if recall else None

    @property
    def shown_text(self) -> str:
        """What customers and colleagues may read: nothing of what was taken back."""
        return "" if self.recalled_at else self.text

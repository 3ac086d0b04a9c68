"""Who had a conversation when, and why it was handed over: the history of both."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from chat.models.conversations import Conversation
from chat.models.queues import Queue


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    """Reads, named for the person who asks."""

    def running(self) -> "AssignmentQuerySet":
        """Those of conversations that agents have now."""
        return self.filter(active_for__isnull=False)

    def of(self, conversation: Conversation) -> "AssignmentQuerySet":
        """The running one of a conversation: none or one."""
        return self.filter(active_for=conversation.pk)

    def owing(self) -> "AssignmentQuerySet":
        """Those whose customer waits for a word, so that time runs."""
        return self.running().filter(lease_until__isnull=False)

    def overdue(self, now: datetime) -> "AssignmentQuerySet":
        """Those whose lease has run out."""
        return self.running().filter(lease_until__lt=now)


class Assignment(models.Model):
    """One agent has one conversation: a lease, renewed by what the agent really does."""

    class Ended(models.TextChoices):
        UNSEEN = "UNSEEN", _("not opened in time")
        UNANSWERED = "UNANSWERED", _("not answered in time")
        GONE = "GONE", _("the agent was gone")
        HANDED_BACK = "HANDED_BACK", _("handed back to the bot")
        TRANSFERRED = "TRANSFERRED", _("transferred")
        TAKEN_OVER = "TAKEN_OVER", _("taken over by a supervisor")
        CLOSED = "CLOSED", _("conversation closed")

    # What an agent did not manage: the next one to get it is somebody else, if there is one.
    LAPSED = (Ended.UNSEEN, Ended.UNANSWERED, Ended.GONE, Ended.TRANSFERRED)

    conversation = models.ForeignKey(
        Conversation,
        models.CASCADE,
        related_name="assignments",
        verbose_name=_("conversation"),
    )
    # The conversation while it runs, else NULL: a conversation is assigned to one at most.
    active_for = models.OneToOneField(
        Conversation,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="assignment",
        editable=False,
    )
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("agent")
    )
    queue = models.ForeignKey(
        Queue, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("queue")
    )
    assigned_at = models.DateTimeField(_("assigned at"))
    # Since when the customer waits for a word of this agent; NULL when nothing is owed.
    owed_since = models.DateTimeField(null=True, blank=True, editable=False)
    # By then the agent must have done something; NULL when nothing is owed.
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True, db_index=True)
    seen_at = models.DateTimeField(_("opened at"), null=True, blank=True)
    answered_at = models.DateTimeField(_("first answered at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    ended_because = models.CharField(_("ended because"), max_length=11, choices=Ended, blank=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        indexes = [
            # whose turn it is, and who spoke with the customer last
            models.Index(fields=["agent", "assigned_at"], name="chat_assignments_of_agent"),
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id} → {self.agent_id}"


class HandoverQuerySet(models.QuerySet["Handover"]):
    """Reads, named for the person who asks."""

    def open_of(self, conversation: Conversation) -> "HandoverQuerySet":
        """Those of a conversation that nobody has taken up."""
        return self.filter(conversation=conversation, ended_at__isnull=True)


class Handover(models.Model):
    """The moment a conversation went from one to another, why, and who took it up when."""

    class Because(models.TextChoices):
        CUSTOMER = "CUSTOMER", _("the customer asked for it")
        OUT_OF_SCOPE = "OUT_OF_SCOPE", _("the bot did not understand")
        MOOD = "MOOD", _("the customer is upset")
        INTENT = "INTENT", _("a matter for people")
        AGENT = "AGENT", _("an agent stepped in")
        TRANSFERRED = "TRANSFERRED", _("an agent passed it on")
        RETURNED = "RETURNED", _("the agent did not answer")
        ESCALATED = "ESCALATED", _("waited too long")

    # With these a customer begins to wait for the first time: what waits are measured by.
    ASKED = (Because.CUSTOMER, Because.OUT_OF_SCOPE, Because.MOOD, Because.INTENT)

    conversation = models.ForeignKey(
        Conversation, models.CASCADE, related_name="handovers", verbose_name=_("conversation")
    )
    requested_at = models.DateTimeField(_("requested at"))
    because = models.CharField(_("reason"), max_length=12, choices=Because)
    intent = models.CharField(_("intent"), max_length=40, blank=True)  # Intent.code
    queue = models.ForeignKey(
        Queue, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("queue")
    )
    note = models.CharField(_("note"), max_length=200, blank=True)  # why, in an agent's words
    summary = models.TextField(_("summary"), blank=True)  # what the next one should know
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    # Who took it up; NULL where nobody did before it ended.
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("taken up by"),
    )

    objects = HandoverQuerySet.as_manager()

    class Meta:
        verbose_name = _("handover")
        verbose_name_plural = _("handovers")
        indexes = [
            # how long customers of a queue waited lately
            models.Index(fields=["queue", "requested_at"], name="chat_waits_of_queue"),
            # reports: what was handed over in a period
            models.Index(fields=["requested_at"], name="chat_handovers_by_time"),
            # conversations about a matter (chat/inbox)
            models.Index(fields=["intent"], name="chat_handovers_about"),
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id} {self.because}"

"""What customers think: of a conversation, and of single answers of the bot."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from chat.models.conversations import Conversation
from chat.models.messages import Message

SCORE_MOST = 5
COMMENT_MOST = 1000


class Rating(models.Model):
    """How content a customer was with a conversation; he may change his mind."""

    conversation = models.OneToOneField(
        Conversation, models.CASCADE, related_name="rating", verbose_name=_("conversation")
    )
    score = models.PositiveSmallIntegerField(
        _("score"),
        validators=[MinValueValidator(1), MaxValueValidator(SCORE_MOST)],
        help_text=_("1 is worst, 5 is best."),
    )
    comment = models.TextField(_("comment"), blank=True, max_length=COMMENT_MOST)
    # Who had the conversation last when it was rated; NULL where the bot alone did.
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("agent"),
    )
    rated_at = models.DateTimeField(_("rated at"))  # first
    changed_at = models.DateTimeField(_("changed at"))

    class Meta:
        verbose_name = _("rating")
        verbose_name_plural = _("ratings")
        constraints = [
            models.CheckConstraint(
                condition=Q(score__gte=1, score__lte=SCORE_MOST), name="chat_score_1_to_5"
            )
        ]
        indexes = [
            # reports: what was rated in a period
            models.Index(fields=["rated_at"], name="chat_ratings_by_time")
        ]

    def __str__(self) -> str:
        return f"{self.score}/{SCORE_MOST}"


class MessageFeedback(models.Model):
    """Thumbs up or down for one answer of the bot."""

    class Reason(models.TextChoices):
        WRONG = "WRONG", _("wrong")
        NOT_ASKED = "NOT_ASKED", _("not what was asked")
        OUTDATED = "OUTDATED", _("out of date")
        OTHER = "OTHER", _("other")

    message = models.OneToOneField(
        Message, models.CASCADE, related_name="feedback", verbose_name=_("message")
    )
    is_up = models.BooleanField(_("thumbs up"))
    reason = models.CharField(_("reason"), max_length=9, choices=Reason, blank=True)  # of "down"
    given_at = models.DateTimeField(_("given at"))  # last

    class Meta:
        verbose_name = _("feedback on an answer")
        verbose_name_plural = _("feedback on answers")
        indexes = [
            # reports: what was said in a period
            models.Index(fields=["given_at"], name="chat_feedback_by_time")
        ]

    def __str__(self) -> str:
        return "👍" if self.is_up else f"👎 {self.reason}"

"""What reviewers look at before a model learns from it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class ReviewCandidate(models.Model):
    """What a customer said and a colleague's word on what was meant, for reviewers to look at.

    Written by intents/review.py. No model learns from it until a reviewer has said so.
    """

    class Verdict(models.TextChoices):
        CONFIRMED = "CONFIRMED", _("confirmed: the suggestion was sent as it was")
        EDITED = "EDITED", _("confirmed: the suggestion was edited and sent")
        CORRECTED = "CORRECTED", _("another intent was chosen")
        DISMISSED = "DISMISSED", _("the suggestion was dismissed")

    class Status(models.TextChoices):
        NEW = "NEW", _("not reviewed")

    # chat.Message.pk: one candidate a message. Not a foreign key: this app knows no conversations.
    message = models.BigIntegerField(unique=True, editable=False)
    # Personal data is replaced by typed placeholders before it is written here.
    text = models.TextField(_("text"))
    language = models.CharField(_("language"), max_length=2, blank=True)
    predicted = models.CharField(_("predicted intent"), max_length=40, blank=True)  # Intent.code
    probability = models.FloatField(_("probability"), null=True)
    model_version = models.CharField(_("model version"), max_length=64, blank=True)
    meant = models.CharField(_("meant"), max_length=40, blank=True)  # Intent.code
    verdict = models.CharField(_("verdict"), max_length=9, choices=Verdict)
    reply = models.TextField(_("suggested reply"), blank=True)  # with its variables
    edited_reply = models.TextField(_("reply as it was sent"), blank=True)
    similarity = models.FloatField(_("similarity of the two"), null=True)  # 0 to 1
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided at"))
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.NEW)

    class Meta:
        verbose_name = _("review candidate")
        verbose_name_plural = _("review candidates")
        indexes = [
            # the inbox, newest first
            models.Index(fields=["status", "-decided_at"], name="intents_review_inbox"),
        ]

    def __str__(self) -> str:
        return f"{self.predicted or '—'} → {self.meant or '—'}"

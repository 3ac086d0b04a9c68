"""How far what customers ask has moved from what they used to ask."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class DriftCheck(models.Model):
    """One day's comparison of the latest messages with those before (intents/drift.py)."""

    day = models.DateField(_("day"), unique=True)  # the last one that is compared, of TIME_ZONE
    checked_at = models.DateTimeField(_("checked at"))
    messages = models.PositiveIntegerField(_("messages"))  # of the window
    messages_before = models.PositiveIntegerField(_("messages before"))
    # Population stability index; NULL where there are too few messages to compare.
    intents = models.FloatField(_("drift of the intents"), null=True)
    scope = models.FloatField(_("drift of what is out of scope"), null=True)
    # Of the intents against the shares of the training utterances; never an alert.
    training = models.FloatField(_("distance from the training"), null=True)
    is_alert = models.BooleanField(_("alert"), default=False)
    # [[Intent.code or "", share before, share now], …], what moved most first.
    moved = models.JSONField(_("what moved"), default=list)

    class Meta:
        verbose_name = _("drift check")
        verbose_name_plural = _("drift checks")

    def __str__(self) -> str:
        return f"{self.day}"

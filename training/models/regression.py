"""Sentences whose understanding is settled: no new model may lose one of them."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from intents.models import Language


class RegressionCase(models.Model):
    """A sentence and what it must lead to: an intent, a decision, or both.

    Written by `training.gate.cases`. The gate refuses a model that no longer does what the
    active one does.
    """

    class Decision(models.TextChoices):
        """As `intents.decisions.Decision`."""

        ANSWER = "ANSWER", _("answers")
        CLARIFY = "CLARIFY", _("asks what was meant")
        HAND_OVER = "HAND_OVER", _("hands over")

    class Origin(models.TextChoices):
        WRITTEN = "WRITTEN", _("written by hand")
        BENCH = "BENCH", _("tried on the test bench")
        REPLAY = "REPLAY", _("accepted in a replay")

    text = models.CharField(_("text"), max_length=500)  # personal data masked by whoever adds it
    # normalize.key(text): the same sentence in two spellings is one case.
    key = models.CharField(max_length=500, unique=True, editable=False)
    language = models.CharField(_("language"), max_length=2, choices=Language)
    # Intent.code, empty: any. Not a foreign key: a deleted intent must not take its cases along.
    intent = models.CharField(_("intent expected"), max_length=40, blank=True)
    decision = models.CharField(
        _("decision expected"), max_length=9, choices=Decision, blank=True
    )  # empty: any
    origin = models.CharField(_("origin"), max_length=7, choices=Origin, default=Origin.WRITTEN)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("added by"),
    )
    created_at = models.DateTimeField(_("added at"), default=timezone.now, editable=False)
    is_active = models.BooleanField(
        _("counts"), default=True, help_text=_("Switched off, the gate does not look at it.")
    )

    class Meta:
        verbose_name = _("regression sentence")
        verbose_name_plural = _("regression sentences")

    def __str__(self) -> str:
        return self.text

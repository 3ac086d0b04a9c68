"""When trainings begin by themselves."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from training.models.runs import TrainingRun


class RetrainingPlan(models.Model):
    """One row (pk 1): what begins a training without anybody asking, and what came of it last."""

    # On the clock of settings.TIME_ZONE, the shop's. Empty: never by the clock.
    nightly_at = models.TimeField(
        _("every night at"),
        null=True,
        blank=True,
        help_text=_("In the shop's time zone. Empty: not by the clock."),
    )
    # Empty: however much has changed.
    after_changes = models.PositiveIntegerField(
        _("after so many changed utterances"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Added, removed or moved since the model in service. Empty: never."),
    )
    mode = models.CharField(
        _("mode"), max_length=8, choices=TrainingRun.Mode, default=TrainingRun.Mode.THOROUGH
    )
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("changed by"),
        editable=False,
    )
    # The last day, in the shop's time zone, whose nightly time has been dealt with.
    last_night = models.DateField(null=True, blank=True, editable=False)
    # ContentVersion.understanding when it was last counted how much has changed.
    counted_content = models.PositiveBigIntegerField(null=True, blank=True, editable=False)
    # What was last trained, or tried (planning._attempt): not again the same.
    tried = models.CharField(max_length=64, blank=True, editable=False)
    outcome = models.TextField(_("what came of it last"), blank=True, editable=False)
    outcome_at = models.DateTimeField(_("when"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("retraining plan")
        verbose_name_plural = _("retraining plans")

    def __str__(self) -> str:
        return str(_("retraining plan"))

"""What the promotion gate said of versions, and who let one answer all the same."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from training.models.versions import ModelVersion


class GateVerdict(models.Model):
    """What the gate said of one version when it was made. Written once, by training.gate."""

    class Outcome(models.TextChoices):
        """As `training.gate.verdict.Outcome`."""

        PASSED = "PASSED", _("passed")
        REFUSED = "REFUSED", _("refused")
        INCONCLUSIVE = "INCONCLUSIVE", _("inconclusive")

    version = models.OneToOneField(
        ModelVersion, models.CASCADE, related_name="verdict", verbose_name=_("version")
    )
    active = models.ForeignKey(
        ModelVersion,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("compared with"),
    )
    outcome = models.CharField(_("verdict"), max_length=12, choices=Outcome)
    report = models.JSONField(default=dict)  # training.gate.verdict.Verdict.as_dict
    at = models.DateTimeField(_("at"), default=timezone.now)

    class Meta:
        verbose_name = _("verdict of the gate")
        verbose_name_plural = _("verdicts of the gate")
        permissions = [("override_gate", "Can let a model answer that the gate refused")]

    def __str__(self) -> str:
        return f"{self.version}: {self.outcome}"


class GateReadings(models.Model):
    """What both models said of each frozen text: beside the verdict, because it is long."""

    verdict = models.OneToOneField(GateVerdict, models.CASCADE, related_name="readings")
    # [[text, Intent.code meant, language, [code, probability, out of scope] of the active
    #   model or null, the same of the candidate, active right, candidate right], …]
    rows = models.JSONField(default=list)

    def __str__(self) -> str:
        return str(self.verdict)


class GateOverride(models.Model):
    """Somebody's word that a refused version may answer. Nobody changes or deletes it."""

    verdict = models.ForeignKey(
        GateVerdict, models.CASCADE, related_name="overrides", verbose_name=_("verdict")
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("by"),
    )
    at = models.DateTimeField(_("at"), default=timezone.now)
    reason = models.TextField(_("reason"))

    class Meta:
        verbose_name = _("overridden verdict")
        verbose_name_plural = _("overridden verdicts")

    def __str__(self) -> str:
        return f"{self.verdict} {self.reason[:40]}"

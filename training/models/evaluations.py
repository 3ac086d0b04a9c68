"""How good models are."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from training.models.versions import ModelVersion


class Evaluation(models.Model):
    """How one form of a model did on one set of utterances."""

    class Precision(models.TextChoices):
        FP32 = "fp32", "fp32"
        INT8 = "int8", "int8"

    version = models.ForeignKey(
        ModelVersion, models.CASCADE, related_name="evaluations", verbose_name=_("version")
    )
    precision = models.CharField(_("precision"), max_length=4, choices=Precision)
    texts = models.PositiveIntegerField(_("texts"))
    accuracy = models.FloatField(_("accuracy"))  # 0 to 1
    macro_f1 = models.FloatField(_("macro F1"))  # 0 to 1
    calibration_error = models.FloatField(_("calibration error"))  # 0 to 1, 15 equal-mass bins
    per_intent = models.JSONField(
        _("per intent"), default=dict
    )  # code: {precision, recall, f1, texts}
    confusion = models.JSONField(_("confusions"), default=list)  # [[true, predicted, count], …]

    class Meta:
        verbose_name = _("evaluation")
        verbose_name_plural = _("evaluations")
        constraints = [
            models.UniqueConstraint(
                fields=["version", "precision"], name="training_one_evaluation_per_precision"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} {self.precision}"


class EvaluationScores(models.Model):
    """What the model that serves says of each evaluation text: what costs are weighed on."""

    version = models.OneToOneField(
        ModelVersion, models.CASCADE, related_name="scores", verbose_name=_("version")
    )
    # [[Intent.code that is meant, [[code, probability], …] best first, out of scope], …]
    rows = models.JSONField(default=list)

    def __str__(self) -> str:
        return str(self.version)

"""Training runs, the models they made, and how good those are."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class TrainingRun(models.Model):
    """One attempt to make a model, with everything that decided how it came out."""

    class Status(models.TextChoices):
        QUEUED = "QUEUED", _("queued")
        RUNNING = "RUNNING", _("running")
        SUCCEEDED = "SUCCEEDED", _("succeeded")
        FAILED = "FAILED", _("failed")

    class Device(models.TextChoices):
        AUTO = "auto", _("GPU if there is one")
        CPU = "cpu", _("CPU")
        CUDA = "cuda", _("GPU")

    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.QUEUED)
    # Parameters; the ranges hold in the admin, the command and the task alike (full_clean).
    batch_size = models.PositiveSmallIntegerField(
        _("batch size"), default=32, validators=[MinValueValidator(1), MaxValueValidator(512)]
    )
    epochs = models.PositiveSmallIntegerField(
        _("epochs"), default=4, validators=[MinValueValidator(1), MaxValueValidator(50)]
    )
    # Empty: the encoder's own (chosen on a dev set for the shipped one, 2e-5 for BERT-base).
    learning_rate = models.FloatField(
        _("learning rate"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1e-7), MaxValueValidator(1e-2)],
        help_text=_("Empty: what suits the encoder."),
    )
    max_tokens = models.PositiveSmallIntegerField(
        _("longest text in tokens"),
        default=64,
        validators=[MinValueValidator(8), MaxValueValidator(512)],
    )
    patience = models.PositiveSmallIntegerField(
        _("epochs without gain before it stops"),
        default=2,
        validators=[MinValueValidator(1), MaxValueValidator(50)],
    )
    seed = models.PositiveIntegerField(_("random seed"), default=42)
    device = models.CharField(_("device"), max_length=4, choices=Device, default=Device.AUTO)
    # Progress
    step = models.CharField(_("step"), max_length=20, blank=True)  # read, embed, fit, …
    progress = models.FloatField(_("progress"), default=0.0)  # 0 to 1 over the whole run
    log = models.TextField(_("log"), blank=True)
    failure = models.TextField(_("why it failed"), blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("requested by"),
    )
    created_at = models.DateTimeField(_("requested at"), default=timezone.now)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    # Renewed while it runs; a run whose heartbeat stopped has died with its process.
    heartbeat_at = models.DateTimeField(null=True, blank=True, editable=False)
    # 1 while queued or running, else empty: at most one run at a time (unique, NULLs are free).
    slot = models.PositiveSmallIntegerField(null=True, blank=True, unique=True, editable=False)

    class Meta:
        verbose_name = _("training run")
        verbose_name_plural = _("training runs")

    def __str__(self) -> str:
        return f"{_('training run')} {self.pk}"


class ModelVersion(models.Model):
    """A trained model: a directory under MODEL_DIR, described by its manifest."""

    name = models.CharField(_("version"), max_length=64, unique=True)  # also the directory's
    run = models.OneToOneField(
        TrainingRun,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="version",
        verbose_name=_("training run"),
    )
    encoder = models.CharField(_("encoder"), max_length=120)
    labels = models.JSONField(_("intents it knows"), default=list)  # Intent.code, …
    utterances = models.PositiveIntegerField(_("utterances it was trained on"), default=0)
    created_at = models.DateTimeField(_("made at"), default=timezone.now)

    class Meta:
        verbose_name = _("model version")
        verbose_name_plural = _("model versions")

    def __str__(self) -> str:
        return self.name


class ActiveModel(models.Model):
    """Which version answers: one row (pk 1), moved in one step; rolling back is moving it."""

    version = models.ForeignKey(
        ModelVersion, models.PROTECT, null=True, related_name="+", verbose_name=_("version")
    )
    since = models.DateTimeField(_("since"), default=timezone.now)

    def __str__(self) -> str:
        return str(self.version or "—")


class Activation(models.Model):
    """The log of ActiveModel: which version began to answer when, and who asked for it."""

    version = models.ForeignKey(
        ModelVersion, models.PROTECT, related_name="activations", verbose_name=_("version")
    )
    at = models.DateTimeField(_("at"), default=timezone.now)
    by = models.ForeignKey(  # empty for a training whose model passed
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )

    class Meta:
        verbose_name = _("activation")
        verbose_name_plural = _("activations")

    def __str__(self) -> str:
        return f"{self.version} {timezone.localtime(self.at):%Y-%m-%d %H:%M}"


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

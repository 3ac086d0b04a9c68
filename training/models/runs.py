"""Training runs: attempts to make a model."""

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
        CANCELLED = "CANCELLED", _("cancelled")

    class Mode(models.TextChoices):
        QUICK = "quick", _("quick")
        THOROUGH = "thorough", _("thorough")

    class Cause(models.TextChoices):
        ASKED = "asked", _("asked for")
        SCHEDULE = "schedule", _("every night")
        CHANGES = "changes", _("enough changes")

    class Device(models.TextChoices):
        AUTO = "auto", _("GPU if there is one")
        CPU = "cpu", _("CPU")
        CUDA = "cuda", _("GPU")

    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.QUEUED)
    cause = models.CharField(_("why it runs"), max_length=8, choices=Cause, default=Cause.ASKED)
    # Parameters; the ranges hold in the admin, the command and the task alike (full_clean).
    mode = models.CharField(_("mode"), max_length=8, choices=Mode, default=Mode.THOROUGH)
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
    curve = models.JSONField(
        _("curve"), default=list, blank=True
    )  # [[loss, accuracy on dev], …] by epoch
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
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("cancelled by"),
    )
    created_at = models.DateTimeField(_("requested at"), default=timezone.now)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    # The most memory that its process had, in megabytes (10⁶ bytes).
    memory_mb = models.PositiveIntegerField(_("memory (MB)"), null=True, blank=True)
    # Renewed while it runs; a run whose heartbeat stopped has died with its process.
    heartbeat_at = models.DateTimeField(null=True, blank=True, editable=False)
    # 1 while queued or running, else empty: at most one run at a time (unique, NULLs are free).
    slot = models.PositiveSmallIntegerField(null=True, blank=True, unique=True, editable=False)

    class Meta:
        verbose_name = _("training run")
        verbose_name_plural = _("training runs")

    def __str__(self) -> str:
        return f"{_('training run')} {self.pk}"

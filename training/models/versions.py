"""The models that trainings made, and which one answers."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from training.models.runs import TrainingRun


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
    mode = models.CharField(
        _("mode"), max_length=8, choices=TrainingRun.Mode, default=TrainingRun.Mode.THOROUGH
    )
    encoder = models.CharField(_("encoder"), max_length=120)
    # Of the sentences that it was made of: the same for the same ones, in whatever order.
    fingerprint = models.CharField(_("data fingerprint"), max_length=64, blank=True)
    code = models.CharField(_("code version"), max_length=64, blank=True)
    size = models.PositiveBigIntegerField(_("size in bytes"), default=0)
    labels = models.JSONField(_("intents it knows"), default=list)  # Intent.code, …
    utterances = models.PositiveIntegerField(_("utterances it was trained on"), default=0)
    created_at = models.DateTimeField(_("made at"), default=timezone.now)
    # Its files were removed then, to make room; what is known of it stays.
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True)

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

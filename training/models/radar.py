"""Utterances that probably have the wrong intent, and what staff made of them."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class RadarScan(models.Model):
    """One search for wrong labels through all utterances."""

    class Status(models.TextChoices):
        QUEUED = "QUEUED", _("waiting")
        RUNNING = "RUNNING", _("running")
        DONE = "DONE", _("done")
        FAILED = "FAILED", _("failed")

    status = models.CharField(max_length=7, choices=Status, default=Status.QUEUED)
    # 1 while it waits or runs: at most one does.
    slot = models.PositiveSmallIntegerField(null=True, unique=True, editable=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    requested_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    content_version = models.PositiveBigIntegerField(default=0)  # ContentVersion.understanding
    utterances = models.PositiveIntegerField(default=0)  # that were judged
    left_out = models.PositiveIntegerField(default=0)  # of intents with too few of them
    problem = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["status", "finished_at"], name="training_radar_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class Suspect(models.Model):
    """An utterance that the others, learnt without it, give to another intent."""

    class Decision(models.TextChoices):
        OPEN = "", _("open")
        MOVED = "MOVED", _("moved")
        KEPT = "KEPT", _("kept")
        DELETED = "DELETED", _("deleted")

    scan = models.ForeignKey(RadarScan, models.CASCADE, related_name="suspects")
    rank = models.PositiveIntegerField()  # 1 is the worst
    utterance = models.PositiveBigIntegerField()  # primary key; the row may be gone
    text = models.CharField(max_length=500)
    language = models.CharField(max_length=2)
    labelled = models.CharField(max_length=40)  # Intent.code that it has
    believed = models.CharField(max_length=40)  # Intent.code that the others give it
    own_probability = models.FloatField()  # of `labelled`, 0 to 1
    believed_probability = models.FloatField()  # of `believed`, 0 to 1
    neighbours = models.JSONField(
        default=list
    )  # of `labelled`: [[text, likeness], …] nearest first
    nearest_there = models.JSONField(default=list)  # of `believed`, the same
    decision = models.CharField(max_length=7, choices=Decision, blank=True, default=Decision.OPEN)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    deleted = models.JSONField(default=dict)  # columns of a deleted utterance, to bring it back

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scan", "utterance"], name="training_suspect_once"),
        ]
        indexes = [
            # the page: open ones, worst first
            models.Index(fields=["scan", "decision", "rank"], name="training_suspects_open"),
        ]

    def __str__(self) -> str:
        return self.text


class KeptLabel(models.Model):
    """A label that somebody has looked at and kept: it is not doubted again."""

    # SHA-256 of Utterance.key and Intent.code (training.radar.label_of).
    label = models.CharField(max_length=64, unique=True)
    kept_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    kept_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.label

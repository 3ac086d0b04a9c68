"""What was found in long texts, and how far their reading is. Written by training/analysis/work.py."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from training.analysis.findings import Findings


class TextAnalysis(models.Model):
    """One text to be read, and what was found in it. Whose text it is, the caller knows."""

    class Status(models.TextChoices):
        PENDING = "PENDING", _("waits")
        RUNNING = "RUNNING", _("is being read")
        DONE = "DONE", _("read")
        FAILED = "FAILED", _("given up")

    # Primary key of the message; no foreign key, for conversations are above this app.
    message = models.BigIntegerField(_("message"), unique=True)
    characters = models.PositiveIntegerField(_("characters"))
    said_at = models.DateTimeField(_("said at"))
    is_bulk = models.BooleanField(_("asked for in bulk"), default=False)
    status = models.CharField(_("status"), max_length=7, choices=Status, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    # PENDING: when it is put into the queue (again). RUNNING: until then it belongs to `claim`.
    due_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    claim = models.UUIDField(null=True, editable=False)
    requested_at = models.DateTimeField(_("requested at"), default=timezone.now)
    started_at = models.DateTimeField(_("started at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)
    failure = models.TextField(_("why it failed"), blank=True)
    findings = models.JSONField(_("findings"), null=True)  # training.analysis.Findings.as_dict
    # Of `findings`, to search by; NULL: not known.
    mood = models.FloatField(_("mood"), null=True)  # -1 to 1
    negative = models.FloatField(_("probability that it is negative"), null=True)  # 0 to 1

    class Meta:
        verbose_name = _("long text")
        verbose_name_plural = _("long texts")
        indexes = [
            # the sweep, every few seconds
            models.Index(fields=["status", "due_at"], name="training_analysis_due"),
            # the newest of one mood
            models.Index(fields=["said_at", "mood"], name="training_analysis_mood"),
        ]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.said_at):%Y-%m-%d %H:%M} ({self.characters})"

    @property
    def found(self) -> Findings | None:
        """What was found; None while nothing is."""
        return None if self.findings is None else Findings.from_dict(self.findings)


class AnalysedIntent(models.Model):
    """An intent that a text is about, for searching."""

    analysis = models.ForeignKey(TextAnalysis, models.CASCADE, related_name="intents")
    intent = models.CharField(_("intent"), max_length=40)  # Intent.code
    probability = models.FloatField(_("probability"))  # the highest of its sentences
    said_at = models.DateTimeField(_("said at"))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["analysis", "intent"], name="training_one_row_an_intent"
            ),
        ]
        indexes = [
            # what was said about one matter, the newest first
            models.Index(fields=["intent", "said_at"], name="training_analysed_intent"),
        ]

    def __str__(self) -> str:
        return self.intent

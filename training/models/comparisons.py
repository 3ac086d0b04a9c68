"""Two contenders on the same texts: how far the reading is, and which answers differ."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from intents.models import Language
from training.models.regression import RegressionCase


class Comparison(models.Model):
    """One list of texts, answered by two contenders. Written by training/comparisons."""

    class Kind(models.TextChoices):
        SIDE_BY_SIDE = "SIDE_BY_SIDE", _("side by side")
        REPLAY = "REPLAY", _("replay")

    class Status(models.TextChoices):
        QUEUED = "QUEUED", _("queued")
        RUNNING = "RUNNING", _("running")
        DONE = "DONE", _("done")
        FAILED = "FAILED", _("failed")
        CANCELLED = "CANCELLED", _("cancelled")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    # intents.trials.Contender.key, and what it was called then.
    before = models.CharField(max_length=80)
    after = models.CharField(max_length=80)
    before_name = models.CharField(_("from"), max_length=120)
    after_name = models.CharField(_("to"), max_length=120)
    # Of customers' texts: the newest so many, or (a replay) those of a period.
    newest = models.PositiveIntegerField(_("newest customers' texts"), default=0)
    since = models.DateTimeField(_("since"), null=True)
    until = models.DateTimeField(_("until"), null=True)
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.QUEUED)
    # Distinct texts, and how often they were said; NULL until they have been gathered.
    texts = models.PositiveIntegerField(_("texts"), null=True)
    turns = models.PositiveIntegerField(_("turns"), default=0)
    read_texts = models.PositiveIntegerField(_("texts read"), default=0)
    changed_texts = models.PositiveIntegerField(_("texts with another answer"), default=0)
    changed_turns = models.PositiveIntegerField(_("turns with another answer"), default=0)
    failure = models.TextField(_("why it failed"), blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("requested by"),
    )
    created_at = models.DateTimeField(_("requested at"), default=timezone.now)
    started_at = models.DateTimeField(_("started at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)
    # Renewed with each chunk; one whose heartbeat stopped has died with its process.
    heartbeat_at = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    # 1 while it runs, else empty: one at a time (unique, NULLs are free).
    slot = models.PositiveSmallIntegerField(null=True, unique=True, editable=False)

    class Meta:
        verbose_name = _("comparison")
        verbose_name_plural = _("comparisons")
        indexes = [
            # what is to be run next, and what has died
            models.Index(fields=["status", "created_at"], name="training_comparison_status"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class ComparisonChunk(models.Model):
    """Some of the texts, read in one go: what is marked as read is never read again."""

    comparison = models.ForeignKey(Comparison, models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    # As training.comparisons.texts.Asked; emptied once they are read.
    asked = models.JSONField(default=list)
    is_read = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["comparison", "number"], name="training_one_chunk_per_number"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.comparison} {self.number}"


class ChangedAnswer(models.Model):
    """A text that the two contenders answer differently, and what a reviewer thinks of it."""

    class Origin(models.TextChoices):
        EVALUATION = "EVALUATION", _("evaluation text")
        REGRESSION = "REGRESSION", _("regression sentence")
        CUSTOMER = "CUSTOMER", _("customer")

    class Verdict(models.TextChoices):
        OPEN = "OPEN", _("not judged")
        ACCEPTED = "ACCEPTED", _("accepted")
        REJECTED = "REJECTED", _("rejected")

    comparison = models.ForeignKey(
        Comparison, models.CASCADE, related_name="changes", verbose_name=_("comparison")
    )
    number = models.PositiveIntegerField()  # among the texts of the comparison
    text = models.TextField(_("text"))  # personal data is masked
    language = models.CharField(_("language"), max_length=2, blank=True, choices=Language)
    origin = models.CharField(_("origin"), max_length=10, choices=Origin)
    times = models.PositiveIntegerField(_("times said"), default=1)
    # Intent.code that is meant, as far as somebody has said so; "" where nobody has.
    expected = models.CharField(_("intent expected"), max_length=40, blank=True)
    # What customers got then (the commonest): Intent.code; "" for texts of no customer.
    recorded = models.CharField(_("understood then"), max_length=40, blank=True)
    intent_before = models.CharField(_("intent before"), max_length=40, blank=True)
    intent_after = models.CharField(_("intent after"), max_length=40, blank=True)
    probability_before = models.FloatField(default=0)
    probability_after = models.FloatField(default=0)
    decision_before = models.CharField(_("decision before"), max_length=10)
    decision_after = models.CharField(_("decision after"), max_length=10)
    replies_before = models.JSONField(_("replies before"), default=list)
    replies_after = models.JSONField(_("replies after"), default=list)
    intent_differs = models.BooleanField(default=False)
    decision_differs = models.BooleanField(default=False)
    reply_differs = models.BooleanField(default=False)
    verdict = models.CharField(_("verdict"), max_length=8, choices=Verdict, default=Verdict.OPEN)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided at"), null=True)
    # What became of an accepted one.
    case = models.ForeignKey(RegressionCase, models.SET_NULL, null=True, related_name="+")
    # What the list said of that sentence before and after (training.gate.cases.Kept); `before` is
    # NULL where it was not on the list, both are where a former release kept it.
    case_before = models.JSONField(null=True, editable=False)
    case_after = models.JSONField(null=True, editable=False)
    # It is accepted, and its intent is in a draft only.
    awaits_intent = models.BooleanField(default=False, db_index=True)

    class Meta:
        verbose_name = _("changed answer")
        verbose_name_plural = _("changed answers")
        constraints = [
            models.UniqueConstraint(
                fields=["comparison", "number"], name="training_one_change_per_text"
            ),
        ]
        indexes = [
            # the groups of a comparison, and one group's texts, the commonest first
            models.Index(
                fields=["comparison", "intent_before", "intent_after", "-times"],
                name="training_change_groups",
            ),
        ]

    def __str__(self) -> str:
        return self.text

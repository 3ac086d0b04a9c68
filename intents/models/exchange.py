"""Files that are brought in: each row, and what became of it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class ImportJob(models.Model):
    """One file: read, checked row by row, and brought in when somebody says so."""

    class Format(models.TextChoices):
        TABLE = "table", _("table (CSV, XLSX)")
        RASA = "rasa", _("Rasa (nlu.yml)")
        DIALOGFLOW = "dialogflow", _("Dialogflow ES (zip)")

    class Status(models.TextChoices):
        CHECKING = "CHECKING", _("being checked")
        CHECKED = "CHECKED", _("checked")
        WRITING = "WRITING", _("being brought in")
        DONE = "DONE", _("brought in")
        CANCELLED = "CANCELLED", _("cancelled")
        FAILED = "FAILED", _("failed")

    name = models.CharField(_("file"), max_length=200)
    format = models.CharField(_("format"), max_length=10, choices=Format)
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.CHECKING)
    makes_intents = models.BooleanField(default=False)  # that the file names and we lack
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    heartbeat_at = models.DateTimeField(null=True)  # of the process that works on it; null: none
    rows_total = models.PositiveIntegerField(default=0)
    # What the file holds that we have no place for, in words for staff, a list of texts.
    passed_over = models.JSONField(default=list)
    problem = models.TextField(_("problem"), blank=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        indexes = [
            # the sweep that takes up what was left lying
            models.Index(fields=["status", "heartbeat_at"], name="intents_import_left"),
        ]

    def __str__(self) -> str:
        return self.name


class ImportRow(models.Model):
    """One sentence of a file, and what became of it or would become."""

    class Outcome(models.TextChoices):
        UNKNOWN = "", _("not checked yet")
        NEW = "new", _("new")
        ADDED = "added", _("added")
        THERE = "there", _("already there")
        WRONG = "wrong", _("wrong")

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()  # from 1, in the order of the file
    place = models.CharField(max_length=200)  # where it stands, in words: "row 12", "usersays_en"
    intent = models.CharField(max_length=200)  # as the file has it
    code = models.CharField(max_length=40, blank=True)  # Intent.code that it becomes
    text = models.TextField()
    language = models.CharField(max_length=20, blank=True)
    family = models.CharField(max_length=200, blank=True)
    split = models.CharField(max_length=20, blank=True)
    outcome = models.CharField(max_length=5, choices=Outcome, blank=True, default=Outcome.UNKNOWN)
    message = models.TextField(blank=True)  # what is wrong
    # What stands against it in other intents: [[kind, text, Intent.code], …] (intents.conflicts).
    hints = models.JSONField(default=list)
    has_hints = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "number"], name="intents_import_row_once"),
        ]
        indexes = [
            # the report by outcome, and the next rows to work on
            models.Index(fields=["job", "outcome", "number"], name="intents_import_rows"),
        ]

    def __str__(self) -> str:
        return f"{self.job_id}:{self.number}"

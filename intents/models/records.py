"""What the bot understood of each text, and what came of it."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class PredictionRecord(models.Model):
    """What the bot understood of one text, and what came of it; review, replay and drift read it.

    Statistics: written a moment later (intents/records.py), and forgotten after
    settings.PREDICTION_LOG_DAYS.
    """

    class Origin(models.TextChoices):
        CHAT = "CHAT", _("chat")
        API = "API", _("programs")

    class Outcome(models.TextChoices):
        ANSWERED = "ANSWERED", _("answered")
        ASKED_BACK = "ASKED_BACK", _("asked back, nothing chosen")
        CLARIFIED = "CLARIFIED", _("asked back, and one was chosen")
        HANDED_OVER = "HANDED_OVER", _("handed over")
        CORRECTED = "CORRECTED", _("corrected by an agent")

    created_at = models.DateTimeField(_("at"), default=timezone.now)
    origin = models.CharField(_("asked by"), max_length=4, choices=Origin, default=Origin.CHAT)
    # chat.Message.pk, so that a message is logged once, whoever answers it. Not a foreign key:
    # this app knows no conversations. NULL for what no customer wrote.
    message = models.BigIntegerField(null=True, unique=True, editable=False)
    # Personal data is replaced by typed placeholders before it is written here.
    text = models.TextField(_("text"))
    language = models.CharField(_("language"), max_length=2, blank=True)
    intent = models.CharField(_("intent"), max_length=40, blank=True)  # Intent.code; "" for none
    probability = models.FloatField(_("probability"), null=True)
    out_of_scope = models.FloatField(_("means none of the intents"), default=0)  # probability
    ranked = models.JSONField(_("ranked"), default=list)  # [[code, probability], …], best first
    decision = models.CharField(_("decision"), max_length=10)
    source = models.CharField(_("answered by"), max_length=12)  # model, prototypes, keywords, none
    model_version = models.CharField(_("model version"), max_length=64, blank=True)
    content_version = models.BigIntegerField(_("content version"), default=0)  # .answers
    queue_ms = models.FloatField(_("milliseconds in the queue"), default=0)
    infer_ms = models.FloatField(_("milliseconds of its batch"), default=0)
    elapsed_ms = models.FloatField(_("milliseconds"))
    cached = models.BooleanField(_("from the cache"), default=False)
    # What came of it, as far as is known; of API texts nothing is.
    outcome = models.CharField(_("outcome"), max_length=11, choices=Outcome, blank=True)
    # Intent.code that the customer chose (CLARIFIED), or an agent says was meant (CORRECTED).
    meant = models.CharField(_("meant"), max_length=40, blank=True)
    rating = models.SmallIntegerField(_("rating"), null=True)  # of the customer: 1 or -1
    # When the last of that was noted; NULL while nothing has come. The review inbox reads on here.
    changed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("prediction record")
        verbose_name_plural = _("prediction records")
        indexes = [
            # the admin's list, newest first, and retention
            models.Index(fields=["-created_at"], name="intents_record_newest"),
            # "does a log know this intent?" before a delete
            models.Index(fields=["intent"], name="intents_record_intent"),
            # what has been heard since the review inbox looked last
            models.Index(fields=["changed_at"], name="intents_record_changed"),
        ]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.created_at):%Y-%m-%d %H:%M} {self.intent or '—'}"

"""What customers want, and labelled examples of how they say it."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from intents.models.languages import Language


class Intent(models.Model):
    """One thing that customers want. Its code never changes: models and logs know it."""

    code = models.SlugField(
        _("code"),
        max_length=40,
        unique=True,
        help_text=_("Lower-case letters, digits and _; fixed once saved."),
    )
    name_zh = models.CharField(_("Chinese name"), max_length=40)
    name_en = models.CharField(_("English name"), max_length=60)
    description_zh = models.TextField(_("what belongs here (Chinese)"), blank=True)
    description_en = models.TextField(_("what belongs here (English)"), blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=1000)
    is_active = models.BooleanField(
        _("switched on"), default=True, help_text=_("Switched off, it is never answered.")
    )
    hands_over = models.BooleanField(
        _("hands over to a human"),
        default=False,
        help_text=_("After the reply the conversation waits for an agent."),
    )
    is_offered = models.BooleanField(
        _("offered in “did you mean”"),
        default=True,
        help_text=_("A button when the bot is unsure; pointless for greetings and small talk."),
    )
    # Grows by one with each save; the admin refuses to save over a newer one.
    revision = models.PositiveIntegerField(default=1, editable=False)
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("intent")
        verbose_name_plural = _("intents")

    def __str__(self) -> str:
        return f"{self.name_zh} ({self.code})"

    def name(self, language: str) -> str:
        return self.name_en if language == Language.ENGLISH else self.name_zh


class Utterance(models.Model):
    """A sentence of a customer, labelled with its intent."""

    class Split(models.TextChoices):
        TRAIN = "train", _("training")
        # Frozen: never trained on, and the yardstick of every model.
        EVALUATION = "evaluation", _("evaluation")

    class Origin(models.TextChoices):
        REVIEW = "review", _("the review inbox")

    intent = models.ForeignKey(
        Intent, models.CASCADE, related_name="utterances", verbose_name=_("intent")
    )
    text = models.CharField(_("text"), max_length=500)
    # normalize.key(text): the same sentence in two spellings is one utterance, in one intent.
    key = models.CharField(max_length=500, unique=True, editable=False)
    language = models.CharField(_("language"), max_length=2, choices=Language)
    # Paraphrases and near-duplicates share a family and stay in one split.
    family = models.CharField(_("family"), max_length=80, blank=True)
    split = models.CharField(_("split"), max_length=10, choices=Split, default=Split.TRAIN)
    created_at = models.DateTimeField(_("added at"), default=timezone.now, editable=False)
    # Empty: written or imported by staff.
    origin = models.CharField(
        _("comes from"), max_length=8, choices=Origin, blank=True, editable=False
    )
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("utterance")
        verbose_name_plural = _("utterances")
        indexes = [
            # prototypes and training read all training utterances of an intent
            models.Index(fields=["intent", "split"], name="intents_utterance_split"),
        ]

    def __str__(self) -> str:
        return self.text

"""What customers mean, what we say to it, and what we never let through.

Every change goes through intents/services.py, which moves the ContentVersion in the
same transaction: that is how every process learns of it.
"""

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from intents.decisions import Costs


class Language(models.TextChoices):
    """The languages in which customers are answered."""

    CHINESE = "zh", _("Chinese")
    ENGLISH = "en", _("English")


class Channel(models.TextChoices):
    """Where a conversation takes place; a reply may be meant for one of them."""

    ANY = "", _("any channel")
    WEB = "web", _("chat page")
    API = "api", _("programs (REST)")


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

    class Meta:
        verbose_name = _("utterance")
        verbose_name_plural = _("utterances")
        indexes = [
            # prototypes and training read all training utterances of an intent
            models.Index(fields=["intent", "split"], name="intents_utterance_split"),
        ]

    def __str__(self) -> str:
        return self.text


class Reply(models.Model):
    """One way of answering an intent; among those that fit, one is chosen at random."""

    intent = models.ForeignKey(
        Intent, models.CASCADE, related_name="replies", verbose_name=_("intent")
    )
    language = models.CharField(_("language"), max_length=2, choices=Language)
    channel = models.CharField(
        _("channel"), max_length=8, choices=Channel, default=Channel.ANY, blank=True
    )
    text = models.TextField(
        _("text"),
        max_length=2000,
        help_text=_("Variables in braces, such as {order_number}; see the list of variables."),
    )
    is_active = models.BooleanField(_("in use"), default=True)
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("reply")
        verbose_name_plural = _("replies")

    def __str__(self) -> str:
        return self.text[:60]


class Phrase(models.Model):
    """A fixed sentence of the bot: greeting, fallback, hand-over and the like."""

    class Purpose(models.TextChoices):
        GREETING = "greeting", _("greeting")
        CLARIFY = "clarify", _("asks what was meant")
        FALLBACK = "fallback", _("did not understand")
        UNSUPPORTED = "unsupported", _("neither Chinese nor English")
        NO_REPLY = "no_reply", _("the intent has no reply in this language")
        HANDED_OVER = "handed_over", _("a human has been called")
        AGENT_JOINED = "agent_joined", _("an agent has joined")
        HANDED_BACK = "handed_back", _("the bot answers again")
        CLOSED = "closed", _("the conversation has ended")
        RECALLED = "recalled", _("an agent has taken a message back")
        FILES_ONLY = "files_only", _("a picture or file without a word")

    purpose = models.CharField(_("purpose"), max_length=20, choices=Purpose)
    language = models.CharField(_("language"), max_length=2, choices=Language)
    text = models.TextField(_("text"), max_length=1000)
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("phrase of the bot")
        verbose_name_plural = _("phrases of the bot")
        constraints = [
            models.UniqueConstraint(
                fields=["purpose", "language"], name="intents_one_phrase_per_purpose"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} ({self.language})"


class SuggestedQuestion(models.Model):
    """A question offered to a customer who has not asked one yet."""

    language = models.CharField(_("language"), max_length=2, choices=Language)
    text = models.CharField(_("text"), max_length=80)
    position = models.PositiveSmallIntegerField(_("position"), default=100)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("suggested question")
        verbose_name_plural = _("suggested questions")

    def __str__(self) -> str:
        return self.text


class SensitiveWord(models.Model):
    """A word that is starred out before anything else sees a text."""

    word = models.CharField(_("word"), max_length=60, unique=True)
    category = models.CharField(_("category"), max_length=40, blank=True)
    is_active = models.BooleanField(_("in use"), default=True)
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("sensitive word")
        verbose_name_plural = _("sensitive words")

    def __str__(self) -> str:
        return self.word


class AllowedPhrase(models.Model):
    """An innocent phrase that holds a sensitive word (大麻烦 holds 大麻) and stays readable."""

    text = models.CharField(_("phrase"), max_length=60, unique=True)
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("allowed phrase")
        verbose_name_plural = _("allowed phrases")

    def __str__(self) -> str:
        return self.text


# A wrong answer that is worse than a hundred hand-overs means a bot that never answers.
COST_MOST = 100.0
_USUAL = Costs()


def _cost(label: Any, **options: Any) -> Any:
    return models.FloatField(
        label, validators=[MinValueValidator(0.0), MaxValueValidator(COST_MOST)], **options
    )


class DecisionCosts(models.Model):
    """What outcomes cost, one row; the bot decides so that the expected cost is least."""

    wrong_answer = _cost(_("a wrong answer"), default=_USUAL.wrong_answer)
    clarification = _cost(_("asking what was meant"), default=_USUAL.clarification)
    hand_over = _cost(_("handing over to a human"), default=_USUAL.hand_over)
    missed = _cost(_("answering what is none of our topics"), default=_USUAL.missed)
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("costs of decisions")
        verbose_name_plural = _("costs of decisions")

    def __str__(self) -> str:
        return f"{self.wrong_answer:g} / {self.clarification:g} / {self.hand_over:g}"

    def as_costs(self) -> Costs:
        return Costs(self.wrong_answer, self.clarification, self.hand_over, self.missed)


class IntentCosts(models.Model):
    """What differs for one intent when it is the likeliest; empty fields are as for all."""

    intent = models.OneToOneField(
        Intent, models.CASCADE, related_name="costs", verbose_name=_("intent")
    )
    wrong_answer = _cost(_("a wrong answer"), null=True, blank=True)
    clarification = _cost(_("asking what was meant"), null=True, blank=True)
    hand_over = _cost(_("handing over to a human"), null=True, blank=True)
    missed = _cost(_("answering what is none of our topics"), null=True, blank=True)
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("costs of an intent")
        verbose_name_plural = _("costs of intents")

    def __str__(self) -> str:
        return str(self.intent)

    def over(self, costs: Costs) -> Costs:
        """Return these costs with what differs for the intent."""
        own = {
            name: value
            for name in ("wrong_answer", "clarification", "hand_over", "missed")
            if (value := getattr(self, name)) is not None
        }
        return replace(costs, **own)


class ContentVersion(models.Model):
    """One row that moves with every change of content, in the same transaction.

    `answers` moves with anything that changes what is said or let through;
    `understanding` only with utterances and intents, on which prototypes depend.
    """

    answers = models.PositiveBigIntegerField(default=1)
    understanding = models.PositiveBigIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.answers}/{self.understanding}"


class Embedding(models.Model):
    """The base encoder's vector of one text, kept so that no process computes it twice."""

    encoder = models.CharField(max_length=64)  # hash of the encoder
    key = models.CharField(max_length=64)  # SHA-256 of the text as it was embedded
    vector = models.BinaryField()  # float16, little endian, unit length

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["encoder", "key"], name="intents_embedded_once"),
        ]

    def __str__(self) -> str:
        return self.key


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

    class Meta:
        verbose_name = _("prediction record")
        verbose_name_plural = _("prediction records")
        indexes = [
            # the admin's list, newest first, and retention
            models.Index(fields=["-created_at"], name="intents_record_newest"),
            # "does a log know this intent?" before a delete
            models.Index(fields=["intent"], name="intents_record_intent"),
        ]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.created_at):%Y-%m-%d %H:%M} {self.intent or '—'}"


class ReviewCandidate(models.Model):
    """What a customer said and a colleague's word on what was meant, for reviewers to look at.

    Written by intents/review.py. No model learns from it until a reviewer has said so.
    """

    class Verdict(models.TextChoices):
        CONFIRMED = "CONFIRMED", _("confirmed: the suggestion was sent as it was")
        EDITED = "EDITED", _("confirmed: the suggestion was edited and sent")
        CORRECTED = "CORRECTED", _("another intent was chosen")
        DISMISSED = "DISMISSED", _("the suggestion was dismissed")

    class Status(models.TextChoices):
        NEW = "NEW", _("not reviewed")

    # chat.Message.pk: one candidate a message. Not a foreign key: this app knows no conversations.
    message = models.BigIntegerField(unique=True, editable=False)
    # Personal data is replaced by typed placeholders before it is written here.
    text = models.TextField(_("text"))
    language = models.CharField(_("language"), max_length=2, blank=True)
    predicted = models.CharField(_("predicted intent"), max_length=40, blank=True)  # Intent.code
    probability = models.FloatField(_("probability"), null=True)
    model_version = models.CharField(_("model version"), max_length=64, blank=True)
    meant = models.CharField(_("meant"), max_length=40, blank=True)  # Intent.code
    verdict = models.CharField(_("verdict"), max_length=9, choices=Verdict)
    reply = models.TextField(_("suggested reply"), blank=True)  # with its variables
    edited_reply = models.TextField(_("reply as it was sent"), blank=True)
    similarity = models.FloatField(_("similarity of the two"), null=True)  # 0 to 1
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided at"))
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.NEW)

    class Meta:
        verbose_name = _("review candidate")
        verbose_name_plural = _("review candidates")
        indexes = [
            # the inbox, newest first
            models.Index(fields=["status", "-decided_at"], name="intents_review_inbox"),
        ]

    def __str__(self) -> str:
        return f"{self.predicted or '—'} → {self.meant or '—'}"


class LiveIntent(models.Model):
    """How well an intent is understood by examples that the model in service has not learnt.

    Written as a whole by the engine whenever content or model have changed; without a model
    all intents are here. Not a foreign key: a row says something about one content version.
    """

    intent = models.CharField(_("intent"), max_length=40, unique=True)  # Intent.code
    is_trained = models.BooleanField(_("the model knows the intent"))
    utterances = models.PositiveIntegerField(_("new utterances"))
    judged = models.PositiveIntegerField(_("taken away in turn"))  # the newest of them
    found = models.PositiveIntegerField(_("found again"))  # recognised by those that were left
    # [[Intent.code, times], …], most first: what those were taken for that were not found.
    confused_with = models.JSONField(_("confused with"), default=list)
    content_version = models.BigIntegerField(_("content version"))
    model_version = models.CharField(_("model version"), max_length=64, blank=True)
    measured_at = models.DateTimeField(_("measured at"))

    class Meta:
        verbose_name = _("intent that lives on examples")
        verbose_name_plural = _("intents that live on examples")

    def __str__(self) -> str:
        return self.intent

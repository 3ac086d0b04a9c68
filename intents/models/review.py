"""What reviewers look at before a model learns from it, and what they decided."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


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
        REVIEWED = "REVIEWED", _("reviewed")

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


class ReviewDecision(models.Model):
    """What somebody decided about one or more sentences of the inbox, and what came of it.

    Kept when the sentences are forgotten with the log: then it no longer says which they were.
    """

    class Kind(models.TextChoices):
        ACCEPTED = "ACCEPTED", _("accepted: what the bot or an agent said")
        MOVED = "MOVED", _("moved to another intent")
        NEW_INTENT = "NEW_INTENT", _("made a new intent")
        OUT_OF_SCOPE = "OUT_OF_SCOPE", _("none of our topics")
        IGNORED = "IGNORED", _("ignored")

    kind = models.CharField(_("decision"), max_length=12, choices=Kind)
    intent = models.CharField(_("intent"), max_length=40, blank=True)  # Intent.code
    sentences = models.PositiveIntegerField(_("sentences"), default=1)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("decided by")
    )
    at = models.DateTimeField(_("decided at"))
    # What came of it, as primary keys, for undo: {"added": [utterance, …],
    # "moved": [[utterance, its intent before], …], "intent": a new one, "draft": its edits}.
    came_of = models.JSONField(_("what came of it"), default=dict)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("undone by"),
    )
    undone_at = models.DateTimeField(_("undone at"), null=True)

    class Meta:
        verbose_name = _("review decision")
        verbose_name_plural = _("review decisions")
        indexes = [
            # the latest of one person, for undo
            models.Index(fields=["by", "-at"], name="intents_decision_latest"),
            # the admin's list
            models.Index(fields=["-at"], name="intents_decision_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.intent}".strip()


class ReviewCluster(models.Model):
    """Sentences of the inbox that mean much the same. Its key stays as long as it has any."""

    # Sum of its sentences' vectors by the frozen encoder `encoder`, float32, little endian.
    encoder = models.CharField(max_length=64)
    total = models.BinaryField()
    members = models.PositiveIntegerField()  # in the sum: also those that are decided
    # Of what is open in it, counted anew with each change:
    open_items = models.PositiveIntegerField(_("sentences"), default=0)
    messages = models.PositiveIntegerField(_("messages"), default=0)
    handed_over = models.PositiveIntegerField(_("handed over"), default=0)
    priority = models.PositiveBigIntegerField(_("priority"), default=0)
    changed_at = models.DateTimeField(_("changed at"))

    class Meta:
        verbose_name = _("cluster of sentences")
        verbose_name_plural = _("clusters of sentences")
        indexes = [
            models.Index(fields=["-priority", "id"], name="intents_cluster_first"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} ({self.open_items})"


class ReviewItem(models.Model):
    """One sentence, however often and in whichever spelling customers wrote it."""

    class Status(models.TextChoices):
        OPEN = "OPEN", _("to be decided")
        DECIDED = "DECIDED", _("decided")

    # normalize.key(text), as of an utterance: the same sentence has the same key in both.
    key = models.CharField(max_length=500, unique=True, editable=False)
    text = models.TextField(_("text"))  # personal data is replaced, as in the log
    language = models.CharField(_("language"), max_length=2)
    status = models.CharField(_("status"), max_length=7, choices=Status, default=Status.OPEN)
    messages = models.PositiveIntegerField(_("messages"), default=0)
    handed_over = models.PositiveIntegerField(_("handed over"), default=0)
    # Sum over its messages of how likely each was misunderstood, in 1/reasons.UNIT.
    priority = models.PositiveBigIntegerField(_("priority"), default=0)
    reasons = models.JSONField(_("why it is here"), default=dict)  # {"asked_back": 3, …}
    votes = models.JSONField(_("what was meant"), default=dict)  # {"agent:refund": 2, …}
    # Of its latest message: what the bot took it for.
    ranked = models.JSONField(_("ranked"), default=list)  # [[Intent.code, probability], …]
    out_of_scope = models.FloatField(_("means none of the intents"), default=0)
    model_version = models.CharField(_("model version"), max_length=64, blank=True)
    first_at = models.DateTimeField(_("first"))
    last_at = models.DateTimeField(_("last"))
    cluster = models.ForeignKey(ReviewCluster, models.SET_NULL, null=True, related_name="items")
    typicality = models.FloatField(null=True)  # cosine to the middle of its cluster
    # A lease: until then nobody else gets it. Without a holder nobody does (skipped).
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    claimed_until = models.DateTimeField(null=True)
    decision = models.ForeignKey(ReviewDecision, models.SET_NULL, null=True, related_name="items")

    class Meta:
        verbose_name = _("sentence to review")
        verbose_name_plural = _("sentences to review")
        indexes = [
            # the next one for somebody
            models.Index(fields=["status", "-priority", "id"], name="intents_item_next"),
            # the most typical ones of a cluster
            models.Index(fields=["cluster", "status", "-typicality"], name="intents_item_typical"),
            # retention
            models.Index(fields=["last_at"], name="intents_item_last"),
        ]

    def __str__(self) -> str:
        return self.text[:60]


class ReviewSighting(models.Model):
    """That one message brought a sentence in, and what it added to it; each message once."""

    message = models.BigIntegerField(unique=True)  # chat.Message.pk
    item = models.ForeignKey(ReviewItem, models.CASCADE, related_name="sightings")
    at = models.DateTimeField()
    reasons = models.PositiveSmallIntegerField()  # reasons.Reason
    wrongness = models.PositiveSmallIntegerField()  # in 1/reasons.UNIT
    meant = models.CharField(max_length=40, blank=True)  # Intent.code

    class Meta:
        indexes = [models.Index(fields=["at"], name="intents_sighting_at")]  # retention

    def __str__(self) -> str:
        return str(self.message)


class ReviewProgress(models.Model):
    """How far the log and the agents' words have been read into the inbox; one row."""

    record = models.BigIntegerField(default=0)  # PredictionRecord.pk
    changed_at = models.DateTimeField(null=True)  # PredictionRecord.changed_at
    candidate_at = models.DateTimeField(null=True)  # ReviewCandidate.decided_at
    clustering_until = models.DateTimeField(null=True)  # a lease: one process at a time

    def __str__(self) -> str:
        return str(self.record)

"""Changes of content that wait: written, read by a second person, published together."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


def _person(label: Any, name: str = "+") -> Any:
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name=name,
        verbose_name=label,
    )


class Draft(models.Model):
    """Proposed edits that touch nothing until they are published, all of them or none.

    Written by intents/drafts, whose conditional UPDATEs of `status` settle every race.
    """

    class Status(models.TextChoices):
        OPEN = "OPEN", _("being written")
        IN_REVIEW = "IN_REVIEW", _("in review")
        APPROVED = "APPROVED", _("approved")
        SCHEDULED = "SCHEDULED", _("scheduled")
        PUBLISHED = "PUBLISHED", _("published")
        REJECTED = "REJECTED", _("rejected")
        WITHDRAWN = "WITHDRAWN", _("withdrawn")
        TAKEN_BACK = "TAKEN_BACK", _("taken back")  # was published until then

    title = models.CharField(_("title"), max_length=80)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.OPEN)
    author = _person(_("author"), "drafts")
    reviewer = _person(_("reviewer"))  # who approved or rejected it
    publisher = _person(_("publisher"))  # who published it, or said when that is to be done
    comment = models.TextField(_("comment of the reviewer"), blank=True, max_length=1000)
    # Why the clock did not do what it was told; shown until somebody acts.
    problem = models.TextField(_("problem"), blank=True)
    created_at = models.DateTimeField(_("begun at"), default=timezone.now)
    changed_at = models.DateTimeField(_("changed at"), default=timezone.now)
    submitted_at = models.DateTimeField(_("submitted at"), null=True, blank=True)
    reviewed_at = models.DateTimeField(_("reviewed at"), null=True, blank=True)
    publish_at = models.DateTimeField(_("publish at"), null=True, blank=True)
    expires_at = models.DateTimeField(_("take back at"), null=True, blank=True)
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)
    taken_back_at = models.DateTimeField(_("taken back at"), null=True, blank=True)

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        permissions = [
            ("review_draft", _("Can approve and reject drafts")),
            ("publish_draft", _("Can publish drafts")),
            ("publish_directly", _("Can change content without a second person")),
        ]
        indexes = [
            # what the clock has to do, the list of those that wait, one person's open drafts
            models.Index(fields=["status", "publish_at"], name="intents_draft_due"),
            models.Index(fields=["status", "expires_at"], name="intents_draft_expires"),
        ]

    def __str__(self) -> str:
        return self.title


class DraftEdit(models.Model):
    """One row of content as it is to be, or that is to go."""

    class Kind(models.TextChoices):
        INTENT = "intent", _("intent")
        REPLY = "reply", _("reply")
        UTTERANCE = "utterance", _("utterance")
        QUESTION = "question", _("suggested question")
        PHRASE = "phrase", _("phrase of the bot")

    class Action(models.TextChoices):
        SAVE = "save", _("save")
        DELETE = "delete", _("delete")

    draft = models.ForeignKey(Draft, models.CASCADE, related_name="edits", verbose_name=_("draft"))
    # What it is about: "intent:CODE", "reply:PK"; of something new "reply:+…", "utterance:+…".
    key = models.CharField(max_length=80)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    action = models.CharField(_("action"), max_length=6, choices=Action, default=Action.SAVE)
    # Intent.code, also of an intent that the same draft makes; "" for what belongs to none.
    intent = models.CharField(_("intent"), max_length=40, blank=True)
    target = models.BigIntegerField(null=True, blank=True)  # primary key; NULL until it is made
    # {field: value} that is to be: of something new all fields, else those that change. An
    # intent that a row belongs to is named by its code.
    values = models.JSONField(default=dict)
    # All fields as they were live when the edit was begun; NULL for something new. What is live
    # now and differs in a field of `values` is a conflict.
    base = models.JSONField(null=True, blank=True)
    # What publishing found and left: [row before or null, row after or null]; to take it back by.
    published = models.JSONField(null=True, blank=True)
    outcome = models.TextField(_("outcome"), blank=True)  # why it could not be taken back
    editor = _person(_("editor"))
    edited_at = models.DateTimeField(_("edited at"), default=timezone.now)

    class Meta:
        verbose_name = _("edit of a draft")
        verbose_name_plural = _("edits of drafts")
        constraints = [
            models.UniqueConstraint(fields=["draft", "key"], name="intents_draft_edits_once"),
        ]
        indexes = [
            # "is being changed in the draft …" on the pages of intents and replies
            models.Index(fields=["intent"], name="intents_draftedit_intent"),
            models.Index(fields=["kind", "target"], name="intents_draftedit_target"),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.key}"

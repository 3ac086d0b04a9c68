"""Files that customers and agents send along with their messages.

The rows only: what a file may be, and where it lies, is for chat/attachments/.
"""

import secrets
import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.models.messages import Message


def random_key() -> str:
    """Return a name for the storage that tells nothing and that nobody guesses (128 bits)."""
    return secrets.token_hex(16)


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    """Reads, named for the person who asks."""

    def unsent_of(self, *, uid: str = "", agent_id: int | None = None) -> "AttachmentQuerySet":
        """What a customer, or an agent, has uploaded and not sent yet."""
        whose = {"agent": agent_id} if agent_id is not None else {"agent": None, "uid": uid}
        return self.filter(message=None, **whose)


class Attachment(models.Model):
    """One uploaded file. Until it is sent it belongs to no message, and only its uploader sees it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    message = models.ForeignKey(
        Message,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="attachments",
        verbose_name=_("message"),
    )
    position = models.PositiveSmallIntegerField(default=0, editable=False)  # in its message
    # Who uploaded it: a customer's or visitor's uid, or an agent.
    uid = models.CharField(_("uid"), max_length=64, blank=True)
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("agent"),
    )
    name = models.CharField(_("name"), max_length=120)  # for people; no path is made of it
    content_type = models.CharField(_("type"), max_length=100)  # by content
    size = models.PositiveIntegerField(_("size in bytes"))  # as stored
    sha256 = models.CharField(max_length=64)  # of what is stored, hexadecimal
    width = models.PositiveIntegerField(_("width in pixels"), null=True, blank=True)
    height = models.PositiveIntegerField(_("height in pixels"), null=True, blank=True)
    key = models.CharField(max_length=32, unique=True, default=random_key, editable=False)
    created_at = models.DateTimeField(_("uploaded at"), default=timezone.now)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ["position", "created_at", "id"]
        indexes = [
            # unsent_of(): at each upload; the sweep of what was never sent
            models.Index(fields=["message", "created_at"], name="chat_attachments_unsent"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_image(self) -> bool:
        return self.width is not None

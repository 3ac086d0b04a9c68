"""Who gets which file. To somebody who may not have it, it does not exist."""

import logging
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from chat.attachments import storage
from chat.models import Attachment
from csplatform.errors import Refusal

logger = logging.getLogger(__name__)


class NoSuchAttachment(Refusal):
    code = "no_such_attachment"
    status = 404
    detail = _("There is no such file.")


def for_customer(attachment_id: UUID, *, uid: str) -> Attachment:
    """Return a file of the customer's own conversations, or one that he has not sent yet.

    Raises:
        NoSuchAttachment: It does not exist, is somebody else's, or was taken back.
    """
    found = _all().filter(pk=attachment_id).first()
    if found is None:
        raise NoSuchAttachment
    if found.message is None:
        is_his = found.agent_id is None and found.uid == uid
    else:
        is_his = found.message.conversation.uid == uid and not found.message.recalled_at
    if not is_his:
        raise NoSuchAttachment
    return found


def for_agent(attachment_id: UUID, *, agent_id: int, is_supervisor: bool) -> Attachment:
    """Return a file of any conversation, or one that this agent has not sent yet.

    The caller has checked the role. What an agent took back is left to supervisors.

    Raises:
        NoSuchAttachment: It does not exist, was taken back, or was not sent by somebody else.
    """
    found = _all().filter(pk=attachment_id).first()
    if found is None:
        raise NoSuchAttachment
    if found.message is None:
        may = found.agent_id == agent_id
    else:
        may = is_supervisor or not found.message.recalled_at
    if not may:
        raise NoSuchAttachment
    return found


def content(attachment: Attachment, *, thumbnail: bool) -> bytes:
    """Return what is in a file, or in its small copy.

    Raises:
        NoSuchAttachment: It has no small copy, or the storage has lost it.
    """
    if thumbnail and not attachment.is_image:
        raise NoSuchAttachment
    path = storage.thumbnail_path_of(attachment) if thumbnail else storage.path_of(attachment)
    try:
        return storage.read(path)
    except FileNotFoundError:
        logger.exception("The storage has lost attachment %s", attachment.pk)
        raise NoSuchAttachment from None


def _all() -> QuerySet[Attachment]:
    return Attachment.objects.select_related("message__conversation", "message__recall")

"""Files on their way in: checked, stored, and bound to the message that they go with."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import BinaryIO, cast
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.db import transaction
from django.db.models import Case, QuerySet, Value, When
from django.utils.translation import gettext_lazy as _

from chat.attachments import images, kinds, scanning, storage
from chat.attachments.reading import NoSuchAttachment
from chat.models import Attachment, Message
from csplatform.errors import Refusal

MOST_PER_MESSAGE = 10
# What was uploaded and not sent is forgotten.
_UNSENT_FOR = timedelta(days=1)
_SWEPT_AT_ONCE = 1000


class FileTooLarge(Refusal):
    code = "file_too_large"
    status = 413

    def __init__(self) -> None:
        most = settings.ATTACHMENT_MAX_MB
        super().__init__(_("This file is too large: at most %(most)s MB.") % {"most": f"{most:g}"})


class TooManyFiles(Refusal):
    code = "too_many_files"
    status = 409
    detail = _("Too many files are not sent yet: send some, or remove some.")


def most_bytes() -> int:
    """Return the size of the largest file that is taken."""
    return int(settings.ATTACHMENT_MAX_MB * 1_000_000)


def upload(*, file: File, now: datetime, uid: str = "", agent_id: int | None = None) -> Attachment:
    """Check and store a file of a customer (`uid`) or of an agent; it is sent later.

    Reads and decodes for up to a second: not for a coroutine.

    Raises:
        FileTooLarge, TooManyPixels, FileType, FileBroken, FileInfected: It is not stored.
        TooManyFiles: He has so many that are not sent yet. Of several uploads at the same moment
            a few more may get through.
    """
    if (file.size or 0) > most_bytes():
        raise FileTooLarge
    unsent = Attachment.objects.unsent_of(uid=uid, agent_id=agent_id)
    if unsent.count() >= settings.ATTACHMENT_UNSENT_MAX:
        raise TooManyFiles
    content = cast(BinaryIO, file)  # a File has all that is used of one
    kind = kinds.recognise(content)
    name = kinds.name_of(file.name or "", kind)
    scanning.check(content, name=name, content_type=kind.content_type)
    attachment = Attachment(
        uid=uid, agent_id=agent_id, name=name, content_type=kind.content_type, created_at=now
    )
    stored, thumbnail = file, None
    if kind.is_image:
        picture = images.remade(content, kind)
        stored, thumbnail = ContentFile(picture.data), ContentFile(picture.thumbnail)
        attachment.width, attachment.height = picture.width, picture.height
    digest = hashlib.sha256()
    for chunk in stored.chunks():
        digest.update(chunk)
    attachment.size, attachment.sha256 = stored.size, digest.hexdigest()
    stored.seek(0)
    storage.save(attachment, stored, thumbnail)
    try:
        attachment.save(force_insert=True)
    except BaseException:
        storage.remove(attachment)
        raise
    return attachment


def bind(
    message: Message, attachment_ids: Sequence[UUID], *, uid: str = "", agent_id: int | None = None
) -> None:
    """Have files go with a message, which the caller's transaction has just stored.

    Raises:
        NoSuchAttachment: One of them is not his, was sent before, or is forgotten by now. The
            caller lets the transaction fail: then the message is not stored either.
    """
    unsent = Attachment.objects.unsent_of(uid=uid, agent_id=agent_id).filter(pk__in=attachment_ids)
    order = [When(pk=pk, then=Value(place)) for place, pk in enumerate(attachment_ids)]
    # One UPDATE: of two messages with the same file at once, the other finds it taken.
    bound = unsent.update(message=message, position=Case(*order))
    if bound != len(set(attachment_ids)):
        raise NoSuchAttachment


def withdraw(attachment_id: UUID, *, uid: str = "", agent_id: int | None = None) -> None:
    """Delete a file that was not sent yet.

    Raises:
        NoSuchAttachment: It is not his, or was sent.
    """
    unsent = Attachment.objects.unsent_of(uid=uid, agent_id=agent_id)
    if not _deleted(unsent, attachment_id):
        raise NoSuchAttachment


def forget_unsent(*, now: datetime) -> int:
    """Delete what was uploaded a day ago and not sent since.

    Returns:
        How many files those were.
    """
    unsent = Attachment.objects.filter(message=None, created_at__lt=now - _UNSENT_FOR)
    found = list(unsent.values_list("pk", flat=True)[:_SWEPT_AT_ONCE])
    return sum(_deleted(unsent, pk) for pk in found)


@transaction.atomic
def _deleted(unsent: QuerySet[Attachment], attachment_id: UUID) -> bool:
    """Delete one of these; False when it was sent in the meantime."""
    locked = unsent.select_for_update().filter(pk=attachment_id).first()
    if locked is None:
        return False
    locked.delete()  # and its file: deletion.py
    return True

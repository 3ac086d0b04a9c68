"""A file goes with its row, whoever deletes that: the sweep, or a conversation that is erased."""

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from chat.attachments import storage
from chat.models import Attachment


@receiver(post_delete, sender=Attachment)
def remove_file(instance: Attachment, **kwargs: Any) -> None:
    # After the commit: a row that is back after a rollback still has its file.
    transaction.on_commit(partial(storage.remove, instance), robust=True)

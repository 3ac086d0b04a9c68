"""What was found in messages goes with their conversation, whoever erases that."""

from typing import Any

from django.db.models.signals import pre_delete
from django.dispatch import receiver

from chat.models import Conversation
from training.analysis import work


@receiver(pre_delete, sender=Conversation)
def forget_findings(instance: Conversation, **kwargs: Any) -> None:
    work.forget(instance.messages.values_list("pk", flat=True))

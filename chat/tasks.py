"""Background work: load nothing, decide nothing, make one call."""

import logging
from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from chat import dialogue
from chat.models import Message

logger = logging.getLogger(__name__)

# One sweep; the next one is two seconds away.
_MOST_PER_SWEEP = 50


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def answer_overdue(**_newer: object) -> None:
    """Answer customer messages that a killed or stuck web process left without an answer.

    Each once, however often this runs and whoever else is answering: that is settled in
    services.post_answer. A message that cannot be answered does not hold up the others.
    `**_newer` lets a worker of this release take a task that the next one sent.
    """
    overdue = timezone.now() - timedelta(seconds=settings.CHAT_ANSWER_OVERDUE_S)
    messages = Message.objects.unanswered_before(overdue).values_list("pk", flat=True)
    for message_id in list(messages[:_MOST_PER_SWEEP]):
        try:
            dialogue.answer_blocking(message_id)
        except Exception:
            logger.exception(
                "Message %s could not be answered, the next sweep tries again", message_id
            )

"""Having the texts of whole conversations read, when there is time."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from chat.models import Message
from training.analysis import work

_TOGETHER = 200


def ask_for(conversations: Sequence[UUID], *, now: datetime) -> int:
    """Have all that customers said in some conversations read, of whatever length.

    Safe to repeat: what is read, or asked for, already stays as it is. The rows are the progress,
    so a restart goes on where it was.

    Returns:
        How many messages are new.
    """
    new = 0
    for first in range(0, len(conversations), _TOGETHER):
        some = conversations[first : first + _TOGETHER]
        said = Message.objects.filter(conversation__in=some, sender=Message.Sender.CUSTOMER)
        lines = said.exclude(text="").order_by("pk").values_list("pk", "text", "sent_at")
        new += work.request_many(((pk, len(text), at) for pk, text, at in lines), now=now)
    return new

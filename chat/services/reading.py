"""Read marks: how far each side has read. They only ever move on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from chat import access, events
from chat.models import Conversation, Message
from chat.services.conversations import Status


@dataclass(frozen=True, slots=True)
class Unread:
    """What waits for a customer who comes."""

    conversation: Conversation | None  # that he would find on his screen
    count: int  # of its lines


def unread_of_customer(
    *, uid: str, now: datetime, seen_in: UUID | None = None, seen_seq: int = 0
) -> Unread:
    """Count the lines of others that a customer has not had on a screen. Three queries at most.

    Args:
        seen_in: The conversation that his browser showed last; None where it does not know.
        seen_seq: The seq up to which it did. Of a conversation that it has not shown only the
            agents' lines count: of them alone the server has marks.
    """
    conversation = access.shown_to(uid, now)
    if conversation is None:
        return Unread(None, 0)
    upto = conversation.customer_read_seq
    lines = conversation.messages.filter(recalls=None, recall=None)
    if conversation.pk == seen_in:
        upto = max(upto, seen_seq)
        lines = lines.exclude(sender=Message.Sender.CUSTOMER)
    else:
        lines = lines.filter(sender=Message.Sender.AGENT)
    is_all_read = conversation.last_seq <= upto  # what most find
    return Unread(conversation, 0 if is_all_read else lines.filter(seq__gt=upto).count())


def read_by_customer(*, uid: str, conversation_id: UUID, seq: int) -> bool:
    """Note that the customer had all lines up to `seq` on his screen.

    Returns:
        False when that was known, or there is no such line yet: nothing was changed.

    Raises:
        NoSuchConversation: It does not exist, or is somebody else's.
    """
    access.of_customer(uid, conversation_id)
    return _moved("customer_read_seq", seq, pk=conversation_id, uid=uid)


def read_by_agent(*, agent_id: int, conversation_id: UUID, seq: int) -> bool:
    """Note the same of an agent; of the one who has it only: customers trust the mark.

    Returns:
        False also when he does not have it.
    """
    mine = {"pk": conversation_id, "status": Status.AGENT, "agent_id": agent_id}
    return _moved("agent_read_seq", seq, **mine)


def _moved(mark: str, seq: int, **which: Any) -> bool:
    """Move a mark in one UPDATE: of two tabs, the one that is further wins."""
    reached = Conversation.objects.filter(last_seq__gte=seq, **which)
    with transaction.atomic():
        if not reached.filter(**{f"{mark}__lt": seq}).update(**{mark: seq}):
            return False
        newest, status = reached.values_list("last_seq", "status").get()
        events.publish_on_commit(
            events.ReadMarkMoved(conversation_id=which["pk"], seq=newest, status=status)
        )
    return True

"""Read marks: how far each side has read. They only ever move on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q

from chat import access, events
from chat.models import Conversation, Message
from chat.services.conversations import Status


@dataclass(frozen=True, slots=True)
class Unread:
    """What waits for a customer who comes."""

    conversation: Conversation | None  # that he would find on his screen
    count: int  # of its lines
    awaits_answer: bool  # the bot owes him one, which may come at any moment


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
        return Unread(None, 0, awaits_answer=False)
    upto = conversation.customer_read_seq
    whose = Q(sender=Message.Sender.AGENT)
    if conversation.pk == seen_in:
        upto = max(upto, seen_seq)
        whose = ~Q(sender=Message.Sender.CUSTOMER)
    is_all_read = conversation.last_seq <= upto
    if is_all_read and conversation.status == Status.CLOSED:  # what most find
        return Unread(conversation, 0, awaits_answer=False)
    found = conversation.messages.aggregate(
        unread=Count("pk", filter=whose & Q(seq__gt=upto, recalls=None, recall=None)),
        owed=Count("pk", filter=Q(awaits_answer=True)),
    )
    return Unread(conversation, found["unread"], awaits_answer=found["owed"] > 0)


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

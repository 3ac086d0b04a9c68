"""The end of a conversation."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from chat.models import Assignment, Conversation, Message
from chat.services import leases
from chat.services.conversations import Status, change_status, locked, owe_nothing, say
from chat.services.handover import NotYours
from intents.models import Phrase

# Of one sweep; the next one is a minute away.
MOST_PER_SWEEP = 200


def close(*, conversation_id: UUID, agent_id: int, now: datetime) -> None:
    """End a conversation: the agent's own, or one that no agent has. Ended ones stay ended.

    The customer's next message opens a new one.

    Raises:
        NotYours: Another agent has it.
        NoSuchConversation: It does not exist.
    """
    with transaction.atomic():
        conversation = locked(conversation_id)
        if conversation.status == Status.CLOSED:
            return
        if conversation.status == Status.AGENT and conversation.agent_id != agent_id:
            raise NotYours
        end(conversation, now=now)


def end(conversation: Conversation, *, now: datetime) -> None:
    """End a locked conversation and say so in it."""
    owe_nothing(conversation)
    leases.end(conversation, Assignment.Ended.CLOSED, now=now)
    leases.give_up_waiting(conversation, now=now)
    conversation.open_for = None
    conversation.save(update_fields=["open_for"])
    change_status(conversation, Status.CLOSED, now=now)
    say(conversation, Phrase.Purpose.CLOSED, now=now)


def close_idle(*, before: datetime, now: datetime) -> int:
    """Close conversations with the bot in which nobody has said anything since `before`.

    Nothing is said in them: the customer's next message goes on where he was.

    Returns:
        How many were closed; at most MOST_PER_SWEEP.
    """
    idle = _idle(before).order_by("changed_at").values_list("pk", flat=True)
    return sum(_close_idle(pk, before=before, now=now) for pk in list(idle[:MOST_PER_SWEEP]))


def _idle(before: datetime) -> QuerySet[Conversation]:
    later = Message.objects.filter(conversation=OuterRef("pk"), sent_at__gte=before)
    return Conversation.objects.filter(~Exists(later), status=Status.BOT, changed_at__lt=before)


@transaction.atomic
def _close_idle(conversation_id: UUID, *, before: datetime, now: datetime) -> bool:
    conversation = locked(conversation_id)
    if not _idle(before).filter(pk=conversation_id).exists():
        return False  # somebody has spoken meanwhile
    owe_nothing(conversation)
    conversation.open_for, conversation.reopens_for = None, conversation.uid
    conversation.save(update_fields=["open_for", "reopens_for"])
    change_status(conversation, Status.CLOSED, now=now)
    return True

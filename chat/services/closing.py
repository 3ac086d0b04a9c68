"""The end of a conversation."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from chat.models import Conversation
from chat.services.conversations import Status, change_status, locked, owe_nothing, say
from chat.services.handover import NotYours
from intents.models import Phrase


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
    conversation.open_for = None
    conversation.save(update_fields=["open_for"])
    change_status(conversation, Status.CLOSED, now=now)
    say(conversation, Phrase.Purpose.CLOSED, now=now)

"""Between the bot and people: ask for a human, take over, hand back."""

from datetime import datetime
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from chat import access
from chat.models import Conversation
from chat.services.conversations import (
    ConversationClosed,
    Status,
    change_status,
    locked,
    open_conversation,
    owe_nothing,
    publish_status,
    say,
)
from chat.sockets import name_of
from csplatform.errors import Refusal
from intents.models import Channel, Language, Phrase


class AlreadyTaken(Refusal):
    code = "already_taken"

    def __init__(self, agent_name: str) -> None:
        super().__init__(
            format_lazy(_("{agent_name} has this conversation already."), agent_name=agent_name)
        )


class NotYours(Refusal):
    code = "not_yours"
    status = 403
    detail = _("You do not have this conversation.")


def ask_for_human(
    *,
    uid: str,
    now: datetime,
    conversation_id: UUID | None = None,
    channel: str = Channel.WEB,
    spoken: str = Language.CHINESE,
) -> Conversation:
    """Let the customer's conversation wait for an agent; one that does already, goes on waiting.

    The bot goes on answering what it understands until an agent takes over: at night
    that may be all the help there is.

    Args:
        conversation_id, channel, spoken: As in post_customer_message.

    Raises:
        NoSuchConversation: It does not exist, or is somebody else's.
        ConversationClosed: It has ended; without `conversation_id` a new one begins.
    """
    with transaction.atomic():
        conversation = (
            open_conversation(uid, channel=channel, spoken=spoken, now=now)
            if conversation_id is None
            else locked(access.of_customer(uid, conversation_id).pk)
        )
        if conversation.status == Status.CLOSED:
            raise ConversationClosed
        wait_for_agent(conversation, now=now)
    return conversation


def wait_for_agent(conversation: Conversation, *, now: datetime) -> None:
    """Put a locked conversation into the inbox and tell the customer; once."""
    if conversation.status != Status.BOT:
        return
    change_status(conversation, Status.WAITING, now=now)
    say(conversation, Phrase.Purpose.HANDED_OVER, now=now)


def take_over(*, conversation_id: UUID, agent_id: int, now: datetime) -> None:
    """Give the conversation to an agent; from here on the bot is silent.

    One UPDATE decides between agents who click at the same moment. An agent who has it
    already keeps it, and nobody is told again.

    Raises:
        AlreadyTaken: Another agent has it; the refusal names him.
        ConversationClosed: It has ended.
        NoSuchConversation: It does not exist.
    """
    with transaction.atomic():
        free = Conversation.objects.filter(
            pk=conversation_id, status__in=[Status.BOT, Status.WAITING]
        )
        taken = free.update(status=Status.AGENT, agent_id=agent_id, changed_at=now)
        conversation = locked(conversation_id)
        if not taken:
            _refuse_to_take(conversation, agent_id)
            return
        owe_nothing(conversation)
        publish_status(conversation)
        agent = get_user_model().objects.get(pk=agent_id)
        say(conversation, Phrase.Purpose.AGENT_JOINED, now=now, agent_name=name_of(agent))


def _refuse_to_take(conversation: Conversation, agent_id: int) -> None:
    if conversation.status == Status.CLOSED:
        raise ConversationClosed
    if conversation.agent_id != agent_id:
        raise AlreadyTaken(name_of(conversation.agent))


def hand_back(*, conversation_id: UUID, agent_id: int, now: datetime) -> None:
    """Give the conversation back to the bot, which answers what the customer says next.

    Raises:
        NotYours: Another agent has it, or nobody.
        NoSuchConversation: It does not exist.
    """
    with transaction.atomic():
        conversation = locked(conversation_id)
        if conversation.status != Status.AGENT or conversation.agent_id != agent_id:
            raise NotYours
        change_status(conversation, Status.BOT, now=now)
        say(conversation, Phrase.Purpose.HANDED_BACK, now=now)

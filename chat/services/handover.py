"""Between the bot and people: ask for a human, take over, hand back.

Who gets what waits is decided in assignment.py; what keeps it is in leases.py.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from chat import access
from chat.models import Assignment, Conversation, Handover
from chat.services import hours, leases, queues
from chat.services.conversations import (
    ConversationClosed,
    Status,
    change_status,
    locked,
    open_conversation,
    opened_again,
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
            conversation = opened_again(conversation, now=now)
        wait_for_agent(conversation, because=Handover.Because.CUSTOMER, now=now)
    return conversation


def wait_for_agent(
    conversation: Conversation, *, because: Handover.Because, now: datetime, intent: str = ""
) -> None:
    """Put a locked conversation into the queue that fits and tell the customer; once.

    Args:
        intent: Intent.code of what the customer wants, "" when nobody knows.
    """
    if conversation.status != Status.BOT:
        return
    conversation.queue = queues.queue_for(language=conversation.language, intent=intent)
    queue_up(conversation, because=because, since=now, now=now, intent=intent)
    say(conversation, Phrase.Purpose.HANDED_OVER, now=now)


def queue_up(conversation: Conversation, *, now: datetime, **wait: Any) -> None:
    """Let a locked conversation wait in its queue, and write down why: `wait` as in note_wait."""
    note_wait(conversation, now=now, **wait)
    change_status(conversation, Status.WAITING, now=now)


def note_wait(
    conversation: Conversation,
    *,
    because: Handover.Because,
    since: datetime,
    now: datetime,
    intent: str = "",
    note: str = "",
    summary: str = "",
) -> None:
    """Write down since when the customer of a locked conversation waits for an agent, and why.

    Args:
        since: His place in the queue goes by it.
        note: Why, in an agent's words.
        summary: What the next agent should know.
    """
    conversation.waiting_since = since
    conversation.offline = not hours.is_open(conversation.queue, now)
    conversation.save(update_fields=["queue", "waiting_since", "offline"])
    Handover.objects.create(
        conversation=conversation,
        requested_at=now,
        because=because,
        intent=intent,
        queue_id=conversation.queue_id,
        note=note,
        summary=summary,
    )


def take_over(
    *, conversation_id: UUID, agent_id: int, now: datetime, from_colleague: bool = False
) -> None:
    """Give the conversation to an agent; from here on the bot is silent.

    One UPDATE decides between agents who click at the same moment. An agent who has it
    already keeps it, and nobody is told again.

    Args:
        from_colleague: Also when another agent has it; the caller has checked that this one
            is a supervisor.

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
            if conversation.status == Status.CLOSED:
                raise ConversationClosed
            if conversation.agent_id == agent_id:
                leases.renew(conversation, now=now)
                return
            if not from_colleague:
                raise AlreadyTaken(name_of(conversation.agent))
        is_owed = bool(owe_nothing(conversation)) or conversation.waiting_since is not None
        owed_since = now if is_owed else None
        if not taken:
            owed_since = leases.owed_since(conversation) or owed_since
            leases.end(conversation, Assignment.Ended.TAKEN_OVER, now=now)
            conversation.agent_id, conversation.changed_at = agent_id, now
            conversation.save(update_fields=["agent", "changed_at"])
        if conversation.waiting_since is None:  # nobody had asked for a human
            step_in(conversation, now=now)
        publish_status(conversation)
        leases.begin(conversation, agent_id=agent_id, now=now, is_seen=True, owed_since=owed_since)


def step_in(conversation: Conversation, *, now: datetime) -> None:
    """Write down that an agent takes what nobody had handed over."""
    Handover.objects.create(
        conversation=conversation,
        requested_at=now,
        because=Handover.Because.AGENT,
        queue_id=conversation.queue_id,
    )


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
        leases.end(conversation, Assignment.Ended.HANDED_BACK, now=now)
        leases.give_up_waiting(conversation, now=now)
        conversation.asks_rating = True
        conversation.save(update_fields=["asks_rating"])
        change_status(conversation, Status.BOT, now=now)
        say(conversation, Phrase.Purpose.HANDED_BACK, now=now)

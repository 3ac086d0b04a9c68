"""The conversation itself: open or lock it, add lines, change who has it.

What the other services are made of. The callers hold the transaction.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from chat import access, events
from chat.models import Conversation, Message
from csplatform.errors import Refusal
from csplatform.tokens import ANONYMOUS_PREFIX
from intents import content
from intents.models import Phrase
from knowledge.models import Customer

Status = Conversation.Status


class ConversationClosed(Refusal):
    code = "conversation_closed"
    detail = _("This conversation has ended.")


def open_conversation(uid: str, *, channel: str, spoken: str, now: datetime) -> Conversation:
    """Return the customer's open conversation, locked; a new one when he has none.

    Of two first messages at once, the unique `open_for` lets one open it; the other
    waits at the key, is refused by it, and finds what the first one opened.
    """
    mine = Conversation.objects.select_for_update().open_of(uid)
    if (found := mine.first()) is not None:
        return found
    try:
        with transaction.atomic():
            return Conversation.objects.create(
                uid=uid,
                open_for=uid,
                customer=customer_of(uid),
                channel=channel,
                language=spoken,
                opened_at=now,
                changed_at=now,
            )
    except IntegrityError:
        return mine.get()


def customer_of(uid: str) -> Customer | None:
    """Return the shop's customer behind a uid; None for visitors and for whom it does not know."""
    if uid.startswith(ANONYMOUS_PREFIX):
        return None
    return Customer.objects.filter(uid=uid).first()


def locked(conversation_id: UUID) -> Conversation:
    """Return the conversation; until the transaction ends nobody else changes it.

    On SQLite the transaction itself holds the lock since it began (IMMEDIATE).

    Raises:
        NoSuchConversation: It does not exist.
    """
    conversation = Conversation.objects.select_for_update().filter(pk=conversation_id).first()
    if conversation is None:
        raise access.NoSuchConversation
    return conversation


def locked_of_message(message_id: int) -> Conversation:
    """Return the conversation of a message that exists, locked."""
    return Conversation.objects.select_for_update(of=("self",)).get(messages=message_id)


def add_line(
    conversation: Conversation, *, sender: str, text: str, now: datetime, **fields: Any
) -> Message:
    """Add a line with the next seq to a locked conversation, and tell everybody."""
    conversation.last_seq += 1
    message = Message.objects.create(
        conversation=conversation,
        seq=conversation.last_seq,
        sender=sender,
        text=text,
        sent_at=now,
        **fields,
    )
    Conversation.objects.filter(pk=conversation.pk).update(
        last_seq=conversation.last_seq, language=conversation.language
    )
    events.publish_on_commit(
        events.MessagePosted(
            conversation_id=conversation.pk,
            seq=message.seq,
            sender=sender,
            status=conversation.status,
        )
    )
    return message


def say(
    conversation: Conversation, purpose: Phrase.Purpose, *, now: datetime, agent_name: str = ""
) -> None:
    """Add a line of the system, in the conversation's language: "an agent has joined"."""
    phrase = content.current().phrase(purpose, conversation.language)
    add_line(
        conversation,
        sender=Message.Sender.SYSTEM,
        text=phrase.replace("{agent_name}", agent_name),
        now=now,
    )


def change_status(conversation: Conversation, status: Status, *, now: datetime) -> None:
    """Change who has a locked conversation to nobody in particular, and tell everybody."""
    conversation.status, conversation.agent, conversation.changed_at = status, None, now
    conversation.save(update_fields=["status", "agent", "changed_at"])
    publish_status(conversation)


def publish_status(conversation: Conversation) -> None:
    events.publish_on_commit(
        events.StatusChanged(
            conversation_id=conversation.pk,
            seq=conversation.last_seq,
            status=conversation.status,
        )
    )


def owe_nothing(conversation: Conversation) -> None:
    """Take from the bot what it has not answered yet: somebody else sees to it."""
    conversation.messages.filter(awaits_answer=True).update(awaits_answer=False)

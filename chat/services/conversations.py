"""The conversation itself: open or lock it, add lines, change who has it.

What the other services are made of. The callers hold the transaction.
"""

from collections.abc import Callable
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

    One that was closed because nobody spoke for long is opened again.

    Of two first messages at once, the unique `open_for` lets one open it; the other
    waits at the key, is refused by it, and finds what the first one opened.
    """
    mine = Conversation.objects.select_for_update().open_of(uid)
    if (found := mine.first()) is not None:
        return found
    try:
        with transaction.atomic():
            if (again := _reopened(uid, now=now)) is not None:
                return again
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


def _reopened(uid: str, *, now: datetime) -> Conversation | None:
    """Open the customer's conversation again that was closed for idleness only, if there is one."""
    idle = Conversation.objects.filter(reopens_for=uid, status=Status.CLOSED)
    # One UPDATE: of two first messages at once, the other finds it open.
    if not idle.update(status=Status.BOT, open_for=uid, reopens_for=None, changed_at=now):
        return None
    conversation = Conversation.objects.select_for_update().open_of(uid).get()
    publish_status(conversation)
    return conversation


def opened_again(conversation: Conversation, *, now: datetime) -> Conversation:
    """Open a locked conversation again that was closed for idleness only.

    Raises:
        ConversationClosed: It has ended.
    """
    if not conversation.reopens_for or (again := _reopened(conversation.uid, now=now)) is None:
        raise ConversationClosed
    return again


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


def add_line(
    conversation: Conversation, *, sender: str, text: str, now: datetime, **fields: Any
) -> Message:
    """Add a line with the next seq to a locked conversation, and tell everybody."""
    conversation.last_seq += 1
    Conversation.objects.filter(pk=conversation.pk).update(
        last_seq=conversation.last_seq, language=conversation.language
    )
    return insert_line(conversation, sender=sender, text=text, now=now, **fields)


def insert_line(
    conversation: Conversation,
    *,
    sender: str,
    text: str,
    now: datetime,
    attach: Callable[[Message], None] | None = None,
    **fields: Any,
) -> Message:
    """Insert the line that a conversation's `last_seq` has been moved for; see `numbering`.

    Args:
        attach: Adds files to the line, before anybody is told of it.
    """
    message = Message.objects.create(
        conversation=conversation,
        seq=conversation.last_seq,
        sender=sender,
        text=text,
        sent_at=now,
        has_attachments=attach is not None,
        **fields,
    )
    if attach is not None:
        attach(message)
    events.publish_on_commit(
        events.MessagePosted(
            conversation_id=conversation.pk,
            seq=message.seq,
            sender=sender,
            status=conversation.status,
            is_recall=fields.get("recalls") is not None,
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


def owe_nothing(conversation: Conversation) -> int:
    """Take from the bot what it has not answered yet: somebody else sees to it.

    Returns:
        How many messages those are.
    """
    return conversation.messages.filter(awaits_answer=True).update(awaits_answer=False)

"""Frames on their way to browsers, and the hints that tell sockets to look: docs/protocol.md.

A hint says (conversation, seq) and nothing else. Each socket reads from the database what
its client lacks, so a hint that is lost, late or doubled changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Subquery

from chat.models import Conversation, Handover, Message
from csplatform import layers
from intents.content import Content

Frame = dict[str, Any]

INBOX_GROUP = "inbox"
# One frame; a client that lacks more gets several.
MESSAGES_PER_FRAME = 200
# Longer inboxes are cut, the longest waiting first.
INBOX_MOST = 200
_LAST_TEXT_MOST = 120


# --- Hints: through the layer, from any thread -------------------------------------------


def group_of(conversation_id: UUID) -> str:
    return f"conversation-{conversation_id}"


def hint(conversation_id: UUID, seq: int) -> None:
    """Have every socket that follows the conversation look."""
    message = {"type": "hint", "conversation": str(conversation_id), "seq": seq}
    layers.send_soon(group_of(conversation_id), message)


def hint_inbox() -> None:
    """Have every workspace look at the inbox."""
    layers.send_soon(INBOX_GROUP, {"type": "inbox"})


def hint_typing(conversation_id: UUID, sender: str) -> None:
    """Tell the other side that somebody is writing. `sender` is a Message.Sender."""
    message = {"type": "typing", "conversation": str(conversation_id), "sender": sender}
    layers.send_soon(group_of(conversation_id), message)


# --- Reads --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class News:
    """What a client lacks of one conversation."""

    conversation: Conversation
    messages: Sequence[Message]  # after what it has, in order, at most MESSAGES_PER_FRAME


def news(conversation_id: UUID, after: int) -> News:
    """Read a conversation and its lines after `after`. Two queries."""
    # The status first: a line that comes in between is then there, and brings its own hint.
    conversation = Conversation.objects.select_related("agent").get(pk=conversation_id)
    missing = conversation.messages.select_related("answers", "author").after(after)
    return News(conversation, list(missing[:MESSAGES_PER_FRAME]))


def inbox(agent_id: int) -> list[Frame]:
    """Return the entries of the inbox as one agent sees them. One query."""
    # The customer's own words: what the bot or the system said last tells an agent nothing.
    newest = (
        Message.objects.filter(conversation=OuterRef("pk"), sender=Message.Sender.CUSTOMER)
        .order_by("-seq")
        .values("text")[:1]
    )
    latest = Handover.objects.filter(conversation=OuterRef("pk")).order_by("-pk")
    listed = (
        Conversation.objects.inbox()
        .select_related("agent", "customer", "queue")
        .annotate(
            last_text=Subquery(newest),
            because=Subquery(latest.values("because")[:1]),
            wanted=Subquery(latest.values("intent")[:1]),
        )
    )
    return [
        {
            "conversation": str(one.pk),
            "uid": one.uid,
            "customer": one.customer.name if one.customer else "",
            "language": one.language,
            "status": one.status,
            "agent": name_of(one.agent),
            "agent_is_me": one.agent_id == agent_id,
            "waiting_since": (one.waiting_since or one.changed_at).isoformat(),
            "queue": one.queue.name if one.queue else "",
            "because": one.because or "",
            "intent": one.wanted or "",
            "is_escalated": one.escalated_at is not None,
            "is_offline": one.offline,
            "last_text": (one.last_text or "")[:_LAST_TEXT_MOST],
            "last_seq": one.last_seq,
        }
        for one in listed[:INBOX_MOST]
    ]


# --- Frames -------------------------------------------------------------------------------


def name_of(agent: Any) -> str:
    """Return the name of an agent as customers read it, "" for nobody."""
    return (agent.get_full_name() or agent.get_username()) if agent is not None else ""


def welcome(
    conversation: Conversation | None, content: Content, language: str, queue: Frame | None = None
) -> Frame:
    """Signed in as a customer; None where there is no conversation yet. `queue` as in status."""
    return {
        "type": "welcome",
        "conversation": str(conversation.pk) if conversation else None,
        **_whose(conversation, for_staff=False),
        "last_seq": conversation.last_seq if conversation else 0,
        "greeting": content.phrase("greeting", language),
        "suggestions": content.suggestions(language),
        **({"queue": queue} if queue else {}),
    }


def accepted(message: Message) -> Frame:
    """Stored and committed."""
    return {
        "type": "accepted",
        "client_id": str(message.client_id),
        "conversation": str(message.conversation_id),
        "seq": message.seq,
        "text": message.text,
        "sent_at": message.sent_at.isoformat(),
    }


def messages(conversation: Conversation, lines: Sequence[Message], *, for_staff: bool) -> Frame:
    """Lines with their `answers` and `author` read; customers do not see what the bot thought."""
    return {
        "type": "messages",
        "conversation": str(conversation.pk),
        "messages": [_message(line, for_staff=for_staff) for line in lines],
        "last_seq": conversation.last_seq,
    }


def _message(line: Message, *, for_staff: bool) -> Frame:
    return {
        "conversation": str(line.conversation_id),
        "seq": line.seq,
        "sender": line.sender,
        "text": line.text,
        "sent_at": line.sent_at.isoformat(),
        "client_id": str(line.client_id) if line.client_id else None,
        "answers": line.answers.seq if line.answers else None,
        "decision": line.decision if for_staff else "",
        "intent": line.intent if for_staff else "",
        "probability": line.probability if for_staff else None,
        "buttons": line.buttons,
        "author": name_of(line.author),
    }


def status(
    conversation: Conversation, queue: Frame | None = None, *, for_staff: bool = False
) -> Frame:
    """Who has the conversation now; while its customer waits, `queue` says what he may expect."""
    return {
        "type": "status",
        "conversation": str(conversation.pk),
        **_whose(conversation, for_staff=for_staff),
        **({"queue": queue} if queue else {}),
    }


def _whose(conversation: Conversation | None, *, for_staff: bool) -> Frame:
    """Who has it. To its customer nobody does until the agent it was assigned to has opened it."""
    if conversation is None:
        return {"status": Conversation.Status.BOT, "agent": ""}
    is_assigned = conversation.status == Conversation.Status.AGENT
    if is_assigned and conversation.waiting_since is not None and not for_staff:
        return {"status": Conversation.Status.WAITING, "agent": ""}
    return {"status": conversation.status, "agent": name_of(conversation.agent)}


def queue(
    *,
    position: int,
    low_s: int | None,
    high_s: int | None,
    opens_at: datetime | None,
    is_open: bool,
) -> Frame:
    """A part of a frame: the customer's place, and how long others waited."""
    return {
        "position": position,
        "wait_low_s": low_s,
        "wait_high_s": high_s,
        "open": is_open,
        "opens_at": opens_at.isoformat() if opens_at else None,
    }


def typing(conversation_id: UUID, sender: str) -> Frame:
    return {"type": "typing", "conversation": str(conversation_id), "sender": sender}


def refused(code: str, detail: object, client_id: object = None) -> Frame:
    """Nothing was changed. `client_id` is that of the refused message."""
    return {
        "type": "refused",
        "code": code,
        "detail": str(detail),
        "client_id": str(client_id) if client_id else None,
    }

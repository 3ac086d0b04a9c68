"""Frames on their way to browsers, and the hints that tell sockets to look: docs/protocol.md.

A hint says (conversation, seq) and nothing else. Each socket reads from the database what
its client lacks, so a hint that is lost, late or doubled changes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import prefetch_related_objects

from chat import attachments
from chat.models import Conversation, Message, MessageFeedback, MessageQuerySet
from csplatform import layers
from intents.content import Content

Frame = dict[str, Any]

INBOX_GROUP = "inbox"
# One frame; a client that lacks more gets several.
MESSAGES_PER_FRAME = 200


# --- Hints: through the layer, from any thread -------------------------------------------


def group_of(conversation_id: UUID) -> str:
    return f"conversation-{conversation_id}"


def hint(conversation_id: UUID, seq: int) -> None:
    """Have every socket that follows the conversation look."""
    message = {"type": "hint", "conversation": str(conversation_id), "seq": seq}
    layers.send_soon(group_of(conversation_id), message, rising="seq")


def hint_line(conversation_id: UUID, seq: int) -> None:
    """Have every socket that follows the conversation send that line again: it has changed."""
    message = {"type": "line", "conversation": str(conversation_id), "seq": seq}
    layers.send_soon(group_of(conversation_id), message)


def hint_inbox(conversation_id: UUID) -> None:
    """Have every workspace look at what its inbox says of a conversation."""
    layers.send_soon(INBOX_GROUP, {"type": "inbox", "conversation": str(conversation_id)})


def staff_group_of(conversation_id: UUID) -> str:
    """The group of what colleagues tell each other: no customer's socket is ever in it."""
    return f"colleagues-{conversation_id}"


def group_of_agent(user_id: int) -> str:
    return f"agent-{user_id}"


def hint_notes(conversation_id: UUID) -> None:
    """Have every workspace that follows the conversation look at its notes."""
    message = {"type": "notes", "conversation": str(conversation_id)}
    layers.send_soon(staff_group_of(conversation_id), message)


def hint_whispers(conversation_id: UUID) -> None:
    """Have the workspaces that follow the conversation, and may, look at its whispers."""
    message = {"type": "whispers", "conversation": str(conversation_id)}
    layers.send_soon(staff_group_of(conversation_id), message)


def hint_analysis(conversation_id: UUID, seq: int) -> None:
    """Have every workspace that follows the conversation look at what was found in a message."""
    message = {"type": "analysis", "conversation": str(conversation_id), "seq": seq}
    layers.send_soon(staff_group_of(conversation_id), message)


def hint_mentions(user_id: int) -> None:
    """Have the workspaces of one agent look at where he is mentioned."""
    layers.send_soon(group_of_agent(user_id), {"type": "mentions"})


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
    """Read a conversation and its lines after `after`.

    One query where there are none, two where there are, three where they have files.
    """
    # The status first: a line that comes in between is then there, and brings its own hint.
    conversation = Conversation.objects.select_related("agent").get(pk=conversation_id)
    if conversation.last_seq <= after:  # what most heartbeats find
        return News(conversation, [])
    missing = _read(conversation).after(after)[:MESSAGES_PER_FRAME]
    return News(conversation, _with_attachments(missing))


def heads(conversation_ids: Iterable[UUID]) -> dict[UUID, Conversation]:
    """Read conversations without their lines, those that are there. One query."""
    return Conversation.objects.select_related("agent").in_bulk(list(conversation_ids))


def line(conversation_id: UUID, seq: int) -> News:
    """Read a conversation and one line of it, which may not be there. Two queries or three."""
    conversation = Conversation.objects.select_related("agent").get(pk=conversation_id)
    return News(conversation, _with_attachments(_read(conversation).filter(seq=seq)))


def _read(conversation: Conversation) -> MessageQuerySet:
    """The lines with all that a frame says of them."""
    joined = ("answers", "author", "recalls", "recall", "feedback")
    return conversation.messages.select_related(*joined)


def _with_attachments(found: Iterable[Message]) -> list[Message]:
    lines = list(found)
    prefetch_related_objects([line for line in lines if line.has_attachments], "attachments")
    return lines


# --- Frames -------------------------------------------------------------------------------


def name_of(agent: Any) -> str:
    """Return the name of an agent as customers read it, "" for nobody."""
    return (agent.get_full_name() or agent.get_username()) if agent is not None else ""


def welcome(
    conversation: Conversation | None,
    content: Content,
    language: str,
    queue: Frame | None = None,
    rating: Frame | None = None,
) -> Frame:
    """Signed in as a customer; None where there is no conversation yet. The rest as in status."""
    return {
        "type": "welcome",
        "conversation": str(conversation.pk) if conversation else None,
        **_whose(conversation, for_staff=False),
        "last_seq": conversation.last_seq if conversation else 0,
        "greeting": content.phrase("greeting", language),
        "suggestions": content.suggestions(language),
        **({"read": _read_marks(conversation)} if conversation else {}),
        **({"queue": queue} if queue else {}),
        **({"rating": rating} if rating else {}),
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
        "text": line.shown_text,
        "sent_at": line.sent_at.isoformat(),
        "client_id": str(line.client_id) if line.client_id else None,
        "answers": line.answers.seq if line.answers else None,
        "decision": line.decision if for_staff else "",
        "intent": line.intent if for_staff else "",
        "probability": line.probability if for_staff else None,
        "buttons": line.buttons,
        "author": name_of(line.author),
        "feedback": _feedback_on(line),
        "recalls": line.recalls.seq if line.recalls else None,
        "recalled_at": line.recalled_at.isoformat() if line.recalled_at else None,
        "attachments": _attachments(line),
    }


def _attachments(line: Message) -> list[Frame]:
    if not line.has_attachments or line.recalled_at:
        return []
    return [attachments.frame(one) for one in line.attachments.all()]


def _feedback_on(line: Message) -> str:
    feedback: MessageFeedback | None = getattr(line, "feedback", None)
    return "" if feedback is None else "UP" if feedback.is_up else "DOWN"


def status(
    conversation: Conversation,
    queue: Frame | None = None,
    rating: Frame | None = None,
    *,
    for_staff: bool = False,
) -> Frame:
    """Who has the conversation now, and how far each side has read.

    Args:
        queue: While its customer waits: what he may expect.
        rating: While he is asked how content he was: what he has said so far.
    """
    return {
        "type": "status",
        "conversation": str(conversation.pk),
        **_whose(conversation, for_staff=for_staff),
        "read": _read_marks(conversation),
        **({"queue": queue} if queue else {}),
        **({"rating": rating} if rating else {}),
    }


def _read_marks(conversation: Conversation) -> Frame:
    return {"customer": conversation.customer_read_seq, "agent": conversation.agent_read_seq}


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


def rating(*, score: int | None, comment: str) -> Frame:
    """A part of a frame: what the customer has said of the conversation; None: nothing yet."""
    return {"score": score, "comment": comment}


def unread(conversation: Conversation | None, count: int, *, awaits_answer: bool) -> Frame:
    """No frame, but in the words of one: what waits for a customer, and who has it."""
    return {
        "conversation": str(conversation.pk) if conversation else None,
        "status": _whose(conversation, for_staff=False)["status"],
        "unread": count,
        "awaits_answer": awaits_answer,
    }


def typing(conversation_id: UUID, sender: str) -> Frame:
    return {"type": "typing", "conversation": str(conversation_id), "sender": sender}


def notes(conversation_id: UUID, last: int) -> Frame:
    """For staff: the newest note of a conversation has this id; the client fetches what it lacks."""
    return {"type": "notes", "conversation": str(conversation_id), "last": last}


def whispers(conversation_id: UUID) -> Frame:
    """For the agent and supervisors: something was whispered; the client fetches what it lacks."""
    return {"type": "whispers", "conversation": str(conversation_id)}


def analysis(conversation_id: UUID, seq: int) -> Frame:
    """For staff: a message's text has been read as a whole; the client fetches what was found."""
    return {"type": "analysis", "conversation": str(conversation_id), "seq": seq}


def company(conversation_id: UUID, *, agent_id: int, name: str, state: str) -> Frame:
    """For staff: a colleague looks at a conversation, writes in it, or has left it."""
    return {
        "type": "company",
        "conversation": str(conversation_id),
        "agent": agent_id,
        "name": name,
        "state": state,
    }


def refused(code: str, detail: object, client_id: object = None) -> Frame:
    """Nothing was changed. `client_id` is that of the refused message."""
    return {
        "type": "refused",
        "code": code,
        "detail": str(detail),
        "client_id": str(client_id) if client_id else None,
    }

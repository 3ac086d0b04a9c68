"""What endpoints may hear of, and how it is worded: one line of the table for each kind.

A new kind is an event of chat/events.py, a function that reads what it says, and a line.
Texts lose their personal data here (intents.guard.pii); docs/webhooks.md names every field.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from chat import events
from chat.models import Attachment, Conversation, Handover, Message, MessageFeedback, Rating
from chat.sockets import name_of
from intents.guard import pii
from training.analysis import Entity
from training.analysis import Kind as Kinds
from training.models import TextAnalysis

Status = Conversation.Status
# Lines of the system repeat what the events of the conversation say.
_IMPERSONAL = (
    Kinds.PLACE,
    Kinds.ORGANISATION,
    Kinds.TIME,
    Kinds.AMOUNT,
    Kinds.PRODUCT,
    Kinds.BRAND,
)
_SPEAKERS = (Message.Sender.CUSTOMER, Message.Sender.BOT, Message.Sender.AGENT)


@dataclass(frozen=True, slots=True)
class Wording:
    """What one event says."""

    happened_at: datetime
    data: dict[str, Any]  # JSON


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of event that an endpoint can ask for."""

    name: str  # stable and public: "message.posted"
    label: Any  # for staff
    version: int  # of `data`; moves when a field goes or changes its meaning, not when one comes
    event: type[events.Event]
    applies: Callable[[Any], bool]
    word: Callable[[Any], Wording]  # reads, inside the transaction of the change


def _message(event: events.MessagePosted) -> Wording:
    message = Message.objects.select_related("conversation__agent", "author", "answers").get(
        conversation_id=event.conversation_id, seq=event.seq
    )
    data = {
        "conversation": _about(message.conversation),
        "message": {
            "seq": message.seq,
            "sender": message.sender,
            "author": name_of(message.author) if message.author else "",
            "text": pii.redact(message.text),
            "language": message.language,
            "answers": message.answers.seq if message.answers else None,
            "decision": message.decision,
            "intent": message.intent,
            "probability": message.probability,
            "sent_at": message.sent_at.isoformat(),
            "attachments": [
                _file(one) for one in (message.attachments.all() if message.has_attachments else ())
            ],
        },
    }
    return Wording(message.sent_at, data)


def _file(attachment: Attachment) -> dict[str, Any]:
    """What came with a message; the file itself is fetched with a token of staff."""
    return {
        "id": str(attachment.pk),
        "name": pii.redact(attachment.name),
        "content_type": attachment.content_type,
        "size": attachment.size,
    }


def _recall(event: events.MessagePosted) -> Wording:
    line = Message.objects.select_related("conversation__agent", "recalls__author").get(
        conversation_id=event.conversation_id, seq=event.seq
    )
    assert line.recalls is not None  # noqa: S101  (events.MessagePosted.is_recall)
    data = {
        "conversation": _about(line.conversation),
        "message": {
            "seq": line.seq,
            "recalls": line.recalls.seq,
            "author": name_of(line.recalls.author),
            "sent_at": line.sent_at.isoformat(),
        },
    }
    return Wording(line.sent_at, data)


def _conversation(event: events.StatusChanged) -> Wording:
    conversation = Conversation.objects.select_related("agent").get(pk=event.conversation_id)
    return Wording(conversation.changed_at, {"conversation": _about(conversation)})


def _handover(event: events.StatusChanged) -> Wording:
    wording = _conversation(event)
    newest = (
        Handover.objects.filter(conversation_id=event.conversation_id)
        .select_related("queue")
        .order_by("-pk")
        .first()
    )
    if newest is None:
        return wording
    handover = {
        "because": newest.because,
        "intent": newest.intent,
        "queue": newest.queue.name if newest.queue else "",
    }
    return Wording(wording.happened_at, {**wording.data, "handover": handover})


def _rating(event: events.Rated) -> Wording:
    rating = Rating.objects.select_related("conversation__agent", "agent").get(
        conversation_id=event.conversation_id
    )
    data = {
        "conversation": _about(rating.conversation),
        "rating": {
            "score": rating.score,
            "comment": pii.redact(rating.comment),
            "agent": name_of(rating.agent),
            "rated_at": rating.rated_at.isoformat(),
            "changed_at": rating.changed_at.isoformat(),
        },
    }
    return Wording(rating.changed_at, data)


def _feedback(event: events.FeedbackGiven) -> Wording:
    feedback = MessageFeedback.objects.select_related(
        "message__conversation__agent", "message__answers"
    ).get(message__conversation_id=event.conversation_id, message__seq=event.seq)
    answer = feedback.message
    data = {
        "conversation": _about(answer.conversation),
        "feedback": {
            "seq": answer.seq,
            "answers": answer.answers.seq if answer.answers else None,
            "intent": answer.intent,
            "is_up": feedback.is_up,
            "reason": feedback.reason,
            "given_at": feedback.given_at.isoformat(),
        },
    }
    return Wording(feedback.given_at, data)


def _findings(event: events.TextRead) -> Wording:
    """What was found, with nothing in it that says who somebody is or where he lives."""
    message = Message.objects.select_related("conversation__agent").get(
        conversation_id=event.conversation_id, seq=event.seq
    )
    row = TextAnalysis.objects.get(message=message.pk)
    assert row.found is not None  # noqa: S101  (it was stored in this transaction)
    assert row.finished_at is not None  # noqa: S101
    stored = row.found.as_dict()
    stored["entities"] = [
        {"kind": one.kind, "start": one.start, "end": one.end, **_meaning(one)}
        for one in row.found.entities
    ]
    shown = stored["summary"]
    shown["orders"] = [pii.redact(each) for each in shown["orders"]]
    shown["parcels"] = [pii.redact(each) for each in shown["parcels"]]
    data = {
        "conversation": _about(message.conversation),
        "message": {"seq": message.seq, "sent_at": message.sent_at.isoformat()},
        "findings": stored,
    }
    return Wording(row.finished_at, data)


def _meaning(entity: Entity) -> dict[str, Any]:
    if entity.kind not in _IMPERSONAL:
        return {"text": f"<{entity.kind.lower()}>"}
    return {"text": pii.redact(entity.text), "value": dict(entity.value)}


def _always(event: events.Event) -> bool:
    return True


def _about(conversation: Conversation) -> dict[str, Any]:
    return {
        "id": str(conversation.pk),
        "customer": conversation.uid,
        "status": conversation.status,
        "agent": name_of(conversation.agent) if conversation.agent else "",
        "channel": conversation.channel,
        "language": conversation.language,
        "last_seq": conversation.last_seq,
        "opened_at": conversation.opened_at.isoformat(),
        "changed_at": conversation.changed_at.isoformat(),
    }


def _is_spoken(event: events.MessagePosted) -> bool:
    return event.sender in _SPEAKERS


def _is_recall(event: events.MessagePosted) -> bool:
    return event.is_recall


def _becomes(status: Status) -> Callable[[events.StatusChanged], bool]:
    return lambda event: event.status == status


# fmt: off
KINDS: tuple[Kind, ...] = (
    Kind("message.posted", _("A message was posted"), 1, events.MessagePosted, _is_spoken, _message),
    Kind("message.recalled", _("An agent has taken a message back"), 1, events.MessagePosted, _is_recall, _recall),
    Kind("conversation.handed_over", _("A conversation waits for an agent"), 1, events.StatusChanged, _becomes(Status.WAITING), _handover),
    Kind("conversation.taken_over", _("An agent has a conversation"), 1, events.StatusChanged, _becomes(Status.AGENT), _conversation),
    Kind("conversation.handed_back", _("A conversation went back to the bot"), 1, events.StatusChanged, _becomes(Status.BOT), _conversation),
    Kind("conversation.closed", _("A conversation has ended"), 1, events.StatusChanged, _becomes(Status.CLOSED), _conversation),
    Kind("conversation.rated", _("A customer has rated a conversation"), 1, events.Rated, _always, _rating),
    Kind("message.rated", _("A customer has rated an answer of the assistant"), 1, events.FeedbackGiven, _always, _feedback),
    Kind("message.analysed", _("A long text of a customer has been read"), 1, events.TextRead, _always, _findings),
)
# fmt: on
TOLD_OF = tuple(dict.fromkeys(kind.event for kind in KINDS))
PING = "ping"  # a test: sent to one endpoint, whatever it asked for
PING_VERSION = 1


def of(event: events.Event) -> Iterator[Kind]:
    """Return the kinds that an event is."""
    return (kind for kind in KINDS if type(event) is kind.event and kind.applies(event))

"""What happened in a conversation. chat/services publishes, listeners.py reacts."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that is in the database by the time anybody hears of it."""

    conversation_id: UUID
    seq: int  # of its newest message
    status: str  # Conversation.Status at that time


@dataclass(frozen=True, kw_only=True)
class MessagePosted(Event):
    """A line was added, by whomever."""

    sender: str  # Message.Sender
    is_recall: bool = False  # it takes an agent's message back


@dataclass(frozen=True, kw_only=True)
class StatusChanged(Event):
    """Somebody else has the conversation now, or it has ended."""


@dataclass(frozen=True, kw_only=True)
class VisitorJoined(Event):
    """A visitor signed in: the conversation is a customer's now. Who has it has not changed."""


@dataclass(frozen=True, kw_only=True)
class NoteWritten(Event):
    """A colleague has written a private note. It is no message: `seq` is of the one before it."""

    mentioned: tuple[int, ...]  # primary keys of the users who are named in it


@dataclass(frozen=True, kw_only=True)
class ReadMarkMoved(Event):
    """Somebody has read on. No message is new."""


@dataclass(frozen=True, kw_only=True)
class LabelsChanged(Event):
    """An agent has put a label on it, or taken one off. Nothing was said."""


@dataclass(frozen=True, kw_only=True)
class Rated(Event):
    """The customer has said, or changed, how content he was."""


@dataclass(frozen=True, kw_only=True)
class RatingPutAway(Event):
    """The customer does not want to be asked how content he was."""


@dataclass(frozen=True, kw_only=True)
class FeedbackGiven(Event):
    """The customer has said what he thinks of one answer of the bot: that with this `seq`."""


@dataclass(frozen=True, kw_only=True)
class Whispered(Event):
    """A supervisor has said something to the agent. It is no message: `seq` is of the one before."""


@dataclass(frozen=True, kw_only=True)
class LongTextPosted(Event):
    """A customer's message is to be read as a whole behind the scenes."""

    message_id: int


@dataclass(frozen=True, kw_only=True)
class TextRead(Event):
    """What is in a customer's text is known: in that of the message with this `seq`."""


Kind = TypeVar("Kind", bound=Event)
_listeners: dict[type[Event], list[Callable[[Any], None]]] = defaultdict(list)
_parts: dict[type[Event], list[Callable[[Any], None]]] = defaultdict(list)


def on(*kinds: type[Kind]) -> Callable[[Callable[[Kind], None]], Callable[[Kind], None]]:
    """Have a function called with every event of these kinds."""

    def register(listener: Callable[[Kind], None]) -> Callable[[Kind], None]:
        for kind in kinds:
            _listeners[kind].append(listener)
        return listener

    return register


def in_transaction(*kinds: type[Event]) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Have a function called before the commit: what it writes is part of the change."""

    def register(listener: Callable[[Any], None]) -> Callable[[Any], None]:
        for kind in kinds:
            _parts[kind].append(listener)
        return listener

    return register


def publish_on_commit(event: Event) -> None:
    """Call the listeners once the transaction has committed; never if it rolls back.

    Those `in_transaction` are called at once, and fail with the change or let it fail.

    `robust`: by then the rows are saved, so a listener that fails is logged; it
    stops neither the other listeners nor the caller.
    """
    for part in _parts[type(event)]:
        part(event)
    for listener in _listeners[type(event)]:
        transaction.on_commit(partial(listener, event), robust=True)

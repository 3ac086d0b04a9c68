"""What clients may send over a socket, checked before anything else sees it: docs/protocol.md.

Frames out are in sockets.py.
"""

import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from chat.attachments import MOST_PER_MESSAGE
from chat.models import AgentProfile
from csplatform.errors import Refusal
from intents.models import Language

_SEQ_MOST = 2**31 - 1


class InvalidFrame(Refusal):
    code = "invalid"
    status = 400
    detail = _("Some of the data is missing or wrong.")

    def __init__(self, client_id: str | None = None) -> None:
        self.client_id = client_id  # of the message that the sender waits for
        super().__init__()


class Ping(serializers.Serializer):
    """Heartbeat; no fields."""


class Hello(serializers.Serializer):
    """Sign in, or bring a new token."""

    token = serializers.CharField(max_length=4096)
    language = serializers.ChoiceField(Language.values, default=Language.CHINESE)


class CustomerHello(Hello):
    """Sign in and follow a conversation."""

    conversation = serializers.UUIDField(allow_null=True, default=None)
    after = serializers.IntegerField(default=0, min_value=0, max_value=_SEQ_MOST)


class CustomerMessage(serializers.Serializer):
    """A line of the customer; its length and content are for the service to judge."""

    client_id = serializers.UUIDField()
    text = serializers.CharField(allow_blank=True, trim_whitespace=False)
    attachments = serializers.ListField(
        child=serializers.UUIDField(), default=list, max_length=MOST_PER_MESSAGE
    )


class CustomerCatchUp(serializers.Serializer):
    """What is missing after a seq."""

    after = serializers.IntegerField(min_value=0, max_value=_SEQ_MOST)


class Human(serializers.Serializer):
    """The customer asks for a human; no fields."""


class End(serializers.Serializer):
    """The customer ends the conversation on his screen; no fields."""


class CustomerRead(serializers.Serializer):
    """The customer had all lines up to this one on his screen."""

    conversation = serializers.UUIDField()
    seq = serializers.IntegerField(min_value=1, max_value=_SEQ_MOST)


class CustomerTyping(serializers.Serializer):
    """The customer is writing; no fields."""


class Named(serializers.Serializer):
    """An agent's frame about one conversation."""

    conversation = serializers.UUIDField()


class AgentRead(Named):
    """The agent had all lines up to this one on his screen."""

    seq = serializers.IntegerField(min_value=1, max_value=_SEQ_MOST)


class Open(Named):
    """Follow a conversation."""

    after = serializers.IntegerField(default=0, min_value=0, max_value=_SEQ_MOST)


class Take(Named):
    """Take a conversation over."""

    from_colleague = serializers.BooleanField(default=False)


class Transfer(Named):
    """Pass a conversation on: to an agent or into a queue."""

    to_agent = serializers.IntegerField(allow_null=True, default=None, min_value=1)
    to_queue = serializers.IntegerField(allow_null=True, default=None, min_value=1)
    reason = serializers.CharField(max_length=200, allow_blank=True, default="")
    summary = serializers.CharField(max_length=2000, allow_blank=True, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs["to_agent"] is None) == (attrs["to_queue"] is None):
            raise serializers.ValidationError(InvalidFrame.detail)
        return attrs


class Close(Named):
    """End a conversation, and say how it came out."""

    disposition = serializers.IntegerField(allow_null=True, default=None, min_value=1)
    note = serializers.CharField(max_length=2000, allow_blank=True, default="")


class Recall(Named):
    """Take a message of the agent's own back."""

    seq = serializers.IntegerField(min_value=1, max_value=_SEQ_MOST)


class Looking(serializers.Serializer):
    """The conversation on the agent's screen; null when he has left it."""

    conversation = serializers.UUIDField(allow_null=True)
    writing = serializers.BooleanField(default=False)


class SetAvailability(serializers.Serializer):
    """Say whether the agent takes chats now."""

    availability = serializers.ChoiceField(AgentProfile.Availability.values)


class AgentMessage(Named, CustomerMessage):
    """A line of the agent."""


Frames = Mapping[str, type[serializers.Serializer]]

CUSTOMER: Frames = {
    "hello": CustomerHello,
    "message": CustomerMessage,
    "catch_up": CustomerCatchUp,
    "human": Human,
    "read": CustomerRead,
    "end": End,
    "typing": CustomerTyping,
    "ping": Ping,
}
WORKSPACE: Frames = {
    "hello": Hello,
    "open": Open,
    "catch_up": Open,
    "message": AgentMessage,
    "take": Take,
    "transfer": Transfer,
    "availability": SetAvailability,
    "hand_back": Named,
    "close": Close,
    "recall": Recall,
    "looking": Looking,
    "read": AgentRead,
    "typing": Named,
    "ping": Ping,
}


def parse(text: str | None, frames: Frames) -> tuple[str, dict[str, Any]]:
    """Return the type of a frame and its checked fields; fields that nobody knows are dropped.

    Raises:
        InvalidFrame: Not JSON, not an object, an unknown type, a field missing or wrong.
    """
    try:
        frame = json.loads(text or "")
    except (ValueError, RecursionError):
        raise InvalidFrame from None
    kind = frame.get("type") if isinstance(frame, dict) else None
    if not isinstance(kind, str) or kind not in frames:
        raise InvalidFrame
    checked = frames[kind](data=frame)
    if not checked.is_valid():
        client_id = frame.get("client_id")
        raise InvalidFrame(
            client_id if isinstance(client_id, str) and len(client_id) <= 36 else None
        )
    return kind, dict(checked.validated_data)

"""Put labels on conversations, and take them off."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from chat import events
from chat.models import ConversationLabel, Label
from chat.services.conversations import locked
from csplatform.errors import Refusal


class NoSuchLabel(Refusal):
    code = "no_such_label"
    status = 404
    detail = _("There is no such label.")


@transaction.atomic
def attach_label(*, conversation_id: UUID, label_id: int, agent_id: int, now: datetime) -> None:
    """Put a label on a conversation, open or closed; it stays once, with who was first.

    Raises:
        NoSuchConversation, NoSuchLabel: It does not exist.
    """
    conversation = locked(conversation_id)
    if not Label.objects.filter(pk=label_id).exists():
        raise NoSuchLabel
    _labelled, is_new = ConversationLabel.objects.get_or_create(
        conversation=conversation,
        label_id=label_id,
        defaults={"labelled_by_id": agent_id, "labelled_at": now},
    )
    if is_new:
        _tell(conversation_id, seq=conversation.last_seq, status=conversation.status)


@transaction.atomic
def detach_label(*, conversation_id: UUID, label_id: int) -> None:
    """Take a label off a conversation, if it is there.

    Raises:
        NoSuchConversation: It does not exist.
    """
    conversation = locked(conversation_id)
    labelled = ConversationLabel.objects.filter(conversation=conversation, label_id=label_id)
    if labelled.delete()[0]:
        _tell(conversation_id, seq=conversation.last_seq, status=conversation.status)


def _tell(conversation_id: UUID, *, seq: int, status: str) -> None:
    events.publish_on_commit(
        events.LabelsChanged(conversation_id=conversation_id, seq=seq, status=status)
    )

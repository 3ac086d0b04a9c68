"""The end of a conversation."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from chat import access
from chat.models import Assignment, Conversation, Disposition, Message
from chat.services import leases
from chat.services.conversations import Status, change_status, locked, owe_nothing, say
from chat.services.handover import NotYours
from chat.services.notes import add_note
from csplatform.errors import Refusal
from intents.models import Phrase

# Of one sweep; the next one is a minute away.
MOST_PER_SWEEP = 200


class NoSuchDisposition(Refusal):
    code = "no_such_disposition"
    status = 404
    detail = _("This cannot be chosen any more. Please choose again.")


class DispositionRequired(Refusal):
    code = "disposition_required"
    status = 400
    detail = _("Please choose how the conversation came out.")


def close(
    *,
    conversation_id: UUID,
    agent_id: int,
    now: datetime,
    disposition_id: int | None = None,
    note: str = "",
) -> None:
    """End a conversation: the agent's own, or one that no agent has. Ended ones stay ended.

    The customer's next message opens a new one.

    Args:
        disposition_id: How it came out; None leaves it open.
        note: For colleagues; "" for none.

    Raises:
        DispositionRequired: None is given, and CLOSE_NEEDS_DISPOSITION asks for one.
        NoSuchDisposition: It does not exist, or is switched off.
        NotYours: Another agent has it.
        NoSuchConversation: It does not exist.
    """
    disposition = None
    if disposition_id is not None:
        disposition = Disposition.objects.filter(pk=disposition_id, is_active=True).first()
        if disposition is None:
            raise NoSuchDisposition
    elif settings.CLOSE_NEEDS_DISPOSITION and Disposition.objects.filter(is_active=True).exists():
        raise DispositionRequired
    with transaction.atomic():
        conversation = locked(conversation_id)
        if conversation.status == Status.CLOSED:
            return
        if conversation.status == Status.AGENT and conversation.agent_id != agent_id:
            raise NotYours
        if note.strip():
            add_note(conversation, author_id=agent_id, text=note.strip(), now=now)
        if disposition is not None:
            conversation.disposition = disposition
            conversation.save(update_fields=["disposition"])
        end(conversation, now=now)


def close_by_customer(*, uid: str, conversation_id: UUID, now: datetime) -> Conversation:
    """End the customer's conversation, whoever has it. An ended one stays ended.

    Raises:
        NoSuchConversation: It does not exist, or is somebody else's.
    """
    with transaction.atomic():
        conversation = locked(access.of_customer(uid, conversation_id).pk)
        if conversation.status != Status.CLOSED:
            end(conversation, now=now)
    return conversation


def end(conversation: Conversation, *, now: datetime) -> None:
    """End a locked conversation and say so in it."""
    owe_nothing(conversation)
    leases.end(conversation, Assignment.Ended.CLOSED, now=now)
    leases.give_up_waiting(conversation, now=now)
    conversation.open_for = None
    conversation.asks_rating = True
    conversation.save(update_fields=["open_for", "asks_rating"])
    change_status(conversation, Status.CLOSED, now=now)
    say(conversation, Phrase.Purpose.CLOSED, now=now)


def close_idle(*, before: datetime, now: datetime) -> int:
    """Close conversations with the bot in which nobody has said anything since `before`.

    Nothing is said in them: the customer's next message goes on where he was.

    Returns:
        How many were closed; at most MOST_PER_SWEEP.
    """
    idle = _idle(before).order_by("changed_at").values_list("pk", flat=True)
    return sum(_close_idle(pk, before=before, now=now) for pk in list(idle[:MOST_PER_SWEEP]))


def _idle(before: datetime) -> QuerySet[Conversation]:
    later = Message.objects.filter(conversation=OuterRef("pk"), sent_at__gte=before)
    return Conversation.objects.filter(~Exists(later), status=Status.BOT, changed_at__lt=before)


@transaction.atomic
def _close_idle(conversation_id: UUID, *, before: datetime, now: datetime) -> bool:
    conversation = locked(conversation_id)
    if not _idle(before).filter(pk=conversation_id).exists():
        return False  # somebody has spoken meanwhile
    owe_nothing(conversation)
    conversation.open_for, conversation.reopens_for = None, conversation.uid
    conversation.save(update_fields=["open_for", "reopens_for"])
    change_status(conversation, Status.CLOSED, now=now)
    return True

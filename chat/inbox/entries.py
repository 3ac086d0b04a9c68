"""One line of a list of conversations: docs/protocol.md, "An inbox entry"."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import OuterRef, Subquery

from chat import access
from chat.inbox.viewers import Viewer
from chat.models import Conversation, Handover, Label, Message
from chat.services import targets
from chat.sockets import Frame, name_of

_LAST_TEXT_MOST = 120


@dataclass(frozen=True, slots=True)
class Listed:
    """What was read of a conversation for its entry, whoever looks."""

    conversation: Conversation  # with what `read` annotates
    promise: targets.Promise | None


def entries(ids: Sequence[UUID], viewer: Viewer) -> list[Frame]:
    """Return the entries of conversations in the order of `ids`. Queries: those of `read`."""
    return [entry(one, viewer) for one in read(ids)]


def read(ids: Sequence[UUID]) -> list[Listed]:
    """Read conversations in the order of `ids`, without those that are no more.

    Two queries; three more where one of their queues promises something.
    """
    # The customer's own words: what the bot or the system said last tells an agent nothing.
    newest = Message.objects.filter(
        conversation=OuterRef("pk"), sender=Message.Sender.CUSTOMER
    ).order_by("-seq")
    latest = Handover.objects.filter(conversation=OuterRef("pk")).order_by("-pk")
    found = (
        Conversation.objects.filter(pk__in=ids)
        .select_related("agent", "customer", "queue")
        .prefetch_related("labels")
        .annotate(
            last_text=Subquery(newest.values("text")[:1]),
            last_customer_seq=Subquery(newest.values("seq")[:1]),
            because=Subquery(latest.values("because")[:1]),
            wanted=Subquery(latest.values("intent")[:1]),
        )
    )
    listed = list(targets.with_case(found))
    promised = targets.Targets.read() if any(map(_promises, listed)) else None
    by_id = {one.pk: Listed(one, promised.promise(one) if promised else None) for one in listed}
    return [by_id[one] for one in ids if one in by_id]


def entry_of(conversation_id: UUID, viewer: Viewer) -> Frame:
    """Return the entry of one conversation, whoever has it.

    Raises:
        NoSuchConversation: It does not exist.
    """
    found = entries([conversation_id], viewer)
    if not found:
        raise access.NoSuchConversation
    return found[0]


def label_frame(label: Label) -> Frame:
    """A part of entries, and of the list of labels."""
    return {"id": label.pk, "name": label.name, "colour": label.colour, "ink": label.ink}


def _promises(one: Conversation) -> bool:
    return one.queue is not None and bool(one.queue.first_response_s or one.queue.resolution_s)


def _sla(promise: targets.Promise | None) -> Frame:
    """What is due next of what its queue promises, and when; the page counts down."""
    due_at = promise.due_at if promise else None
    return {
        "sla_kind": promise.kind if promise else "",
        "sla_due_at": due_at.isoformat() if due_at else None,
    }


def entry(listed: Listed, viewer: Viewer) -> Frame:
    """Return what one agent sees of a conversation. No queries."""
    one = listed.conversation
    return {
        "conversation": str(one.pk),
        "uid": one.uid,
        "customer": one.customer.name if one.customer else "",
        "language": one.language,
        "status": one.status,
        "agent": name_of(one.agent),
        "agent_is_me": one.agent_id == viewer.agent_id,
        "is_for_me": viewer.has_in_queue(one),
        "waiting_since": (one.waiting_since or one.changed_at).isoformat(),
        "changed_at": one.changed_at.isoformat(),
        "queue": one.queue.name if one.queue else "",
        "queue_id": one.queue_id,
        "because": getattr(one, "because", None) or "",
        "intent": getattr(one, "wanted", None) or "",
        "is_escalated": one.escalated_at is not None,
        "is_offline": one.offline,
        "labels": [label_frame(label) for label in one.labels.all()],
        "last_text": (getattr(one, "last_text", None) or "")[:_LAST_TEXT_MOST],
        "last_seq": one.last_seq,
        "last_customer_seq": getattr(one, "last_customer_seq", None) or 0,
        "read_seq": one.agent_read_seq,
        **_sla(listed.promise),
    }

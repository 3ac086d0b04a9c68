"""Private notes of colleagues, and who is named in them. Nothing here adds a message."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q, QuerySet

from chat import access, events
from chat.models import Conversation, Mention, Note
from chat.services.agents import NoSuchAgent
from chat.services.conversations import locked
from chat.services.posting import checked
from csplatform.roles import AGENTS

# Of one conversation; older ones are cut.
MOST_SHOWN = 200


def agents() -> QuerySet:
    """Return the people who can be given a conversation or be named in a note, by name."""
    groups = [str(role) for role in AGENTS]
    users = get_user_model().objects.filter(is_active=True)
    found = users.filter(Q(groups__name__in=groups) | Q(is_superuser=True))
    return found.distinct().order_by("first_name", "username")


def write_note(
    *,
    conversation_id: UUID,
    author_id: int,
    text: str,
    now: datetime,
    mentions: Sequence[int] = (),
    client_id: UUID | None = None,
) -> Note:
    """Store a note. A `client_id` seen before returns the note stored then.

    Args:
        mentions: Primary keys of the agents who are named in it; they are told.

    Raises:
        EmptyMessage, TooLong: As for messages.
        NoSuchAgent: Somebody named is no agent.
        NoSuchConversation: It does not exist.
    """
    text = checked(text)
    named = set(mentions)
    if named and agents().filter(pk__in=named).count() != len(named):
        raise NoSuchAgent
    with transaction.atomic():
        conversation = locked(conversation_id)
        if client_id is not None:
            stored = conversation.notes.filter(client_id=client_id, author_id=author_id).first()
            if stored is not None:
                return stored
        return add_note(
            conversation,
            author_id=author_id,
            text=text,
            now=now,
            mentions=sorted(named - {author_id}),
            client_id=client_id,
        )


def add_note(
    conversation: Conversation,
    *,
    author_id: int,
    text: str,
    now: datetime,
    mentions: Sequence[int] = (),
    client_id: UUID | None = None,
) -> Note:
    """Add a note to a locked conversation, and tell colleagues."""
    note = Note.objects.create(
        conversation=conversation,
        author_id=author_id,
        client_id=client_id,
        text=text,
        after_seq=conversation.last_seq,
        created_at=now,
    )
    Mention.objects.bulk_create([Mention(note=note, user_id=user_id) for user_id in mentions])
    events.publish_on_commit(
        events.NoteWritten(
            conversation_id=conversation.pk,
            seq=conversation.last_seq,
            status=conversation.status,
            mentioned=tuple(mentions),
        )
    )
    return note


def notes_of(conversation_id: UUID) -> list[Note]:
    """Return the notes of a conversation, oldest first, the latest MOST_SHOWN. Three queries.

    Raises:
        NoSuchConversation: It does not exist.
    """
    conversation = access.of_agent(conversation_id)
    latest = conversation.notes.select_related("author").prefetch_related("mentioned__user")
    return list(reversed(latest.order_by("-pk")[:MOST_SHOWN]))


def mentions_of(user_id: int, *, most: int) -> list[Mention]:
    """Return where somebody was named, the latest first. One query."""
    latest = Mention.objects.filter(user_id=user_id).order_by("-pk")
    return list(latest.select_related("note__author", "note__conversation__customer")[:most])


def unread_mentions(user_id: int) -> int:
    """Return how many mentions somebody has not seen."""
    return Mention.objects.filter(user_id=user_id, seen_at=None).count()


def see_mentions(*, user_id: int, conversation_id: UUID, now: datetime) -> int:
    """Note that somebody has seen where he is named in a conversation; his other tabs learn of it
    at their next heartbeat.

    Returns:
        How many are still unread, anywhere.
    """
    unread = Mention.objects.filter(user_id=user_id, seen_at=None)
    unread.filter(note__conversation_id=conversation_id).update(seen_at=now)
    return unread.count()

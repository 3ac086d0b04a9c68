"""What supervisors do beside a conversation: read along, and whisper to its agent."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from chat import access, events
from chat.models import Assignment, Conversation, Watch, Whisper
from chat.services.conversations import Status, locked
from chat.services.handover import NotYours
from chat.services.posting import checked
from csplatform.errors import Refusal

# Heartbeats come every 20 s, and once a minute from a browser's background.
WATCHES_FOR = timedelta(seconds=150)
# Of one conversation; older ones are cut.
MOST_WHISPERS = 200


class NoAgent(Refusal):
    code = "no_agent"
    detail = _("No agent has this conversation.")


# --- Reading along --------------------------------------------------------------------------


def is_others(conversation: Conversation, reader_id: int) -> bool:
    """Whether to read a conversation is to watch: a colleague has it, or the bot."""
    return conversation.status in (Status.AGENT, Status.BOT) and conversation.agent_id != reader_id


def watch(*, conversation_id: UUID, watcher_id: int, now: datetime) -> int | None:
    """Write down that somebody reads along in what a colleague or the bot has.

    Looking at what waits for an agent, or has ended, is everybody's work and no watching.

    Returns:
        The number of the watch, to be kept alive and ended; None: it is none.

    Raises:
        NoSuchConversation: It does not exist.
    """
    conversation = access.of_agent(conversation_id)
    if not is_others(conversation, watcher_id):
        return None
    begun = Watch.objects.create(
        conversation=conversation,
        watcher_id=watcher_id,
        watched_id=conversation.agent_id,
        began_at=now,
        seen_at=now,
    )
    return begun.pk


def go_on_watching(watch_id: int, *, now: datetime) -> None:
    """Note a sign that a watch goes on."""
    Watch.objects.filter(pk=watch_id, ended_at=None).update(seen_at=now)


def stop_watching(watch_id: int, *, now: datetime) -> None:
    """End a watch; one that has ended keeps its end."""
    Watch.objects.filter(pk=watch_id, ended_at=None).update(seen_at=now, ended_at=now)


# --- Whispering -----------------------------------------------------------------------------


def whisper(
    *, conversation_id: UUID, author_id: int, text: str, client_id: UUID, now: datetime
) -> Whisper:
    """Say something to the agent of a conversation that its customer never reads.

    A `client_id` seen before returns what was stored then. The caller has checked that the
    author is a supervisor.

    Raises:
        EmptyMessage, TooLong: As for messages.
        NoAgent: No agent has it: there is nobody to read it.
        NoSuchConversation: It does not exist.
    """
    text = checked(text)
    with transaction.atomic():
        conversation = locked(conversation_id)
        stored = conversation.whispers.filter(client_id=client_id, author_id=author_id).first()
        if stored is not None:
            return stored
        if conversation.status != Status.AGENT:
            raise NoAgent
        said = Whisper.objects.create(
            conversation=conversation,
            author_id=author_id,
            client_id=client_id,
            text=text,
            after_seq=conversation.last_seq,
            sent_at=now,
        )
        events.publish_on_commit(
            events.Whispered(
                conversation_id=conversation.pk,
                seq=conversation.last_seq,
                status=conversation.status,
            )
        )
    return said


def may_read_whispers(conversation_id: UUID, *, reader_id: int, is_supervisor: bool) -> bool:
    """Whether somebody is let into the whispers of a conversation.

    Supervisors are, the agent who has it, and whoever had it: they were said to him.
    """
    had = Assignment.objects.filter(conversation=conversation_id, agent_id=reader_id)
    return is_supervisor or had.exists()


def whispers_of(conversation_id: UUID, *, reader_id: int, is_supervisor: bool) -> Sequence[Whisper]:
    """Return what was whispered in a conversation, oldest first, the latest MOST_WHISPERS.

    Raises:
        NotYours: It is none of the reader's business.
        NoSuchConversation: It does not exist.
    """
    conversation: Conversation = access.of_agent(conversation_id)
    if not may_read_whispers(conversation_id, reader_id=reader_id, is_supervisor=is_supervisor):
        raise NotYours
    latest = conversation.whispers.select_related("author")
    return list(reversed(latest.order_by("-pk")[:MOST_WHISPERS]))

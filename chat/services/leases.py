"""An agent has a conversation as long as he does something for it: begin, renew, end that lease.

What assignment, taking over, replying and closing are made of. The callers hold the
transaction and the conversation's lock.
"""

from datetime import datetime, timedelta

from django.contrib.auth import get_user_model
from django.db.models.functions import Coalesce

from chat.models import Assignment, Conversation, Handover, Queue
from chat.services.conversations import say
from chat.sockets import name_of
from intents.models import Phrase

# Typing puts an answer off, but a customer waits no longer than so many times the queue's time.
TYPING_MOST = 2

_DEFAULTS = Queue()  # of conversations whose queue was deleted


def begin(
    conversation: Conversation,
    *,
    agent_id: int,
    now: datetime,
    is_seen: bool,
    owed_since: datetime | None,
) -> Assignment:
    """Let an agent's lease begin.

    Args:
        is_seen: He has it open; otherwise he has to open it in time.
        owed_since: Since when the customer waits for his word; None when he does not.
    """
    rules = _rules(conversation.queue)
    lease_until: datetime | None = now + timedelta(seconds=rules.unseen_after_s)
    if is_seen:
        lease_until = _answer_by(rules, now) if owed_since else None
    assignment = Assignment.objects.create(
        conversation=conversation,
        active_for=conversation,
        agent_id=agent_id,
        queue_id=conversation.queue_id,
        assigned_at=now,
        owed_since=owed_since,
        lease_until=lease_until,
        seen_at=now if is_seen else None,
    )
    if is_seen:
        _taken_up(conversation, agent_id=agent_id, now=now)
    return assignment


def renew(conversation: Conversation, *, now: datetime) -> None:
    """Note that the agent is at work on it: he has opened it, or types.

    Only when he has opened it the customer reads that somebody is there.
    """
    assignment = Assignment.objects.of(conversation).select_related("queue").first()
    if assignment is None:
        return
    if assignment.seen_at is None:
        _see(conversation, assignment, now=now)
    elif assignment.owed_since is not None:
        rules = _rules(assignment.queue)
        latest = max(assignment.owed_since, assignment.assigned_at) + timedelta(
            seconds=TYPING_MOST * rules.unanswered_after_s
        )
        assignment.lease_until = min(_answer_by(rules, now), latest)
        assignment.save(update_fields=["lease_until"])


def _see(conversation: Conversation, assignment: Assignment, *, now: datetime) -> None:
    assignment.seen_at = now
    assignment.lease_until = (
        _answer_by(_rules(assignment.queue), now) if assignment.owed_since else None
    )
    assignment.save(update_fields=["seen_at", "lease_until"])
    _taken_up(conversation, agent_id=assignment.agent_id, now=now)


def owed_since(conversation: Conversation) -> datetime | None:
    """Return since when the customer waits for a word of the agent; None when he does not."""
    running = Assignment.objects.of(conversation)
    return running.values_list("owed_since", flat=True).first()


def answer(conversation: Conversation, *, now: datetime) -> None:
    """Note that the agent has spoken: nothing is owed any more."""
    assignment = Assignment.objects.of(conversation).select_related("queue").first()
    if assignment is None:
        return
    if assignment.seen_at is None:
        _see(conversation, assignment, now=now)
    Assignment.objects.filter(pk=assignment.pk).update(
        answered_at=Coalesce("answered_at", now), owed_since=None, lease_until=None
    )
    if conversation.escalated_at is not None:
        conversation.escalated_at = None
        conversation.save(update_fields=["escalated_at"])


def owe(conversation: Conversation, *, now: datetime) -> None:
    """Note that the customer has spoken to the agent: his time runs, unless it does already."""
    assignment = Assignment.objects.of(conversation).select_related("queue").first()
    if assignment is None or assignment.owed_since is not None:
        return
    assignment.owed_since = now
    # Unopened, it is for opening it that time runs.
    if assignment.seen_at is not None:
        assignment.lease_until = _answer_by(_rules(assignment.queue), now)
    assignment.save(update_fields=["owed_since", "lease_until"])


def end(conversation: Conversation, because: Assignment.Ended, *, now: datetime) -> None:
    """End the running lease, if there is one."""
    Assignment.objects.of(conversation).update(
        active_for=None, lease_until=None, ended_at=now, ended_because=because
    )


def give_up_waiting(conversation: Conversation, *, now: datetime) -> None:
    """Note that nobody waits for an agent any more, whether one came or not."""
    Handover.objects.open_of(conversation).update(ended_at=now)
    conversation.waiting_since, conversation.offline = None, False
    conversation.escalated_at = None
    conversation.save(update_fields=["waiting_since", "offline", "escalated_at"])


def _taken_up(conversation: Conversation, *, agent_id: int, now: datetime) -> None:
    Handover.objects.open_of(conversation).update(ended_at=now, agent_id=agent_id)
    conversation.waiting_since, conversation.offline = None, False
    conversation.save(update_fields=["waiting_since", "offline"])
    agent = get_user_model().objects.get(pk=agent_id)
    say(conversation, Phrase.Purpose.AGENT_JOINED, now=now, agent_name=name_of(agent))


def _rules(queue: Queue | None) -> Queue:
    return queue or _DEFAULTS


def _answer_by(rules: Queue, now: datetime) -> datetime:
    return now + timedelta(seconds=rules.unanswered_after_s)

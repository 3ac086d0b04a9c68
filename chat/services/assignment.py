"""Who gets what waits, and what happens when he does nothing: no chat is forgotten.

An assignment is a lease (leases.py). One that is not opened or answered in time, or whose
agent has gone, goes back into its queue and to somebody else; what waits too long goes to
the supervisors. Presence is passed in: while it is unknown (None), no chat moves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _

from chat.models import AgentProfile, Assignment, Conversation, Handover, Queue
from chat.services import crew, handover, leases
from chat.services.agents import NoSuchAgent, profile_of
from chat.services.conversations import (
    ConversationClosed,
    Status,
    locked,
    owe_nothing,
    publish_status,
)
from chat.services.hours import Calendar, calendar_of
from csplatform.errors import Refusal

Because, Ended = Handover.Because, Assignment.Ended

# Of one sweep; the next one is some seconds away.
MOST_PER_SWEEP = 200
# So many agents in a row have let it lapse: then it is the supervisors'.
ESCALATE_AFTER_LAPSES = 2


class NoSuchQueue(Refusal):
    code = "no_such_queue"
    status = 404
    detail = _("There is no such queue.")


# --- Giving out -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Open:
    """What a sweep knows of the queues."""

    calendars: Mapping[int | None, Calendar]

    @classmethod
    def read(cls) -> "_Open":
        queues = Queue.objects.prefetch_related("business_hours")
        return cls({None: calendar_of(None), **{one.pk: calendar_of(one) for one in queues}})

    def at(self, now: datetime) -> list[int | None]:
        return [queue_id for queue_id, one in self.calendars.items() if one.is_open(now)]


def assign_waiting(*, now: datetime, present: frozenset[int] | None) -> int:
    """Give what waits in open queues to agents who are there, take chats and have room.

    Escalated ones come first and go to supervisors, if one takes chats; then who has waited
    longest. Who let a conversation lapse gets it again only if nobody else can have it.

    Args:
        present: Primary keys of the users who are there; None: unknown, and nothing is done.

    Returns:
        How many found an agent.
    """
    waits = Conversation.objects.filter(status=Status.WAITING)
    if not present or not waits.exists():
        return 0
    agents = [one for one in crew.on_duty(present) if one.has_room]
    if not agents:
        return 0
    open_ones = _Open.read().at(now)
    intent = Handover.objects.filter(conversation=OuterRef("pk")).exclude(intent="")
    waiting = list(
        waits.filter(Q(queue_id__in=[one for one in open_ones if one]) | Q(queue_id=None))
        .select_related("queue")
        .annotate(wanted=Subquery(intent.order_by("-pk").values("intent")[:1]))
        .order_by(F("escalated_at").asc(nulls_last=True), "waiting_since", "pk")[:MOST_PER_SWEEP]
    )
    lapsed = crew.lapsed_by([one.pk for one in waiting])
    assigned = 0
    for conversation in waiting:
        if not any(one.has_room for one in agents):
            break
        for agent in _candidates(conversation, agents, lapsed.get(conversation.pk, [])):
            if _assign(conversation.pk, agent.user_id, now=now):
                agent.chats, agent.last_at = agent.chats + 1, now
                assigned += 1
                break
    return assigned


def _candidates(
    conversation: Conversation, agents: list[crew.Agent], lapsed: list[int]
) -> list[crew.Agent]:
    free = [one for one in agents if one.has_room]
    supervisors = [one for one in free if one.is_supervisor]
    if conversation.escalated_at is not None and supervisors:
        fitting = supervisors
    else:
        wanted = getattr(conversation, "wanted", None) or ""
        fitting = [
            one
            for one in free
            if one.fits(conversation.queue, language=conversation.language, intent=wanted)
        ]
        if conversation.escalated_at is not None:  # and no supervisor is there: anybody
            fitting = fitting or free
    last_agent = None
    queue = conversation.queue
    if queue is not None and queue.strategy == Queue.Strategy.LAST_AGENT:
        last_agent = crew.last_agent_of(conversation)
    ordered = crew.in_order(fitting, queue, last_agent=last_agent)
    return sorted(ordered, key=lambda one: lapsed.count(one.user_id))


@transaction.atomic
def _assign(conversation_id: UUID, agent_id: int, *, now: datetime) -> bool:
    """Assign it, unless somebody was faster or the agent is full or does not want more."""
    # Whoever else gives this agent a chat waits here, so that he never has too many.
    profile = AgentProfile.objects.select_for_update().get(user_id=agent_id)
    has = Assignment.objects.running().filter(agent_id=agent_id).count()
    if profile.availability != AgentProfile.Availability.AVAILABLE or has >= profile.capacity:
        return False
    free = Conversation.objects.filter(pk=conversation_id, status=Status.WAITING)
    if not free.update(status=Status.AGENT, agent_id=agent_id, changed_at=now):
        return False
    conversation = locked(conversation_id)
    owe_nothing(conversation)
    leases.begin(conversation, agent_id=agent_id, now=now, is_seen=False, owed_since=now)
    publish_status(conversation)
    return True


# --- Keeping ----------------------------------------------------------------------------


def renew(*, conversation_id: UUID, agent_id: int, now: datetime) -> None:
    """Note that an agent has opened a conversation of his, or types in it.

    Does nothing for a conversation that he does not have: anybody may look.
    """
    if not Assignment.objects.filter(active_for=conversation_id, agent_id=agent_id).exists():
        return
    with transaction.atomic():
        conversation = locked(conversation_id)
        if conversation.agent_id == agent_id:
            leases.renew(conversation, now=now)


# --- Taking back ------------------------------------------------------------------------


def return_overdue(*, now: datetime, present: frozenset[int] | None) -> int:
    """Put back into the queue what was not opened or answered in time, or whose agent is gone.

    Only where the customer waits for a word: a conversation that is quiet stays with its agent.

    Args:
        present: As in assign_waiting.

    Returns:
        How many went back.
    """
    if present is None:
        return 0
    owing = Assignment.objects.owing().filter(_is_due(now, present)).order_by("lease_until")
    return sum(
        _return(conversation_id, now=now, present=present)
        for conversation_id in owing.values_list("conversation_id", flat=True)[:MOST_PER_SWEEP]
    )


def _is_due(now: datetime, present: frozenset[int]) -> Q:
    return Q(lease_until__lt=now) | ~Q(agent_id__in=present)


@transaction.atomic
def _return(conversation_id: UUID, *, now: datetime, present: frozenset[int]) -> bool:
    conversation = locked(conversation_id)
    due = Assignment.objects.of(conversation).owing().filter(_is_due(now, present)).first()
    if due is None or conversation.status != Status.AGENT:
        return False  # he has answered meanwhile, or somebody else has taken it
    because = Ended.UNANSWERED if due.seen_at else Ended.UNSEEN
    if due.agent_id not in present:
        because = Ended.GONE
    since = conversation.waiting_since or due.owed_since or now
    leases.end(conversation, because, now=now)
    handover.queue_up(conversation, because=Because.RETURNED, since=since, now=now)
    return True


def escalate_overdue(*, now: datetime) -> int:
    """Mark for the supervisors what has waited too long, or was let lapse too often.

    Returns:
        How many were marked.
    """
    waiting = list(
        Conversation.objects.filter(status=Status.WAITING, escalated_at=None)
        .exclude(waiting_since=None)
        .select_related("queue")
        .order_by("waiting_since")[:MOST_PER_SWEEP]
    )
    if not waiting:
        return 0
    calendars = _Open.read().calendars
    lapsed = crew.lapsed_by([one.pk for one in waiting])
    marked = 0
    for one in waiting:
        assert one.waiting_since is not None  # noqa: S101  (excluded above)
        rules = one.queue or Queue()
        waited_s = calendars[one.queue_id].working_seconds(one.waiting_since, now)
        if (
            waited_s > rules.escalate_after_s
            or len(lapsed.get(one.pk, [])) >= ESCALATE_AFTER_LAPSES
        ):
            marked += _escalate(one.pk, now=now)
    return marked


@transaction.atomic
def _escalate(conversation_id: UUID, *, now: datetime) -> bool:
    waits = Conversation.objects.filter(
        pk=conversation_id, status=Status.WAITING, escalated_at=None
    )
    if not waits.update(escalated_at=now):
        return False
    conversation = locked(conversation_id)
    Handover.objects.create(
        conversation=conversation,
        requested_at=now,
        because=Because.ESCALATED,
        queue_id=conversation.queue_id,
    )
    publish_status(conversation)
    return True


# --- Passing on -------------------------------------------------------------------------


def transfer(
    *,
    conversation_id: UUID,
    from_agent_id: int,
    reason: str,
    summary: str,
    now: datetime,
    to_agent_id: int | None = None,
    queue_id: int | None = None,
    by_supervisor: bool = False,
) -> None:
    """Pass a conversation on to another agent, who has to open it in time, or into a queue.

    Args:
        from_agent_id: Who passes it on.
        reason: Why; at most 200 characters.
        summary: What the next one should know.
        to_agent_id, queue_id: One of the two.
        by_supervisor: Also when somebody else has it, or nobody; the caller has checked that
            `from_agent_id` is a supervisor.

    Raises:
        NotYours: Somebody else has it, or nobody.
        NoSuchAgent, NoSuchQueue: It cannot go there.
        ConversationClosed: It has ended.
        NoSuchConversation: It does not exist.
    """
    if to_agent_id is not None:
        profile_of(to_agent_id)  # refuses who is no agent
    elif queue_id is None or not Queue.objects.filter(pk=queue_id).exists():
        raise NoSuchQueue
    with transaction.atomic():
        conversation = locked(conversation_id)
        if conversation.status == Status.CLOSED:
            raise ConversationClosed
        if conversation.agent_id != from_agent_id and not by_supervisor:
            raise handover.NotYours
        if to_agent_id is not None and conversation.agent_id == to_agent_id:
            return
        owes = bool(owe_nothing(conversation)) or conversation.waiting_since is not None
        owed_since = leases.owed_since(conversation) or (now if owes else None)
        leases.end(conversation, Ended.TRANSFERRED, now=now)
        conversation.queue_id = queue_id or conversation.queue_id
        wait: dict[str, Any] = {
            "because": Because.TRANSFERRED,
            "since": conversation.waiting_since or owed_since or now,
            "note": reason,
            "summary": summary,
        }
        if to_agent_id is None:
            handover.queue_up(conversation, now=now, **wait)
            return
        handover.note_wait(conversation, now=now, **wait)
        conversation.status, conversation.agent_id = Status.AGENT, to_agent_id
        conversation.changed_at = now
        conversation.save(update_fields=["status", "agent", "changed_at"])
        leases.begin(
            conversation, agent_id=to_agent_id, now=now, is_seen=False, owed_since=owed_since
        )
        publish_status(conversation)


__all__ = [
    "NoSuchAgent",
    "NoSuchQueue",
    "assign_waiting",
    "escalate_overdue",
    "renew",
    "return_overdue",
    "transfer",
]

"""What supervisors see of right now: queues, agents, and every open conversation.

Read as a whole each time: the page asks again when a hint says that something has changed. The
number of queries does not grow with what there is, and lists are cut.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, OuterRef, Q, QuerySet, Subquery

from chat.models import AgentProfile, Assignment, Conversation, Handover
from chat.services import notes, targets, waiting
from chat.services.targets import Promise, Targets
from chat.sockets import Frame, name_of

Status = Conversation.Status

# Longer lists are cut, what is most urgent first; `counts` tell how long they are.
LISTED_MOST = 200
OPEN = (Status.WAITING, Status.AGENT, Status.BOT)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which conversations are listed; None and "" stand for everything."""

    queue_id: int | None = None
    agent_id: int | None = None
    status: str = ""

    def of(self, conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
        if self.queue_id is not None:
            conversations = conversations.filter(queue_id=self.queue_id)
        if self.agent_id is not None:
            conversations = conversations.filter(agent_id=self.agent_id)
        if self.status:
            conversations = conversations.filter(status=self.status)
        return conversations


def read(*, wanted: Wanted, present: frozenset[int] | None, now: datetime) -> Frame:
    """Return all of it as in docs/protocol.md, "Monitor". At most thirteen queries.

    Args:
        present: Primary keys of the users who are there; None: unknown.
    """
    promised = Targets.read()
    open_ones = Conversation.objects.filter(status__in=OPEN)
    return {
        "now": now.isoformat(),
        "counts": {
            **dict.fromkeys(OPEN, 0),
            **dict(open_ones.order_by().values_list("status").annotate(Count("pk"))),
        },
        "queues": _queues(promised, now),
        "agents": _agents(present),
        "conversations": _conversations(wanted.of(open_ones), promised, now),
    }


def _queues(promised: Targets, now: datetime) -> list[Frame]:
    waits = Q(status=Status.WAITING)
    counted: dict[int | None, Any] = {
        row["queue"]: row
        for row in Conversation.objects.filter(status__in=(Status.WAITING, Status.AGENT))
        .order_by()
        .values("queue")
        .annotate(
            waiting=Count("pk", filter=waits),
            left=Count("pk", filter=waits & Q(offline=True)),
            escalated=Count("pk", filter=waits & Q(escalated_at__isnull=False)),
            with_agents=Count("pk", filter=Q(status=Status.AGENT)),
            since=Min("waiting_since", filter=waits & Q(offline=False)),
        )
    }
    recent = waiting.recent_waits(promised.hours, now)
    return [
        _queue(name, counted.get(queue_id, {}), promised, queue_id, recent.get(queue_id, []), now)
        for queue_id, name in _names(promised, counted).items()
    ]


def _names(promised: Targets, counted: Mapping[int | None, Any]) -> dict[int | None, str]:
    names: dict[int | None, str] = {pk: one.name for pk, one in promised.queues.items()}
    # What was in a queue that somebody deleted is in none.
    return names | ({None: ""} if None in counted and counted[None]["waiting"] else {})


def _queue(
    name: str,
    counted: Mapping[str, Any],
    promised: Targets,
    queue_id: int | None,
    recent: list[float],
    now: datetime,
) -> Frame:
    hours = promised.hours[queue_id]
    is_open = hours.is_open(now)
    low, high = waiting.interval(recent, waited_s=0) if is_open else (None, None)
    changes_at = hours.next_closing(now) if is_open else hours.next_opening(now)
    return {
        "id": queue_id,
        "name": name,
        "waiting": counted.get("waiting", 0),
        "offline": counted.get("left", 0),
        "escalated": counted.get("escalated", 0),
        "with_agents": counted.get("with_agents", 0),
        "waiting_since": _iso(counted.get("since")),
        "wait_low_s": low,
        "wait_high_s": high,
        "open": is_open,
        "changes_at": _iso(changes_at),
    }


def _agents(present: frozenset[int] | None) -> list[Frame]:
    has: dict[int, list[Frame]] = {}
    running = Assignment.objects.running().select_related("conversation__customer")
    for one in running.order_by("assigned_at"):
        has.setdefault(one.agent_id, []).append(
            {
                "conversation": str(one.conversation_id),
                "customer": _customer(one.conversation),
                "uid": one.conversation.uid,
                "since": one.assigned_at.isoformat(),
                "opened": one.seen_at is not None,
                "owed_since": _iso(one.owed_since),
                "lease_until": _iso(one.lease_until),
            }
        )
    listed = []
    for user in notes.agents().select_related("agent_profile"):
        profile = getattr(user, "agent_profile", None)
        if profile is None and user.pk not in has:
            continue  # has never come to the workspace
        profile = profile or AgentProfile()
        listed.append(
            {
                "id": user.pk,
                "name": name_of(user),
                "present": None if present is None else user.pk in present,
                "availability": profile.availability,
                "capacity": profile.capacity,
                "has": has.get(user.pk, []),
            }
        )
    return sorted(listed, key=lambda one: (one["present"] is False, -len(one["has"]), one["name"]))


def _conversations(
    conversations: QuerySet[Conversation], promised: Targets, now: datetime
) -> list[Frame]:
    """Return what is open: escalated, waiting the longest, with agents, then with the bot."""
    # One list along an index for each state; what an entry says is then read for those alone.
    parts = (
        conversations.filter(status=Status.WAITING, escalated_at__isnull=False).order_by(
            "escalated_at"
        ),
        conversations.filter(status=Status.WAITING, escalated_at=None).order_by("waiting_since"),
        conversations.filter(status=Status.AGENT).order_by("changed_at"),
        conversations.filter(status=Status.BOT).order_by("-changed_at"),
    )
    ids = [pk for part in parts for pk in part.values_list("pk", flat=True)[:LISTED_MOST]]
    ids = ids[:LISTED_MOST]
    latest = Handover.objects.filter(conversation=OuterRef("pk")).order_by("-pk")
    rows = targets.with_case(
        Conversation.objects.filter(pk__in=ids)
        .select_related("agent", "customer", "queue")
        .annotate(because=Subquery(latest.values("because")[:1]))
    )
    by_id = {one.pk: _conversation(one, promised.promise(one), now) for one in rows}
    return [by_id[pk] for pk in ids if pk in by_id]


def _conversation(one: Conversation, promise: Promise | None, now: datetime) -> Frame:
    return {
        "conversation": str(one.pk),
        "uid": one.uid,
        "customer": _customer(one),
        "language": one.language,
        "status": one.status,
        "agent_id": one.agent_id,
        "agent": name_of(one.agent),
        "queue_id": one.queue_id,
        "queue": one.queue.name if one.queue else "",
        "because": getattr(one, "because", None) or "",
        "since": (one.waiting_since or one.changed_at).isoformat(),
        "is_escalated": one.escalated_at is not None,
        "is_offline": one.offline,
        "sla": _sla(promise, now),
    }


def _sla(promise: Promise | None, now: datetime) -> Frame | None:
    if promise is None:
        return None
    return {
        "kind": promise.kind,
        "due_at": _iso(promise.due_at),
        "left_s": promise.left_s(now),
        "is_running": promise.is_running(now),
    }


def _customer(one: Conversation) -> str:
    return one.customer.name if one.customer else ""


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None

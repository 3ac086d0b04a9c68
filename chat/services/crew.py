"""Who could take a conversation, and who of them should: no writes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, F, Max

from chat.models import AgentProfile, Assignment, Conversation, Queue
from csplatform.roles import Role

_SUPERVISORS = {str(Role.SUPERVISOR), str(Role.ADMINISTRATOR)}
Availability = AgentProfile.Availability


@dataclass(slots=True)
class Agent:
    """One agent who is there and takes chats, and what he has."""

    user_id: int
    capacity: int
    languages: frozenset[str]  # empty: all
    teams: frozenset[int]
    skills: frozenset[str]  # codes of intents; empty: all
    is_supervisor: bool
    chats: int
    last_at: datetime | None  # when he got his latest one

    @property
    def has_room(self) -> bool:
        return self.chats < self.capacity

    def fits(self, queue: Queue | None, *, language: str, intent: str) -> bool:
        """Whether he answers this queue, speaks the language and knows the matter."""
        return (
            (queue is None or queue.team_id is None or queue.team_id in self.teams)
            and (not self.languages or language in self.languages)
            and (not self.skills or not intent or intent in self.skills)
        )


def on_duty(present: Iterable[int]) -> list[Agent]:
    """Return who of the present takes chats now. Six queries, however many they are."""
    profiles = (
        AgentProfile.objects.filter(
            user_id__in=list(present), availability=Availability.AVAILABLE, user__is_active=True
        )
        .select_related("user")
        .prefetch_related("teams", "skills", "user__groups")
    )
    chats = dict(Assignment.objects.running().values_list("agent").annotate(Count("pk")).order_by())
    latest = dict(
        Assignment.objects.filter(agent_id__in=list(present))
        .values_list("agent")
        .annotate(Max("assigned_at"))
        .order_by()
    )
    return [
        Agent(
            user_id=one.user_id,
            capacity=one.capacity,
            languages=frozenset(one.languages),
            teams=frozenset(team.pk for team in one.teams.all() if team.is_active),
            skills=frozenset(intent.code for intent in one.skills.all()),
            is_supervisor=one.user.is_superuser
            or any(group.name in _SUPERVISORS for group in one.user.groups.all()),
            chats=chats.get(one.user_id, 0),
            last_at=latest.get(one.user_id),
        )
        for one in profiles
    ]


def lapsed_by(conversation_ids: Sequence[UUID]) -> dict[UUID, list[int]]:
    """Return who let each conversation lapse, or passed it on, since its customer waits."""
    found: dict[UUID, list[int]] = {}
    lapsed = Assignment.objects.filter(
        conversation_id__in=conversation_ids,
        ended_at__gte=F("conversation__waiting_since"),
        ended_because__in=Assignment.LAPSED,
    )
    for conversation_id, agent_id in lapsed.values_list("conversation_id", "agent_id"):
        found.setdefault(conversation_id, []).append(agent_id)
    return found


def in_order(
    agents: Iterable[Agent], queue: Queue | None, *, last_agent: int | None
) -> list[Agent]:
    """Return agents as a queue's strategy wants them, the first one first."""
    strategy = queue.strategy if queue is not None else Queue.Strategy.LEAST_BUSY
    longest_idle = sorted(
        agents, key=lambda one: (one.last_at is not None, one.last_at, one.user_id)
    )
    if strategy == Queue.Strategy.ROUND_ROBIN:
        return longest_idle
    least_busy = sorted(longest_idle, key=lambda one: one.chats / one.capacity)
    if strategy == Queue.Strategy.LAST_AGENT:
        return sorted(least_busy, key=lambda one: one.user_id != last_agent)
    return least_busy


def last_agent_of(conversation: Conversation) -> int | None:
    """Return who spoke with this customer last, in this conversation or an earlier one."""
    spoken = Assignment.objects.filter(
        conversation__uid=conversation.uid, answered_at__isnull=False
    ).order_by("-answered_at")
    return spoken.values_list("agent_id", flat=True).first()

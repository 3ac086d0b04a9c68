"""The agents themselves: what each takes now, and what he has."""

from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.utils.translation import gettext_lazy as _

from chat.models import AgentProfile, Assignment
from csplatform.errors import Refusal
from csplatform.roles import AGENTS, Role, roles_of

Availability = AgentProfile.Availability


class NoSuchAgent(Refusal):
    code = "no_such_agent"
    status = 404
    detail = _("There is no such agent.")


@dataclass(frozen=True, slots=True)
class Desk:
    """One agent as the server sees him."""

    availability: str  # AgentProfile.Availability, as he chose it
    chats: int  # that he has
    capacity: int  # more are not assigned automatically


def profile_of(agent_id: int) -> AgentProfile:
    """Return an agent's profile; who has none gets one.

    Agents take chats from the start. Supervisors come to look, and take chats once they say so.

    Raises:
        NoSuchAgent: Nobody, or somebody who is no agent.
    """
    profile = AgentProfile.objects.filter(user_id=agent_id).first()
    if profile is not None:
        return profile
    person = get_user_model().objects.filter(pk=agent_id).first()
    roles = roles_of(person)
    if not roles & AGENTS:
        raise NoSuchAgent
    availability = Availability.AVAILABLE if Role.AGENT in roles else Availability.BREAK
    return AgentProfile.objects.get_or_create(
        user_id=agent_id, defaults={"availability": availability}
    )[0]


def set_availability(*, agent_id: int, availability: Availability) -> None:
    """Say whether an agent takes chats now. What he has, he keeps.

    Raises:
        NoSuchAgent: Nobody, or somebody who is no agent.
    """
    profile = profile_of(agent_id)
    AgentProfile.objects.filter(pk=profile.pk).update(availability=availability)


def desk_of(agent_id: int) -> Desk:
    """Return what the server knows of an agent. Two queries."""
    profile = profile_of(agent_id)
    chats = Assignment.objects.running().filter(agent_id=agent_id).count()
    return Desk(profile.availability, chats, profile.capacity)

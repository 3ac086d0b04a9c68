"""The agent who looks: what is his, and what of the queue he may take."""

from dataclasses import dataclass

from django.db.models import Q

from chat.models import AgentProfile, Conversation


@dataclass(frozen=True, slots=True)
class Viewer:
    """One agent, as the lists need to know him."""

    agent_id: int
    is_supervisor: bool
    teams: frozenset[int] = frozenset()
    languages: frozenset[str] = frozenset()  # empty: all

    def may_take(self) -> Q:
        """What of the waiting conversations is for him: his team's and nobody's, in his languages.

        Supervisors see to all of them. It is what his list shows: by hand, anybody may take any.
        """
        if self.is_supervisor:
            return Q()
        of_team = Q(queue=None) | Q(queue__team=None) | Q(queue__team__in=self.teams)
        return of_team & Q(language__in=self.languages) if self.languages else of_team

    def has_in_queue(self, conversation: Conversation) -> bool:
        """Whether a conversation, with its queue read, waits for him."""
        if conversation.status != Conversation.Status.WAITING:
            return False
        team_id = conversation.queue.team_id if conversation.queue else None
        return self.is_supervisor or (
            (team_id is None or team_id in self.teams)
            and (not self.languages or conversation.language in self.languages)
        )


def viewer(agent_id: int, *, is_supervisor: bool) -> Viewer:
    """Read an agent's teams and languages. At most two queries."""
    if is_supervisor:
        return Viewer(agent_id, is_supervisor=True)
    profile = AgentProfile.objects.filter(user_id=agent_id).prefetch_related("teams").first()
    if profile is None:  # he has not come to the workspace yet
        return Viewer(agent_id, is_supervisor=False)
    teams = frozenset(team.pk for team in profile.teams.all() if team.is_active)
    return Viewer(
        agent_id, is_supervisor=False, teams=teams, languages=frozenset(profile.languages)
    )

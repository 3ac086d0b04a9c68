"""What customers thought of their conversations (CSAT)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chat.models import Rating
from chat.reports.figures import Share, mean
from chat.reports.period import Asked

# Who gives these is satisfied: "top two boxes" of five.
SATISFIED_FROM = 4


@dataclass(frozen=True, slots=True)
class Score:
    """One rating."""

    score: int  # 1 to 5
    rated_at: datetime
    agent_id: int | None  # None: the bot alone had the conversation
    queue_id: int | None


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """CSAT is the share of ratings of 4 and 5."""

    csat: Share
    mean: float | None  # 1 to 5

    @classmethod
    def of(cls, scores: Sequence[Score]) -> "Satisfaction":
        values = [float(one.score) for one in scores]
        satisfied = sum(one.score >= SATISFIED_FROM for one in scores)
        return cls(Share(satisfied, len(scores)), mean(values))


def read(asked: Asked) -> list[Score]:
    """Return what was rated in a period. One query. Of an intent nothing is known: it is ignored."""
    rated = Rating.objects.filter(
        rated_at__gte=asked.period.start, rated_at__lt=asked.period.end
    ).order_by("rated_at")
    if asked.agent_id is not None:
        rated = rated.filter(agent_id=asked.agent_id)
    if asked.queue_id is not None:
        rated = rated.filter(conversation__queue_id=asked.queue_id)
    columns = rated.values_list("score", "rated_at", "agent_id", "conversation__queue_id")
    return [Score(*row) for row in columns]

"""What the socket carries: the conversations that people have or are to have, as one agent sees them."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Q, QuerySet

from chat.inbox.entries import Listed, entries, entry
from chat.inbox.viewers import Viewer
from chat.models import Conversation
from chat.sockets import Frame

Status = Conversation.Status

# Of each part of the list. What is left out is in the lists to leaf through, and moves up.
LISTED_MOST = 100
# A longer list is only known to be longer.
COUNTED_MOST = 1000


def whole(viewer: Viewer) -> list[Frame]:
    """Return what is his, what waits for him, and what colleagues have. Six queries.

    His own first; then what is escalated, then the longest waiting; then the colleagues', in
    which something has changed lately.
    """
    waiting = Conversation.objects.filter(viewer.may_take(), status=Status.WAITING)
    colleagues = Conversation.objects.filter(status=Status.AGENT).exclude(agent_id=viewer.agent_id)
    parts = (
        _his(viewer).order_by("changed_at"),
        waiting.filter(escalated_at__isnull=False).order_by("escalated_at"),
        waiting.filter(escalated_at=None).order_by("waiting_since"),
        colleagues.order_by("-changed_at"),
    )
    # Ids along an index first: what an entry says is then read for those alone.
    ids = [pk for part in parts for pk in part.values_list("pk", flat=True)[:LISTED_MOST]]
    return entries(ids, viewer)


def changed(
    viewer: Viewer, ids: Sequence[UUID], found: Iterable[Listed]
) -> tuple[list[Frame], list[str]]:
    """Return what of `ids` is in the list, and the ids of what is not (any more). No queries.

    Args:
        found: What `read` found of them.
    """
    seen = (entry(one, viewer) for one in found)
    listed = [one for one in seen if one["status"] == Status.AGENT or one["is_for_me"]]
    there = {one["conversation"] for one in listed}
    return listed, [str(one) for one in ids if str(one) not in there]


def counts(viewer: Viewer) -> dict[str, int]:
    """Return how many conversations each view has, COUNTED_MOST for more. Six queries."""
    by_status = {
        status: _count(Conversation.objects.filter(status=status))
        for status in (Status.BOT, Status.WAITING, Status.AGENT, Status.CLOSED)
    }
    mine = Q(status=Status.WAITING) & viewer.may_take()
    return {
        "mine": _count(_his(viewer)),
        "queue": _count(Conversation.objects.filter(mine)),
        "all": min(
            COUNTED_MOST,
            sum(by_status[one] for one in (Status.BOT, Status.WAITING, Status.AGENT)),
        ),
        "closed": by_status[Status.CLOSED],
    }


def _his(viewer: Viewer) -> QuerySet[Conversation]:
    return Conversation.objects.filter(status=Status.AGENT, agent_id=viewer.agent_id)


def _count(conversations: QuerySet[Conversation]) -> int:
    return conversations.order_by()[:COUNTED_MOST].count()

"""Who may see which conversation. Sockets, views and services get theirs only from here.

To someone who may not see it, a conversation does not exist: the answer is the same, so
ids cannot be probed.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from chat.models import Conversation
from csplatform.errors import Refusal


class NoSuchConversation(Refusal):
    code = "no_such_conversation"
    status = 404
    detail = _("There is no such conversation.")


def of_customer(uid: str, conversation_id: UUID) -> Conversation:
    """Return the conversation if it is this customer's, open or closed.

    Raises:
        NoSuchConversation: It does not exist, or is somebody else's.
    """
    found = Conversation.objects.select_related("agent").filter(pk=conversation_id, uid=uid)
    conversation = found.first()
    if conversation is None:
        raise NoSuchConversation
    return conversation


def shown_to(uid: str, now: datetime) -> Conversation | None:
    """Return what a customer who comes finds on his screen; None: nothing, he begins.

    That is what his next message goes into. Where there is none it is what ended last, for
    CHAT_ENDED_SHOWN_S, while he is asked how content he was: he may have been away when it ended.
    Two queries at most.
    """
    mine = Conversation.objects.select_related("agent")
    current = mine.current_of(uid).first()
    if current is not None:
        return current
    latest = mine.filter(uid=uid).select_related("rating").order_by("-opened_at").first()
    if latest is None or not latest.asks_rating or hasattr(latest, "rating"):
        return None
    since = now - timedelta(seconds=settings.CHAT_ENDED_SHOWN_S)
    return latest if latest.changed_at > since else None


def current_of_customers(uids: Iterable[str]) -> dict[str, UUID]:
    """Return what the next message of each customer goes into, of those who have one. One query."""
    found = Conversation.objects.filter(Q(open_for__in=uids) | Q(reopens_for__in=uids))
    return dict(found.values_list("uid", "pk"))


def of_agent(conversation_id: UUID) -> Conversation:
    """Return any conversation: agents may read all of them.

    The caller has checked the role (csplatform.roles.AGENTS).

    Raises:
        NoSuchConversation: It does not exist.
    """
    conversation = Conversation.objects.select_related("agent").filter(pk=conversation_id).first()
    if conversation is None:
        raise NoSuchConversation
    return conversation

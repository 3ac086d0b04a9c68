"""Visitors who sign in: what they said before goes with them."""

from datetime import datetime

from django.db import IntegrityError, transaction

from chat import events
from chat.models import Attachment, Conversation
from chat.services.closing import end
from chat.services.conversations import Status, customer_of
from csplatform.tokens import ANONYMOUS_PREFIX

# Who wins when both have an open conversation: one that people take care of.
_PRECEDENCE = {Status.AGENT: 0, Status.WAITING: 1, Status.BOT: 2}
_TRIES = 3


def join_visitor(*, visitor_uid: str, uid: str, now: datetime) -> int:
    """Make a visitor's conversations those of the customer he turned out to be.

    A customer has one open conversation. When both have one, that with an agent stays
    open, else the one that waits for an agent, else the visitor's, which is the one on his
    screen; the other is ended and stays readable.

    The caller has checked that both uids are proven. Doing it again changes nothing.

    Returns:
        How many conversations joined; 0 for a uid that is no visitor's.
    """
    if not visitor_uid.startswith(ANONYMOUS_PREFIX) or visitor_uid == uid:
        return 0
    for _ in range(_TRIES - 1):
        try:
            return _join(visitor_uid, uid, now)
        except IntegrityError:
            continue  # the customer opened one in another window meanwhile: look again
    return _join(visitor_uid, uid, now)


@transaction.atomic
def _join(visitor_uid: str, uid: str, now: datetime) -> int:
    # In one order for everybody, so that two sign-ins at once wait instead of deadlocking.
    both = list(
        Conversation.objects.select_for_update()
        .filter(uid__in=[visitor_uid, uid])
        .exclude(uid=uid, open_for=None)
        .order_by("pk")
    )
    joining = [one for one in both if one.uid == visitor_uid]
    open_ones = [one for one in both if one.status != Status.CLOSED]
    open_ones.sort(key=lambda one: (_PRECEDENCE[Status(one.status)], one.uid == uid))
    for superfluous in open_ones[1:]:
        end(superfluous, now=now)
    # One at most reopens, and none beside an open one: the visitor's was on his screen.
    reopening = [one for one in joining if one.reopens_for and not open_ones]
    if joining and (open_ones or reopening):
        Conversation.objects.filter(reopens_for=uid).update(reopens_for=None)
    Attachment.objects.unsent_of(uid=visitor_uid).update(uid=uid)  # he is about to send them
    customer = customer_of(uid)
    for conversation in joining:
        conversation.uid, conversation.customer = uid, customer
        conversation.reopens_for = uid if conversation in reopening else None
        if conversation.status != Status.CLOSED:
            conversation.open_for = uid
        conversation.save(update_fields=["uid", "customer", "open_for", "reopens_for"])
        events.publish_on_commit(
            events.VisitorJoined(
                conversation_id=conversation.pk,
                seq=conversation.last_seq,
                status=conversation.status,
            )
        )
    return len(joining)

"""Parts of frames that ask a service: what a waiting customer may know, and what he is asked."""

from collections.abc import Iterable
from uuid import UUID

from django.utils import timezone

from chat import services, sockets
from chat.models import Conversation, Rating
from chat.sockets import Frame


def queue_of(conversation: Conversation) -> Frame | None:
    """Return the customer's place and wait for the frames `status` and `welcome`; None unless he waits."""
    if conversation.status != Conversation.Status.WAITING:
        return None
    return queues_of([conversation.pk]).get(conversation.pk)


def queues_of(conversation_ids: Iterable[UUID]) -> dict[UUID, Frame]:
    """Return the same for many conversations at once, of those that wait."""
    return {
        conversation_id: sockets.queue(
            position=place.position,
            low_s=place.low_s,
            high_s=place.high_s,
            is_open=place.is_open,
            opens_at=place.opens_at,
        )
        for conversation_id, place in services.places(conversation_ids, timezone.now()).items()
    }


def rating_of(conversation: Conversation) -> Frame | None:
    """Return what the customer has said of it for the same frames; None while he is not asked."""
    if not services.asks_rating(conversation):
        return None
    said = Rating.objects.filter(conversation=conversation).values_list("score", "comment").first()
    score, comment = said or (None, "")
    return sockets.rating(score=score, comment=comment)

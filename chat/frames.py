"""Parts of frames that ask a service: what a waiting customer may know."""

from django.utils import timezone

from chat import services, sockets
from chat.models import Conversation
from chat.sockets import Frame


def queue_of(conversation: Conversation) -> Frame | None:
    """Return the customer's place and wait for the frames `status` and `welcome`; None unless he waits."""
    if conversation.status != Conversation.Status.WAITING:
        return None
    place = services.place(conversation.pk, timezone.now())
    if place is None:  # an agent was faster
        return None
    return sockets.queue(
        position=place.position,
        low_s=place.low_s,
        high_s=place.high_s,
        is_open=place.is_open,
        opens_at=place.opens_at,
    )

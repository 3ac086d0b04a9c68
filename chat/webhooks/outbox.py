"""What endpoints shall be told, written in the transaction of the change: both or neither."""

import json
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from chat import events
from chat.models import WebhookDelivery, WebhookEvent
from chat.webhooks import endpoints, kinds

Status = WebhookDelivery.Status
# One sweep; the next is an hour away.
_MOST_FORGOTTEN = 50_000
_FORGOTTEN_AT_ONCE = 1_000


def publish(event: events.Event) -> bool:
    """Write an event for the endpoints that want it, in the transaction of the change.

    Returns:
        False when nobody wants it; then there was no query.
    """
    is_wanted = False
    for kind in kinds.of(event):
        if wanting := endpoints.that_want(kind.name):
            wording = kind.word(event)
            _write(
                kind.name,
                kind.version,
                wording.data,
                to=wanting,
                conversation_id=event.conversation_id,
                at=wording.happened_at,
            )
            is_wanted = True
    return is_wanted


def ping(*, endpoint_id: UUID, now: datetime) -> WebhookDelivery:
    """Write a test event for one endpoint, whatever it asked for; it goes the way of all others."""
    with transaction.atomic():
        data = {"endpoint": str(endpoint_id)}
        [delivery] = _write(
            kinds.PING, kinds.PING_VERSION, data, to=[endpoint_id], conversation_id=None, at=now
        )
    return delivery


def redeliver(*, delivery_ids: Iterable[int], now: datetime) -> int:
    """Send deliveries again, with the ids of their events and the whole schedule before them.

    Returns:
        How many. Those that are on their way are only sent sooner.
    """
    return WebhookDelivery.objects.filter(pk__in=list(delivery_ids)).update(
        status=Status.PENDING, attempts=0, due_at=now
    )


def forget_old(*, now: datetime) -> int:
    """Delete events, and the log of their deliveries, after WEBHOOK_LOG_DAYS.

    Returns:
        How many events.
    """
    old = WebhookEvent.objects.filter(
        created_at__lt=now - timedelta(days=settings.WEBHOOK_LOG_DAYS)
    )
    forgotten = 0
    while forgotten < _MOST_FORGOTTEN:
        batch = list(old.values_list("pk", flat=True)[:_FORGOTTEN_AT_ONCE])
        if not batch:
            break
        WebhookEvent.objects.filter(pk__in=batch).delete()
        forgotten += len(batch)
    return forgotten


def _write(
    kind: str,
    version: int,
    data: dict[str, Any],
    *,
    to: Iterable[UUID],
    conversation_id: UUID | None,
    at: datetime,
) -> list[WebhookDelivery]:
    event = WebhookEvent(id=uuid.uuid4(), kind=kind, conversation_id=conversation_id, created_at=at)
    body = {
        "id": str(event.pk),
        "type": kind,
        "version": version,
        "timestamp": at.isoformat(),
        "data": data,
    }
    event.payload = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    event.save(force_insert=True)
    return WebhookDelivery.objects.bulk_create(
        WebhookDelivery(endpoint_id=endpoint_id, event=event, due_at=at) for endpoint_id in to
    )

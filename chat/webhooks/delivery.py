"""Sending what the outbox holds: one at a time to each endpoint, again until it is taken.

| | |
| --- | --- |
| two workers, a doubled task | one conditional UPDATE of `free_at` lets one of them send |
| a worker that dies between sending and recording | its lease ends after LEASE: sent again, with the same id |
| order | the oldest that is due goes first; one that failed steps aside, so that one event which the receiver cannot take does not hold up all others. `seq` restores the order |
| an endpoint that fails | rests between attempts, a minute at most, however much waits for it |
| one that failed for days, or is gone (410) | is switched off, and the admin says so |
"""

import logging
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from chat.models import WebhookDelivery, WebhookEndpoint, WebhookEndpointQuerySet
from chat.webhooks import endpoints, sending, signing

logger = logging.getLogger(__name__)

Status = WebhookDelivery.Status
SwitchedOff = WebhookEndpoint.SwitchedOff
# Longer than one attempt can take: WEBHOOK_TIMEOUT_S (60 at most) after the resolver's 20 or so.
LEASE = timedelta(minutes=2)
# Waits before the second attempt, the third, and so on; together 23.6 hours.
BACK_OFF = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 60, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 8 * 3600, 8 * 3600)
)
# Each is up to a fifth longer or shorter, so that what failed together does not return together.
JITTER = 0.2
REST_MAX = timedelta(minutes=1)
# Attempts lie at most 9.6 hours apart while something waits: after a longer pause, failing begins
# anew, or two failures with a quiet week between them would count as a week of failing.
_PAUSE = timedelta(hours=12)
_CANDIDATES = 5
_OUTCOME_MAX_CHARS = 200


@dataclass(frozen=True, slots=True)
class _Claim:
    """The right to send to an endpoint until `free_at`."""

    endpoint: WebhookEndpoint  # as it was claimed, with `free_at` of the claim

    @property
    def rows(self) -> WebhookEndpointQuerySet:
        """The endpoint, as long as nobody else has claimed it: every claim has a later `free_at`."""
        return WebhookEndpoint.objects.filter(pk=self.endpoint.pk, free_at=self.endpoint.free_at)


def deliver_next(*, now: datetime) -> bool:
    """Send the next due delivery of the endpoint that rested longest, and note what came of it.

    Returns:
        False when nothing is due, or others are at it; that took one query.
    """
    claim = _claim(now)
    if claim is None:
        return False
    endpoint = claim.endpoint
    due = endpoint.deliveries.filter(status=Status.PENDING, due_at__lte=now)
    delivery = due.select_related("event").order_by("due_at", "pk").first()
    if delivery is None:  # somebody else sent it between the look and the claim
        claim.rows.update(free_at=now)
        return True
    body = delivery.event.payload.encode()
    response = sending.post(
        endpoint.url,
        headers=signing.headers(
            event_id=str(delivery.event.pk),
            body=body,
            secrets=signing.valid_secrets(endpoint, now),
            now=now,
        ),
        body=body,
        timeout_s=settings.WEBHOOK_TIMEOUT_S,
    )
    ended = now + timedelta(milliseconds=response.elapsed_ms)
    with transaction.atomic():
        if response.is_delivered:
            _note_delivered(claim, delivery, response, now=now, ended=ended)
        else:
            _note_failed(claim, delivery, response, now=now, ended=ended)
    return True


def _claim(now: datetime) -> _Claim | None:
    waiting = WebhookEndpoint.objects.with_work(now).values_list("pk", flat=True)
    for endpoint_id in list(waiting[:_CANDIDATES]):
        free = WebhookEndpoint.objects.filter(pk=endpoint_id, is_active=True, free_at__lte=now)
        if free.update(free_at=now + LEASE):
            endpoint = WebhookEndpoint.objects.get(pk=endpoint_id)
            endpoint.free_at = now + LEASE  # also where it was lost again meanwhile
            return _Claim(endpoint)
    return None


def _note_delivered(
    claim: _Claim,
    delivery: WebhookDelivery,
    response: sending.Response,
    *,
    now: datetime,
    ended: datetime,
) -> None:
    # Also where the lease has ended and another worker failed meanwhile: it was taken.
    WebhookDelivery.objects.filter(pk=delivery.pk).exclude(status=Status.DELIVERED).update(
        status=Status.DELIVERED,
        attempts=delivery.attempts + 1,
        attempted_at=now,
        response_code=response.code,
        response_ms=response.elapsed_ms,
        outcome="",
    )
    claim.rows.update(
        free_at=ended,
        failures=0,
        failing_since=None,
        attempted_at=now,
        outcome=f"HTTP {response.code}",
    )


def _note_failed(
    claim: _Claim,
    delivery: WebhookDelivery,
    response: sending.Response,
    *,
    now: datetime,
    ended: datetime,
) -> None:
    tried = delivery.attempts + 1
    is_last = tried > len(BACK_OFF)
    # Not where somebody has noted an attempt meanwhile, or asked for it to begin anew.
    WebhookDelivery.objects.filter(
        pk=delivery.pk, status=Status.PENDING, attempts=delivery.attempts
    ).update(
        status=Status.GIVEN_UP if is_last else Status.PENDING,
        attempts=tried,
        due_at=ended if is_last else ended + _jittered(BACK_OFF[tried - 1]),
        attempted_at=now,
        response_code=response.code,
        response_ms=response.elapsed_ms,
        outcome=response.text[:_OUTCOME_MAX_CHARS],
    )
    endpoint = claim.endpoint
    outcome = f"HTTP {response.code}" if response.code else response.text[:_OUTCOME_MAX_CHARS]
    goes_on = endpoint.attempted_at is not None and now - endpoint.attempted_at < _PAUSE
    since = (endpoint.failing_since if goes_on else None) or now
    is_claimed = claim.rows.update(
        free_at=ended + min(REST_MAX, timedelta(seconds=2 ** min(endpoint.failures, 10))),
        failures=endpoint.failures + 1,
        failing_since=since,
        attempted_at=now,
        outcome=outcome,
    )
    if not is_claimed:
        return
    if response.is_gone:
        _switch_off(endpoint, SwitchedOff.GONE, outcome)
    elif now - since >= timedelta(days=settings.WEBHOOK_SWITCH_OFF_DAYS):
        _switch_off(endpoint, SwitchedOff.FAILING, outcome)


def _switch_off(endpoint: WebhookEndpoint, because: str, outcome: str) -> None:
    logger.error("Webhook %s is switched off (%s): %s", endpoint.pk, because, outcome)
    endpoints.switch_off(endpoint_id=endpoint.pk, because=because)


def _jittered(wait: timedelta) -> timedelta:
    return wait * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  # no secret

"""Endpoints: made, changed, given another secret, switched off and on. And who wants what."""

import math
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils.translation import gettext as _

from chat.models import WebhookEndpoint
from chat.webhooks import addresses, signing
from chat.webhooks.kinds import KINDS

# As long as the former secret signs beside the new one.
ROTATION = timedelta(days=1)


def create(
    *, name: str, url: str, kinds: Iterable[str], created_by_id: int | None, now: datetime
) -> tuple[WebhookEndpoint, str]:
    """Make an endpoint; it hears of what happens from now on, in other processes a moment later.

    Returns:
        The endpoint and its secret, which is shown to nobody again.

    Raises:
        ValidationError: The address or a kind is none.
    """
    endpoint = WebhookEndpoint.objects.create(
        name=name,
        url=addresses.checked_url(url),
        kinds=_checked_kinds(kinds),
        created_by_id=created_by_id,
        created_at=now,
        free_at=now,
    )
    forget()
    return endpoint, signing.secret_of(endpoint)


def change(*, endpoint_id: UUID, name: str, url: str, kinds: Iterable[str]) -> None:
    """Change what an endpoint hears of, and where; what waits goes to the new address.

    Raises:
        ValidationError: The address or a kind is none.
    """
    WebhookEndpoint.objects.filter(pk=endpoint_id).update(
        name=name, url=addresses.checked_url(url), kinds=_checked_kinds(kinds)
    )
    forget()


def rotate_secret(*, endpoint_id: UUID, now: datetime) -> str:
    """Give an endpoint a new secret; the former one goes on signing for a day beside it.

    Returns:
        The new secret, which is shown to nobody again.
    """
    WebhookEndpoint.objects.filter(pk=endpoint_id).update(
        secret_generation=F("secret_generation") + 1, former_secret_until=now + ROTATION
    )
    return signing.secret_of(WebhookEndpoint.objects.get(pk=endpoint_id))


def switch_off(*, endpoint_id: UUID, because: str = WebhookEndpoint.SwitchedOff.BY_STAFF) -> None:
    """Tell an endpoint nothing any more. What is on its way waits until it is switched on."""
    WebhookEndpoint.objects.filter(pk=endpoint_id, is_active=True).update(
        is_active=False, switched_off_because=because
    )
    forget()


def switch_on(*, endpoint_id: UUID, now: datetime) -> None:
    """Tell an endpoint what happens, beginning with what waits. What it failed is forgotten."""
    WebhookEndpoint.objects.filter(pk=endpoint_id, is_active=False).update(
        is_active=True, switched_off_because="", failures=0, failing_since=None, free_at=now
    )
    forget()


def _checked_kinds(kinds: Iterable[str]) -> list[str]:
    wanted = set(kinds)
    known = [kind.name for kind in KINDS if kind.name in wanted]
    if not known or len(known) != len(wanted):
        raise ValidationError(_("Choose at least one event."))
    return known


# --- Who wants what: asked at every change, so it is remembered ----------------------------

_lock = threading.Lock()
_held: Mapping[str, tuple[UUID, ...]] | None = None
_looked_at = -math.inf  # time.monotonic()


def that_want(kind: str) -> tuple[UUID, ...]:
    """Return the active endpoints that hear of a kind, as they were at most CONTENT_POLL_S ago.

    Where nobody listens, this is all that a change costs: nothing, or one small query of one
    thread every CONTENT_POLL_S. Endpoints are never deleted, so what it names is there.
    """
    global _held, _looked_at
    held = _held
    if held is None or time.monotonic() - _looked_at >= settings.CONTENT_POLL_S:
        if not _lock.acquire(blocking=held is None):
            return held.get(kind, ()) if held is not None else ()
        try:
            _looked_at = time.monotonic()
            held = _held = _read()
        finally:
            _lock.release()
    return held.get(kind, ())


def forget() -> None:
    """Look at the rows again next time."""
    global _held
    _held = None


def _read() -> Mapping[str, tuple[UUID, ...]]:
    wanting: dict[str, list[UUID]] = defaultdict(list)
    active = WebhookEndpoint.objects.filter(is_active=True)
    for endpoint_id, kinds in active.values_list("pk", "kinds"):
        for kind in kinds:
            wanting[kind].append(endpoint_id)
    return {kind: tuple(ids) for kind, ids in wanting.items()}

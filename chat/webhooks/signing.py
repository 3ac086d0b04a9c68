"""Signatures after the Standard Webhooks specification, version 1 (symmetric).

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md:
base64 of HMAC-SHA256 over "<id>.<timestamp>.<body>", as `webhook-signature: v1,<base64>`; one
after the other, separated by a space, while two secrets are valid.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.conf import settings

from chat.models import WebhookEndpoint

PREFIX = "whsec_"


def secret_of(endpoint: WebhookEndpoint, generation: int | None = None) -> str:
    """Return an endpoint's secret, as its receiver keeps it: "whsec_" and 32 bytes in base64.

    It is derived from WEBHOOK_SIGNING_KEY and stands in no table: whoever reads the database,
    or a copy of it, can forge nothing.

    Args:
        generation: None for the newest.
    """
    of = f"{endpoint.pk}:{generation or endpoint.secret_generation}"
    derived = hmac.digest(settings.WEBHOOK_SIGNING_KEY.encode(), of.encode(), hashlib.sha256)
    return PREFIX + base64.b64encode(derived).decode()


def valid_secrets(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    """Return the newest secret and, for a day after a rotation, the former one."""
    secrets = [secret_of(endpoint)]
    until = endpoint.former_secret_until
    if until is not None and now < until:
        secrets.append(secret_of(endpoint, endpoint.secret_generation - 1))
    return secrets


def headers(
    *, event_id: str, body: bytes, secrets: Iterable[str], now: datetime
) -> Sequence[tuple[str, str]]:
    """Return the three headers of an attempt that is made now."""
    timestamp = str(int(now.timestamp()))
    signed = b".".join((event_id.encode(), timestamp.encode(), body))
    signatures = " ".join(f"v1,{_signature(secret, signed)}" for secret in secrets)
    return (
        ("webhook-id", event_id),
        ("webhook-timestamp", timestamp),
        ("webhook-signature", signatures),
    )


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()

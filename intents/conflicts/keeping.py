"""Likenesses that somebody has looked at and left as they are."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from intents.guard import normalize
from intents.models import KeptPair


def pair_of(one: str, other: str) -> str:
    """Return the identity of a pair of sentences, in whatever order and spelling they come."""
    keys = "\0".join(sorted((normalize.key(one), normalize.key(other))))
    return hashlib.sha256(keys.encode("utf-8", "surrogatepass")).hexdigest()


def keep(one: str, other: str, *, by: Any, now: datetime) -> None:
    """Leave two sentences as they are: `kept` names them from now on. Safe to call again.

    Args:
        by: A user.
    """
    KeptPair.objects.get_or_create(
        pair=pair_of(one, other), defaults={"kept_by": by, "kept_at": now}
    )


def kept(pairs: Iterable[str]) -> set[str]:
    """Return those pairs that somebody left as they are. One query for 500 of them."""
    wanted = list(dict.fromkeys(pairs))
    return {
        pair
        for start in range(0, len(wanted), 500)
        for pair in KeptPair.objects.filter(pair__in=wanted[start : start + 500]).values_list(
            "pair", flat=True
        )
    }

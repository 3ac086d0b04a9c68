"""How every process learns that content has changed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest

from intents import content
from intents.models import ContentVersion

_THE_ROW = 1
# What changed inside `changed_once`, by the argument of `content_changed`; None outside.
_pending: ContextVar[set[bool] | None] = ContextVar("pending changes", default=None)


@contextmanager
def changed_once() -> Iterator[None]:
    """Move the version once for all that is written inside, in one transaction with it."""
    changes: set[bool] = set()
    token = _pending.set(changes)
    try:
        with transaction.atomic():
            yield
            _pending.set(None)
            if changes:
                content_changed(understanding=any(changes))
    finally:
        _pending.reset(token)


@transaction.atomic
def content_changed(*, understanding: bool) -> None:
    """Move the content version, in the caller's transaction: both are committed, or neither.

    Args:
        understanding: Utterances or intents changed, so that prototypes are stale as well.

    The version is the time in microseconds, or one more than the last where that is
    greater: a database that is restored or made anew never gives a number again, under which
    answers may still be cached.
    """
    pending = _pending.get()
    if pending is not None:
        pending.add(understanding)
        return
    moment = Value(time.time_ns() // 1000)
    changes = {"answers": Greatest(F("answers") + 1, moment)}
    if understanding:
        changes["understanding"] = Greatest(F("understanding") + 1, moment)
    row, _ = ContentVersion.objects.get_or_create(pk=_THE_ROW)
    ContentVersion.objects.filter(pk=row.pk).update(**changes)
    transaction.on_commit(content.look_again)

"""How every process learns that content has changed."""

import time

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest

from intents import content
from intents.models import ContentVersion

_THE_ROW = 1


@transaction.atomic
def content_changed(*, understanding: bool) -> None:
    """Move the content version, in the caller's transaction: both are committed, or neither.

    Args:
        understanding: Utterances or intents changed, so that prototypes are stale as well.

    The version is the time in microseconds, or one more than the last where that is
    greater: a database that is restored or made anew never gives a number again, under which
    answers may still be cached.
    """
    moment = Value(time.time_ns() // 1000)
    changes = {"answers": Greatest(F("answers") + 1, moment)}
    if understanding:
        changes["understanding"] = Greatest(F("understanding") + 1, moment)
    row, _ = ContentVersion.objects.get_or_create(pk=_THE_ROW)
    ContentVersion.objects.filter(pk=row.pk).update(**changes)
    transaction.on_commit(content.look_again)

"""Who gets which sentence: one at a time, weightiest first, each to one person.

A claim is a lease, taken by one conditional UPDATE: of two people who ask at once one gets the
sentence and the other the next. Who goes home loses it after a while.
"""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from csplatform.errors import Refusal
from intents.models import ReviewItem

Status = ReviewItem.Status

# Long enough to read a cluster and name an intent; a decision needs seconds.
LEASE = timedelta(minutes=5)
# A skipped sentence comes back later, to whoever asks then.
SKIPPED_FOR = timedelta(minutes=30)
# Tried in one query: more people than that do not ask at the same moment.
_TRIED = 16
# Counted so far; a larger inbox is not read to its end by anybody.
MOST_COUNTED = 99_999


class NotClaimed(Refusal):
    """Somebody else has the sentence, or it is decided."""

    code = "not_claimed"
    detail = _("Somebody else has this sentence now, or has decided about it.")


def _free(now: datetime) -> Q:
    return Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)


def claim_next(*, by: int, now: datetime) -> ReviewItem | None:
    """Give a person the weightiest open sentence that nobody has; his own first, if he has one.

    The order is that of `priority`: the number of messages that were probably misunderstood, which
    is how often the sentence came times how uncertain it was in the mean. Of equals the older row.

    Args:
        by: The user's primary key.

    Returns:
        None where nothing is left that nobody else has.
    """
    own = ReviewItem.objects.filter(status=Status.OPEN, claimed_by=by, claimed_until__gte=now)
    held = own.order_by("-priority", "pk").first()
    if held is not None:
        return _renewed(held, by, now)
    tried = 0
    while True:
        free = ReviewItem.objects.filter(_free(now), status=Status.OPEN)
        some = list(free.order_by("-priority", "pk").values_list("pk", flat=True)[:_TRIED])
        for pk in some:
            if claim([pk], by=by, now=now):
                return ReviewItem.objects.select_related("cluster").get(pk=pk)
        tried += 1
        if len(some) < _TRIED or tried == _TRIED:
            return None


def _renewed(item: ReviewItem, by: int, now: datetime) -> ReviewItem | None:
    if not claim([item.pk], by=by, now=now):
        return None
    return ReviewItem.objects.select_related("cluster").get(pk=item.pk)


def claim(keys: list[int], *, by: int, now: datetime) -> int:
    """Take these open sentences unless somebody else has them. Returns how many were got."""
    return _claimable(by, now).filter(pk__in=keys).update(claimed_by=by, claimed_until=now + LEASE)


def _claimable(by: int, now: datetime) -> QuerySet[ReviewItem]:
    return ReviewItem.objects.filter(_free(now) | Q(claimed_by=by), status=Status.OPEN)


def skip(key: int, *, by: int, now: datetime) -> None:
    """Put a sentence aside for half an hour, for everybody.

    Raises:
        NotClaimed: It is not this person's.
    """
    mine = ReviewItem.objects.filter(pk=key, status=Status.OPEN, claimed_by=by)
    if not mine.update(claimed_by=None, claimed_until=now + SKIPPED_FOR):
        raise NotClaimed


def let_go(*, by: int) -> None:
    """Give back all that a person has claimed."""
    held = ReviewItem.objects.filter(claimed_by=by, status=Status.OPEN)
    held.update(claimed_by=None, claimed_until=None)


def left() -> int:
    """Return how many sentences are to be decided, MOST_COUNTED at most."""
    return ReviewItem.objects.filter(status=Status.OPEN).order_by()[:MOST_COUNTED].count()


def claim_those(keys: list[int], *, by: int, now: datetime) -> list[int]:
    """Take those of these open sentences that nobody else has. Returns which were got."""
    claim(keys, by=by, now=now)
    mine = ReviewItem.objects.filter(pk__in=keys, status=Status.OPEN, claimed_by=by)
    return list(mine.order_by("pk").values_list("pk", flat=True))


def of_cluster(key: int, *, most: int) -> list[ReviewItem]:
    """Return the open sentences of a cluster, the most typical ones first. One query."""
    there = ReviewItem.objects.filter(cluster=key, status=Status.OPEN)
    return list(there.order_by("-typicality", "pk")[:most])

"""Clusters of the inbox: new sentences join the nearest one or form new ones, some at a time.

A cluster keeps its key as long as it has a sentence: reviewers find it again where it was.
Vectors come from `Embedding`, where the base encoder's are kept for every process.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

import numpy as np
from django.db import transaction
from django.db.models import Count, Q, Sum

from intents.guard import normalize
from intents.inference.base import FrozenEncoder
from intents.inference.vectors import Vectors
from intents.models import ReviewCluster, ReviewItem, ReviewProgress, Utterance
from intents.review import grouping
from intents.review.grouping import Floats

Status = ReviewItem.Status

# Of one run; the weightiest ones first.
_AT_ONCE = 1000
# Whose mean is what all sentences have in common.
_FOR_CENTRE = 2000
# Fewer sentences have no mean to speak of: those of the inbox are taken in addition.
_FEWEST_FOR_CENTRE = 200
# Compared with each other: the weightiest ones.
_MERGED_AMONG = 1000
_WRITTEN_TOGETHER = 100
_SHOWN_AS_TYPICAL = 4
# A process that was killed lets the next one begin after this; a run takes seconds.
_LEASE = timedelta(minutes=10)
_THE_ROW = 1


def cluster(*, now: datetime, encoder: Callable[[], FrozenEncoder]) -> int:
    """Put sentences without a cluster into one, up to a bound; one process at a time does.

    Args:
        encoder: Gives the frozen encoder; called only where there is something to do.

    Returns:
        How many got one; 0 when there is nothing left, or another process is at it.
    """
    waiting = list(
        ReviewItem.objects.filter(status=Status.OPEN, cluster=None).order_by("-priority", "pk")[
            :_AT_ONCE
        ]
    )
    ReviewProgress.objects.get_or_create(pk=_THE_ROW)
    progress = ReviewProgress.objects.filter(pk=_THE_ROW)
    free = progress.filter(Q(clustering_until=None) | Q(clustering_until__lt=now))
    if not waiting or not free.update(clustering_until=now + _LEASE):
        return 0
    try:
        _cluster(waiting, encoder(), now)
    finally:
        progress.update(clustering_until=None)
    return len(waiting)


def _cluster(waiting: Sequence[ReviewItem], frozen: FrozenEncoder, now: datetime) -> None:
    vectors = Vectors(frozen)
    texts = [normalize.for_model(item.text) for item in waiting]
    common = [
        normalize.for_model(text)
        for text in Utterance.objects.order_by("pk").values_list("text", flat=True)[:_FOR_CENTRE]
    ]
    if len(common) < _FEWEST_FOR_CENTRE:
        common += texts
    missing = vectors.load([*texts, *common])
    vectors.embed(missing, most=len(missing))
    rows, centre = vectors.of(texts), vectors.of(common).mean(axis=0)
    _assign(waiting, rows, centre, frozen.id, now)
    _merge(centre, frozen.id, now)


def _assign(
    items: Sequence[ReviewItem], vectors: Floats, centre: Floats, encoder: str, now: datetime
) -> None:
    points = grouping.centred(vectors, centre)
    there = list(ReviewCluster.objects.filter(encoder=encoder, open_items__gt=0).order_by("pk"))
    joins: dict[int, list[int]] = {}  # place in `there`: rows
    rest = list(range(len(items)))
    if there:
        best, cosines = grouping.nearest(points, grouping.centred(_means(there), centre))
        rest = [row for row in rest if cosines[row] < grouping.ALIKE]
        for row in set(range(len(items))) - set(rest):
            joins.setdefault(int(best[row]), []).append(row)
    for place, rows in sorted(joins.items()):
        _join(there[place], [items[row] for row in rows], vectors[rows], centre, now)
    for group in grouping.groups(points[rest]) if rest else []:
        rows = [rest[member] for member in group]
        empty = np.zeros(vectors.shape[1], np.float32)
        new = ReviewCluster(encoder=encoder, total=_bytes(empty), members=0, changed_at=now)
        _join(new, [items[row] for row in rows], vectors[rows], centre, now)


def _join(
    into: ReviewCluster,
    items: Sequence[ReviewItem],
    vectors: Floats,
    centre: Floats,
    now: datetime,
) -> None:
    """Add sentences to a cluster, new or not, and count it."""
    total = _total(into) + vectors.sum(axis=0)
    into.total, into.members, into.changed_at = _bytes(total), into.members + len(items), now
    middle = grouping.centred(total[None] / into.members, centre)
    typical = (grouping.centred(vectors, centre) @ middle[0]).tolist()
    with transaction.atomic():
        into.save()
        for item, typicality in zip(items, typical, strict=True):
            item.cluster, item.typicality = into, round(typicality, 4)
        ReviewItem.objects.bulk_update(
            items, ["cluster", "typicality"], batch_size=_WRITTEN_TOGETHER
        )
        count_again([into.pk])


def _merge(centre: Floats, encoder: str, now: datetime) -> None:
    """Join clusters that have grown into one; the larger one keeps its key."""
    among = list(
        ReviewCluster.objects.filter(encoder=encoder, open_items__gt=0).order_by("-priority", "pk")[
            :_MERGED_AMONG
        ]
    )
    if len(among) < 2:
        return
    among.sort(key=lambda one: one.pk)
    middles = grouping.centred(_means(among), centre)
    for gone, stays in grouping.merges(middles, [one.members for one in among]):
        smaller, larger = among[gone], among[stays]
        with transaction.atomic():
            ReviewItem.objects.filter(cluster=smaller).update(cluster=larger)
            larger.total = _bytes(_total(larger) + _total(smaller))
            larger.members += smaller.members
            larger.changed_at = now
            larger.save()
            smaller.delete()
            count_again([larger.pk])


def _total(one: ReviewCluster) -> Floats:
    return np.frombuffer(bytes(one.total), "<f4")


def _bytes(vector: Floats) -> bytes:
    return vector.astype("<f4").tobytes()


def _means(of: Sequence[ReviewCluster]) -> Floats:
    means: Floats = np.stack([_total(one) / max(1, one.members) for one in of])
    return means


def count_again(keys: Iterable[int]) -> None:
    """Count what is open in clusters, after any change of their sentences."""
    for key in sorted(set(keys)):
        found = ReviewItem.objects.filter(cluster=key, status=Status.OPEN).aggregate(
            items=Count("pk"),
            messages=Sum("messages", default=0),
            handed_over=Sum("handed_over", default=0),
            priority=Sum("priority", default=0),
        )
        ReviewCluster.objects.filter(pk=key).update(open_items=found.pop("items"), **found)


def forget_empty() -> None:
    """Delete clusters without a sentence."""
    ReviewCluster.objects.filter(open_items=0, items=None).delete()


def typical(keys: Sequence[int]) -> dict[int, list[str]]:
    """Return the sentences nearest to the middle of each cluster, open ones. A query each."""
    return {
        key: list(
            ReviewItem.objects.filter(cluster=key, status=Status.OPEN)
            .order_by("-typicality", "pk")
            .values_list("text", flat=True)[:_SHOWN_AS_TYPICAL]
        )
        for key in keys
    }


def embedding_key(text: str) -> str:
    """Return `Embedding.key` of a sentence."""
    return hashlib.sha256(normalize.for_model(text).encode("utf-8", "surrogatepass")).hexdigest()

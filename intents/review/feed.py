"""Brings what needs a look into the inbox: from the log of predictions, and from agents' words.

Reads on from where it stopped, some at a time: of ten million records only the new ones, and
those of which something was heard since. A message counts once, however often it is read: what
it adds to its sentence is kept (ReviewSighting), and only the difference is added again.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from intents.decisions import Decision
from intents.guard import normalize
from intents.models import (
    Embedding,
    Intent,
    Language,
    PredictionRecord,
    ReviewCandidate,
    ReviewDecision,
    ReviewItem,
    ReviewProgress,
    ReviewSighting,
    Utterance,
)
from intents.review import clusters, reasons
from intents.review.reasons import LOW_MARGIN, MOSTLY_OUT_OF_SCOPE, Finding, Reason

Outcome = PredictionRecord.Outcome
Status = ReviewItem.Status

_THE_ROW = 1
_AT_ONCE = 200
# Of one run; the next goes on where this one stopped.
_MOST_BATCHES = 40
# Rows become visible a little out of order: what was written meanwhile is read a second time.
_OVERLAP_ROWS = 100
_OVERLAP = timedelta(seconds=5)
_KEY_MOST = 500  # as of an utterance
_QUERY_KEYS = 400  # of one IN (...); SQLite takes 999 parameters on old builds
_COUNTED = ("messages", "handed_over", "priority", "reasons", "votes")
_LATEST = ("text", "language", "ranked", "out_of_scope", "model_version", "first_at", "last_at")

_NEED_A_LOOK = (
    Q(decision__in=[Decision.CLARIFY, Decision.HAND_OVER])
    | Q(outcome__in=[Outcome.HANDED_OVER, Outcome.CORRECTED, Outcome.CLARIFIED])
    | Q(rating=-1)
    | Q(out_of_scope__gte=MOSTLY_OUT_OF_SCOPE)
    # Who leads by less than the margin has less than this; `reasons` looks more closely.
    | Q(probability__lt=(1 + LOW_MARGIN) / 2)
)


@dataclass(frozen=True, slots=True)
class _Seen:
    """One message as it was read, from the log or from an agent's word."""

    message: int
    text: str
    key: str
    language: str
    at: datetime
    finding: Finding
    ranked: Sequence[Sequence[object]]
    out_of_scope: float
    model_version: str


def feed(*, now: datetime) -> int:
    """Take in what is new, up to a bound; safe to run twice at once.

    Returns:
        How many messages were looked at; 0 when there is nothing new.
    """
    read = 0
    for take in (_new_records, _changed_records, _candidates):
        for _batch in range(_MOST_BATCHES):
            with transaction.atomic():
                # The lock: one process at a time counts.
                ReviewProgress.objects.get_or_create(pk=_THE_ROW)
                progress = ReviewProgress.objects.select_for_update().get(pk=_THE_ROW)
                seen, is_last = take(progress, now)
                _count(seen)
                progress.save()
            read += len(seen)
            if is_last:
                break
    _leave_to_utterances()
    return read


# --- What is new --------------------------------------------------------------------------


def _of_customers() -> QuerySet[PredictionRecord]:
    return PredictionRecord.objects.filter(
        origin=PredictionRecord.Origin.CHAT, message__isnull=False, language__in=Language.values
    )


def _new_records(progress: ReviewProgress, _now: datetime) -> tuple[list[_Seen], bool]:
    newest = PredictionRecord.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    after = progress.record - _OVERLAP_ROWS
    rows = list(
        _of_customers().filter(_NEED_A_LOOK, pk__gt=after, pk__lte=newest).order_by("pk")[:_AT_ONCE]
    )
    is_last = len(rows) < _AT_ONCE
    progress.record = newest if is_last else rows[-1].pk + _OVERLAP_ROWS
    return _seen_in(rows), is_last


def _changed_records(progress: ReviewProgress, now: datetime) -> tuple[list[_Seen], bool]:
    changed = _of_customers().filter(_NEED_A_LOOK, changed_at__isnull=False, changed_at__lte=now)
    if progress.changed_at is not None:
        changed = changed.filter(changed_at__gt=progress.changed_at - _OVERLAP)
    rows = list(changed.order_by("changed_at", "pk")[:_AT_ONCE])
    is_last = len(rows) < _AT_ONCE
    last = rows[-1].changed_at if rows and not is_last else None
    # Not beyond what was read, and on even where a whole batch changed at one moment.
    progress.changed_at = now if last is None else last + _OVERLAP
    return _seen_in(rows), is_last


def _candidates(progress: ReviewProgress, now: datetime) -> tuple[list[_Seen], bool]:
    judged = ReviewCandidate.objects.filter(
        status=ReviewCandidate.Status.NEW, language__in=Language.values, decided_at__lte=now
    )
    if progress.candidate_at is not None:
        judged = judged.filter(decided_at__gt=progress.candidate_at - _OVERLAP)
    rows = list(judged.order_by("decided_at", "pk")[:_AT_ONCE])
    is_last = len(rows) < _AT_ONCE
    progress.candidate_at = now if is_last else rows[-1].decided_at + _OVERLAP
    seen = [
        _Seen(
            message=row.message,
            text=row.text,
            key=normalize.key(row.text)[:_KEY_MOST],
            language=row.language,
            at=row.decided_at,
            finding=reasons.of_candidate(row),
            ranked=[[row.predicted, round(row.probability or 0.0, 4)]] if row.predicted else [],
            out_of_scope=0.0,
            model_version=row.model_version,
        )
        for row in rows
    ]
    return seen, is_last


def _seen_in(rows: Iterable[PredictionRecord]) -> list[_Seen]:
    hands_over = frozenset(Intent.objects.filter(hands_over=True).values_list("code", flat=True))
    return [
        _Seen(
            message=row.message,
            text=row.text,
            key=normalize.key(row.text)[:_KEY_MOST],
            language=row.language,
            at=row.created_at,
            finding=reasons.of_record(row, hands_over),
            ranked=row.ranked,
            out_of_scope=row.out_of_scope,
            model_version=row.model_version,
        )
        for row in rows
        if row.message is not None
    ]


# --- Counting -------------------------------------------------------------------------------


@dataclass(slots=True)
class _Difference:
    """What a batch adds to one sentence."""

    messages: int = 0
    handed_over: int = 0
    priority: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    votes: Counter[str] = field(default_factory=Counter)

    def add(self, finding: Finding, times: int) -> None:
        """Add a message's part; `times` is 1, or -1 to take it away."""
        self.messages += times
        self.handed_over += times * bool(finding.reasons & Reason.HANDED_OVER)
        self.priority += times * finding.wrongness
        self.reasons.update(dict.fromkeys(finding.reasons.names, times))
        if finding.vote:
            self.votes[finding.vote] += times


def _finding(sighting: ReviewSighting) -> Finding:
    return Finding(Reason(sighting.reasons), sighting.wrongness, sighting.meant)


def _count(batch: Sequence[_Seen]) -> None:
    """Add what messages say to their sentences, under the lock of the caller."""
    known = _known([one.message for one in batch])
    taken = _taken([one.key for one in batch])
    wanted = [one for one in batch if one.message in known or _is_wanted(one, taken)]
    if not wanted:
        return
    items = _items(wanted)
    differences: dict[int, _Difference] = {}
    new: list[ReviewSighting] = []
    changed: list[ReviewSighting] = []
    for one in wanted:
        before = known.get(one.message)
        if before is None:
            item = items[one.key]
            before = ReviewSighting(message=one.message, item=item, at=one.at)
            new.append(before)
            known[one.message] = before
            after = one.finding
            _note_latest(item, one)
        else:
            after = _finding(before).joined(one.finding)
            if after == _finding(before):
                continue
            differences.setdefault(before.item_id, _Difference()).add(_finding(before), -1)
            if before.pk is not None:
                changed.append(before)
        differences.setdefault(before.item_id, _Difference()).add(after, 1)
        before.reasons, before.wrongness, before.meant = (
            int(after.reasons),
            after.wrongness,
            after.meant,
        )
    ReviewSighting.objects.bulk_create(new, batch_size=100)
    ReviewSighting.objects.bulk_update(changed, ["reasons", "wrongness", "meant"], batch_size=100)
    _add(differences, {item.pk: item for item in items.values()})


def _known(messages: Sequence[int]) -> dict[int, ReviewSighting]:
    found: dict[int, ReviewSighting] = {}
    for start in range(0, len(messages), _QUERY_KEYS):
        some = messages[start : start + _QUERY_KEYS]
        found |= {one.message: one for one in ReviewSighting.objects.filter(message__in=some)}
    return found


def _taken(keys: Sequence[str]) -> dict[str, str]:
    """Return which of these sentences are utterances, with their intents' codes."""
    found: dict[str, str] = {}
    for start in range(0, len(keys), _QUERY_KEYS):
        some = Utterance.objects.filter(key__in=keys[start : start + _QUERY_KEYS])
        found |= dict(some.values_list("key", "intent__code"))
    return found


def _is_wanted(one: _Seen, taken: Mapping[str, str]) -> bool:
    """Whether a sentence can be decided: short enough for an utterance, and not one already.

    An agent's word that the utterance has the wrong intent brings it in all the same.
    """
    if not one.finding.needs_a_look or not one.key or len(one.text) > _KEY_MOST:
        return False
    meant = one.finding.meant if one.finding.reasons & Reason.CORRECTED else ""
    return one.key not in taken or bool(meant and meant != taken[one.key])


def _items(wanted: Sequence[_Seen]) -> dict[str, ReviewItem]:
    """Return the sentences of messages by their keys; new ones are made."""
    keys = list({one.key: None for one in wanted})
    found: dict[str, ReviewItem] = {}
    for start in range(0, len(keys), _QUERY_KEYS):
        some = ReviewItem.objects.filter(key__in=keys[start : start + _QUERY_KEYS])
        found |= {item.key: item for item in some}
    new = {
        one.key: ReviewItem(
            key=one.key, text=one.text, language=one.language, first_at=one.at, last_at=one.at
        )
        for one in reversed(wanted)
        if one.key not in found
    }
    for item in new.values():
        item.save()  # one by one: not every database tells the keys of many
    return found | new


def _note_latest(item: ReviewItem, one: _Seen) -> None:
    item.first_at = min(item.first_at, one.at)
    if one.at >= item.last_at:
        item.text, item.language, item.last_at = one.text, one.language, one.at
        item.ranked, item.out_of_scope = list(one.ranked), one.out_of_scope
        item.model_version = one.model_version


def _add(differences: Mapping[int, _Difference], items: dict[int, ReviewItem]) -> None:
    """Write what has changed of sentences; decisions and claims are other columns."""
    missing = [pk for pk in differences if pk not in items]
    for start in range(0, len(missing), _QUERY_KEYS):
        items |= ReviewItem.objects.in_bulk(missing[start : start + _QUERY_KEYS])
    for pk, difference in differences.items():
        item = items[pk]
        item.messages = max(0, item.messages + difference.messages)
        item.handed_over = max(0, item.handed_over + difference.handed_over)
        item.priority = max(0, item.priority + difference.priority)
        item.reasons = _sum(item.reasons, difference.reasons)
        item.votes = _sum(item.votes, difference.votes)
    touched = [items[pk] for pk in differences]
    ReviewItem.objects.bulk_update(touched, [*_COUNTED, *_LATEST], batch_size=50)
    clusters.count_again({item.cluster_id for item in touched if item.cluster_id})


def _sum(counts: Mapping[str, int], added: Mapping[str, int]) -> dict[str, int]:
    total = {name: counts.get(name, 0) + added.get(name, 0) for name in {*counts, *added}}
    return {name: total[name] for name in sorted(total) if total[name] > 0}


# --- What is done ------------------------------------------------------------------------------


def _leave_to_utterances() -> None:
    """Take away what somebody has made an utterance elsewhere; corrected ones stay."""
    labelled = Utterance.objects.filter(
        key__in=ReviewItem.objects.filter(status=Status.OPEN).values("key")
    )
    for key, code in labelled.values_list("key", "intent__code"):
        item = ReviewItem.objects.filter(key=key, status=Status.OPEN).first()
        if item is None or reasons.proposed(item.votes) not in ("", code):
            continue
        if ReviewItem.objects.filter(pk=item.pk, status=Status.OPEN).update(status=Status.DECIDED):
            clusters.count_again([item.cluster_id] if item.cluster_id else [])


def forget_old(*, now: datetime) -> int:
    """Forget messages with the log (settings.PREDICTION_LOG_DAYS), and sentences without any.

    Sentences that were decided to be none of our topics stay: they are examples.

    Returns:
        How many messages were forgotten.
    """
    before = now - timedelta(days=settings.PREDICTION_LOG_DAYS)
    forgotten = 0
    for _batch in range(_MOST_BATCHES):
        with transaction.atomic():
            ReviewProgress.objects.get_or_create(pk=_THE_ROW)
            ReviewProgress.objects.select_for_update().get(pk=_THE_ROW)
            old = list(ReviewSighting.objects.filter(at__lt=before).order_by("at")[:_AT_ONCE])
            differences: dict[int, _Difference] = {}
            for sighting in old:
                difference = differences.setdefault(sighting.item_id, _Difference())
                difference.add(_finding(sighting), -1)
            _add(differences, {})
            ReviewSighting.objects.filter(pk__in=[one.pk for one in old]).delete()
        forgotten += len(old)
        if len(old) < _AT_ONCE:
            break
    _forget_items(before)
    return forgotten


def _forget_items(before: datetime) -> None:
    gone = ReviewItem.objects.filter(last_at__lt=before, messages=0).exclude(
        decision__kind=ReviewDecision.Kind.OUT_OF_SCOPE
    )
    for _batch in range(_MOST_BATCHES):
        rows = list(gone.order_by("last_at").values_list("pk", "text")[:_AT_ONCE])
        if not rows:
            break
        ReviewItem.objects.filter(pk__in=[pk for pk, _text in rows]).delete()
        # What is an utterance, too, is embedded again when it is needed.
        hashes = [clusters.embedding_key(text) for _pk, text in rows]
        Embedding.objects.filter(key__in=hashes).delete()
    clusters.forget_empty()

"""Reads what two contenders are compared on, chunk by chunk; a chunk counts once."""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from csplatform.errors import Refusal
from intents.decisions import Decision
from intents.trials import Answered, Contender, Opened, open_contender
from training.comparisons import services
from training.comparisons.texts import Asked, gather
from training.models import ChangedAnswer, Comparison, ComparisonChunk

logger = logging.getLogger(__name__)

Status = Comparison.Status

# A second or so of work: what a kill costs, and how soon a cancel is heard.
CHUNK_TEXTS = 256
_MOST_CHARS = 1000
_MOST_REASON = 500


def carry_out(comparison: Comparison) -> None:
    """Read all that has not been read of a claimed comparison, and end it.

    Taken up again after a kill it goes on behind the last chunk that was stored. What a
    cancel or somebody else's claim ends stays as it is.
    """
    try:
        _prepare(comparison)
        first = open_contender(Contender.from_key(comparison.before))
        second = open_contender(Contender.from_key(comparison.after))
        unread = comparison.chunks.filter(is_read=False).order_by("number")
        for chunk_id in list(unread.values_list("pk", flat=True)):
            if not _still_runs(comparison, timezone.now()):
                return
            chunk = ComparisonChunk.objects.get(pk=chunk_id)
            _store(chunk, _changed(chunk, first, second))
        services.end(comparison.pk, Status.DONE, now=timezone.now())
    except Refusal as refusal:
        _fail(comparison, str(refusal))
    except Exception as error:  # whatever it is, the row has to say so
        logger.exception("Comparison %s failed", comparison.pk)
        _fail(comparison, f"{type(error).__name__}: {error}")


def _prepare(comparison: Comparison) -> None:
    """Gather the texts and cut them into chunks, once."""
    if comparison.texts is not None:
        return
    asked = gather(comparison)
    turns = sum(each.times for each in asked)
    with transaction.atomic():
        unprepared = Comparison.objects.filter(pk=comparison.pk, texts__isnull=True)
        if not unprepared.update(texts=len(asked), turns=turns):
            return
        ComparisonChunk.objects.bulk_create(
            (
                ComparisonChunk(
                    comparison=comparison,
                    number=number,
                    asked=[each.as_dict() for each in asked[start : start + CHUNK_TEXTS]],
                )
                for number, start in enumerate(range(0, len(asked), CHUNK_TEXTS))
            ),
            batch_size=50,
        )


def _still_runs(comparison: Comparison, now: datetime) -> bool:
    running = Comparison.objects.filter(pk=comparison.pk, status=Status.RUNNING)
    return bool(running.update(heartbeat_at=now))


def _changed(chunk: ComparisonChunk, first: Opened, second: Opened) -> list[ChangedAnswer]:
    asked = [Asked(**each) for each in chunk.asked]
    texts, languages = [each.text for each in asked], [each.language for each in asked]
    # The same model reads a chunk once for both.
    pairs = zip(first.answer(texts, languages), second.answer(texts, languages), strict=True)
    found = []
    for place, (each, (before, after)) in enumerate(zip(asked, pairs, strict=True)):
        row = difference(each, before, after)
        if row is not None:
            row.comparison_id = chunk.comparison_id
            row.number = chunk.number * CHUNK_TEXTS + place
            found.append(row)
    return found


def difference(asked: Asked, before: Answered, after: Answered) -> ChangedAnswer | None:
    """Return how two answers differ, None where they do not.

    Another guess of which neither made anything, both handing over in the same words, is none,
    unless somebody has said what the text means.
    """
    intent = before.intent != after.intent
    decision = before.decision != after.decision
    reply = set(before.variants) != set(after.variants)
    is_acted_on = Decision.ANSWER in (before.decision, after.decision)
    if not (decision or reply or (intent and (is_acted_on or asked.expected))):
        return None
    return ChangedAnswer(
        text=asked.text[:_MOST_CHARS],
        language=asked.language,
        origin=asked.origin,
        times=asked.times,
        expected=asked.expected,
        recorded=asked.recorded,
        intent_before=before.intent,
        intent_after=after.intent,
        probability_before=before.prediction.probability,
        probability_after=after.prediction.probability,
        decision_before=before.decision,
        decision_after=after.decision,
        replies_before=list(before.variants),
        replies_after=list(after.variants),
        intent_differs=intent,
        decision_differs=decision,
        reply_differs=reply,
    )


def _store(chunk: ComparisonChunk, changed: Sequence[ChangedAnswer]) -> None:
    """Write what a chunk gave, unless somebody has written it meanwhile."""
    read = len(chunk.asked)
    with transaction.atomic():
        unread = ComparisonChunk.objects.filter(pk=chunk.pk, is_read=False)
        if not unread.update(is_read=True, asked=[]):
            return
        ChangedAnswer.objects.bulk_create(changed, batch_size=40)
        Comparison.objects.filter(pk=chunk.comparison_id).update(
            read_texts=F("read_texts") + read,
            changed_texts=F("changed_texts") + len(changed),
            changed_turns=F("changed_turns") + sum(each.times for each in changed),
        )


def _fail(comparison: Comparison, reason: str) -> None:
    services.end(comparison.pk, Status.FAILED, now=timezone.now(), failure=reason[:_MOST_REASON])

"""Customers' words that colleagues have labelled at work; the inbox takes them in (feed.py)."""

from datetime import datetime

from django.db import transaction

from intents.guard import pii
from intents.models import ReviewCandidate

Verdict = ReviewCandidate.Verdict

# Models read no more of a text; of a reply, what is worth a reviewer's time.
_MOST_CHARS = 1000


def propose(
    *,
    message: int,
    text: str,
    language: str,
    predicted: str,
    probability: float | None,
    meant: str,
    verdict: Verdict,
    by: int,
    now: datetime,
    model_version: str = "",
    reply: str = "",
    edited_reply: str = "",
    similarity: float | None = None,
) -> None:
    """Put a labelled text into the inbox. Personal data is replaced by its kind before it is written.

    One a message: a later verdict takes the place of an earlier one that nobody has reviewed.

    Args:
        message: Primary key of what the customer said last.
        predicted: Intent.code that we took it for, "" for none; `probability` is its.
        meant: Intent.code that a colleague says was meant, "" where he did not say.
        by: The colleague: his user's primary key.
        reply: What was suggested, as staff wrote it: with its variables.
        edited_reply: What was sent instead, if it was made from it.
        similarity: Of the two, 0 to 1; None where nothing was sent.
    """
    columns = {
        "text": pii.redact(text)[:_MOST_CHARS],
        "language": language,
        "predicted": predicted,
        "probability": probability,
        "meant": meant,
        "verdict": verdict,
        "decided_by_id": by,
        "decided_at": now,
        "model_version": model_version,
        "reply": reply[:_MOST_CHARS],
        "edited_reply": pii.redact(edited_reply)[:_MOST_CHARS],
        "similarity": similarity,
    }
    with transaction.atomic():
        row, is_new = ReviewCandidate.objects.get_or_create(message=message, defaults=columns)
        if not is_new:
            unreviewed = ReviewCandidate.objects.filter(
                pk=row.pk, status=ReviewCandidate.Status.NEW
            )
            unreviewed.update(**columns)

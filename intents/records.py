"""The log of what was understood: one PredictionRecord per answered message."""

from datetime import datetime
from typing import TYPE_CHECKING

from intents.decisions import Decision
from intents.guard import pii
from intents.models import PredictionRecord

if TYPE_CHECKING:
    from intents.inference import Prediction

# Of the ranking; the rest is noise, and the table grows with every message.
_MOST_RANKED = 5


def record(
    *,
    text: str,
    language: str,
    prediction: "Prediction",
    decision: Decision,
    elapsed_ms: float,
    cached: bool,
    now: datetime,
) -> PredictionRecord:
    """Log one prediction. Personal data is replaced by its kind before it is written.

    Args:
        language: "zh", "en", or "" for neither (nothing was predicted then).
        elapsed_ms: From the stored message to the decision, in milliseconds.
    """
    return PredictionRecord.objects.create(
        created_at=now,
        text=pii.redact(text),
        language=language,
        intent=prediction.intent,
        probability=prediction.probability if prediction.ranked else None,
        ranked=[[code, round(p, 4)] for code, p in prediction.ranked[:_MOST_RANKED]],
        decision=decision,
        source=prediction.source,
        model_version=prediction.model_version,
        elapsed_ms=round(elapsed_ms, 2),
        cached=cached,
    )

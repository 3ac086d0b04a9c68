"""From a prediction to what the bot does: answer, ask what was meant, or offer a human."""

from enum import StrEnum
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from intents.inference import Prediction


class Decision(StrEnum):
    """What the bot does with one message."""

    ANSWER = "ANSWER"  # it says the reply of the likeliest intent
    CLARIFY = "CLARIFY"  # it asks which of the likeliest intents was meant
    HAND_OVER = "HAND_OVER"  # a human is called, or, when nothing was understood, offered


def is_understood(prediction: "Prediction") -> bool:
    """Whether the likeliest intent is likely enough to be acted on."""
    return bool(prediction.ranked) and prediction.probability >= settings.INTENTS_ANSWER_MIN


def decide(prediction: "Prediction", *, hands_over: bool) -> Decision:
    """Decide by the calibrated probability of the likeliest intent.

    Args:
        hands_over: Whether that intent is one that a human takes care of.
    """
    if is_understood(prediction):
        return Decision.HAND_OVER if hands_over else Decision.ANSWER
    if prediction.ranked and prediction.probability >= settings.INTENTS_CLARIFY_MIN:
        return Decision.CLARIFY
    return Decision.HAND_OVER

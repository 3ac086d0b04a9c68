"""How much worse a new model may be, and how sure the gate must be of it."""

from dataclasses import dataclass

from django.conf import settings

# Whole sets (all frozen texts, each language, the training data): probability that a candidate
# that is as good is refused by chance, over all of them together.
WHOLE_RISK = 0.02
# The same for all intents together.
INTENTS_RISK = 0.05
# An intent that fell, but not so surely, leaves the verdict open below this.
INTENTS_DOUBT = 0.10
# With fewer texts than this an intent's fall can hardly be proved: it is open at this p value.
FEW_TEXTS, FEW_TEXTS_DOUBT = 20, 0.10
# One-sided, for "no worse than".
CONFIDENCE = 0.95
# Made smaller for serving, a model may lose this share of right texts.
INT8_LOSS_MAX = 0.02
# 0.90 - 0.88 is a little more than 0.02.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Limits:
    """Shares are 0 to 1, of texts. docs/learning.md says why these."""

    accuracy_min: float = 0.7
    tolerance: float = 0.01  # a loss this small is never a reason
    loss_max: float = 0.05  # a loss this large must be excluded
    intent_loss_max: float = 0.10  # of one intent's texts
    intent_texts: int = 100  # with so many frozen texts of an intent, they alone are looked at
    new_intent_min: float = 0.5  # share of a new intent's texts that must be understood
    out_of_scope_loss_max: float = 0.10
    calibration_loss_max: float = 0.05  # of the expected calibration error
    slower_max: float = 3.0  # times the active model's time
    larger_max: float = 3.0  # times its bytes

    @classmethod
    def of_settings(cls) -> "Limits":
        return cls(
            accuracy_min=settings.TRAINING_ACCURACY_MIN,
            tolerance=settings.TRAINING_GATE_TOLERANCE,
            loss_max=settings.TRAINING_GATE_LOSS_MAX,
            intent_loss_max=settings.TRAINING_GATE_INTENT_LOSS_MAX,
            intent_texts=settings.TRAINING_GATE_INTENT_TEXTS,
            new_intent_min=settings.TRAINING_GATE_NEW_INTENT_MIN,
            out_of_scope_loss_max=settings.TRAINING_GATE_OUT_OF_SCOPE_LOSS_MAX,
            calibration_loss_max=settings.TRAINING_GATE_CALIBRATION_LOSS_MAX,
            slower_max=settings.TRAINING_GATE_SLOWER_MAX,
            larger_max=settings.TRAINING_GATE_LARGER_MAX,
        )

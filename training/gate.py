"""Whether a new model may answer customers: a first, simple gate."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

# The int8 model may lose this much against fp32, and the new one this much against the
# active one: shares of the texts. Less is noise on a few hundred texts.
INT8_LOSS_MAX = 0.02
REGRESSION_MAX = 0.01
_ROUNDING = 1e-9  # 0.90 - 0.88 is a little more than 0.02


@dataclass(frozen=True, slots=True)
class Comparison:
    """The active model and the new one, on the texts whose intents the active one knows."""

    active: str  # its version
    texts: int
    active_accuracy: float  # 0 to 1
    new_accuracy: float


def objections(*, fp32: float, int8: float, comparison: Comparison | None) -> list[str]:
    """Return why the model may not answer customers; empty when it may.

    Args:
        fp32: Accuracy before quantization, 0 to 1.
        int8: Accuracy of the model as it is served.
        comparison: None when no model is active, or the active one cannot be loaded.
    """
    found = []
    if int8 < settings.TRAINING_ACCURACY_MIN:
        found.append(
            _(
                "It is right in {share:.1%} of the evaluation texts; {least:.1%} are required."
            ).format(share=int8, least=settings.TRAINING_ACCURACY_MIN)
        )
    if fp32 - int8 > INT8_LOSS_MAX + _ROUNDING:
        found.append(
            _("Made smaller for serving, it falls from {fp32:.1%} to {int8:.1%}.").format(
                fp32=fp32, int8=int8
            )
        )
    if (
        comparison
        and comparison.active_accuracy - comparison.new_accuracy > REGRESSION_MAX + _ROUNDING
    ):
        found.append(
            _(
                "{active} is right in {old:.1%} of {texts} texts, the new model in {new:.1%}."
            ).format(
                active=comparison.active,
                old=comparison.active_accuracy,
                texts=comparison.texts,
                new=comparison.new_accuracy,
            )
        )
    return found

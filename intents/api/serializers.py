"""What programs send to be classified, and what they get."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from intents.inference import Prediction

MOST_TEXTS = 256


class ClassifyRequest(serializers.Serializer[Any]):
    texts = serializers.ListField(
        child=serializers.CharField(
            max_length=settings.CHAT_MESSAGE_MAX_CHARS, trim_whitespace=False
        ),
        min_length=1,
        max_length=MOST_TEXTS,
        help_text=_("What customers wrote, one entry a text."),
    )
    cache = serializers.BooleanField(
        default=False, help_text=_("Whether an answer of the last minutes will do.")
    )


class RankedIntent(serializers.Serializer[Any]):
    intent = serializers.CharField(help_text=_("Code of the intent."))
    prob = serializers.FloatField(help_text=_("Calibrated probability, 0 to 1."))


class Classified(serializers.Serializer[Any]):
    intent = serializers.CharField(help_text=_("The likeliest; empty when nothing is known."))
    prob = serializers.FloatField()
    ranked = RankedIntent(many=True, help_text=_("The likeliest ten, best first."))
    out_of_scope = serializers.FloatField(
        help_text=_("Calibrated probability, 0 to 1, that the text means none of the intents.")
    )
    source = serializers.ChoiceField(  # type: ignore[assignment]  # a field of that name is allowed
        choices=["model", "prototypes", "keywords", "none"]
    )
    model = serializers.CharField(help_text=_("Version of the trained model that answered."))


class ClassifyResponse(serializers.Serializer[Any]):
    results = Classified(many=True, help_text=_("One a text, in the order of the texts."))
    elapsed_ms = serializers.FloatField()


def shown(prediction: Prediction) -> dict[str, Any]:
    """Return a prediction in the shape of `Classified`."""
    return {
        "intent": prediction.intent,
        "prob": round(prediction.probability, 4),
        "ranked": [
            {"intent": intent, "prob": round(probability, 4)}
            for intent, probability in prediction.ranked
        ],
        "out_of_scope": round(prediction.out_of_scope, 4),
        "source": prediction.source,
        "model": prediction.model_version,
    }

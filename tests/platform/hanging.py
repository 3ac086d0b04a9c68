"""The product with a model that hangs on texts that ask for it (an ASGI application).

For a process of its own: importing it changes what the engine of this process loads.
"""

import os
import time
from collections.abc import Sequence

from csplatform.asgi import application
from intents import inference
from intents.inference.base import FrozenEncoder, Read, TrainedModel
from intents.inference.watches import Sources
from intents.models import Intent
from tests.intents.models_of_tests import FixedClassifier, LetterEmbedder

__all__ = ["application"]

HANG = os.environ["HANG_ON"]


class HangingClassifier(FixedClassifier):
    """Never comes back from a text that asks for it, as native code may."""

    def read(self, texts: Sequence[str]) -> Read:
        if any(HANG in text for text in texts):
            time.sleep(3600)
        return super().read(texts)


def _model(version: str, encoder: FrozenEncoder) -> TrainedModel:
    labels = sorted(Intent.objects.values_list("code", flat=True))
    return TrainedModel(version, HangingClassifier(labels), frozenset())


os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # this module is imported on the loop
inference._sources = lambda: Sources(
    lambda: FrozenEncoder("letters", LetterEmbedder()), lambda: "v1", _model
)

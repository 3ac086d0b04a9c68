"""What a text means without a model having to say: it is an intent's own name."""

from functools import lru_cache

from intents.content import Content
from intents.guard import normalize
from intents.inference import Prediction

# Names of intents, which are compared with every message.
_key_of_name = lru_cache(maxsize=1024)(normalize.key)


def named(text: str, content: Content) -> Prediction | None:
    """Return the intent that a text names, None where it names none.

    Certain, for it is what a "did you mean" button sends.
    """
    key = normalize.key(text)
    for intent in content.intents.values():
        if key in (_key_of_name(intent.name_zh), _key_of_name(intent.name_en)):
            return certainly(intent.code)
    return None


def certainly(code: str) -> Prediction:
    """Return the prediction that an intent is meant beyond doubt."""
    return Prediction(ranked=((code, 1.0),), source="keywords")

"""What customers do to a sentence without meaning anything else must not move what is understood.

How much it moves the real model: python -m benchmarks.metamorphic
"""

import random

import numpy as np
import pytest

from benchmarks.transformations import TRANSFORMATIONS
from intents import starter
from intents.guard import normalize
from tests.intents.models_of_tests import LetterEmbedder
from training import light_head

CHANCE = 5
# Shares of sentences that models may read differently; the rest is of texts so short that a
# courtesy before them may be what they mean, and of the converter's tables.
READ_OTHERWISE = {"courtesy": 0.10, "emoji": 0.0, "full width": 0.0, "traditional": 0.02}
# Shares whose intent may move for a light head of n-grams, which knows nothing of characters
# that sound or look alike.
MOVED = {"swap": 0.10, "homophone": 0.30}


def sentences(split: str) -> list[tuple[str, str]]:
    return [
        (row["text"], row["intent"])
        for row in starter.rows("utterances")
        if row["language"] == "zh" and row["split"] == split
    ]


def changed(name: str, texts: list[str]) -> list[str]:
    chance = random.Random(CHANCE)
    return [TRANSFORMATIONS[name](text, chance) for text in texts]


@pytest.mark.parametrize("name", READ_OTHERWISE)
def test_models_read_the_same(name: str):
    texts = [text for text, _intent in sentences("evaluation")]

    otherwise = [
        (before, after)
        for before, after in zip(texts, changed(name, texts), strict=True)
        if normalize.for_model(before) != normalize.for_model(after)
    ]

    assert len(otherwise) <= READ_OTHERWISE[name] * len(texts), otherwise[:10]


def test_a_typo_seldom_moves_the_intent():
    train = sentences("train")[::2]
    codes = sorted({intent for _, intent in train})
    texts = [normalize.for_model(text) for text, _ in train]
    embedder = LetterEmbedder()
    targets = np.array([codes.index(intent) for _, intent in train])
    head = light_head.fit(texts, embedder.embed(texts), targets)
    asked = [text for text, _ in sentences("evaluation")]

    def intents(of: list[str]) -> np.ndarray:
        read = [normalize.for_model(text) for text in of]
        return head.logits(read, embedder.embed(read)).argmax(axis=1)

    before = intents(asked)
    moved = {name: float((intents(changed(name, asked)) != before).mean()) for name in MOVED}

    assert all(moved[name] <= most for name, most in MOVED.items()), moved

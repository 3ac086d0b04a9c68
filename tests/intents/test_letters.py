"""Shared letters, counted in arrays: what a plain count over the same texts gives."""

import math
from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from intents.inference.letters import Grams, Letters

TEXTS = st.lists(st.text("快递发票ab ", max_size=6), min_size=1, max_size=8)


def grams(text: str) -> set[str]:
    padded = f" {text} "
    found = {padded[at : at + size] for size in (1, 2, 3) for at in range(len(padded) - size + 1)}
    return {gram for gram in found if gram.strip()}


@settings(max_examples=150, deadline=None)
@given(texts=TEXTS, asked=st.text("快递发票abx ", max_size=6), data=st.data())
def test_cosines_are_those_of_a_plain_count(texts: list[str], asked: str, data: st.DataObject):
    member = data.draw(st.lists(st.integers(0, 2), min_size=len(texts), max_size=len(texts)))
    seen = Counter(gram for text in texts for gram in grams(text))
    rarity = {gram: math.log((1 + len(texts)) / count) for gram, count in seen.items()}
    of_text = {gram: rarity.get(gram, math.log(1 + len(texts))) for gram in grams(asked)}
    expected = []
    for group in range(3):
        row: Counter[str] = Counter()
        for text, own in zip(texts, member, strict=True):
            if own == group:
                row.update({gram: rarity[gram] for gram in grams(text)})
        lengths = math.hypot(*row.values()) * math.hypot(*of_text.values())
        product = sum(weight * of_text.get(gram, 0) for gram, weight in row.items())
        expected.append(product / lengths if lengths and product else 0.0)

    [cosines] = Letters(Grams(), texts, member, 3).cosines([asked])

    assert np.allclose(cosines, expected, atol=1e-4)


def test_texts_taken_away_count_for_nothing():
    # Rare and frequent n-grams alike: the others are so many that rarities hardly move.
    others = [f"物流{number}查询" for number in range(300)]
    texts, member = [*others, "退货怎么退", "退货退款"], [0] * 300 + [1, 1]

    letters = Letters(Grams(), texts, member, 2)
    cosines = letters.cosines_without(300, np.array([300]))

    [rest] = Letters(Grams(), [*others, "退货退款"], [0] * 300 + [1], 2).cosines(["退货怎么退"])
    assert 0.1 < cosines[1] < letters.cosines(["退货怎么退"])[0, 1]
    assert np.allclose(cosines, rest, atol=0.1)
    assert letters.cosines_without(300, np.array([300, 301]))[1] < 0.01


def test_what_is_learned_later_is_as_unknown_as_the_rest():
    known = Grams()
    letters = Letters(known, ["快递", "发票"], [0, 1], 2)
    before = letters.cosines(["快递券"])

    Letters(known, ["快递", "券"], [0, 1], 2)

    assert np.array_equal(letters.cosines(["快递券"]), before)

"""What a run learns from: enough, split 8:2, and paraphrases on one side."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intents.models import Intent, Utterance
from training import utterances

sentences = st.lists(st.sampled_from(["", "", "a", "b", "c"]), min_size=5, max_size=60).map(
    lambda families: [(f"text {n}", family) for n, family in enumerate(families)]
)


class TestSplitFamilies:
    @given(sentences, st.integers(0, 1000))
    def test_each_sentence_is_on_one_side_and_neither_is_empty(self, texts: Any, seed: int):
        train, dev = utterances.split_families(texts, seed)

        assert sorted(train + dev) == sorted(text for text, _ in texts)
        assert train
        assert dev

    @given(sentences, st.integers(0, 1000))
    def test_a_family_stays_together(self, texts: Any, seed: int):
        train, _dev = utterances.split_families(texts, seed)

        if len({family or text for text, family in texts}) == 1:
            return  # one single family has to be split
        for family in "abc":
            members = {text for text, name in texts if name == family}
            assert members <= set(train) or not members & set(train)

    def test_without_families_a_fifth_is_held_back(self):
        train, dev = utterances.split_families([(f"text {n}", "") for n in range(100)], 42)

        assert (len(train), len(dev)) == (80, 20)

    def test_a_seed_splits_the_same_way_again(self):
        texts = [(f"text {n}", "") for n in range(100)]

        assert utterances.split_families(texts, 1) == utterances.split_families(texts, 1)
        assert utterances.split_families(texts, 1) != utterances.split_families(texts, 2)


@pytest.mark.django_db
class TestRead:
    def test_the_evaluation_split_is_never_trained_on(self, taught: Any):
        taught(logistics=10, invoice=10)
        frozen = Utterance.objects.create(
            intent=Intent.objects.get(code="invoice"),
            text="frozen",
            key="frozen",
            language="en",
            split=Utterance.Split.EVALUATION,
        )

        material = utterances.read(seed=42)

        assert [example.text for example in material.evaluation] == [frozen.text]
        assert len(material.train) == 16
        assert len(material.dev) == 4
        assert frozen.text not in {example.text for example in material.train + material.dev}

    def test_thin_and_inactive_intents_are_left_out(self, taught: Any):
        taught(logistics=10, invoice=10, coupon=4, repair=10)
        Intent.objects.filter(code="repair").update(is_active=False)

        material = utterances.read(seed=42)

        assert material.labels == ["invoice", "logistics"]
        assert material.left_out == ["coupon"]

    def test_one_query_reads_everything(self, taught: Any, django_assert_num_queries: Any):
        taught(logistics=10, invoice=10)

        with django_assert_num_queries(1):
            utterances.read(seed=42)

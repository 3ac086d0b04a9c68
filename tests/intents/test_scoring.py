"""N-grams, the light head and the mixture: arithmetic that every answer passes through."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intents.inference.scoring import LightHead, Mixture, Tfidf, ngrams, softmax
from training import light_head

TEXTS = ["我要退货", "怎么退货", "退货退款", "快递到哪了", "我的快递", "快递没到"]
TARGETS = np.array([0, 0, 0, 1, 1, 1])


def vectors_for(targets: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=(len(targets), 8)) * 0.1
    rows = np.eye(8)[targets] + noise
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


class TestNgrams:
    def test_chinese_gives_one_to_three_characters(self):
        assert ngrams("退货吗") == ["退", "货", "吗", "退货", "货吗", "退货吗"]

    def test_latin_words_keep_their_edges_and_lose_their_case(self):
        assert ngrams("Hi") == [" h", "hi", "i ", " hi", "hi ", " hi "]

    def test_mixed_text_is_cut_where_the_script_changes(self):
        assert ngrams("a货") == [" a", "a ", " a ", "货"]

    @given(st.text())
    def test_any_text_gives_grams_without_line_breaks(self, text):
        # The file of the light head separates them by line breaks.
        assert all("\n" not in gram and gram for gram in ngrams(text))


class TestTfidf:
    def test_rarer_grams_weigh_more_and_rows_have_length_one(self):
        tfidf = Tfidf({"退": 0, "货": 1}, np.array([3.0, 4.0], np.float32))

        columns, weights = tfidf.row("退货吗")

        assert columns.tolist() == [0, 1]
        assert weights == pytest.approx([0.6, 0.8])

    def test_text_of_unknown_grams_only_has_an_empty_row(self):
        columns, weights = Tfidf({}, np.zeros(0, np.float32)).row("退货")

        assert columns.size == weights.size == 0


class TestLightHead:
    def test_learns_from_words_and_from_vectors(self):
        head = light_head.fit(TEXTS, vectors_for(TARGETS), TARGETS)
        neutral = np.zeros((1, 8), np.float32)

        by_words = head.logits(["退货"], neutral)
        by_vector = head.logits(["?"], vectors_for(np.array([1])))

        assert by_words.argmax() == 0
        assert by_vector.argmax() == 1

    def test_saved_and_loaded_says_the_same(self, tmp_path):
        vectors = vectors_for(TARGETS)
        head = light_head.fit(TEXTS, vectors, TARGETS)

        head.save(tmp_path / "light_head.npz")
        again = LightHead.load(tmp_path / "light_head.npz")

        assert np.array_equal(again.logits(TEXTS, vectors), head.logits(TEXTS, vectors))

    def test_no_text_gives_no_row(self):
        head = light_head.fit(TEXTS, vectors_for(TARGETS), TARGETS)

        assert head.logits([], np.zeros((0, 8), np.float32)).shape == (0, 2)

    def test_one_example_an_intent_and_one_word_are_enough_to_fit(self):
        head = light_head.fit(["a", "b", "c"], vectors_for(np.arange(3)), np.arange(3))

        assert head.logits(["a"], vectors_for(np.array([2]))).argmax() == 2

    def test_costs_less_than_a_millisecond(self):
        rng = np.random.default_rng(0)
        letters = [chr(code) for code in range(0x4E00, 0x4E00 + 300)]
        texts = ["".join(rng.choice(letters, 12)) for _ in range(600)]
        targets = np.arange(600) % 50
        head = light_head.fit(texts, vectors_for(targets % 8), targets)
        vector = np.zeros((1, 8), np.float32)

        took = []
        for text in texts[:200]:
            started = time.thread_time()
            head.logits([text], vector)
            took.append(time.thread_time() - started)

        assert np.median(took) < 0.001


class TestMixture:
    def test_weights_of_one_and_zero_are_plain_softmax(self):
        logits = np.array([[2.0, 1.0, 0.0]], np.float32)

        assert Mixture().probabilities(logits, None) == pytest.approx(softmax(logits))

    def test_smaller_weight_is_less_sure_and_keeps_the_order(self):
        logits = np.array([[2.0, 1.0, 0.0]], np.float32)

        flat = Mixture(network=0.5).probabilities(logits, None)

        assert flat.max() < softmax(logits).max()
        assert flat.argsort().tolist() == logits.argsort().tolist()

    def test_light_head_can_outvote_the_network(self):
        network, light = np.array([[1.0, 0.0]], np.float32), np.array([[0.0, 3.0]], np.float32)

        assert Mixture(0.5, 0.5).probabilities(network, light).argmax() == 1

    @given(st.lists(st.lists(st.floats(-500, 500), min_size=3, max_size=3), max_size=5))
    def test_rows_are_probabilities_whatever_the_logits(self, rows):
        logits = np.array(rows, np.float32).reshape(-1, 3)

        result = Mixture(1.0, 1.0).probabilities(logits, logits)

        assert result.shape == logits.shape
        assert np.isfinite(result).all()
        assert result.sum(axis=1) == pytest.approx(np.ones(len(logits)), abs=1e-5)

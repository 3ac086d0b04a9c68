"""Measures, checked against hand-made cases and scikit-learn."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from training.evaluate import calibration_error, evaluate


def certain(predicted: str, labels: str) -> np.ndarray:
    """Probability 1 for each predicted label."""
    return np.eye(len(labels))[[labels.index(each) for each in predicted]]


class TestEvaluate:
    def test_counts_what_is_right_and_what_is_taken_for_what(self):
        measures = evaluate(certain("aabbbc", "abc"), "abc", "aaabcc")

        assert measures.accuracy == pytest.approx(4 / 6)
        assert measures.per_intent["a"] == {
            "precision": 1.0,
            "recall": pytest.approx(2 / 3),
            "f1": pytest.approx(0.8),
            "texts": 3,
        }
        assert measures.confusion == [("a", "b", 1), ("c", "b", 1)]
        assert json.loads(json.dumps(measures.as_dict()))["texts"] == 6

    def test_intent_that_the_model_does_not_know_is_missed(self):
        measures = evaluate(certain("ab", "ab"), "ab", ["a", "new"])

        assert measures.accuracy == 0.5
        assert measures.per_intent["new"]["recall"] == 0.0

    @settings(max_examples=30, deadline=None)  # scikit-learn is slow to begin
    @given(
        st.lists(
            st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), min_size=1, max_size=50
        )
    )
    def test_agrees_with_scikit_learn(self, pairs):
        predicted, truth = ("".join(side) for side in zip(*pairs, strict=True))

        measures = evaluate(certain(predicted, "abcd"), "abcd", truth)

        occurring = sorted(set(truth))
        f1 = f1_score(
            list(truth), list(predicted), average="macro", labels=occurring, zero_division=0
        )
        assert measures.accuracy == pytest.approx(accuracy_score(list(truth), list(predicted)))
        assert measures.macro_f1 == pytest.approx(f1)

    @pytest.mark.parametrize("truth", [[], ["a"]])
    def test_shapes_that_do_not_fit_are_refused(self, truth):
        with pytest.raises(ValueError, match="texts"):
            evaluate(np.zeros((2, 2)), "ab", truth)


class TestCalibrationError:
    def test_is_zero_when_confidence_is_the_share_that_is_right(self):
        confidence = np.full(100, 0.8)
        right = np.arange(100) % 5 > 0

        assert calibration_error(confidence, right, bins=1) == pytest.approx(0.0)

    def test_is_the_gap_when_it_is_always_too_sure(self):
        assert calibration_error(np.full(150, 0.9), np.zeros(150, bool)) == pytest.approx(0.9)

    def test_bins_hold_equal_numbers_not_equal_widths(self):
        # By width all of it is one bin (0.93 to 1), whose errors cancel out; by mass it is two.
        confidence = np.array([0.94] * 50 + [0.98] * 50)
        right = np.array([True] * 50 + [True] * 46 + [False] * 4)

        assert calibration_error(confidence, right, bins=2) == pytest.approx(0.06)

    def test_of_nothing_is_zero(self):
        assert calibration_error(np.array([]), np.array([], bool)) == 0.0

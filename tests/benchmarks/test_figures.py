"""The figures that load benchmarks print are what they are called."""

from dataclasses import replace

import pytest

from benchmarks import load
from benchmarks.load import Answer, Run


def run_of(**figures: float) -> Run:
    nothing = dict.fromkeys(Run.__dataclass_fields__, 0.0)
    return Run(**{**nothing, "clients": 1, "requests": 10, "processes": 1, **figures})


class TestQuantile:
    @pytest.mark.parametrize(("share", "expected"), [(0.5, 5), (0.95, 10), (0.9, 9), (0.01, 1)])
    def test_is_a_value_that_was_measured(self, share, expected):
        assert load.quantile(list(range(1, 11)), share) == expected

    def test_of_a_single_value_is_that_value(self):
        assert load.quantile([7.0], 0.99) == 7.0


class TestShares:
    def test_add_up_whatever_was_decided(self):
        found = load.shares(
            [
                (Answer("a"), "a"),
                (Answer("a"), "b"),
                (Answer("b", "CLARIFY"), "b"),
                (Answer("", "HAND_OVER"), "a"),
            ]
        )
        assert found == {
            "top1": 0.5,
            "answered_right": 0.25,
            "answered_wrong": 0.25,
            "clarified": 0.25,
            "handed_over": 0.25,
        }

    def test_of_texts_without_labels_are_unknown(self):
        assert set(load.shares([]).values()) == {None}


class TestRounds:
    def test_a_ratio_is_taken_within_a_round(self):
        # The machine was three times slower in the second round, for both alike.
        ours = [run_of(requests_per_s=each) for each in (300.0, 100.0, 330.0)]
        theirs = [run_of(requests_per_s=each) for each in (150.0, 50.0, 150.0)]
        assert load.ratio(ours, theirs, "requests_per_s") == 2.0

    def test_the_median_is_taken_figure_by_figure(self):
        runs = [run_of(mean_ms=a, p95_ms=b) for a, b in ((1.0, 9.0), (2.0, 7.0), (3.0, 8.0))]
        found = load.median(runs)
        assert (found["mean_ms"], found["p95_ms"], found["rounds"]) == (2.0, 8.0, 3)

    def test_what_no_round_measured_stays_unknown(self):
        assert load.median([replace(run_of(), top1=None)])["top1"] is None

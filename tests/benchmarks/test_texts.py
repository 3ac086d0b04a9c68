"""What the clients of load benchmarks say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import texts


class TestDistinct:
    def test_leaves_out_what_differs_in_punctuation_and_numbers_only(self):
        assert texts.distinct(["你好", "你好！", "在吗", " 你 好", "在吗2"]) == ["你好", "在吗"]

    def test_leaves_out_what_says_nothing(self):
        assert texts.distinct(["？？", "…"]) == []


class TestSupply:
    def test_goes_on_where_it_stopped(self):
        supply = texts.Supply("甲乙丙丁")
        assert sorted(supply.take(2) + supply.take(2)) == sorted("甲乙丙丁")

    def test_refuses_more_than_it_has(self):
        with pytest.raises(ValueError, match="5 different texts"):
            texts.Supply("甲乙丙丁").take(5)


class TestWithRepeats:
    @given(number=st.integers(1, 300), share=st.floats(0, 0.9))
    def test_the_share_has_come_before(self, number, share):
        said = texts.with_repeats([str(each) for each in range(number)], number, share)
        assert len(said) == number
        repeats = min(round(number * share), number - 1)
        assert len(said) - len(set(said)) == repeats

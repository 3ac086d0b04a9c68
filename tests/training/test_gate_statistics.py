"""Paired comparisons, intervals, and the correction for many intents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.gate.statistics import NO_TEXTS, Paired, holm, paired, wilson

RIGHTS = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60)


@given(RIGHTS)
def test_counts_are_those_of_the_pairs(rows: list[tuple[bool, bool]]) -> None:
    result = paired([before for before, _ in rows], [after for _, after in rows])
    assert result.texts == len(rows)
    assert result.active_right - result.lost + result.won == result.candidate_right
    assert -1 <= result.loss <= 1


@given(st.integers(0, 40), st.integers(0, 40))
def test_a_p_value_is_a_probability_and_falls_with_each_lost_text(lost: int, won: int) -> None:
    def p(of_lost: int) -> float:
        return Paired(100, 50 + of_lost, 50 + won, of_lost, won).p_worse

    assert 0 < p(lost) <= 1
    assert p(lost + 1) <= p(lost)


@given(st.integers(1, 40))
def test_both_directions_of_the_mid_p_value_sum_to_one(changed: int) -> None:
    for lost in range(changed + 1):
        one = Paired(changed, lost, changed - lost, lost, changed - lost)
        other = Paired(changed, changed - lost, lost, changed - lost, lost)
        assert one.p_worse + other.p_worse == pytest.approx(1)


def test_the_mid_p_value_counts_half_of_what_was_seen() -> None:
    # 7 lost, 1 won: the exact two-sided value 18/256, less the probability of what was seen.
    assert 2 * Paired(21, 0, 0, 7, 1).p_worse == pytest.approx(18 / 256 - 8 / 256)


def test_nothing_changed_is_no_reason() -> None:
    assert Paired(50, 40, 40, 0, 0).p_worse == 1
    assert NO_TEXTS.loss == 0


@given(st.integers(1, 500), st.data())
def test_a_wilson_interval_holds_the_share_and_stays_a_share(texts: int, data: st.DataObject):
    right = data.draw(st.integers(0, texts))
    low, high = wilson(right, texts)
    assert -1e-9 <= low <= right / texts <= high <= 1 + 1e-9


def test_of_no_texts_nothing_is_known() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=12))
def test_holm_never_makes_a_value_smaller_and_keeps_their_order(found: dict[str, float]) -> None:
    corrected = holm(found)
    assert corrected.keys() == found.keys()
    for name, p in found.items():
        assert p <= corrected[name] <= min(1.0, p * len(found)) + 1e-12
    in_order = sorted(found, key=found.__getitem__)
    assert [corrected[one] for one in in_order] == sorted(corrected.values())


@given(st.integers(20, 400), st.integers(0, 9), st.integers(0, 9))
def test_the_worst_loss_is_beyond_the_one_that_was_seen(texts: int, lost: int, won: int) -> None:
    result = Paired(texts, 10 + lost, 10 + won, lost, won)
    assert result.worst_loss(0.95) > result.loss - 0.01
    assert result.worst_loss(0.99) > result.worst_loss(0.95)


def test_more_texts_are_asked_for_only_where_they_could_help() -> None:
    small = Paired(60, 50, 50, 4, 4)
    needed = small.texts_to_exclude(0.05, 0.95)
    assert needed > 60
    grown = Paired(needed, 0, 0, round(4 * needed / 60), round(4 * needed / 60))
    assert grown.worst_loss(0.95) < 0.055
    assert Paired(60, 50, 40, 12, 2).texts_to_exclude(0.05, 0.95) == 0
    assert Paired(60, 50, 52, 2, 4).texts_to_show(0.001) == 0

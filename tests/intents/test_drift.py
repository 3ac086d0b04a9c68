"""Drift is told when customers ask for something else, and not when nothing but chance moved."""

import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from intents import drift
from intents.models import DriftCheck, PredictionRecord
from tests.factories import IntentFactory

counts = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 500))


@given(counts, counts)
def test_the_index_is_symmetric_and_none_of_what_stayed(before: Any, now: Any):
    index = drift.population_stability(before, now)
    assert index >= 0
    assert drift.population_stability(before, before) == 0
    same_size = {**dict.fromkeys(before, 0), **now}
    back = drift.population_stability(now, before)
    assert index == pytest.approx(back)
    assert drift.population_stability(before, same_size) >= 0


def test_the_index_of_a_known_case():
    before, now = {"a": 5000, "b": 5000}, {"a": 8000, "b": 2000}
    # (0.8 - 0.5) ln(0.8 / 0.5) + (0.2 - 0.5) ln(0.2 / 0.5)
    assert drift.population_stability(before, now) == pytest.approx(0.4159, abs=0.001)


def test_chance_alone_is_rarely_an_alert(settings: Any):
    settings.DRIFT_ALERT = 0.0
    dice = random.Random(5)
    kinds = [f"k{n}" for n in range(30)]
    weights = [1 / (n + 2) for n in range(30)]
    alerts = 0
    for _day in range(300):
        before, now = (Counter(dice.choices(kinds, weights, k=k)) for k in (2000, 500))
        index = drift.population_stability(before, now)
        alerts += drift.is_alert(index, 30, 2000, 500)
    assert alerts <= 3


@pytest.mark.django_db
class TestTheDailyCheck:
    def log(self, now: datetime, days_ago: float, many: int, intent: str, scope: float = 0.05):
        PredictionRecord.objects.bulk_create(
            PredictionRecord(
                text="t",
                intent=intent,
                out_of_scope=scope,
                decision="ANSWER",
                source="model",
                elapsed_ms=1,
                created_at=now - timedelta(days=days_ago),
            )
            for _ in range(many)
        )

    def test_a_new_demand_makes_an_alert_that_names_it(self, now: datetime):
        for intent in ("logistics", "refund"):
            IntentFactory(code=intent)
            self.log(now, 20, 500, intent)
            self.log(now, 3, 150, intent)
        self.log(now, 3, 300, "coupon")

        check = drift.check(now=now)
        assert check.is_alert
        assert check.intents > 0.2
        assert check.scope == pytest.approx(0, abs=0.05)
        assert check.moved[0][0] == "coupon"
        assert REGISTRY.get_sample_value("intents_drift_alert") == 1
        assert REGISTRY.get_sample_value("intents_drift", {"of": "intents"}) == check.intents

    def test_more_that_is_none_of_our_topics_makes_one_too(self, now: datetime):
        self.log(now, 20, 1000, "logistics")
        self.log(now, 3, 300, "logistics", scope=0.9)
        check = drift.check(now=now)
        assert check.is_alert
        assert check.intents < 0.2 < check.scope

    def test_what_stayed_makes_none(self, now: datetime):
        for intent in ("logistics", "refund"):
            self.log(now, 20, 500, intent)
            self.log(now, 3, 150, intent)
        assert not drift.check(now=now).is_alert

    def test_few_messages_say_nothing(self, now: datetime):
        self.log(now, 20, 1000, "logistics")
        self.log(now, 3, 199, "refund")
        check = drift.check(now=now)
        assert (check.intents, check.is_alert, check.moved) == (None, False, [])

    def test_again_on_one_day_is_the_same_row(self, now: datetime):
        drift.check(now=now)
        drift.check(now=now + timedelta(hours=1))
        assert DriftCheck.objects.count() == 1

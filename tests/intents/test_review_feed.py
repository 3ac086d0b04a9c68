"""The review inbox takes in what needs a look: each message once, whatever is heard of it later."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import strategies as st

from intents import records, review
from intents.models import (
    Embedding,
    PredictionRecord,
    ReviewCandidate,
    ReviewItem,
    ReviewSighting,
    Utterance,
)
from intents.review import clusters, feed
from intents.review.reasons import UNIT, Finding, Reason, of_record, proposed, wrongness
from tests.factories import IntentFactory, StaffFactory

pytestmark = pytest.mark.django_db

Outcome = PredictionRecord.Outcome
Verdict = ReviewCandidate.Verdict


@pytest.fixture
def agent() -> User:
    return StaffFactory()


def logged(message: int, text: str, now: datetime, **columns: Any) -> PredictionRecord:
    usual = {
        "language": "zh",
        "intent": "logistics",
        "probability": 0.4,
        "out_of_scope": 0.1,
        "ranked": [["logistics", 0.4], ["refund", 0.35]],
        "decision": "CLARIFY",
        "outcome": Outcome.ASKED_BACK,
        "source": "model",
        "elapsed_ms": 5.0,
        "created_at": now,
    }
    return PredictionRecord.objects.create(message=message, text=text, **{**usual, **columns})


SURE = {
    "probability": 0.99,
    "out_of_scope": 0.0,
    "ranked": [["logistics", 0.99]],
    "decision": "ANSWER",
    "outcome": Outcome.ANSWERED,
}


class TestWhatComesIn:
    def test_spellings_of_one_sentence_are_one_item_with_its_frequency(self, now: datetime):
        logged(1, "能货到付款吗？", now)
        logged(2, "能货到付款吗", now + timedelta(minutes=1))
        logged(3, "能 貨 到 付 款 吗!!", now)
        feed.feed(now=now)

        item = ReviewItem.objects.get()
        assert (item.messages, item.reasons) == (3, {"asked_back": 3, "unsure": 3})
        assert item.priority == 3 * round(UNIT * (1 - 0.9 * 0.4))
        assert item.text == "能货到付款吗"  # the latest

    def test_what_was_understood_and_heard_no_more_of_stays_out(self, now: datetime):
        logged(1, "我的快递到哪了", now, **SURE)
        feed.feed(now=now)
        assert not ReviewItem.objects.exists()

    def test_what_hands_over_by_design_was_understood(self, now: datetime):
        IntentFactory(code="human", hands_over=True)
        logged(
            1,
            "转人工",
            now,
            **SURE | {"intent": "human", "decision": "HAND_OVER", "outcome": Outcome.HANDED_OVER},
        )
        feed.feed(now=now)
        assert not ReviewItem.objects.exists()

    def test_reading_twice_counts_once(self, now: datetime):
        logged(1, "能货到付款吗", now)
        feed.feed(now=now)
        feed.feed(now=now)
        assert ReviewItem.objects.get().messages == 1

    def test_what_is_heard_later_is_added_to_the_same_message(self, now: datetime):
        logged(1, "能货到付款吗", now, **SURE)
        feed.feed(now=now)
        assert not ReviewItem.objects.exists()

        records.rated(message=1, is_up=False)
        records.flush()
        feed.feed(now=now + timedelta(days=3650))
        records.handed_over(message=1)
        records.flush()
        feed.feed(now=now + timedelta(days=3650))

        item = ReviewItem.objects.get()
        assert (item.messages, item.handed_over) == (1, 1)
        assert item.reasons == {"handed_over": 1, "rated_down": 1}
        assert item.priority == round(UNIT * (0.01 + 1) / 2)

    def test_an_agents_word_is_the_proposal_and_stands_over_the_customers(
        self, agent: User, now: datetime
    ):
        logged(1, "能货到付款吗", now, outcome=Outcome.CLARIFIED, meant="refund")
        for number in (1, 2):
            review.propose(
                message=number,
                text="能货到付款吗",
                language="zh",
                predicted="logistics",
                probability=0.4,
                meant="payment",
                verdict=Verdict.CORRECTED,
                by=agent.pk,
                now=now,
            )
        feed.feed(now=now)

        item = ReviewItem.objects.get()
        assert item.votes == {"agent:payment": 2}
        assert proposed(item.votes) == "payment"
        assert item.messages == 2
        assert item.priority == 2 * UNIT

    def test_a_sentence_that_is_an_utterance_comes_in_only_against_an_agents_word(
        self, now: datetime
    ):
        Utterance.objects.create(
            intent=IntentFactory(code="logistics"), text="到哪了", key="到哪了", language="zh"
        )
        logged(1, "到哪了", now)
        feed.feed(now=now)
        assert not ReviewItem.objects.exists()

        logged(2, "到哪了", now, outcome=Outcome.CORRECTED, meant="refund")
        feed.feed(now=now)
        assert ReviewItem.objects.get().messages == 1

    def test_what_becomes_an_utterance_elsewhere_leaves(self, now: datetime):
        logged(1, "能货到付款吗", now)
        feed.feed(now=now)
        Utterance.objects.create(
            intent=IntentFactory(), text="能货到付款吗", key="能货到付款吗", language="zh"
        )
        feed.feed(now=now)
        assert ReviewItem.objects.get().status == ReviewItem.Status.DECIDED

    @pytest.mark.parametrize(
        "columns", [{"language": ""}, {"origin": "API"}, {"text": "长" * 501}], ids=str
    )
    def test_what_cannot_be_decided_stays_out(self, columns: dict[str, Any], now: datetime):
        logged(1, **{"text": "能货到付款吗", "now": now} | columns)
        feed.feed(now=now)
        assert not ReviewItem.objects.exists()

    def test_a_long_log_is_read_in_pieces_and_to_its_end(
        self, monkeypatch: pytest.MonkeyPatch, now: datetime
    ):
        monkeypatch.setattr(feed, "_AT_ONCE", 10)
        monkeypatch.setattr(feed, "_OVERLAP_ROWS", 3)
        monkeypatch.setattr(feed, "_MOST_BATCHES", 2)
        for message in range(75):
            logged(message, f"问题{message % 7}号", now + timedelta(seconds=message))
        for _run in range(5):
            feed.feed(now=now)
        assert ReviewItem.objects.count() == 7
        assert sum(ReviewItem.objects.values_list("messages", flat=True)) == 75

    def test_reading_does_not_grow_with_the_log(
        self, django_assert_max_num_queries: Any, now: datetime
    ):
        for message in range(40):
            logged(message, f"问题{message}号", now)
        feed.feed(now=now)
        for message in range(40, 44):
            logged(message, f"问题{message}号", now)
        # Three sources: lock (4), read, sightings, utterances, items, writes; then what is labelled.
        with django_assert_max_num_queries(60):
            feed.feed(now=now)


class TestForgetting:
    def test_it_goes_with_the_log(self, settings: Any, now: datetime):
        settings.PREDICTION_LOG_DAYS = 30
        logged(1, "能货到付款吗", now - timedelta(days=31))
        logged(2, "能货到付款吗", now)
        logged(3, "有实体店吗", now - timedelta(days=31))
        feed.feed(now=now)
        Embedding.objects.create(encoder="e", key=clusters.embedding_key("有实体店吗"), vector=b"")

        assert feed.forget_old(now=now) == 2
        item = ReviewItem.objects.get()
        assert (item.text, item.messages, item.reasons) == (
            "能货到付款吗",
            1,
            {"asked_back": 1, "unsure": 1},
        )
        assert ReviewSighting.objects.count() == 1
        assert not Embedding.objects.exists()


class TestWrongness:
    def test_it_is_the_probability_that_the_likeliest_was_not_meant(self):
        assert wrongness(Reason(0), 0.8, 0.25, is_other=False) == round(UNIT * (1 - 0.75 * 0.8))
        assert wrongness(Reason(0), None, 0.0, is_other=False) == UNIT
        assert wrongness(Reason.RATED_DOWN, 0.8, 0.0, is_other=False) == round(UNIT * 0.6)
        assert wrongness(Reason.RATED_DOWN, 0.8, 0.0, is_other=True) == UNIT

    def test_a_button_that_names_another_intent_is_proof(self, now: datetime):
        record = logged(1, "能货到付款吗", now, outcome=Outcome.CLARIFIED, meant="refund")
        found = of_record(record, frozenset())
        assert (found.wrongness, found.vote) == (UNIT, "customer:refund")


findings = st.builds(
    Finding,
    st.integers(0, 255).map(Reason),
    st.integers(0, UNIT),
    st.sampled_from(["", "refund", "invoice"]),
)


@given(findings, findings)
def test_two_looks_at_one_message_say_the_same_in_either_order(one: Finding, other: Finding):
    both = one.joined(other)
    assert both.reasons == other.joined(one).reasons
    assert both.wrongness == other.joined(one).wrongness
    assert both.meant == other.joined(one).meant
    assert both.joined(one) == both.joined(other) == both


@given(st.dictionaries(st.sampled_from(["agent:a", "agent:b", "customer:c"]), st.integers(0, 3)))
def test_an_agent_stands_over_any_number_of_customers(votes: dict[str, int]):
    named = proposed(votes)
    if votes.get("agent:a", 0) + votes.get("agent:b", 0):
        assert named in ("a", "b")

"""The log of what was understood, and what came of it."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest

from intents import records, tasks
from intents.decisions import Decision
from intents.inference import Prediction
from intents.models import PredictionRecord
from tests.databases import at_once
from tests.factories import IntentFactory

pytestmark = pytest.mark.django_db

RANKED = tuple((f"intent_{n}", 0.5 / (n + 1)) for n in range(8))


def record(message: int = 1, **fields: Any) -> None:
    records.record(
        **{
            "message": message,
            "text": "我的电话是13812345678",
            "language": "zh",
            "prediction": Prediction(
                RANKED, "model", "v1", out_of_scope=0.25, queue_ms=1.234, infer_ms=5.678
            ),
            "decision": Decision.ANSWER,
            "content_version": 7,
            "elapsed_ms": 9.876,
            "cached": False,
            "now": datetime.fromisoformat("2026-11-22T10:00:00+00:00"),
            **fields,
        }
    )


def logged() -> PredictionRecord:
    records.flush()
    return PredictionRecord.objects.get()


def test_all_of_it_is_written_but_personal_data(now: datetime):
    record()

    written = logged()
    assert (written.text, written.language, written.created_at) == ("我的电话是<phone>", "zh", now)
    assert (written.intent, written.probability, written.out_of_scope) == ("intent_0", 0.5, 0.25)
    assert [code for code, _ in written.ranked] == [f"intent_{n}" for n in range(5)]
    assert (written.model_version, written.content_version, written.source) == ("v1", 7, "model")
    assert (written.queue_ms, written.infer_ms, written.elapsed_ms) == (1.23, 5.68, 9.88)
    assert (written.decision, written.outcome, written.origin) == ("ANSWER", "ANSWERED", "CHAT")


@pytest.mark.parametrize(
    ("decision", "outcome"),
    [("ANSWER", "ANSWERED"), ("CLARIFY", "ASKED_BACK"), ("HAND_OVER", "HANDED_OVER")],
)
def test_what_came_of_it_follows_at_first_from_the_decision(decision: str, outcome: str):
    record(decision=Decision(decision))

    assert logged().outcome == outcome


def test_of_what_programs_ask_nothing_comes(now: datetime):
    IntentFactory(code="intent_0")
    sure = Prediction((("intent_0", 0.99),), "model", "v1")
    records.classified(
        ["我的邮箱是a@example.com", "hello there"],
        [sure, Prediction((), "none")],
        elapsed_ms=3.0,
        cached=[True, False],
        now=now,
    )

    records.flush()
    columns = ("origin", "message", "outcome", "text", "language", "decision", "cached")
    assert list(PredictionRecord.objects.order_by("pk").values_list(*columns)) == [
        ("API", None, "", "我的邮箱是<email>", "zh", "ANSWER", True),
        ("API", None, "", "hello there", "en", "HAND_OVER", False),
    ]


def test_no_more_of_a_text_is_kept_than_models_read():
    record(text="字" * 10_000)

    assert len(logged().text) == 1000


def test_a_caller_never_touches_the_database(django_assert_num_queries: Any):
    with django_assert_num_queries(0):
        record()
        records.clarified(message=1, meant="invoice")


def test_a_message_is_logged_once_whoever_answers_it(both_databases: str):
    def log() -> None:
        for message in range(20):
            record(message)

    log()
    own = records._log
    at_once(*[lambda: own._write([*own._items]) for _ in range(4)])
    records.flush()

    assert PredictionRecord.objects.count() == 20


class TestLater:
    def test_the_customer_chose(self):
        record(decision=Decision.CLARIFY)
        records.clarified(message=1, meant="invoice")

        assert (logged().outcome, logged().meant) == ("CLARIFIED", "invoice")

    def test_a_human_took_care_of_it(self):
        record()
        records.flush()
        records.handed_over(message=1)

        assert (logged().outcome, logged().decision) == ("HANDED_OVER", "ANSWER")

    def test_an_agent_has_the_last_word(self):
        record()
        records.corrected(message=1, meant="coupon")
        records.handed_over(message=1)
        records.clarified(message=1, meant="invoice")

        assert (logged().outcome, logged().meant) == ("CORRECTED", "coupon")

    @pytest.mark.parametrize(("is_up", "rating"), [(True, 1), (False, -1)])
    def test_a_rating_leaves_the_outcome(self, *, is_up: bool, rating: int):
        record()
        records.rated(message=1, is_up=is_up)

        assert (logged().outcome, logged().rating) == ("ANSWERED", rating)

    def test_of_a_message_that_was_not_logged_nothing_is(self):
        records.rated(message=99, is_up=True)

        records.flush()
        assert not PredictionRecord.objects.exists()


def test_a_record_that_the_database_refuses_takes_no_other_with_it(both_databases: str):
    before = records._LOST._value.get()
    record(1)
    record(2, text="half a character: \ud800")
    record(3)

    records.flush()

    assert list(PredictionRecord.objects.order_by("pk").values_list("message", flat=True)) == [1, 3]
    assert records._LOST._value.get() - before == 1


class TestForgetting:
    def test_what_is_older_than_the_setting_goes_some_at_a_time(
        self, settings: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
    ):
        settings.PREDICTION_LOG_DAYS = 30
        monkeypatch.setattr(records, "_DELETED_TOGETHER", 3)
        for number in range(10):
            record(number, now=now - timedelta(days=31))
        record(99, now=now - timedelta(days=29))
        records.flush()

        assert records.forget_old(now=now) == 10

        assert PredictionRecord.objects.get().message == 99

    def test_one_run_is_bounded(self, now: datetime, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(records, "_DELETED_TOGETHER", 2)
        monkeypatch.setattr(records, "_MOST_DELETIONS", 3)
        for number in range(10):
            record(number, now=now - timedelta(days=1000))
        records.flush()

        assert [records.forget_old(now=now) for _ in range(3)] == [6, 4, 0]

    def test_beat_does_it(self, now: datetime, settings: Any):
        record(now=now - timedelta(days=2000))
        records.flush()
        schedule = settings.CELERY_BEAT_SCHEDULE["forget-old-predictions"]

        assert schedule["task"] == tasks.forget_old_predictions.name
        tasks.forget_old_predictions(a_field_of_a_newer_release=uuid.uuid4())

        assert not PredictionRecord.objects.exists()

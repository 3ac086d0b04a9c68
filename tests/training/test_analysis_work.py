"""Who reads which text: each once, whatever dies and whatever comes twice."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from tests.databases import at_once
from training.analysis import Entity, Findings, Kind, Mood, Sentence, Summary, work
from training.models import AnalysedIntent, TextAnalysis

pytestmark = pytest.mark.django_db
Status = TextAnalysis.Status

FOUND = Findings(
    entities=(Entity(Kind.PHONE, "13812345678", 2, 13, {"number": "+8613812345678"}),),
    sentences=(
        Sentence(
            0, 20, (("complaint", 0.9), ("logistics", 0.1)), Mood(-0.8, 0.9, 0.1), is_wish=True
        ),
    ),
    mood=Mood(-0.8, 0.9, 0.1),
    summary=Summary(
        asked=(("complaint", 0.9),), times=(("昨天", "2026-11-21"),), wishes=((0, 20),)
    ),
    language="zh",
    model_version="v1",
)


def row(message: int = 1) -> TextAnalysis:
    return TextAnalysis.objects.get(message=message)


def request(now: datetime, message: int = 1) -> None:
    work.request(message=message, characters=600, said_at=now, now=now)


def test_findings_come_back_from_json_as_they_were():
    assert Findings.from_dict(FOUND.as_dict()) == FOUND
    assert Findings.from_dict(Findings().as_dict()) == Findings()


class TestOneText:
    def test_is_claimed_by_one_and_stored_once(self, now: datetime):
        request(now)

        mine = work.claim(1, now=now)
        assert mine is not None
        assert work.claim(1, now=now) is None
        assert work.succeed(mine, FOUND, now=now)
        assert not work.succeed(mine, FOUND, now=now)
        assert work.claim(1, now=now) is None

        assert (row().status, row().found, row().mood) == (Status.DONE, FOUND, -0.8)
        assert list(AnalysedIntent.objects.values_list("intent", flat=True)) == ["complaint"]

    def test_of_one_whose_reader_died_only_the_second_reading_counts(
        self, now: datetime, settings: Any
    ):
        request(now)
        dead = work.claim(1, now=now)
        later = now + timedelta(seconds=settings.ANALYSIS_LEASE_S + 1)

        assert work.due(now=later) == [1]
        alive = work.claim(1, now=later)

        assert dead is not None
        assert alive is not None
        assert alive.attempt == 2
        assert not work.succeed(dead, FOUND, now=later)
        with pytest.raises(work.Lost):
            work.renew(dead, now=later)
        assert work.succeed(alive, FOUND, now=later)
        assert AnalysedIntent.objects.count() == 1

    def test_that_takes_long_stays_with_whoever_renews(self, now: datetime, settings: Any):
        request(now)
        mine = work.claim(1, now=now)
        assert mine is not None
        work.renew(mine, now=now + timedelta(seconds=settings.ANALYSIS_LEASE_S - 1))

        assert work.due(now=now + timedelta(seconds=settings.ANALYSIS_LEASE_S + 5)) == []

    def test_that_fails_is_tried_again_ever_later_and_then_left_for_people(
        self, now: datetime, settings: Any
    ):
        settings.ANALYSIS_ATTEMPTS = 3
        request(now)
        waits = []
        for _attempt in range(3):
            mine = work.claim(1, now=now)
            assert mine is not None
            work.fail(mine, reason="ValueError: 毒", now=now)
            waits.append((row().due_at - now).total_seconds())

        assert waits[:2] == [2, 4]
        assert (row().status, row().failure) == (Status.FAILED, "ValueError: 毒")
        assert work.due(now=now + timedelta(days=1)) == []
        assert work.claim(1, now=now) is None

        # A person has it tried again, with all attempts.
        assert work.retry([1], now=now) == 1
        assert work.due(now=now) == [1]
        again = work.claim(1, now=now)
        assert again is not None
        assert again.attempt == 1

    def test_that_kills_its_readers_is_left_for_people_too(self, now: datetime, settings: Any):
        settings.ANALYSIS_ATTEMPTS = 2
        request(now)
        for _attempt in range(2):
            assert work.claim(1, now=now) is not None
            now += timedelta(seconds=settings.ANALYSIS_LEASE_S + 1)
            work.due(now=now)

        assert row().status == Status.FAILED
        assert row().failure


class TestTheQueue:
    def test_what_was_not_queued_is_queued_after_a_moment_and_once_in_a_while(self, now: datetime):
        request(now)

        assert work.due(now=now) == []  # whoever stored it is about to
        later = now + timedelta(seconds=11)
        assert work.due(now=later) == [1]
        assert work.due(now=later + timedelta(seconds=5)) == []
        assert work.due(now=later + timedelta(minutes=6)) == [1]

    def test_what_customers_write_comes_before_what_was_asked_for_in_bulk(self, now: datetime):
        early = now - timedelta(hours=1)
        assert work.request_many([(2, 20, early), (3, 20, early)], now=early) == 2
        request(now, message=4)

        assert work.due(now=now + timedelta(minutes=1))[0] == 4

    def test_no_more_is_queued_in_bulk_than_readers_take(self, now: datetime):
        work.request_many([(message, 20, now) for message in range(1, 121)], now=now)
        later = now + timedelta(minutes=1)

        first = work.due(now=later)
        assert len(first) == 50
        assert work.due(now=later + timedelta(seconds=5)) == []  # nobody has begun with those

        for message in first[:20]:
            assert work.claim(message, now=later) is not None
        request(now, message=500)
        again = work.due(now=later + timedelta(seconds=15))
        assert again[0] == 500
        assert len(again) == 21

    def test_asking_again_in_bulk_changes_nothing(self, now: datetime):
        request(now)
        mine = work.claim(1, now=now)
        assert mine is not None
        work.succeed(mine, FOUND, now=now)

        assert work.request_many([(1, 600, now), (2, 10, now)], now=now) == 1
        assert row().status == Status.DONE

    def test_its_length_is_a_metric(self, now: datetime):
        request(now)

        assert REGISTRY.get_sample_value("analysis_texts", {"status": "pending"}) == 1.0


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_gets_a_text(now: datetime):
    request(now)

    claims = at_once(*[lambda: work.claim(1, now=now)] * 6)

    assert sum(one.result is not None for one in claims) == 1

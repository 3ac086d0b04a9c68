"""The monitor: right now, as a supervisor sees it, in as many queries as ever."""

from datetime import datetime, time
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from chat import monitor, services
from chat.models import BusinessHours, Conversation, Queue
from chat.monitor import Wanted
from tests.chat.test_assignment import agent, seconds, waiting
from tests.chat.test_supervision import bearer
from tests.chat.test_waiting import past_waits
from tests.factories import ConversationFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("talk")]


def read(now: datetime, *present: int, **wanted: Any) -> Any:
    return monitor.read(wanted=Wanted(**wanted), present=frozenset(present), now=now)


class TestQueues:
    def test_who_waits_for_how_long_and_what_they_may_expect(self, now: datetime):
        past_waits(now, *[120.0] * 20)
        waiting(now)
        waiting(now + seconds(30))

        [queue] = read(now + seconds(60))["queues"]

        assert (queue["waiting"], queue["waiting_since"]) == (2, now.isoformat())
        assert (queue["wait_low_s"], queue["wait_high_s"]) == (120, 120)
        assert (queue["open"], queue["changes_at"], queue["escalated"]) == (True, None, 0)

    def test_the_expectation_is_what_customers_are_told(self, now: datetime):
        past_waits(now, *[float(wait) for wait in range(60, 660, 30)])
        conversation = waiting(now)

        [queue] = read(now)["queues"]
        told = services.place(conversation.pk, now)

        assert (queue["wait_low_s"], queue["wait_high_s"]) == (told.low_s, told.high_s)

    def test_until_when_it_is_open_or_closed(self, now: datetime):
        # `now` is a Sunday, 18:00 here.
        BusinessHours.objects.create(
            queue=Queue.objects.get(), weekday=6, opens_at=time(9), closes_at=time(20)
        )

        [opened] = read(now)["queues"]
        [closed] = read(now + seconds(3 * 3600))["queues"]

        assert (opened["open"], opened["changes_at"]) == (True, "2026-11-22T12:00:00+00:00")
        assert (closed["open"], closed["changes_at"]) == (False, "2026-11-29T01:00:00+00:00")


class TestAgents:
    def test_what_each_has_and_owes(self, now: datetime):
        me, away = agent(capacity=3), agent()
        conversation = waiting(now)
        services.assign_waiting(now=now, present=frozenset([me]))

        first, second = read(now, me)["agents"]

        assert (first["id"], first["present"], first["capacity"]) == (me, True, 3)
        assert first["has"] == [
            {
                "conversation": str(conversation.pk),
                "customer": "",
                "uid": conversation.uid,
                "since": now.isoformat(),
                "opened": False,
                "owed_since": now.isoformat(),
                "lease_until": (now + seconds(60)).isoformat(),
            }
        ]
        assert (second["id"], second["present"], second["has"]) == (away, False, [])

    def test_while_presence_is_unknown_nobody_is_away(self, now: datetime):
        agent()

        found = monitor.read(wanted=Wanted(), present=None, now=now)

        assert [one["present"] for one in found["agents"]] == [None]


class TestConversations:
    def test_the_most_urgent_come_first_and_the_bots_last(self, now: datetime):
        bot = ConversationFactory()
        me = agent()
        mine = waiting(now)
        services.take_over(conversation_id=mine.pk, agent_id=me, now=now)
        later, earlier, escalated = (waiting(now + seconds(n)) for n in (9, 2, 5))
        Conversation.objects.filter(pk=escalated.pk).update(escalated_at=now)

        found = read(now + seconds(60))

        assert [one["conversation"] for one in found["conversations"]] == [
            str(one.pk) for one in (escalated, earlier, later, mine, bot)
        ]
        assert found["counts"] == {"BOT": 1, "WAITING": 3, "AGENT": 1}

    def test_filters_narrow_the_list_and_not_the_counts(self, now: datetime):
        me = agent()
        mine = waiting(now)
        services.take_over(conversation_id=mine.pk, agent_id=me, now=now)
        waiting(now)

        found = read(now, agent_id=me)

        assert [one["conversation"] for one in found["conversations"]] == [str(mine.pk)]
        assert found["counts"]["WAITING"] == 1
        assert len(read(now, status="WAITING")["conversations"]) == 1
        assert read(now, queue_id=0)["conversations"] == []

    def test_what_was_promised_is_in_it(self, now: datetime):
        Queue.objects.update(first_response_s=60)
        waiting(now)

        [one] = read(now + seconds(70))["conversations"]

        assert one["sla"] == {
            "kind": "FIRST_RESPONSE",
            "due_at": (now + seconds(60)).isoformat(),
            "left_s": -10,
            "is_running": True,
        }

    def test_the_queries_do_not_grow(self, now: datetime):
        def scene() -> None:
            me = agent()
            queue = Queue.objects.create(name=f"q{me}", first_response_s=60)
            for _ in range(3):
                one = waiting(now)
                services.take_over(conversation_id=one.pk, agent_id=me, now=now)
                Conversation.objects.filter(pk=waiting(now).pk).update(queue=queue)
                ConversationFactory()

        scene()
        with CaptureQueriesContext(connection) as few:
            read(now)
        scene()
        scene()
        with CaptureQueriesContext(connection) as many:
            read(now)

        assert len(few) == len(many) <= 13


def test_over_rest_it_is_for_supervisors(now: datetime):
    waiting(now)

    refused = Browser().get("/api/workspace/monitor", headers=bearer(agent()))
    given = Browser().get(
        "/api/workspace/monitor?status=WAITING", headers=bearer(agent(role="supervisor"))
    )
    wrong = Browser().get(
        "/api/workspace/monitor?status=CLOSED", headers=bearer(agent(role="supervisor"))
    )

    assert (refused.status_code, given.status_code, wrong.status_code) == (403, 200, 400)
    assert len(given.json()["conversations"]) == 1

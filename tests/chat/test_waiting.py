"""What a waiting customer is told: his place, an honest interval, when people are back."""

import random
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import services
from chat.models import BusinessHours, Conversation, Handover, Queue
from chat.services.waiting import LEAST_SAMPLES, interval
from tests.chat.test_assignment import agent, seconds, waiting
from tests.factories import ConversationFactory, StaffFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("talk")]


def place(conversation: Conversation, now: datetime) -> services.Place:
    found = services.place(conversation.pk, now)
    assert found is not None
    return found


def past_waits(now: datetime, *waits_s: float, **fields: Any) -> None:
    conversation, taker = ConversationFactory(), StaffFactory()
    for number, wait in enumerate(waits_s, 1):
        begun = now - timedelta(days=number % 20 + 1)
        Handover.objects.create(
            **{
                "conversation": conversation,
                "requested_at": begun,
                "ended_at": begun + seconds(wait),
                "because": "CUSTOMER",
                "queue": Queue.objects.get(name="全部咨询"),
                "agent": taker,
                **fields,
            }
        )


class TestPlace:
    def test_is_who_waits_longest_first_and_escalated_before_all(self, now: datetime):
        first, second, third = (waiting(now + seconds(n)) for n in range(3))
        assert [place(one, now).position for one in (first, second, third)] == [1, 2, 3]

        Conversation.objects.filter(pk=third.pk).update(escalated_at=now)

        assert [place(one, now).position for one in (first, second, third)] == [2, 3, 1]

    def test_moves_up_when_somebody_is_taken(self, now: datetime):
        first, second = waiting(now), waiting(now + seconds(1))

        services.take_over(conversation_id=first.pk, agent_id=agent(), now=now)

        assert place(second, now).position == 1
        assert services.place(first.pk, now) is None

    def test_counts_those_of_the_same_queue(self, now: datetime):
        waiting(now)
        Queue.objects.create(name="English", position=1, languages=["en"])

        assert place(waiting(now + seconds(1), language="en"), now).position == 1

    def test_outside_hours_says_when_people_are_back(self, now: datetime):
        BusinessHours.objects.create(
            queue=Queue.objects.get(), weekday=0, opens_at=time(9), closes_at=time(18)
        )
        past_waits(now, *range(100, 200))

        found = place(waiting(now), now)

        assert (found.is_open, found.low_s) == (False, None)
        assert found.opens_at == datetime(2026, 11, 23, 1, tzinfo=UTC)


class TestInterval:
    def test_is_unknown_with_too_little_data(self, now: datetime):
        past_waits(now, *[60] * (LEAST_SAMPLES - 1))

        found = place(waiting(now), now)

        assert (found.low_s, found.high_s) == (None, None)

    def test_comes_from_waits_of_this_queue_that_ended_with_an_agent(self, now: datetime):
        past_waits(now, *[130] * 10)
        past_waits(now, *[9000] * 10, queue=Queue.objects.create(name="别的", position=2000))
        past_waits(now, *[9000] * 10, agent=None)  # nobody came
        past_waits(now, *[0] * 30, because="AGENT")  # nobody waited

        found = place(waiting(now), now)

        assert (found.low_s, found.high_s) == (120, 180)

    def test_waits_at_this_time_of_day_come_first(self, now: datetime):
        past_waits(now, *[130] * 10)
        past_waits(now + timedelta(hours=8), *[9000] * 50)

        assert place(waiting(now), now).high_s == 180

    def test_who_waits_already_is_told_of_the_rest(self):
        waits = [60.0] * 30 + [600.0] * 10

        assert interval(waits, waited_s=0)[0] == 60
        assert interval(waits, waited_s=300) == (300, 300)
        assert interval(waits, waited_s=601) == (None, None)

    @given(st.lists(st.floats(0, 7200), max_size=60), st.floats(0, 7200))
    def test_is_in_whole_minutes_and_in_order(self, waits: list[float], waited_s: float):
        low, high = interval(waits, waited_s=waited_s)

        if low is None or high is None:
            assert low is high
            return
        assert 0 <= low <= high
        assert low % 60 == high % 60 == 0
        assert high >= 60

    def test_holds_what_it_says_two_times_in_three(self):
        dice = random.Random(7)

        def wait() -> float:
            return dice.lognormvariate(5, 0.8)

        held = 0
        for _ in range(400):
            low, high = interval([wait() for _ in range(100)], waited_s=0)
            assert low is not None
            assert high is not None
            held += low <= wait() <= high

        assert held / 400 >= 0.62

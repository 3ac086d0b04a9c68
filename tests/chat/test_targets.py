"""What queues promise: clocks that stand while nobody is there."""

from datetime import datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from chat import services
from chat.models import BusinessHours, Conversation, Queue
from chat.reports.working_time import WorkingTime
from chat.services import targets
from chat.services.hours import Calendar
from tests.chat.test_assignment import agent, waiting
from tests.chat.test_hours import SHANGHAI, WORKWEEK, calendars, moments, shanghai

MINUTE = timedelta(minutes=1)


def slow_after(calendar: Calendar, start: datetime, seconds: int) -> datetime | None:
    """Look minute by minute, as a person with a wall calendar would."""
    at, left = start, seconds
    for _ in range(9 * 24 * 60):
        worked = calendar.working_seconds(at, at + MINUTE)
        if worked >= left:
            return at + MINUTE
        at, left = at + MINUTE, left - worked
    return None


class TestAfter:
    @given(calendars, moments, st.integers(1, 40 * 3600))
    def test_is_when_so_much_has_been_worked(self, calendar: Calendar, start: datetime, s: int):
        due = calendar.after(start, s)

        if due is None:
            # 60 days, and not enough: a holiday that never ends.
            assert calendar.working_seconds(start, start + timedelta(days=60)) < s
            return
        assert calendar.working_seconds(start, due) == pytest.approx(s, abs=1e-3)
        assert calendar.working_seconds(start, due - timedelta(seconds=1)) < s

    @pytest.mark.parametrize("minutes", [1, 30, 180, 1000])
    @pytest.mark.parametrize("hour", [3, 9, 11, 12, 20])
    def test_agrees_with_counting_minutes(self, hour: int, minutes: int):
        calendar = Calendar(SHANGHAI, WORKWEEK)
        start = shanghai(2026, 11, 20, hour)  # a Friday

        due, slow = calendar.after(start, minutes * 60), slow_after(calendar, start, minutes * 60)

        assert due == slow

    def test_stands_on_the_weekend(self):
        calendar = Calendar(SHANGHAI, WORKWEEK)

        due = calendar.after(shanghai(2026, 11, 20, 17, 50), 20 * 60)

        assert due == shanghai(2026, 11, 23, 9, 10)


@given(calendars, st.lists(moments, min_size=4, max_size=4).map(sorted))
def test_hours_added_up_once_are_those_counted_each_time(calendar: Calendar, at: list[datetime]):
    first, start, end, last = at[0], at[1], at[2], min(at[3], at[0] + timedelta(days=400))
    if not first <= start <= end <= last:
        return
    added_up = WorkingTime(calendar, first, last)

    assert added_up.seconds(start, end) == pytest.approx(
        calendar.working_seconds(start, end), abs=1e-3
    )


def promise(
    rules: Queue, began: datetime, answered: datetime | None = None
) -> targets.Promise | None:
    calendar = Calendar(SHANGHAI, WORKWEEK)
    return targets.promise(rules, calendar, began_at=began, answered_at=answered)


class TestPromise:
    RULES = Queue(first_response_s=600, resolution_s=7200)
    FRIDAY = shanghai(2026, 11, 20, 17, 55)

    def test_of_a_queue_that_promises_nothing_there_is_none(self):
        assert promise(Queue(), self.FRIDAY) is None

    def test_the_first_answer_is_due_first(self):
        found = promise(self.RULES, self.FRIDAY)

        assert found.kind == targets.FIRST_RESPONSE
        assert found.due_at == shanghai(2026, 11, 23, 9, 5)
        assert found.left_s(self.FRIDAY + MINUTE) == 540
        assert found.is_running(self.FRIDAY + MINUTE)

    def test_it_stands_over_the_weekend_and_goes_on_on_monday(self):
        found = promise(self.RULES, self.FRIDAY)
        sunday, monday = shanghai(2026, 11, 22, 15), shanghai(2026, 11, 23, 9, 7)

        assert (found.left_s(sunday), found.is_running(sunday)) == (300, False)
        assert (found.left_s(monday), found.is_running(monday)) == (-120, True)

    def test_once_answered_it_is_the_end_that_is_due(self):
        found = promise(self.RULES, self.FRIDAY, self.FRIDAY + MINUTE)

        assert (found.kind, found.left_s(self.FRIDAY + MINUTE)) == (targets.RESOLUTION, 7140)


@pytest.mark.django_db
@pytest.mark.usefixtures("talk")
class TestOfConversations:
    def of(self, conversation: Conversation) -> targets.Promise | None:
        row = targets.with_case(Conversation.objects.filter(pk=conversation.pk)).get()
        return targets.Targets.read().promise(row)

    def test_a_case_begins_with_the_first_hand_over_and_not_with_a_transfer(self, now: datetime):
        Queue.objects.update(first_response_s=600, resolution_s=3600)
        me, other = agent(), agent()
        conversation = waiting(now)
        services.take_over(conversation_id=conversation.pk, agent_id=me, now=now + MINUTE)
        services.transfer(
            conversation_id=conversation.pk,
            from_agent_id=me,
            to_agent_id=other,
            reason="",
            summary="",
            now=now + 2 * MINUTE,
        )

        assert self.of(conversation).left_s(now + 3 * MINUTE) == 600 - 180

        services.post_agent_message(
            conversation_id=conversation.pk, agent_id=other, text="您好", now=now + 4 * MINUTE
        )
        found = self.of(conversation)
        assert (found.kind, found.left_s(now + 5 * MINUTE)) == (targets.RESOLUTION, 3600 - 300)

    def test_handed_back_it_ends_and_the_next_call_begins_another(self, now: datetime):
        Queue.objects.update(first_response_s=600)
        me = agent()
        conversation = waiting(now)
        services.take_over(conversation_id=conversation.pk, agent_id=me, now=now)
        services.post_agent_message(
            conversation_id=conversation.pk, agent_id=me, text="好了", now=now + MINUTE
        )
        services.hand_back(conversation_id=conversation.pk, agent_id=me, now=now + 2 * MINUTE)
        assert self.of(conversation) is None

        services.ask_for_human(uid=conversation.uid, now=now + 10 * MINUTE)

        assert self.of(conversation).left_s(now + 11 * MINUTE) == 540

    def test_the_queries_do_not_grow(self, now: datetime):
        Queue.objects.update(first_response_s=600)
        for number in range(3):
            queue = Queue.objects.create(name=f"q{number}", first_response_s=60)
            BusinessHours.objects.create(
                queue=queue, weekday=0, opens_at=time(9), closes_at=time(18)
            )
            Conversation.objects.filter(pk=waiting(now).pk).update(queue=queue)

        with CaptureQueriesContext(
            connection,
        ) as captured:
            found = targets.Targets.read()
            rows = list(targets.with_case(Conversation.objects.inbox()))
            promises = [found.promise(row) for row in rows]

        # queues, their hours, special days; the conversations
        assert (len(captured), sum(one is not None for one in promises)) == (4, 3)

"""Reports: what is counted, against days that were played through the services."""

import csv
import io
import itertools
import math
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from chat import reports, services
from chat.models import Assignment, Conversation, Handover, Message, Queue, Rating
from chat.reports import cases, contacts, workload
from chat.reports.cases import Spell
from chat.reports.figures import Share, percentile
from chat.reports.period import Asked, Period
from chat.reports.tables import Column, Table, harmless
from tests.chat.test_assignment import agent, seconds, waiting
from tests.factories import ConversationFactory, MessageFactory

DAY = Period(date(2026, 11, 22), date(2026, 11, 22))  # of the fixture `now`, 18:00 in Shanghai
LATER = timedelta(days=9)


def say(conversation: Conversation, agent_id: int, at: datetime) -> None:
    services.post_agent_message(
        conversation_id=conversation.pk, agent_id=agent_id, text="您好", now=at
    )


def take(conversation: Conversation, agent_id: int, at: datetime) -> None:
    services.take_over(conversation_id=conversation.pk, agent_id=agent_id, now=at)


def close(conversation: Conversation, agent_id: int, at: datetime) -> None:
    services.close(conversation_id=conversation.pk, agent_id=agent_id, now=at)


def back(conversation: Conversation, agent_id: int, at: datetime) -> None:
    services.hand_back(conversation_id=conversation.pk, agent_id=agent_id, now=at)


def read(now: datetime, **asked: Any) -> list[cases.Case]:
    return cases.read(Asked(DAY, **asked), now)


# --- Arithmetic -----------------------------------------------------------------------------


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40), st.sampled_from([0.0, 0.5, 0.9, 1.0]))
def test_a_percentile_has_that_share_of_the_values_below_it(values: list[float], share: float):
    found = percentile(values, share)
    ordered = sorted(values)
    at = share * (len(values) - 1)

    assert ordered[math.floor(at)] <= found <= ordered[math.ceil(at)] or math.isclose(
        found, ordered[math.floor(at)]
    )
    assert percentile([], share) is None


spells = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 120)), max_size=12)


@given(spells)
def test_chats_at_once_are_those_of_looking_each_second(times: list[tuple[int, int]]):
    zero = datetime(2026, 11, 22, tzinfo=UTC)
    its = [
        Spell(1, zero + seconds(a), zero + seconds(a), None, zero + seconds(a + long), "CLOSED")
        for a, long in times
    ]
    start, end = zero + seconds(30), zero + seconds(330)

    average, most = workload.concurrency(its, start=start, end=end)

    each = [sum(a <= s < a + long for a, long in times) for s in range(30, 330)]
    busy = [one for one in each if one]
    assert most == max(each)
    assert average == (pytest.approx(sum(busy) / len(busy)) if busy else None)


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 300), st.integers(1, 3), st.booleans()),
        max_size=20,
    )
)
def test_contacts_are_cut_where_a_customer_pauses_for_a_day(happened: list[Any]):
    zero = datetime(2026, 11, 22, tzinfo=UTC)
    numbers = {n: uuid.UUID(int=n) for n in (1, 2, 3)}
    rows = [(uid, zero + timedelta(hours=h), numbers[n], flag) for uid, h, n, flag in happened]

    found = contacts.joined(rows, timedelta(hours=24))

    for one in found:
        its = [at for uid, at, n, _ in rows if uid == one.uid and one.began_at <= at <= one.last_at]
        gaps = [b - a for a, b in itertools.pairwise(sorted(its))]
        assert all(gap <= timedelta(hours=24) for gap in gaps)
    for one, following in itertools.pairwise(found):
        if one.uid == following.uid:
            apart = following.began_at - one.last_at
            assert apart > timedelta(hours=24) or one.conversation_id != following.conversation_id
            assert one.next_at == following.began_at


def test_a_period_is_days_of_the_clock_here():
    assert DAY.start == datetime(2026, 11, 21, 16, tzinfo=UTC)
    assert DAY.end == datetime(2026, 11, 22, 16, tzinfo=UTC)
    with pytest.raises(reports.PeriodTooLong):
        Period(date(2026, 1, 1), date(2026, 4, 3))
    with pytest.raises(reports.PeriodTooLong):
        Period(date(2026, 1, 2), date(2026, 1, 1))


# --- Cases ----------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.usefixtures("talk")
class TestCases:
    def test_of_one_that_is_answered_and_ended_all_times_are_known(self, now: datetime):
        me = agent()
        conversation = waiting(now)
        take(conversation, me, now + seconds(40))
        say(conversation, me, now + seconds(70))
        say(conversation, me, now + seconds(90))
        close(conversation, me, now + seconds(340))

        [case] = read(now + LATER)

        assert (case.wait_s, case.first_response_s, case.resolution_s) == (40, 70, 340)
        assert case.handle_s(now + LATER) == 300
        assert (case.answered_by, case.is_abandoned, case.because) == (me, False, "CUSTOMER")

    def test_a_return_and_a_transfer_are_within_it(self, now: datetime):
        first, second = agent(), agent()
        conversation = waiting(now)
        services.assign_waiting(now=now, present=frozenset([first]))
        services.return_overdue(now=now + seconds(61), present=frozenset([first]))
        take(conversation, second, now + seconds(100))
        services.transfer(
            conversation_id=conversation.pk, from_agent_id=second, to_agent_id=first,
            reason="", summary="", now=now + seconds(120),
        )  # fmt: skip
        say(conversation, first, now + seconds(150))
        close(conversation, first, now + seconds(200))

        [case] = read(now + LATER)

        assert (case.wait_s, case.first_response_s, case.resolution_s) == (100, 150, 200)
        assert case.answered_by == first
        assert [one.ended_because for one in case.spells] == ["UNSEEN", "TRANSFERRED", "CLOSED"]

    def test_a_supervisor_who_takes_it_over_begins_no_new_one(self, now: datetime):
        me, boss = agent(), agent(role="supervisor")
        conversation = waiting(now)
        take(conversation, me, now + seconds(10))
        services.take_over(
            conversation_id=conversation.pk, agent_id=boss, now=now + seconds(30),
            from_colleague=True,
        )  # fmt: skip
        close(conversation, boss, now + seconds(50))

        [case] = read(now + LATER)

        assert (case.resolution_s, case.is_abandoned) == (50, True)

    def test_handed_back_it_ends_and_the_next_call_is_another(self, now: datetime):
        me = agent()
        conversation = waiting(now)
        take(conversation, me, now)
        say(conversation, me, now + seconds(5))
        back(conversation, me, now + seconds(60))
        services.ask_for_human(uid=conversation.uid, now=now + seconds(600))

        first, second = read(now + seconds(700))

        assert (first.resolution_s, first.first_response_s) == (60, 5)
        assert (second.began_at, second.ended_at, second.answered_at) == (
            now + seconds(600),
            None,
            None,
        )

    def test_the_day_before_and_the_day_after_are_not_in_it(self, now: datetime):
        waiting(DAY.start - seconds(1))
        inside = waiting(DAY.start)
        waiting(DAY.end)

        assert [one.conversation_id for one in read(now + LATER)] == [inside.pk]

    def test_targets_are_kept_missed_or_not_decided(self, now: datetime):
        Queue.objects.update(first_response_s=60, resolution_s=600)
        me = agent()
        kept, late, open_one, forgotten = (waiting(now) for _ in range(4))
        for conversation, after in ((kept, 60), (late, 61)):
            take(conversation, me, now)
            say(conversation, me, now + seconds(after))
        del open_one, forgotten

        def decided(at: datetime) -> list[bool | None]:
            return [one.first_response_target for one in read(at)]

        assert sorted(decided(now + seconds(30)), key=str)[-2:] != [False, False]
        assert sorted(decided(now + seconds(60)), key=str) == [False, None, None, True]
        assert sorted(decided(now + seconds(61)), key=str) == [False, False, False, True]

    def test_queue_agent_and_intent_narrow_it(self, now: datetime):
        me, other = agent(), agent()
        queue = Queue.objects.get()
        mine, theirs = waiting(now), waiting(now)
        for conversation, who in ((mine, me), (theirs, other)):
            take(conversation, who, now)
            say(conversation, who, now + seconds(9))

        assert len(read(now, queue_id=queue.pk)) == 2
        assert read(now, queue_id=queue.pk + 1) == []
        assert [one.conversation_id for one in read(now, agent_id=me)] == [mine.pk]
        assert read(now, intent="logistics") == []

    def test_what_it_is_about_is_what_the_bot_understood_last(self, now: datetime):
        conversation = ConversationFactory()
        for seq, intent in enumerate(["coupon", "logistics", ""], 1):
            MessageFactory(
                conversation=conversation, seq=seq, sender="BOT", intent=intent, sent_at=now
            )
        Conversation.objects.update(last_seq=3)
        services.ask_for_human(uid=conversation.uid, now=now + seconds(1))

        assert [one.intent for one in read(now + LATER)] == ["logistics"]


# --- Containment ----------------------------------------------------------------------------


@pytest.mark.django_db
class TestContainment:
    def said(self, uid: str, *at: datetime) -> Conversation:
        conversation = ConversationFactory(uid=uid, open_for=None)
        for seq, moment in enumerate(at, 1):
            MessageFactory(conversation=conversation, seq=seq, sent_at=moment)
        return conversation

    def of(self, now: datetime) -> contacts.Containment:
        return contacts.Containment.of(contacts.read(DAY), now)

    def test_who_came_back_within_72_hours_stands_beside_it(self, now: datetime):
        self.said("happy", now, now + seconds(60))
        self.said("back", now, now + timedelta(hours=50))
        self.said("late", now, now + timedelta(hours=73))
        called = self.said("called", now)
        Handover.objects.create(
            conversation=called, requested_at=now + seconds(5), because="CUSTOMER"
        )

        found = self.of(now + LATER)

        assert (found.contacts, found.handed_over, found.contained, found.came_back) == (
            4,
            Share(1, 4),
            Share(3, 4),
            Share(1, 3),
        )

    def test_before_72_hours_have_passed_nobody_knows(self, now: datetime):
        self.said("one", now)

        assert self.of(now + timedelta(hours=71)).came_back == Share(0, 0)

    def test_another_conversation_soon_after_is_coming_back(self, now: datetime):
        self.said("one", now)
        self.said("one", now + timedelta(minutes=5))

        assert self.of(now + LATER).came_back == Share(1, 2)

    def test_what_began_the_day_before_is_not_counted_again(self, now: datetime):
        self.said("one", DAY.start - seconds(60), DAY.start + seconds(60))

        assert self.of(now + LATER).contacts == 0


# --- All of it ------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.usefixtures("talk")
class TestReport:
    def played(self, now: datetime, count: int) -> int:
        me = agent()
        for number in range(count):
            conversation = waiting(now + seconds(number))
            take(conversation, me, now + seconds(number + 20))
            say(conversation, me, now + seconds(number + 30))
            close(conversation, me, now + seconds(number + 90))
            Rating.objects.create(
                conversation=conversation, score=number % 5 + 1, agent_id=me,
                rated_at=now, changed_at=now,
            )  # fmt: skip
            MessageFactory(
                conversation=conversation, seq=100, sender="BOT", intent="logistics", sent_at=now
            )
        return me

    def test_the_queries_do_not_grow(self, now: datetime):
        self.played(now, 2)
        with CaptureQueriesContext(connection) as few:
            reports.of(Asked(DAY), now=now + LATER)
        self.played(now, 8)
        with CaptureQueriesContext(connection) as many:
            reports.of(Asked(DAY), now=now + LATER)

        assert len(few) == len(many) <= 15

    def test_what_is_in_it(self, now: datetime):
        self.played(now, 5)

        report = reports.of(Asked(DAY), now=now + LATER)

        by_slug = {one.table.slug: one.table for one in report.sections}
        assert list(by_slug) == [
            *("times", "days", "hours", "queues", "agents", "intents", "containment"),
            "satisfaction",
        ]
        [response, wait, resolution, handle] = by_slug["times"].rows
        assert [row[1:5] for row in (response, wait, resolution, handle)] == [
            (5, 30, 30, 30),
            (5, 20, 20, 20),
            (5, 90, 90, 90),
            (5, 70, 70, 70),
        ]
        [row] = by_slug["agents"].rows
        assert (row[1], row[2], row[11], row[12]) == (5, 5, 5, Share(2, 5))
        [day] = by_slug["days"].rows
        assert day[:4] == ("2026-11-22", 5, 5, Share(0, 5))
        for table in by_slug.values():
            assert all(len(row) == len(table.columns) for row in table.rows)
            assert len(list(csv.reader(io.StringIO(table.csv())))) == len(table.rows) + 1

    def test_an_agents_own_has_nothing_of_colleagues(self, now: datetime):
        me, other = self.played(now, 2), self.played(now, 3)
        del other

        report = reports.of(Asked(DAY, agent_id=me), now=now + LATER, is_own=True)

        assert [one.table.slug for one in report.sections] == [
            *("times", "days", "hours", "queues", "agents"),
        ]
        assert len(report.table("agents").rows) == 1
        assert report.table("times").rows[0][1] == 2

    def test_of_nothing_it_is_empty(self, now: datetime):
        assert reports.of(Asked(DAY), now=now).is_empty


class TestCsv:
    @pytest.mark.parametrize("text", ["=1+1", "+86", "-1", "@SUM(A1)", "\t=1", "＝1", "  =1"])
    def test_no_cell_is_a_formula(self, text: str):
        assert harmless(text) == f"'{text}"

    @given(st.text())
    def test_other_texts_stay_and_come_back_as_they_were(self, text: str):
        columns = [Column("名称", "TEXT"), Column("数", "COUNT")]
        table = Table("t", "t", "", columns, [(text, -3)])

        written = table.csv()

        assert written.startswith("\ufeff")
        body = written[1:]
        [_head, row] = list(csv.reader(io.StringIO(body, newline="")))
        assert row == [harmless(text), "-3"]


def test_the_same_on_both_databases(both_databases: str, now: datetime):
    from tests.chat.test_handover import write_content_once

    write_content_once()
    Queue.objects.update(first_response_s=60)
    TestReport().played(now, 3)

    report = reports.of(Asked(DAY), now=now + LATER)

    assert report.table("times").rows[0][1:4] == (3, 30, 30)
    assert report.table("days").rows[0][6] == Share(3, 3)
    assert Assignment.objects.count() == Message.objects.filter(sender="AGENT").count() == 3

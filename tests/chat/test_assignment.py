"""Who gets what waits, and what happens when he does nothing."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest

from chat import services
from chat.models import (
    AgentProfile,
    Assignment,
    BusinessHours,
    Conversation,
    Handover,
    Queue,
    Team,
)
from chat.services import assignment
from chat.services.handover import wait_for_agent
from intents.models import Intent
from tests.chat.test_handover import lines, state, write_content_once
from tests.databases import interleave
from tests.factories import ConversationFactory, StaffFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("talk")]


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def agent(**profile: Any) -> int:
    """An agent who takes chats; returns the user's primary key."""
    user = StaffFactory(role=profile.pop("role", "agent"))
    teams, skills = profile.pop("teams", []), profile.pop("skills", [])
    made = AgentProfile.objects.create(user=user, **profile)
    made.teams.set(teams)
    made.skills.set(skills)
    return user.pk


def waiting(now: datetime, **fields: Any) -> Conversation:
    """A conversation that waits for an agent since `now`."""
    conversation = ConversationFactory(**fields)
    return services.ask_for_human(uid=conversation.uid, now=now)


def assign(now: datetime, *present: int) -> int:
    return services.assign_waiting(now=now, present=frozenset(present))


def ended(conversation: Conversation) -> list[str]:
    rows = conversation.assignments.order_by("pk")
    return list(rows.values_list("ended_because", flat=True))


class TestAssignWaiting:
    def test_a_new_installation_gives_it_to_who_is_there(self, now: datetime):
        here, away = agent(), agent()
        conversation = waiting(now)

        assert assign(now, here) == 1

        assert state(conversation) == ("AGENT", here)
        assert conversation.assignment.lease_until == now + seconds(60)
        assert away != here

    def test_nobody_has_joined_until_the_agent_opens_it(self, now: datetime):
        here = agent()
        conversation = waiting(now)
        assign(now, here)
        assert lines(conversation)[-1] == ("SYSTEM", "[handed_over zh]")

        services.renew(conversation_id=conversation.pk, agent_id=here, now=now + seconds(5))

        assert "agent_joined" in lines(conversation)[-1][1]
        handover = conversation.handovers.get()
        assert (handover.because, handover.agent_id) == ("CUSTOMER", here)
        assert handover.ended_at == now + seconds(5)

    @pytest.mark.parametrize("present", [None, frozenset()])
    def test_without_presence_nothing_moves(self, now: datetime, present: Any):
        agent()
        conversation = waiting(now)

        assert services.assign_waiting(now=now, present=present) == 0

        assert state(conversation) == ("WAITING", None)

    @pytest.mark.parametrize("availability", ["BUSY", "BREAK"])
    def test_who_is_busy_or_on_a_break_gets_nothing(self, now: datetime, availability: str):
        there = agent(availability=availability)
        waiting(now)

        assert assign(now, there) == 0

    def test_nobody_gets_more_than_he_takes_at_once(self, now: datetime):
        there = agent(capacity=2)
        first, second, third = (waiting(now + seconds(n)) for n in range(3))

        assert assign(now, there) == 2

        assert [state(one)[0] for one in (first, second, third)] == ["AGENT", "AGENT", "WAITING"]

    def test_the_queue_takes_language_intent_and_team(self, now: datetime):
        team, invoice = Team.objects.create(name="财务"), Intent.objects.get(code="invoice")
        finance = Queue.objects.create(name="发票", position=1, languages=["en"], team=team)
        finance.intents.add(invoice)
        chinese = agent(teams=[team], languages=["zh"])
        unskilled = agent(teams=[team], skills=[Intent.objects.get(code="coupon")])
        elsewhere, right = agent(), agent(teams=[team], languages=["en"], skills=[invoice])
        conversation = ConversationFactory(language="en")
        wait_for_agent(conversation, because=Handover.Because.INTENT, intent="invoice", now=now)

        assert assign(now, chinese, unskilled, elsewhere) == 0
        assert assign(now, chinese, unskilled, elsewhere, right) == 1
        assert conversation.queue == finance
        assert state(conversation) == ("AGENT", right)

    def test_whose_turn_it_is(self, now: datetime):
        Queue.objects.update(strategy="ROUND_ROBIN")
        crew = [agent(capacity=9) for _ in range(3)]
        got = []
        for n in range(6):
            conversation = waiting(now + seconds(n))
            assign(now + seconds(n), *crew)
            got.append(state(conversation)[1])

        assert got == [*crew, *crew]

    def test_who_has_the_fewest_chats(self, now: datetime):
        busy, idle = agent(), agent()
        taken = waiting(now)
        services.take_over(conversation_id=taken.pk, agent_id=busy, now=now)
        conversation = waiting(now)

        assign(now, busy, idle)

        assert state(conversation)[1] == idle

    def test_who_spoke_with_the_customer_last(self, now: datetime):
        Queue.objects.update(strategy="LAST_AGENT")
        _first, known = agent(), agent()
        earlier = waiting(now, uid="C1")
        services.take_over(conversation_id=earlier.pk, agent_id=known, now=now)
        services.post_agent_message(
            conversation_id=earlier.pk, agent_id=known, text="您好", now=now
        )
        services.close(conversation_id=earlier.pk, agent_id=known, now=now)
        again = waiting(now, uid="C1")

        assign(now, _first, known)

        assert state(again)[1] == known

    def test_outside_hours_it_is_a_message_for_the_opening(self, now: datetime):
        # 2026-11-22 18:00 in Shanghai, a Sunday
        queue = Queue.objects.get()
        BusinessHours.objects.create(queue=queue, weekday=0, opens_at=time(9), closes_at=time(18))
        there = agent()
        conversation = waiting(now)
        assert conversation.offline
        assert assign(now, there) == 0

        opening = now + timedelta(hours=15)
        assert services.escalate_overdue(now=opening) == 0
        assert assign(opening, there) == 1
        services.renew(conversation_id=conversation.pk, agent_id=there, now=opening)
        conversation.refresh_from_db()
        assert not conversation.offline

    def test_nothing_waits_and_one_query_says_so(
        self, now: datetime, django_assert_num_queries: Any
    ):
        there = agent()
        with django_assert_num_queries(3):  # what waits; what is owed; what waits too long
            assign(now, there)
            services.return_overdue(now=now, present=frozenset({there}))
            services.escalate_overdue(now=now)

    def test_queries_do_not_grow_with_the_crew(
        self, now: datetime, django_assert_max_num_queries: Any
    ):
        crew = [agent(capacity=1) for _ in range(12)]
        waiting(now)
        with django_assert_max_num_queries(30):
            assign(now, *crew)


class TestReturn:
    def test_unopened_it_goes_to_somebody_else_and_keeps_its_place(self, now: datetime):
        sleeping, awake = agent(), agent()
        conversation = waiting(now)
        assign(now, sleeping)
        later = now + seconds(61)

        assert services.return_overdue(now=later, present=frozenset({sleeping, awake})) == 1

        assert state(conversation) == ("WAITING", None)
        assert conversation.waiting_since == now
        assert ended(conversation) == ["UNSEEN"]
        assign(later, sleeping, awake)
        assert state(conversation) == ("AGENT", awake)

    def test_who_alone_is_there_gets_it_again(self, now: datetime):
        alone = agent()
        conversation = waiting(now)
        assign(now, alone)
        services.return_overdue(now=now + seconds(61), present=frozenset({alone}))

        assert assign(now + seconds(62), alone) == 1
        assert state(conversation) == ("AGENT", alone)

    def test_an_unanswered_one_goes_back(self, now: datetime):
        there = agent()
        conversation = waiting(now)
        assign(now, there)
        services.renew(conversation_id=conversation.pk, agent_id=there, now=now)
        present = frozenset({there})

        assert services.return_overdue(now=now + seconds(179), present=present) == 0
        assert services.return_overdue(now=now + seconds(181), present=present) == 1
        assert ended(conversation) == ["UNANSWERED"]

    def test_typing_puts_it_off_but_not_for_ever(self, now: datetime):
        there = agent()
        conversation = waiting(now)
        assign(now, there)
        for at in range(0, 360, 30):
            services.renew(conversation_id=conversation.pk, agent_id=there, now=now + seconds(at))
            assert services.return_overdue(now=now + seconds(at), present=frozenset({there})) == 0

        assert services.return_overdue(now=now + seconds(361), present=frozenset({there})) == 1

    def test_an_answered_one_stays_until_the_customer_has_waited(self, now: datetime):
        there = agent()
        conversation = waiting(now, uid="C1")
        assign(now, there)
        services.post_agent_message(
            conversation_id=conversation.pk, agent_id=there, text="您好", now=now
        )
        present = frozenset({there})
        assert services.return_overdue(now=now + timedelta(days=2), present=present) == 0

        asked = now + timedelta(days=2)
        services.post_customer_message(uid="C1", text="还有一个问题", now=asked)
        assert services.return_overdue(now=asked + seconds(179), present=present) == 0
        assert services.return_overdue(now=asked + seconds(181), present=present) == 1

    def test_what_a_gone_agent_owes_goes_back_and_what_is_quiet_stays(self, now: datetime):
        gone = agent()
        owed, quiet = waiting(now), waiting(now)
        assign(now, gone)
        services.post_agent_message(conversation_id=quiet.pk, agent_id=gone, text="好的", now=now)

        assert services.return_overdue(now=now + seconds(1), present=frozenset()) == 1

        assert state(owed) == ("WAITING", None)
        assert ended(owed) == ["GONE"]
        assert state(quiet) == ("AGENT", gone)

    def test_while_presence_is_unknown_nothing_goes_back(self, now: datetime):
        there = agent()
        conversation = waiting(now)
        assign(now, there)

        assert services.return_overdue(now=now + timedelta(hours=1), present=None) == 0
        assert state(conversation) == ("AGENT", there)


class TestEscalate:
    def test_two_lapses_make_it_the_supervisors(self, now: datetime):
        first, second, boss = agent(), agent(), agent(role="supervisor")
        conversation = waiting(now)
        for n, there in enumerate((first, second)):
            assign(now + seconds(70 * n), there)
            services.return_overdue(now=now + seconds(70 * n + 61), present=frozenset({there}))
        later = now + seconds(140)

        assert services.escalate_overdue(now=later) == 1
        assert services.escalate_overdue(now=later) == 0
        assign(later, first, second, boss)

        assert state(conversation) == ("AGENT", boss)
        assert conversation.handovers.filter(because="ESCALATED").count() == 1

    def test_so_does_waiting_too_long_within_hours(self, now: datetime):
        conversation = waiting(now)

        assert services.escalate_overdue(now=now + seconds(599)) == 0
        assert services.escalate_overdue(now=now + seconds(601)) == 1
        services.take_over(conversation_id=conversation.pk, agent_id=agent(), now=now)
        services.post_agent_message(
            conversation_id=conversation.pk,
            agent_id=Assignment.objects.get().agent_id,
            text="您好",
            now=now,
        )
        conversation.refresh_from_db()
        assert conversation.escalated_at is None


class TestTransfer:
    def test_to_an_agent_who_has_to_open_it(self, now: datetime):
        giver, taker = agent(), agent()
        conversation = waiting(now)
        services.take_over(conversation_id=conversation.pk, agent_id=giver, now=now)

        services.transfer(
            conversation_id=conversation.pk,
            from_agent_id=giver,
            to_agent_id=taker,
            reason="要退款权限",
            summary="查过物流",
            now=now,
        )

        assert state(conversation) == ("AGENT", taker)
        assert ended(conversation) == ["TRANSFERRED", ""]
        assert conversation.assignment.seen_at is None
        handover = conversation.handovers.get(because="TRANSFERRED")
        assert (handover.note, handover.summary) == ("要退款权限", "查过物流")

    def test_to_a_queue_it_waits_again(self, now: datetime):
        giver, other = agent(), agent()
        queue = Queue.objects.create(name="售后")
        conversation = waiting(now)
        services.take_over(conversation_id=conversation.pk, agent_id=giver, now=now)

        services.transfer(
            conversation_id=conversation.pk,
            from_agent_id=giver,
            queue_id=queue.pk,
            reason="",
            summary="",
            now=now,
        )
        assert state(conversation) == ("WAITING", None)
        assert conversation.queue == queue
        assign(now, giver, other)
        assert state(conversation) == ("AGENT", other)

    def test_only_who_has_it_or_a_supervisor_may(self, now: datetime):
        owner, other, boss = agent(), agent(), agent(role="supervisor")
        conversation = waiting(now)
        services.take_over(conversation_id=conversation.pk, agent_id=owner, now=now)
        words = {"reason": "", "summary": "", "now": now, "conversation_id": conversation.pk}

        with pytest.raises(services.NotYours):
            services.transfer(from_agent_id=other, to_agent_id=other, **words)
        assert state(conversation) == ("AGENT", owner)
        services.transfer(from_agent_id=boss, to_agent_id=other, by_supervisor=True, **words)
        assert state(conversation) == ("AGENT", other)

    def test_not_to_who_is_no_agent_or_where_there_is_no_queue(self, now: datetime):
        owner, editor = agent(), StaffFactory(role="business editor").pk
        conversation = waiting(now)
        services.take_over(conversation_id=conversation.pk, agent_id=owner, now=now)
        words = {"reason": "", "summary": "", "now": now, "conversation_id": conversation.pk}

        with pytest.raises(services.NoSuchAgent):
            services.transfer(from_agent_id=owner, to_agent_id=editor, **words)
        with pytest.raises(services.NoSuchQueue):
            services.transfer(from_agent_id=owner, queue_id=99, **words)
        assert state(conversation) == ("AGENT", owner)

    def test_a_supervisor_may_take_what_an_agent_has(self, now: datetime):
        owner, boss = agent(), agent(role="supervisor")
        conversation = waiting(now)
        services.take_over(conversation_id=conversation.pk, agent_id=owner, now=now)

        with pytest.raises(services.AlreadyTaken):
            services.take_over(conversation_id=conversation.pk, agent_id=boss, now=now)
        services.take_over(
            conversation_id=conversation.pk, agent_id=boss, now=now, from_colleague=True
        )

        assert state(conversation) == ("AGENT", boss)
        assert ended(conversation) == ["TAKEN_OVER", ""]


class TestTheLeaseFollows:
    @pytest.mark.parametrize(
        ("change", "because"),
        [(services.hand_back, "HANDED_BACK"), (services.close, "CLOSED")],
    )
    def test_handing_back_and_closing_end_it(self, now: datetime, change: Any, because: str):
        there = agent()
        conversation = waiting(now)
        services.take_over(conversation_id=conversation.pk, agent_id=there, now=now)

        change(conversation_id=conversation.pk, agent_id=there, now=now)

        assert ended(conversation) == [because]
        assert not Assignment.objects.running().exists()
        assert not Handover.objects.filter(ended_at=None).exists()

    def test_taking_what_the_bot_had_is_a_handover_too(self, now: datetime):
        there = agent()
        conversation = ConversationFactory()

        services.take_over(conversation_id=conversation.pk, agent_id=there, now=now)

        assert conversation.handovers.get().because == "AGENT"
        assert conversation.assignment.lease_until is None  # the customer waits for nothing


class TestAtTheSameTime:
    @pytest.fixture
    def scene(self, both_databases: str, now: datetime) -> tuple[Conversation, int, int]:
        write_content_once()
        return waiting(now), agent(), agent()

    def test_two_sweeps_assign_it_once(self, scene: Any, now: datetime):
        conversation, first, second = scene

        one, two = interleave(
            lambda: assign(now, first),
            lambda: assign(now, second),
            at='UPDATE "chat_conversation"',
            after=True,
        )

        assert one.result + two.result == 1
        assert Assignment.objects.running().count() == 1
        assert state(conversation) == ("AGENT", Assignment.objects.get().agent_id)

    def test_an_agent_is_not_filled_beyond_what_he_takes(self, scene: Any, now: datetime):
        _conversation, there, _ = scene
        AgentProfile.objects.filter(user_id=there).update(capacity=1)
        other = waiting(now + seconds(1))

        interleave(
            lambda: assign(now, there),
            lambda: assignment._assign(other.pk, there, now=now),
            at='INSERT INTO "chat_assignment"',
        )

        assert Assignment.objects.running().filter(agent_id=there).count() == 1

    def test_a_click_and_a_sweep_give_it_to_one(self, scene: Any, now: datetime):
        conversation, first, second = scene

        swept, clicked = interleave(
            lambda: assign(now, first),
            lambda: services.take_over(conversation_id=conversation.pk, agent_id=second, now=now),
            at='UPDATE "chat_conversation"',
            after=True,
        )

        assert (swept.result, clicked.refusal) == (1, "already_taken")
        assert state(conversation) == ("AGENT", first)
        assert Assignment.objects.running().count() == 1

    def test_an_answer_at_the_last_moment_keeps_it(self, scene: Any, now: datetime):
        conversation, there, _ = scene
        assign(now, there)

        answered, returned = interleave(
            lambda: services.post_agent_message(
                conversation_id=conversation.pk, agent_id=there, text="您好", now=now
            ),
            lambda: services.return_overdue(now=now + seconds(61), present=frozenset({there})),
            at='INSERT INTO "chat_message"',
        )

        assert answered.refusal == ""
        assert returned.result == 0
        assert state(conversation) == ("AGENT", there)

    def test_a_return_and_an_answer_leave_it_with_one_or_nobody(self, scene: Any, now: datetime):
        conversation, there, _ = scene
        assign(now, there)

        returned, answered = interleave(
            lambda: services.return_overdue(now=now + seconds(61), present=frozenset({there})),
            lambda: services.post_agent_message(
                conversation_id=conversation.pk, agent_id=there, text="您好", now=now
            ),
            at='UPDATE "chat_assignment"',
        )

        assert (returned.result, answered.refusal) == (1, "not_yours")
        assert state(conversation) == ("WAITING", None)
        assert not Assignment.objects.running().exists()

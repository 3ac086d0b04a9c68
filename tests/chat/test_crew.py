"""Twenty agents with sleeping laptops, closed tabs and refusals: no chat is forgotten.

Simulated time, the real services and database. Each sweep is what `tasks.move_waiting` does.
"""

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from chat import services
from chat.models import AgentProfile, Assignment, Conversation, Queue
from tests.factories import ConversationFactory, StaffFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("talk")]

STEP_S = 5
LEASE_S = 45  # of presence
UNSEEN_S, UNANSWERED_S, ESCALATE_S = 30, 60, 180
# Two agents let it lapse, each having opened it at the last moment; then a supervisor opens
# and answers it in time. Each step waits for a sweep.
LIMIT_S = 3 * (UNSEEN_S + UNANSWERED_S) + 6 * STEP_S


@dataclass
class Agent:
    """A person at a workspace. `asleep_at`: the laptop sleeps and nobody is told."""

    pk: int
    opens_s: Callable[[], float]
    answers_s: Callable[[], float]
    refuses: bool = False
    asleep_at: float = 1e9
    closes_tab_at: float = 1e9

    def is_awake(self, at: float) -> bool:
        return at < min(self.asleep_at, self.closes_tab_at)

    def is_present(self, at: float) -> bool:
        return at < min(self.asleep_at + LEASE_S, self.closes_tab_at)


@dataclass
class Shift:
    """A shift of simulated time, and what went wrong in it."""

    began: datetime
    seed: int
    returns: bool = True
    dice: random.Random = field(init=False)
    agents: dict[int, Agent] = field(default_factory=dict)
    asked_at: dict[UUID, float] = field(default_factory=dict)  # who waits for a word, since when
    plans: dict[int, tuple[float, float]] = field(default_factory=dict)  # by assignment
    waits: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    def hire(self, role: str = "agent", **habits: object) -> None:
        user = StaffFactory(role=role)
        AgentProfile.objects.create(user=user, capacity=3)
        dice = self.dice
        defaults: dict[str, object] = {
            "opens_s": lambda: dice.uniform(2, 20),
            "answers_s": lambda: dice.uniform(10, 45),
        }
        self.agents[user.pk] = Agent(user.pk, **{**defaults, **habits})  # type: ignore[arg-type]

    def run(self, minutes: int, arrivals_s: float) -> None:
        for at in range(0, minutes * 60, STEP_S):
            now = self.began + timedelta(seconds=at)
            if at < (minutes - 8) * 60 and self.dice.random() < STEP_S / arrivals_s:
                one = ConversationFactory(uid=f"C{at}")
                services.ask_for_human(uid=one.uid, now=now)
                self.asked_at[one.pk] = at
            self.sweep(now, at)
            self.work(now, at)

    def sweep(self, now: datetime, at: float) -> None:
        present = frozenset(one.pk for one in self.agents.values() if one.is_present(at))
        if self.returns:
            services.return_overdue(now=now, present=present)
        services.escalate_overdue(now=now)
        services.assign_waiting(now=now, present=present)

    def work(self, now: datetime, at: float) -> None:
        """Let everybody do what he does with what he has."""
        for one in Assignment.objects.running().select_related("conversation"):
            agent = self.agents[one.agent_id]
            if not agent.is_awake(at):
                continue
            if agent.refuses:
                self.refuse(one, now)
                continue
            if one.pk not in self.plans:
                opens = at + agent.opens_s()
                self.plans[one.pk] = (opens, opens + agent.answers_s())
            opens, answers = self.plans[one.pk]
            if one.seen_at is None and at >= opens:
                services.renew(conversation_id=one.conversation_id, agent_id=agent.pk, now=now)
            if one.conversation_id in self.asked_at and at >= answers:
                self.answer(one, agent, now, at)
            elif one.conversation_id not in self.asked_at:
                self.go_on(one, agent, now, at)

    def refuse(self, one: Assignment, now: datetime) -> None:
        services.transfer(
            conversation_id=one.conversation_id,
            from_agent_id=one.agent_id,
            queue_id=one.queue_id,
            reason="不归我管",
            summary="",
            now=now,
        )

    def answer(self, one: Assignment, agent: Agent, now: datetime, at: float) -> None:
        services.post_agent_message(
            conversation_id=one.conversation_id, agent_id=agent.pk, text="您好", now=now
        )
        self.waits.append(at - self.asked_at.pop(one.conversation_id))

    def go_on(self, one: Assignment, agent: Agent, now: datetime, at: float) -> None:
        """After an answer the customer asks again, or the conversation is closed."""
        if self.dice.random() < 0.5:
            services.close(conversation_id=one.conversation_id, agent_id=agent.pk, now=now)
            return
        services.post_customer_message(uid=one.conversation.uid, text="还有一个问题", now=now)
        self.asked_at[one.conversation_id] = at
        self.plans[one.pk] = (at, at + agent.answers_s())

    def longest_wait(self, ended_at: float) -> float:
        return max([*self.waits, *(ended_at - since for since in self.asked_at.values())])


@pytest.fixture
def rules(talk: None) -> None:
    Queue.objects.update(
        unseen_after_s=UNSEEN_S,
        unanswered_after_s=UNANSWERED_S,
        escalate_after_s=ESCALATE_S,
        strategy="ROUND_ROBIN",
    )


def crew_of_twenty(shift: Shift, minutes: int) -> None:
    dice, end = shift.dice, minutes * 60
    for _ in range(8):
        shift.hire()
    for _ in range(4):
        shift.hire(asleep_at=dice.uniform(60, end / 2))
    for _ in range(3):
        shift.hire(closes_tab_at=dice.uniform(60, end / 2))
    shift.hire(refuses=True)
    for _ in range(2):
        shift.hire(answers_s=lambda: 1e6)  # opens everything and never says a word
    for _ in range(2):
        shift.hire("supervisor")


@pytest.mark.parametrize("seed", [1, 2])
def test_no_chat_waits_beyond_the_limit_and_none_is_two_agents(
    rules: None, now: datetime, seed: int
):
    shift = Shift(now, seed)
    crew_of_twenty(shift, minutes=30)
    assert len(shift.agents) == 20

    shift.run(minutes=30, arrivals_s=15)

    assert len(shift.waits) > 100
    assert (
        Assignment.objects.exclude(ended_because="")
        .filter(ended_because__in=["UNSEEN", "UNANSWERED", "GONE", "TRANSFERRED"])
        .count()
        > 10
    ), "nothing went wrong, so nothing is shown"
    assert shift.longest_wait(30 * 60) <= LIMIT_S
    assert shift.asked_at == {}
    for conversation in Conversation.objects.prefetch_related("assignments"):
        spans = sorted(
            (one.assigned_at, one.ended_at or datetime.max.replace(tzinfo=now.tzinfo))
            for one in conversation.assignments.all()
        )
        for (_, ended), (begun, _) in itertools.pairwise(spans):
            assert ended <= begun, "two agents had it at once"


def test_without_taking_back_chats_are_forgotten(rules: None, now: datetime):
    """What the test above would not see is not shown by it."""
    shift = Shift(now, seed=1, returns=False)
    crew_of_twenty(shift, minutes=15)

    shift.run(minutes=15, arrivals_s=15)

    assert shift.longest_wait(15 * 60) > LIMIT_S

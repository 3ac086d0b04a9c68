"""Between the bot and people: who has a conversation, and what the customer sees of it."""

import uuid
from datetime import datetime

import pytest

from chat import dialogue, services
from chat.access import NoSuchConversation
from chat.models import Conversation, Message
from tests.chat.conftest import ScriptedEngine, write_content
from tests.databases import Running, at_once, interleave
from tests.factories import ConversationFactory, MessageFactory, StaffFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("talk")]


def lines(conversation: Conversation) -> list[tuple[str, str]]:
    return list(conversation.messages.order_by("seq").values_list("sender", "text"))


def state(conversation: Conversation) -> tuple[str, int | None]:
    conversation.refresh_from_db()
    return conversation.status, conversation.agent_id


class TestAskForHuman:
    def test_waits_for_an_agent_and_says_so_once(self, now: datetime):
        conversation = ConversationFactory(uid="C1", language="en")

        services.ask_for_human(uid="C1", now=now)
        services.ask_for_human(uid="C1", now=now)

        assert state(conversation) == ("WAITING", None)
        assert lines(conversation) == [("SYSTEM", "[handed_over en]")]

    def test_before_the_first_message_it_opens_a_conversation(self, now: datetime):
        opened = services.ask_for_human(uid="C1", now=now)

        assert state(opened) == ("WAITING", None)
        assert opened.open_for == "C1"

    def test_somebody_elses_conversation_does_not_exist(self, now: datetime):
        theirs = ConversationFactory(uid="C2")

        with pytest.raises(NoSuchConversation):
            services.ask_for_human(uid="C1", conversation_id=theirs.pk, now=now)

        assert state(theirs) == ("BOT", None)


class TestTakeOver:
    def test_the_customer_reads_who_has_joined_and_the_bot_owes_nothing(self, now: datetime):
        agent = StaffFactory(first_name="小林")
        conversation = MessageFactory().conversation

        services.take_over(conversation_id=conversation.pk, agent_id=agent.pk, now=now)

        assert state(conversation) == ("AGENT", agent.pk)
        assert lines(conversation)[-1] == ("SYSTEM", "[agent_joined zh 小林]")
        assert not Message.objects.filter(awaits_answer=True).exists()

    def test_again_by_the_same_agent_changes_nothing(self, now: datetime):
        agent, conversation = StaffFactory(), ConversationFactory()

        for _ in range(2):
            services.take_over(conversation_id=conversation.pk, agent_id=agent.pk, now=now)

        assert len(lines(conversation)) == 1

    def test_another_agent_reads_who_has_it(self, now: datetime):
        first, second = StaffFactory(first_name="小林"), StaffFactory()
        conversation = ConversationFactory(status="AGENT", agent=first)

        with pytest.raises(services.AlreadyTaken, match="小林"):
            services.take_over(conversation_id=conversation.pk, agent_id=second.pk, now=now)

        assert state(conversation) == ("AGENT", first.pk)

    def test_an_ended_conversation_cannot_be_taken(self, now: datetime):
        conversation = ConversationFactory(status="CLOSED")

        with pytest.raises(services.ConversationClosed):
            services.take_over(conversation_id=conversation.pk, agent_id=StaffFactory().pk, now=now)

    def test_nor_one_that_does_not_exist(self, now: datetime):
        with pytest.raises(NoSuchConversation):
            services.take_over(conversation_id=uuid.uuid4(), agent_id=StaffFactory().pk, now=now)


class TestHandBack:
    def test_the_bot_answers_again_and_the_customer_reads_it(self, now: datetime):
        agent = StaffFactory()
        conversation = ConversationFactory(uid="C1", status="AGENT", agent=agent)

        services.hand_back(conversation_id=conversation.pk, agent_id=agent.pk, now=now)
        posted = services.post_customer_message(uid="C1", text="发票", now=now)

        assert state(conversation) == ("BOT", None)
        assert lines(conversation)[0] == ("SYSTEM", "[handed_back zh]")
        assert posted.message.awaits_answer

    @pytest.mark.parametrize("change", [services.hand_back, services.close])
    def test_only_who_has_it_may(self, now: datetime, change: object):
        agent, other = StaffFactory(), StaffFactory()
        conversation = ConversationFactory(status="AGENT", agent=agent)

        with pytest.raises(services.NotYours):
            change(conversation_id=conversation.pk, agent_id=other.pk, now=now)  # type: ignore[operator]

        assert state(conversation) == ("AGENT", agent.pk)
        assert lines(conversation) == []


class TestClose:
    def test_ends_it_once_and_the_next_message_opens_another(self, now: datetime):
        agent = StaffFactory()
        conversation = ConversationFactory(uid="C1", status="AGENT", agent=agent)

        for _ in range(2):
            services.close(conversation_id=conversation.pk, agent_id=agent.pk, now=now)
        posted = services.post_customer_message(uid="C1", text="你好", now=now)

        assert state(conversation) == ("CLOSED", None)
        assert lines(conversation) == [("SYSTEM", "[closed zh]")]
        assert posted.message.conversation_id != conversation.pk


class TestAtTheSameTime:
    def test_of_two_agents_one_has_it_and_the_other_reads_who(
        self, both_databases: str, now: datetime
    ):
        write_content_once()
        first, second = StaffFactory(first_name="小林"), StaffFactory(first_name="小王")
        conversation = ConversationFactory(status="WAITING")

        def take(agent_id: int) -> None:
            services.take_over(conversation_id=conversation.pk, agent_id=agent_id, now=now)

        one, two = interleave(
            lambda: take(first.pk),
            lambda: take(second.pk),
            at='UPDATE "chat_conversation"',
            after=True,
        )

        assert [one.refusal, two.refusal] == ["", "already_taken"]
        assert "小林" in str(two.error)
        assert state(conversation) == ("AGENT", first.pk)
        assert lines(conversation) == [("SYSTEM", "[agent_joined zh 小林]")]

    def test_of_many_agents_one_has_it(self, both_databases: str, now: datetime):
        write_content_once()
        conversation = ConversationFactory(status="WAITING")
        agents = [StaffFactory().pk for _ in range(6)]

        outcomes = at_once(
            *[
                lambda agent=agent: services.take_over(
                    conversation_id=conversation.pk, agent_id=agent, now=now
                )
                for agent in agents
            ]
        )

        assert sorted(outcome.refusal for outcome in outcomes) == ["", *["already_taken"] * 5]
        assert len(lines(conversation)) == 1

    def test_an_agent_takes_over_while_the_model_thinks(
        self, both_databases: str, engine: ScriptedEngine, now: datetime
    ):
        write_content_once()
        message, agent = MessageFactory(), StaffFactory()
        engine.go.clear()
        answering = Running(lambda: dialogue.answer_blocking(message.pk))
        assert engine.thinking.wait(10)

        services.take_over(conversation_id=message.conversation_id, agent_id=agent.pk, now=now)
        engine.go.set()

        assert answering.outcome().result.answer is None
        assert [sender for sender, _ in lines(message.conversation)] == ["CUSTOMER", "SYSTEM"]

    def test_taking_over_waits_for_an_answer_that_is_being_stored(
        self, both_databases: str, engine: ScriptedEngine, now: datetime
    ):
        write_content_once()
        message, agent = MessageFactory(), StaffFactory()

        answered, taken = interleave(
            lambda: dialogue.answer_blocking(message.pk),
            lambda: services.take_over(
                conversation_id=message.conversation_id, agent_id=agent.pk, now=now
            ),
            at='INSERT INTO "chat_message"',
        )

        assert answered.result.answer is not None
        assert taken.refusal == ""
        assert [sender for sender, _ in lines(message.conversation)] == [
            "CUSTOMER",
            "BOT",
            "SYSTEM",
        ]


def write_content_once() -> None:
    """On PostgreSQL the fixture `talk` wrote into the other database."""
    from intents.models import Intent

    if not Intent.objects.exists():
        write_content()

"""Posting: nothing is lost, doubled or reordered, whatever happens at the same time."""

import uuid
from datetime import datetime
from typing import Any

import pytest

from chat import services
from chat.access import NoSuchConversation
from chat.models import Conversation, Message
from csplatform.errors import Refusal
from intents.models import SensitiveWord
from tests.databases import at_once, interleave
from tests.factories import ConversationFactory, StaffFactory

pytestmark = pytest.mark.django_db


def post(uid: str = "C1", text: str = "你好", **fields: object) -> services.Posted:
    fields.setdefault("now", datetime.fromisoformat("2026-11-22T10:00:00+00:00"))
    return services.post_customer_message(uid=uid, text=text, **fields)  # type: ignore[arg-type]


def lines() -> list[tuple[int, str]]:
    return list(Message.objects.order_by("conversation", "seq").values_list("seq", "text"))


class TestPostCustomerMessage:
    def test_stores_it_in_a_new_conversation_and_owes_an_answer(self, now: datetime):
        posted = post(text="  我的快递到哪了 ", client_id=uuid.uuid4())

        message = Message.objects.select_related("conversation").get()
        assert posted.is_new
        assert (message.seq, message.text, message.language) == (1, "我的快递到哪了", "zh")
        assert message.awaits_answer
        assert message.sent_at == now
        assert message.conversation.status == "BOT"
        assert message.conversation.open_for == "C1"
        assert message.conversation.last_seq == 1

    def test_takes_the_open_conversation(self):
        first, second = post(text="一"), post(text="二")

        assert second.message.conversation_id == first.message.conversation_id
        assert lines() == [(1, "一"), (2, "二")]

    def test_follows_the_customers_language(self):
        post(text="where is my parcel", spoken="zh")

        assert Conversation.objects.get().language == "en"

    @pytest.mark.parametrize(
        ("text", "language"),
        [("ORD-20261122-0001", "zh"), ("🙂", ""), ("где моя посылка 123456", "")],
    )
    def test_a_bare_order_number_is_in_the_conversations_language(self, text: str, language: str):
        post(text="我想查一下订单")

        assert post(text=text).message.language == language

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("", "empty"),
            (" \n\u3000", "empty"),
            ("字" * 10_001, "too_long"),
            ("' OR 1=1 --", "blocked"),
        ],
    )
    def test_refuses_and_stores_nothing(self, text: str, code: str):
        with pytest.raises(Refusal) as refused:
            post(text=text)

        assert refused.value.code == code
        assert not Conversation.objects.exists()

    def test_ten_thousand_characters_are_not_too_many(self):
        assert len(post(text="字" * 10_000).message.text) == 10_000

    def test_stars_out_sensitive_words_before_storing(self):
        SensitiveWord.objects.create(word="毒品")

        assert post(text="有毒品吗").message.text == "有**吗"

    def test_a_repeat_returns_what_was_stored_first(self):
        key = uuid.uuid4()
        first = post(text="一", client_id=key)

        again = post(text="另一个", client_id=key)

        assert (again.message, again.is_new) == (first.message, False)
        assert lines() == [(1, "一")]

    def test_a_repeat_is_known_in_the_conversation_that_came_after_its_own(self, now: datetime):
        key, agent = uuid.uuid4(), StaffFactory()
        first = post(text="一", client_id=key)
        services.close(conversation_id=first.message.conversation_id, agent_id=agent.pk, now=now)
        second = post(text="二")

        again = post(text="一", client_id=key)

        assert (again.message, again.is_new) == (first.message, False)
        assert second.message.conversation.messages.count() == 1

    def test_somebody_elses_client_id_is_no_repeat(self):
        key = uuid.uuid4()
        theirs = post(uid="C2", text="他的", client_id=key)

        mine = post(uid="C1", text="我的", client_id=key)

        assert mine.is_new
        assert mine.message.conversation_id != theirs.message.conversation_id

    def test_a_repeat_after_the_end_of_its_conversation_is_still_a_repeat(self, now: datetime):
        key, agent = uuid.uuid4(), StaffFactory()
        first = post(text="一", client_id=key)
        services.close(conversation_id=first.message.conversation_id, agent_id=agent.pk, now=now)

        again = post(text="一", client_id=key)

        assert again.message == first.message
        assert Conversation.objects.count() == 1

    def test_somebody_elses_conversation_does_not_exist(self):
        theirs = ConversationFactory(uid="C2")

        with pytest.raises(NoSuchConversation):
            post(conversation_id=theirs.pk)

        assert not Message.objects.exists()

    def test_an_ended_conversation_takes_nothing_more(self):
        ended = ConversationFactory(uid="C1", status="CLOSED")

        with pytest.raises(services.ConversationClosed):
            post(conversation_id=ended.pk)

        assert not Message.objects.exists()

    def test_the_bot_owes_nothing_while_an_agent_has_it(self):
        ConversationFactory(uid="C1", status="AGENT", agent=StaffFactory())

        assert not post().message.awaits_answer


class TestPostAgentMessage:
    def test_only_who_has_it_may_write(self, now: datetime):
        mine, other = StaffFactory(), StaffFactory()
        conversation = ConversationFactory(status="AGENT", agent=mine)

        with pytest.raises(services.NotYours):
            services.post_agent_message(
                conversation_id=conversation.pk, agent_id=other.pk, text="好", now=now
            )
        services.post_agent_message(
            conversation_id=conversation.pk, agent_id=mine.pk, text="您好", now=now
        )

        assert lines() == [(1, "您好")]

    def test_a_repeat_is_stored_once(self, now: datetime):
        agent, key = StaffFactory(), uuid.uuid4()
        conversation = ConversationFactory(status="AGENT", agent=agent)
        say = {"conversation_id": conversation.pk, "agent_id": agent.pk, "client_id": key}

        first = services.post_agent_message(**say, text="您好", now=now)
        again = services.post_agent_message(**say, text="又一次", now=now)

        assert again == first
        assert lines() == [(1, "您好")]


class TestAtTheSameTime:
    @pytest.mark.parametrize(
        "at", ['INSERT INTO "chat_conversation"', 'INSERT INTO "chat_message"']
    )
    def test_two_first_messages_open_one_conversation(self, both_databases: str, at: str):
        one, two = interleave(lambda: post(text="一"), lambda: post(text="二"), at=at)

        assert one.result.message.conversation_id == two.result.message.conversation_id
        assert Conversation.objects.count() == 1
        assert sorted(seq for seq, _ in lines()) == [1, 2]

    @pytest.mark.parametrize("is_open", [True, False])
    def test_one_client_id_twice_is_one_message(self, both_databases: str, is_open: bool):
        key = uuid.uuid4()
        if is_open:
            ConversationFactory(uid="C1")

        one, two = interleave(
            lambda: post(text="一", client_id=key),
            lambda: post(text="一", client_id=key),
            at='INSERT INTO "chat_message"',
        )

        assert one.result.message == two.result.message
        assert [one.result.is_new, two.result.is_new] == [True, False]
        assert lines() == [(1, "一")]

    def test_a_repeat_leaves_no_gap(self, both_databases: str):
        key = uuid.uuid4()
        ConversationFactory(uid="C1")

        at_once(*[lambda: post(text="一", client_id=key) for _ in range(6)])
        post(text="二")

        assert lines() == [(1, "一"), (2, "二")]

    def test_a_message_and_the_end_of_its_conversation(self, both_databases: str, now: datetime):
        conversation, agent = ConversationFactory(uid="C1"), StaffFactory()

        late, end = interleave(
            lambda: post(conversation_id=conversation.pk),
            lambda: services.close(conversation_id=conversation.pk, agent_id=agent.pk, now=now),
            at="UPDATE chat_conversation",
        )

        conversation.refresh_from_db()
        assert (end.refusal, conversation.status) == ("", "CLOSED")
        # Whoever was first: nothing is stored after the end.
        seqs = [seq for seq, _ in lines()]
        assert seqs == list(range(1, conversation.last_seq + 1))
        assert conversation.messages.order_by("-seq").first().sender == "SYSTEM"
        assert late.refusal in ("", "conversation_closed")

    def test_eight_threads_leave_no_gap(self, both_databases: str):
        ConversationFactory(uid="C1")

        outcomes = at_once(*[lambda n=n: [post(text=f"{n}") for _ in range(5)] for n in range(8)])

        assert all(outcome.refusal == "" for outcome in outcomes)
        assert [seq for seq, _ in lines()] == list(range(1, 41))
        assert Conversation.objects.get().last_seq == 40

    def test_a_customers_and_an_agents_message_both_get_a_seq(
        self, both_databases: str, now: datetime
    ):
        agent = StaffFactory()
        conversation = ConversationFactory(uid="C1", status="AGENT", agent=agent)

        customer, staff = interleave(
            lambda: post(text="问"),
            lambda: services.post_agent_message(
                conversation_id=conversation.pk, agent_id=agent.pk, text="答", now=now
            ),
            at='INSERT INTO "chat_message"',
        )

        assert (customer.refusal, staff.refusal) == ("", "")
        assert lines() == [(1, "问"), (2, "答")]


@pytest.mark.django_db(transaction=True)
def test_posting_takes_two_statements_in_a_transaction(
    settings: Any, django_assert_num_queries: Any
):
    """BEGIN, the seq, the line, COMMIT."""
    settings.CONTENT_POLL_S = 60.0
    ConversationFactory(uid="C1")
    post(client_id=uuid.uuid4())  # content and webhooks are looked up at most twice a second

    with django_assert_num_queries(4):
        post(client_id=uuid.uuid4())

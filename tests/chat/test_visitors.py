"""A visitor signs in: his conversations become the customer's, and one stays open."""

from datetime import datetime

import pytest

from chat import services
from chat.models import Conversation, Message
from knowledge.models import Customer
from tests.databases import interleave
from tests.factories import ConversationFactory, MessageFactory, StaffFactory

pytestmark = pytest.mark.django_db

VISITOR = "anon-1"


def join(now: datetime) -> int:
    return services.join_visitor(visitor_uid=VISITOR, uid="C1", now=now)


def open_one() -> Conversation:
    return Conversation.objects.get(open_for="C1")


class TestJoinVisitor:
    def test_takes_all_conversations_along(self, now: datetime):
        customer = Customer.objects.create(
            uid="C1", name="王", language="zh", country="CN", joined_on=now.date()
        )
        ended = ConversationFactory(uid=VISITOR, status="CLOSED")
        running = MessageFactory(conversation=ConversationFactory(uid=VISITOR)).conversation

        joined = join(now)

        assert joined == 2
        assert set(Conversation.objects.filter(uid="C1", customer=customer)) == {ended, running}
        assert open_one() == running
        assert Message.objects.get().awaits_answer

    def test_again_changes_nothing(self, now: datetime):
        ConversationFactory(uid=VISITOR)

        assert [join(now), join(now)] == [1, 0]

    def test_a_customer_is_no_visitor(self, now: datetime):
        theirs = ConversationFactory(uid="C2")

        joined = services.join_visitor(visitor_uid="C2", uid="C1", now=now)

        theirs.refresh_from_db()
        assert (joined, theirs.uid) == (0, "C2")

    @pytest.mark.parametrize(
        ("visitors", "customers", "kept"),
        [
            ("BOT", "BOT", "visitor's"),
            ("BOT", "WAITING", "customer's"),
            ("WAITING", "AGENT", "customer's"),
            ("AGENT", "WAITING", "visitor's"),
            ("AGENT", "AGENT", "visitor's"),
        ],
    )
    def test_of_two_open_ones_people_come_first_then_the_one_on_the_screen(
        self, now: datetime, visitors: str, customers: str, kept: str
    ):
        def make(uid: str, status: str) -> Conversation:
            agent = StaffFactory() if status == "AGENT" else None
            return ConversationFactory(uid=uid, status=status, agent=agent)

        of_visitor, of_customer = make(VISITOR, visitors), make("C1", customers)

        join(now)

        expected = of_visitor if kept == "visitor's" else of_customer
        assert open_one() == expected
        other = Conversation.objects.exclude(pk=expected.pk).get()
        assert (other.uid, other.status, other.open_for) == ("C1", "CLOSED", None)
        assert other.messages.get().sender == "SYSTEM"

    def test_while_the_customer_opens_one_in_another_window(
        self, both_databases: str, now: datetime
    ):
        ConversationFactory(uid=VISITOR)

        joined, posted = interleave(
            lambda: join(now),
            lambda: services.post_customer_message(uid="C1", text="你好", now=now),
            at='UPDATE "chat_conversation"',
        )

        assert (joined.refusal, posted.refusal) == ("", "")
        assert Conversation.objects.filter(open_for="C1").count() == 1
        assert not Conversation.objects.filter(uid=VISITOR).exists()
        assert Message.objects.filter(conversation__uid="C1", text="你好").count() == 1

    def test_two_sign_ins_at_once(self, both_databases: str, now: datetime):
        ConversationFactory(uid=VISITOR)
        ConversationFactory(uid="C1")

        first, second = interleave(
            lambda: join(now), lambda: join(now), at='UPDATE "chat_conversation"'
        )

        assert sorted([first.result, second.result]) == [0, 1]
        assert Conversation.objects.filter(uid="C1").count() == 2
        assert Conversation.objects.filter(open_for="C1").count() == 1

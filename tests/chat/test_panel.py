"""The story beside a conversation: what an agent reads before he says a word."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from chat import casefile
from chat.models import Conversation, Handover, Message
from csplatform import tokens
from intents.models import PredictionRecord
from knowledge import demo
from knowledge.models import Customer, Order
from tests.factories import ConversationFactory, MessageFactory, StaffFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 20, 4, tzinfo=UTC)
# conversation · lines · orders · their lines · articles · rules · records · earlier · handovers
QUERIES = 10


@pytest.fixture
def customer() -> Customer:
    demo.load(now=NOW)
    return Customer.objects.get(uid="C1001")


@pytest.fixture
def conversation(customer: Customer) -> Conversation:
    return ConversationFactory(uid="C1001", customer=customer, status="WAITING")


def asks(as_role: str, path: str, method: str = "get", **body: Any) -> Any:
    if as_role == "customer":
        token = tokens.issue(subject="C1001", kind=tokens.CUSTOMER)["token"]
    else:
        user = StaffFactory(role=as_role)
        token = tokens.issue(subject=str(user.pk), kind=tokens.STAFF)["token"]
    headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
    return getattr(Client(), method)(path, body, content_type="application/json", headers=headers)


def said(conversation: Conversation, text: str, **fields: Any) -> Message:
    return MessageFactory(
        conversation=conversation, text=text, awaits_answer=False, sent_at=NOW, **fields
    )


def answered(message: Message, text: str = "在路上", **fields: Any) -> Message:
    about = {"decision": "ANSWER", "intent": "logistics", "probability": 0.9, **fields}
    return said(message.conversation, text, sender="BOT", answers=message, **about)


class TestTheCustomer:
    def test_of_the_shop_is_named_with_all_his_orders(self, conversation: Conversation):
        file = casefile.of(conversation.pk, NOW)

        his = Order.objects.filter(customer=conversation.customer).order_by("-placed_at", "-pk")
        assert file["customer"]["name"] == conversation.customer.name
        assert [one["number"] for one in file["orders"]] == [one.number for one in his[:20]]
        first = file["orders"][0]
        assert first["lines"][0]["sku"]
        assert {"kind", "until", "state", "rule", "text", "product"} == set(first["promises"][0])

    def test_a_visitor_has_no_orders_and_is_said_to_be_one(self):
        visitor = ConversationFactory(uid="anon-1", status="WAITING")

        file = casefile.of(visitor.pk, NOW)

        assert (file["customer"], file["orders"], file["is_visitor"]) == (None, [], True)

    def test_the_conversations_before_this_one_are_there_newest_first(
        self, conversation: Conversation
    ):
        for days in range(1, 13):
            ConversationFactory(uid="C1001", status="CLOSED", opened_at=NOW - timedelta(days=days))

        earlier = casefile.of(conversation.pk, NOW)["earlier"]

        dates = [one["opened_at"] for one in earlier["conversations"]]
        assert len(dates) == casefile.EARLIER_SHOWN
        assert dates == sorted(dates, reverse=True)
        assert earlier["has_more"] is True


class TestTheOrderInQuestion:
    def test_is_the_one_that_was_named_last(self, conversation: Conversation):
        newer = Order.objects.filter(customer=conversation.customer).latest("placed_at")
        older = Order.objects.create(
            number="CS70000001",
            customer=conversation.customer,
            status="PAID",
            placed_at=newer.placed_at - timedelta(days=9),
            total=299,
        )
        said(conversation, f"{newer.number}呢")
        said(conversation, f"还有{older.number.lower()}，花了299元")

        file = casefile.of(conversation.pk, NOW)

        assert [one["number"] for one in file["orders"] if one["is_named"]] == [older.number]
        assert [(one["kind"], one["seq"]) for one in file["mentions"]] == [
            ("AMOUNT", 2),
            ("ORDER", 2),
            ("ORDER", 1),
        ]

    def test_is_nobody_elses(self, conversation: Conversation):
        other = Order.objects.exclude(customer=conversation.customer).first()
        said(conversation, f"我的订单{other.number}")

        file = casefile.of(conversation.pk, NOW)

        assert not any(one["is_named"] for one in file["orders"])
        assert [(one["kind"], one["order"]) for one in file["mentions"]] == [("NUMBER", "")]

    def test_an_article_is_named_by_its_sku(self, conversation: Conversation):
        said(conversation, "EL-1001还有货吗")

        [mention] = casefile.of(conversation.pk, NOW)["mentions"]

        assert (mention["kind"], mention["text"]) == ("PRODUCT", "EL-1001")
        assert "耳机" in mention["meaning"] or "headphones" in mention["meaning"]


class TestWhatTheBotTried:
    def test_tells_what_it_understood_and_what_came_of_it(self, conversation: Conversation):
        first = said(conversation, "到哪了")
        answered(first)
        second = said(conversation, "发票的事")
        answered(second, "您是说？", decision="CLARIFY", intent="invoice", probability=0.4)
        PredictionRecord.objects.create(
            message=second.pk,
            text="发票的事",
            decision="CLARIFY",
            source="model",
            intent="invoice",
            probability=0.4,
            outcome="CLARIFIED",
            meant="coupon",
            elapsed_ms=1,
        )

        turns = casefile.of(conversation.pk, NOW)["turns"]

        assert [(one["intent"], one["decision"], one["outcome"]) for one in turns] == [
            ("invoice", "CLARIFY", "CLARIFIED"),
            ("logistics", "ANSWER", ""),
        ]
        assert (turns[0]["meant"], turns[0]["probability"]) == ("coupon", 0.4)
        assert (turns[1]["answer"], turns[1]["answer_seq"]) == ("在路上", 2)

    def test_says_why_it_was_handed_over(self, conversation: Conversation):
        Handover.objects.create(
            conversation=conversation,
            requested_at=NOW,
            because="INTENT",
            intent="complaint",
            summary="要赔偿",
        )

        [handover] = casefile.of(conversation.pk, NOW)["handovers"]

        assert (handover["because"], handover["intent"]) == ("INTENT", "complaint")
        assert (handover["summary"], handover["is_open"]) == ("要赔偿", True)


class TestQueries:
    def test_are_as_many_for_a_long_story(
        self, conversation: Conversation, django_assert_num_queries: Any
    ):
        said(conversation, "EL-1001还有货吗")
        with django_assert_num_queries(QUERIES):
            casefile.of(conversation.pk, NOW)
        for number in range(30):
            answered(said(conversation, f"CS9900{number:04}到哪了"))
            ConversationFactory(uid="C1001", status="CLOSED")
            Order.objects.create(
                number=f"X{number}00000",
                customer=conversation.customer,
                status="PAID",
                placed_at=NOW,
                total=1,
            )
        with django_assert_num_queries(QUERIES):
            file = casefile.of(conversation.pk, NOW)

        assert len(file["orders"]) == casefile.ORDERS_SHOWN
        assert file["has_more_orders"] is True
        assert len(file["turns"]) == casefile.TURNS_SHOWN
        assert len(file["mentions"]) == casefile.MENTIONS_SHOWN


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("agent", 200),
        ("supervisor", 200),
        ("administrator", 200),
        ("business editor", 403),
        ("reviewer", 403),
        ("customer", 403),
    ],
)
@pytest.mark.parametrize("what", ["panel", "suggestion"])
def test_only_agents_read_it(conversation: Conversation, what: str, role: str, status: int):
    path = f"/api/workspace/conversations/{conversation.pk}/{what}"

    assert asks(role, path).status_code == status
    assert Client().get(path).status_code == 401


def test_what_is_not_there_is_refused():
    path = "/api/workspace/conversations/7b0f2a3e-0000-4000-8000-000000000000/panel"

    refused = asks("agent", path)

    assert (refused.status_code, refused.json()["code"]) == (404, "no_such_conversation")

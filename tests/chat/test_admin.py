"""What the admin sees of chats: the preview of replies, the overview."""

import re
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from chat.models import Conversation
from intents.models import PredictionRecord
from knowledge.models import Customer, Order
from tests.factories import ConversationFactory, MessageFactory, StaffFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def supervisor(client: Client) -> Client:
    client.force_login(
        StaffFactory(role="supervisor"), backend="django.contrib.auth.backends.ModelBackend"
    )
    return client


@pytest.fixture
def customer(now: datetime) -> Customer:
    customer = Customer.objects.create(
        uid="C1001", name="王小明", language="zh", country="CN", joined_on=now.date()
    )
    Order.objects.create(
        number="SO1", customer=customer, status="SHIPPED", placed_at=now, total=10, carrier="顺丰"
    )
    return customer


def preview(client: Client, text: str, **data: str) -> Any:
    return client.post(reverse("admin:preview_reply"), {"text": text, "language": "zh", **data})


def test_a_reply_is_previewed_with_the_facts_of_a_customer(
    supervisor: Client, customer: Customer
) -> None:
    answer = preview(
        supervisor, "{customer_name}，您的订单 {order_number} 由{carrier}配送。"
    ).json()
    assert answer["text"] == "王小明，您的订单 SO1 由顺丰配送。"
    assert answer["customers"] == [["C1001", "王小明"]]


def test_a_preview_names_an_unknown_variable(supervisor: Client, customer: Customer) -> None:
    assert "{parcel}" in preview(supervisor, "{parcel}").json()["errors"][0]


def test_a_conversation_is_read_as_a_transcript_and_cannot_be_changed(supervisor: Client) -> None:
    conversation = ConversationFactory()
    MessageFactory(conversation=conversation, text="我的快递到哪了")
    url = reverse("admin:chat_conversation_change", args=[conversation.pk])
    assert "我的快递到哪了" in supervisor.get(url).content.decode()
    assert supervisor.post(url, {"status": "CLOSED"}).status_code == 403


def test_the_overview_counts_what_waits(
    supervisor: Client, talk: None, django_assert_max_num_queries: Any
) -> None:
    ConversationFactory(status="WAITING")
    for decision in ("ANSWER", "HAND_OVER", "CLARIFY"):
        PredictionRecord.objects.create(text="?", decision=decision, source="model", elapsed_ms=1)
    supervisor.get(reverse("admin:index"))
    # session, user, permissions (2); intents, four of gaps, active model, run, two counts, drift,
    # to review, drafts, waiting
    with django_assert_max_num_queries(17):
        context = supervisor.get(reverse("admin:index")).context
    assert (context["waiting"], context["asked"], context["unanswered"]) == (1, 3, 2)
    assert (context["to_review"], context["drafts"]) == (0, 0)
    # All but the English replies of invoice, coupon and human_agent; no suggested questions.
    assert context["gaps"] == 3 + 2


def test_an_editor_does_not_see_conversations(client: Client) -> None:
    client.force_login(
        StaffFactory(role="business editor"), backend="django.contrib.auth.backends.ModelBackend"
    )
    context = client.get(reverse("admin:index")).context
    assert "waiting" not in context
    links = [item["link"] for section in context["sidebar_navigation"] for item in section["items"]]
    assert reverse("admin:chat_conversation_changelist") not in links
    assert reverse("admin:intents_intent_changelist") in links


def test_every_status_is_shown_by_its_name(supervisor: Client) -> None:
    agent = StaffFactory()
    for status in Conversation.Status:
        ConversationFactory(status=status, agent=agent if status == "AGENT" else None)
    page = supervisor.get(reverse("admin:chat_conversation_changelist")).content.decode()
    for status in Conversation.Status:
        assert not re.search(rf">\s*{status.value}\s*<", page), status
        assert re.search(rf">\s*{status.label}\s*</span>", page), status

"""The admin's pages of what customers thought."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from chat.models import LeftAddress, Message, MessageFeedback, Rating
from tests.factories import ConversationFactory, StaffFactory

pytestmark = pytest.mark.django_db
NUMBER = 12


@pytest.fixture
def supervisor(client: Client) -> Client:
    client.force_login(StaffFactory(role="supervisor"))
    return client


def rated(now: datetime) -> None:
    for number in range(NUMBER):
        conversation = ConversationFactory()
        asked = Message.objects.create(
            conversation=conversation, seq=1, sender="CUSTOMER", text=f"问题{number}", sent_at=now
        )
        answer = Message.objects.create(
            conversation=conversation,
            seq=2,
            sender="BOT",
            text=f"回答{number}",
            intent="logistics",
            answers=asked,
            sent_at=now,
        )
        Rating.objects.create(
            conversation=conversation,
            score=1,
            comment="等了太久",
            agent=StaffFactory(first_name="小林"),
            rated_at=now,
            changed_at=now,
        )
        MessageFeedback.objects.create(
            message=answer, is_up=False, reason=MessageFeedback.Reason.WRONG, given_at=now
        )
        LeftAddress.objects.create(
            conversation=conversation, email=f"c{number}@example.com", left_at=now
        )


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("rating", ["等了太久", "小林"]),
        ("messagefeedback", ["问题3", "回答3", "logistics"]),
        ("leftaddress", ["c3@example.com"]),
    ],
)
def test_supervisors_read_what_customers_thought(
    supervisor: Client,
    now: datetime,
    page: str,
    shown: list[str],
    django_assert_max_num_queries: Any,
):
    rated(now)

    with django_assert_max_num_queries(NUMBER):  # fewer than rows
        listed = supervisor.get(f"/admin/chat/{page}/").content.decode()

    assert all(text in listed for text in shown)
    assert supervisor.post(f"/admin/chat/{page}/add/").status_code == 403

"""Private notes and mentions: for colleagues, and never for a customer."""

import json
import uuid
from datetime import datetime
from typing import Any

import pytest
from django.test import Client as Browser
from hypothesis import HealthCheck, given
from hypothesis import settings as thorough
from hypothesis import strategies as st

from chat import services, sockets
from chat.models import Conversation, Mention, Message, Note, WebhookDelivery, WebhookEvent
from chat.services.notes import MOST_SHOWN
from chat.webhooks import endpoints, kinds
from csplatform import tokens
from csplatform.errors import Refusal
from tests.chat.conftest import ScriptedEngine
from tests.chat.test_sockets import Connect, connect, customer, rows, staff_token
from tests.factories import ConversationFactory, MessageFactory, StaffFactory

__all__ = ["connect"]
SECRET = "只有同事知道 7731"


def bearer(user: Any) -> dict[str, str]:
    token = tokens.issue(subject=str(user.pk), kind=tokens.STAFF)["token"]
    return {"Authorization": f"Bearer {token}"}


def notes_url(conversation: Conversation) -> str:
    return f"/api/workspace/conversations/{conversation.pk}/notes"


@pytest.mark.django_db
class TestWriting:
    def test_a_note_stands_below_the_message_after_which_it_was_written(self, now: datetime):
        conversation, agent = ConversationFactory(), StaffFactory()
        MessageFactory(conversation=conversation)

        note = services.write_note(
            conversation_id=conversation.pk, author_id=agent.pk, text=" 先别退款 ", now=now
        )

        assert (note.text, note.after_seq, note.created_at) == ("先别退款", 1, now)
        conversation.refresh_from_db()
        assert conversation.last_seq == 1
        assert Message.objects.count() == 1

    def test_sent_twice_it_is_one(self, now: datetime):
        conversation, agent = ConversationFactory(), StaffFactory()
        fields = {
            "conversation_id": conversation.pk,
            "author_id": agent.pk,
            "client_id": uuid.uuid4(),
            "now": now,
        }

        first = services.write_note(text="一", **fields)
        second = services.write_note(text="二", **fields)

        assert first == second
        assert Note.objects.get().text == "一"

    @pytest.mark.parametrize(
        ("text", "mentioned", "code"),
        [
            ("  ", None, "empty"),
            ("字" * 10_001, None, "too_long"),
            ("好", 987_654, "no_such_agent"),
        ],
    )
    def test_what_cannot_be_a_note_is_refused_and_nothing_stored(
        self, text: str, mentioned: int | None, code: str, now: datetime
    ):
        conversation, agent = ConversationFactory(), StaffFactory()

        with pytest.raises(Refusal) as refused:
            services.write_note(
                conversation_id=conversation.pk,
                author_id=agent.pk,
                text=text,
                mentions=[mentioned] if mentioned else [],
                now=now,
            )

        assert refused.value.code == code
        assert not Note.objects.exists()

    def test_only_agents_can_be_named(self, now: datetime):
        reviewer = StaffFactory(role="reviewer")
        with pytest.raises(services.NoSuchAgent):
            services.write_note(
                conversation_id=ConversationFactory().pk,
                author_id=StaffFactory().pk,
                text="@谁",
                mentions=[reviewer.pk],
                now=now,
            )

    def test_who_is_named_has_it_unread_until_he_opens_the_conversation(self, now: datetime):
        conversation, agent, other = ConversationFactory(), StaffFactory(), StaffFactory()
        for _ in range(2):
            services.write_note(
                conversation_id=conversation.pk,
                author_id=agent.pk,
                text="@同事 看一下",
                mentions=[other.pk, agent.pk],
                now=now,
            )

        assert services.unread_mentions(other.pk) == 2
        assert services.unread_mentions(agent.pk) == 0, "nobody is told of his own words"
        left = services.see_mentions(user_id=other.pk, conversation_id=conversation.pk, now=now)
        assert left == services.unread_mentions(other.pk) == 0
        assert {one.seen_at for one in Mention.objects.all()} == {now}

    def test_a_list_costs_the_same_however_long(
        self, now: datetime, django_assert_num_queries: Any
    ):
        conversation, agent, other = ConversationFactory(), StaffFactory(), StaffFactory()
        for _ in range(5):
            services.write_note(
                conversation_id=conversation.pk,
                author_id=agent.pk,
                text="x",
                mentions=[other.pk],
                now=now,
            )

        with django_assert_num_queries(4):  # conversation, notes, mentions, users
            notes = services.notes_of(conversation.pk)
            assert [one.user_id for note in notes for one in note.mentioned.all()] == [other.pk] * 5
        assert len(notes) <= MOST_SHOWN
        with django_assert_num_queries(1):
            assert len(services.mentions_of(other.pk, most=50)) == 5


@pytest.mark.django_db
class TestRest:
    def test_written_and_read_by_colleagues(self, client: Browser):
        conversation, agent, other = ConversationFactory(), StaffFactory(), StaffFactory()

        written = client.post(
            notes_url(conversation),
            {"text": "请看", "mentions": [other.pk], "client_id": str(uuid.uuid4())},
            content_type="application/json",
            headers=bearer(agent),
        )
        read = client.get(notes_url(conversation), headers=bearer(other)).json()["notes"]
        mentions = client.get("/api/workspace/mentions", headers=bearer(other)).json()

        assert written.status_code == 201
        assert written.json()["is_mine"] is True
        (note,) = read
        assert (note["text"], note["author"], note["is_mine"]) == ("请看", agent.first_name, False)
        assert note["mentions"] == [{"id": other.pk, "name": other.first_name}]
        assert mentions["unread"] == 1
        assert mentions["mentions"][0]["conversation"] == str(conversation.pk)
        seen = client.post(
            "/api/workspace/mentions",
            {"conversation": str(conversation.pk)},
            content_type="application/json",
            headers=bearer(other),
        )
        assert seen.json() == {"unread": 0}

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_customers_and_other_staff_get_nothing(self, client: Browser, method: str):
        conversation = ConversationFactory()
        token = tokens.issue(subject=conversation.uid, kind=tokens.CUSTOMER)["token"]
        strangers = [
            {"Authorization": f"Bearer {token}"},
            bearer(StaffFactory(role="reviewer")),
            bearer(StaffFactory(role="business editor")),
        ]

        for headers in strangers:
            asked = getattr(client, method)(notes_url(conversation), headers=headers)
            assert asked.status_code in (401, 403)

    def test_of_no_conversation(self, client: Browser):
        url = f"/api/workspace/conversations/{uuid.uuid4()}/notes"
        assert (
            client.get(url, headers=bearer(StaffFactory())).json()["code"] == "no_such_conversation"
        )


@pytest.mark.django_db
@pytest.mark.usefixtures("talk")
class TestNothingReachesTheCustomer:
    def test_no_rest_answer_frame_or_webhook_holds_a_word_of_it(
        self, client: Browser, now: datetime, django_capture_on_commit_callbacks: Any
    ):
        told = [kind.name for kind in kinds.KINDS]
        endpoints.create(
            name="erp", url="https://shop.example/", kinds=told, created_by_id=None, now=now
        )
        agent, other = StaffFactory(), StaffFactory()
        conversation = ConversationFactory()
        MessageFactory(conversation=conversation)
        with django_capture_on_commit_callbacks(execute=True):
            services.take_over(conversation_id=conversation.pk, agent_id=agent.pk, now=now)
            services.write_note(
                conversation_id=conversation.pk,
                author_id=agent.pk,
                text=SECRET,
                mentions=[other.pk],
                now=now,
            )
            services.close(conversation_id=conversation.pk, agent_id=agent.pk, note=SECRET, now=now)
        assert Note.objects.count() == 2

        token = tokens.issue(subject=conversation.uid, kind=tokens.CUSTOMER)["token"]
        mine = {"Authorization": f"Bearer {token}"}
        address = f"/api/conversation/messages?conversation={conversation.pk}"
        news = sockets.news(conversation.pk, 0)
        everything = [
            client.get(address, headers=mine).content.decode(),
            client.get("/api/conversation", headers=mine).content.decode(),
            json.dumps(
                sockets.messages(news.conversation, news.messages, for_staff=False),
                ensure_ascii=False,
            ),
            json.dumps(sockets.status(news.conversation), ensure_ascii=False, default=str),
            *WebhookEvent.objects.values_list("payload", flat=True),
            *map(str, WebhookDelivery.objects.all()),
            *Message.objects.values_list("text", flat=True),
        ]

        assert WebhookEvent.objects.count() == 2, "taken over, and ended"
        assert [one for one in everything if "7731" in one or SECRET in one] == []

    @thorough(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(st.lists(st.sampled_from(["note", "agent", "customer"]), max_size=8))
    def test_whatever_is_written_in_whatever_order_messages_are_messages_alone(
        self, steps: list[str]
    ):
        now = datetime.fromisoformat("2026-11-22T10:00:00+00:00")
        agent, conversation = StaffFactory(), ConversationFactory()
        services.take_over(conversation_id=conversation.pk, agent_id=agent.pk, now=now)
        for step in steps:
            if step == "note":
                services.write_note(
                    conversation_id=conversation.pk, author_id=agent.pk, text=SECRET, now=now
                )
            elif step == "agent":
                services.post_agent_message(
                    conversation_id=conversation.pk, agent_id=agent.pk, text="好", now=now
                )
            else:
                services.post_customer_message(uid=conversation.uid, text="我的订单呢", now=now)

        lines = list(conversation.messages.order_by("seq"))
        assert [line.seq for line in lines] == list(range(1, len(lines) + 1))
        assert all(SECRET not in line.text for line in lines)
        assert conversation.notes.count() == steps.count("note")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("transactional_db", "talk", "engine")
class TestOverTheSocket:
    async def test_colleagues_are_told_where_to_look_and_the_customer_hears_nothing(
        self, connect: Connect, engine: ScriptedEngine, now: datetime
    ):
        agent, _token = await staff_token()
        reader, reader_token = await staff_token()
        shopper, _welcome = await customer(connect)
        await shopper.send("message", client_id=str(uuid.uuid4()), text="我的快递到哪了")
        conversation = (await shopper.next("accepted"))["conversation"]
        colleague = await connect("/ws/workspace/")
        await colleague.send("hello", token=reader_token)
        assert (await colleague.next("mentions"))["unread"] == 0
        await colleague.send("open", conversation=conversation)
        await colleague.next("messages")

        note = await rows(
            lambda: services.write_note(
                conversation_id=uuid.UUID(conversation),
                author_id=agent.pk,
                text=SECRET,
                mentions=[reader.pk],
                now=now,
            )
        )

        told = [await colleague.next("notes"), await colleague.next("mentions")]
        assert told[0] == {"type": "notes", "conversation": conversation, "last": note.pk}
        assert told[1] == {"type": "mentions", "unread": 1}
        assert SECRET not in json.dumps(told, ensure_ascii=False)
        await shopper.send("catch_up", after=0)
        heard = []
        while not await shopper.is_quiet():
            heard.append(await shopper.socket.receive_json_from(5))
        assert "messages" in {frame["type"] for frame in heard}
        assert {frame["type"] for frame in heard} <= {"messages", "status", "typing"}
        assert SECRET not in json.dumps(heard, ensure_ascii=False)

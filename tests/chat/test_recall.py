"""Messages that agents take back: gone from every screen, kept for supervisors."""

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from chat import services, sockets
from chat.models import Conversation, Message, WebhookEvent
from chat.webhooks import endpoints, kinds
from csplatform import tokens
from csplatform.errors import Refusal
from tests.chat.conftest import ScriptedEngine
from tests.chat.test_notes import bearer
from tests.chat.test_sockets import Connect, connect, customer, staff_token
from tests.databases import interleave
from tests.factories import ConversationFactory, StaffFactory

__all__ = ["connect"]
WRONG = "您的银行卡号是多少 9920"


def spoken(now: datetime) -> tuple[Conversation, Any, Message]:
    """A conversation in which an agent has said something that he should not have."""
    conversation, agent = ConversationFactory(), StaffFactory()
    services.post_customer_message(uid=conversation.uid, text="我的退款呢", now=now)
    services.take_over(conversation_id=conversation.pk, agent_id=agent.pk, now=now)
    message = services.post_agent_message(
        conversation_id=conversation.pk, agent_id=agent.pk, text=WRONG, now=now
    )
    return conversation, agent, message


def frames(conversation: Conversation, *, for_staff: bool) -> list[dict[str, Any]]:
    news = sockets.news(conversation.pk, 0)
    return sockets.messages(news.conversation, news.messages, for_staff=for_staff)["messages"]


@pytest.mark.django_db
@pytest.mark.usefixtures("talk")
class TestRecall:
    @pytest.mark.parametrize("for_staff", [True, False])
    def test_it_leaves_a_trace_and_no_text_for_customers_and_agents_alike(
        self, for_staff: bool, now: datetime
    ):
        conversation, agent, message = spoken(now)
        later = now + timedelta(seconds=119)

        services.recall(
            conversation_id=conversation.pk, agent_id=agent.pk, seq=message.seq, now=later
        )

        lines = frames(conversation, for_staff=for_staff)
        recalled = next(line for line in lines if line["seq"] == message.seq)
        assert (recalled["text"], recalled["recalled_at"]) == ("", later.isoformat())
        trace = lines[-1]
        assert (trace["sender"], trace["recalls"]) == ("SYSTEM", message.seq)
        assert trace["text"] == "[recalled zh]"
        assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
        assert WRONG not in json.dumps(lines, ensure_ascii=False)
        message.refresh_from_db()
        assert message.text == WRONG, "the line itself stays as it was stored"

    def test_twice_is_once(self, now: datetime):
        conversation, agent, message = spoken(now)
        for _ in range(2):
            services.recall(
                conversation_id=conversation.pk, agent_id=agent.pk, seq=message.seq, now=now
            )
        assert Message.objects.filter(recalls=message).count() == 1

    def test_it_is_refused_too_late_for_others_and_for_what_is_not_there(self, now: datetime):
        conversation, agent, message = spoken(now)
        stranger = StaffFactory()
        before = Message.objects.count()

        def refused(**changed: Any) -> str:
            asked = {"agent_id": agent.pk, "seq": message.seq, "now": now, **changed}
            with pytest.raises(Refusal) as refusal:
                services.recall(conversation_id=conversation.pk, **asked)
            return refusal.value.code

        assert refused(now=now + timedelta(seconds=121)) == "too_late"
        assert refused(agent_id=stranger.pk) == "not_yours"
        assert refused(seq=1) == "not_yours", "a customer's"
        assert refused(seq=99) == "no_such_message"
        assert Message.objects.count() == before

    def test_a_setting_says_how_long(self, now: datetime, settings: Any):
        settings.RECALL_WITHIN_S = 0
        conversation, agent, message = spoken(now)
        with pytest.raises(services.TooLate):
            services.recall(
                conversation_id=conversation.pk,
                agent_id=agent.pk,
                seq=message.seq,
                now=now + timedelta(seconds=1),
            )

    def test_it_costs_no_query_more_to_read(self, now: datetime, django_assert_num_queries: Any):
        conversation, agent, message = spoken(now)
        services.recall(
            conversation_id=conversation.pk, agent_id=agent.pk, seq=message.seq, now=now
        )
        with django_assert_num_queries(2):  # conversation, lines
            frames(conversation, for_staff=False)


@pytest.mark.django_db
@pytest.mark.usefixtures("talk")
class TestWhoReadsWhat:
    def test_rest_and_transcript_have_the_trace_only(self, client: Browser, now: datetime):
        conversation, agent, message = spoken(timezone.now())
        services.recall(
            conversation_id=conversation.pk,
            agent_id=agent.pk,
            seq=message.seq,
            now=timezone.now(),
        )
        token = tokens.issue(subject=conversation.uid, kind=tokens.CUSTOMER)["token"]
        mine = {"Authorization": f"Bearer {token}"}
        which = f"conversation={conversation.pk}"

        read = client.get(f"/api/conversation/messages?{which}", headers=mine)
        written = [
            client.get(f"/api/conversation/transcript?{which}&format={one}", headers=mine)
            for one in ("txt", "html")
        ]

        assert read.status_code == 200
        assert WRONG not in read.content.decode()
        assert [one.status_code for one in written] == [200, 200]
        assert all("9920" not in one.content.decode() for one in written)

    def test_supervisors_read_the_original_and_nobody_else(self, client: Browser):
        conversation, agent, message = spoken(timezone.now())
        url = f"/api/workspace/conversations/{conversation.pk}/recalled/{message.seq}"
        supervisor = bearer(StaffFactory(role="supervisor"))
        assert client.get(url, headers=supervisor).json()["code"] == "no_such_message"

        services.recall(
            conversation_id=conversation.pk,
            agent_id=agent.pk,
            seq=message.seq,
            now=timezone.now(),
        )

        assert client.get(url, headers=supervisor).json() == {"text": WRONG}
        assert client.get(url, headers=bearer(agent)).status_code == 403

    def test_webhooks_are_told_that_it_was_taken_back(
        self, now: datetime, django_capture_on_commit_callbacks: Any
    ):
        with django_capture_on_commit_callbacks(execute=True):
            endpoints.create(
                name="erp",
                url="https://shop.example/",
                kinds=[kind.name for kind in kinds.KINDS],
                created_by_id=None,
                now=now,
            )
        conversation, agent, message = spoken(now)
        before = set(WebhookEvent.objects.values_list("pk", flat=True))

        services.recall(
            conversation_id=conversation.pk, agent_id=agent.pk, seq=message.seq, now=now
        )

        (event,) = WebhookEvent.objects.exclude(pk__in=before)
        assert event.kind == "message.recalled"
        data = json.loads(event.payload)
        assert WRONG not in event.payload
        assert data["data"]["message"]["recalls"] == message.seq


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("transactional_db", "talk", "engine")
class TestOverTheSocket:
    async def test_it_reaches_the_customer_at_once_and_who_catches_up_reads_no_text(
        self, connect: Connect, engine: ScriptedEngine
    ):
        _agent, token = await staff_token()
        shopper, _welcome = await customer(connect)
        await shopper.send("message", client_id=str(uuid.uuid4()), text="我的快递到哪了")
        conversation = (await shopper.next("accepted"))["conversation"]
        desk = await connect("/ws/workspace/")
        await desk.send("hello", token=token)
        await desk.send("open", conversation=conversation)
        await desk.send("take", conversation=conversation)
        await desk.send(
            "message", conversation=conversation, client_id=str(uuid.uuid4()), text=WRONG
        )
        seq = (await desk.next("accepted"))["seq"]
        await shopper.lines(upto=seq)

        await desk.send("recall", conversation=conversation, seq=seq)

        (trace,) = (await shopper.next("messages"))["messages"]
        assert trace["recalls"] == seq
        other, _welcome = await customer(connect)
        lines = await other.lines(upto=trace["seq"])
        recalled = next(line for line in lines if line["seq"] == seq)
        assert recalled["text"] == ""
        assert recalled["recalled_at"]


@pytest.mark.usefixtures("talk")
def test_of_two_tabs_that_recall_at_once_one_leaves_a_trace(
    both_databases: str, now: datetime
) -> None:
    conversation, agent, message = spoken(now)

    def recall() -> None:
        services.recall(
            conversation_id=conversation.pk, agent_id=agent.pk, seq=message.seq, now=now
        )

    first, second = interleave(recall, recall, at='INSERT INTO "chat_message"')

    assert (first.refusal, second.refusal) == ("", "")
    conversation.refresh_from_db()
    seqs = list(conversation.messages.order_by("seq").values_list("seq", flat=True))
    assert seqs == list(range(1, conversation.last_seq + 1))
    assert Message.objects.filter(recalls=message).count() == 1

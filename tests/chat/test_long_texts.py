"""Long texts: answered at once, read behind the scenes, shown to whoever needs it and nobody else."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from chat import dialogue, inbox, services, tasks, webhooks
from chat.longtexts import bulk, reading, shown
from chat.longtexts import catalogue as shop_catalogue
from chat.models import Conversation, Handover, Message, WebhookEvent
from csplatform import tokens
from csplatform.models import ServiceToken, digest
from intents import inference
from knowledge.models import Product
from tests.chat.conftest import ScriptedEngine
from tests.factories import ConversationFactory, MessageFactory, StaffFactory
from training.analysis import work
from training.models import TextAnalysis

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
ANGRY = "你们的服务太差了，我非常生气！"
ASKED = "请问清关要多久？"
READ = "清关要多久?"  # as models are asked
LONG = (
    "我上周五买了一个保温杯，订单号是CS20261120001，电话13812345678。"
    + "快递单上写着已经到了广州海关，之后再也没有更新过，我每天都在看物流。" * 15
    + ANGRY
    + ASKED
)
UPSET = inference.Mood(-0.9, 0.95, 0.02)


@pytest.fixture(autouse=True)
def _fresh_catalogue() -> None:
    shop_catalogue.forget()


@pytest.fixture
def scripted(engine: ScriptedEngine, talk: None) -> ScriptedEngine:
    engine.says[READ] = (("customs", 0.96), ("logistics", 0.02))
    engine.feels[ANGRY] = UPSET
    return engine


def post(text: str = LONG, uid: str = "C1") -> Message:
    return services.post_customer_message(uid=uid, text=text, now=NOW).message


def read(message: Message, *, at: datetime = NOW) -> bool:
    return reading.read(message.pk, clock=lambda: at)


def row(message: Message) -> TextAnalysis:
    return TextAnalysis.objects.get(message=message.pk)


class TestPosting:
    def test_a_long_text_leaves_a_row_in_its_own_transaction(
        self, scripted: ScriptedEngine
    ) -> None:
        message = post()

        assert (row(message).status, row(message).characters) == ("PENDING", len(LONG))

    def test_a_short_one_and_a_repeated_one_leave_none(self, scripted: ScriptedEngine) -> None:
        post("我的快递到哪了")
        assert not TextAnalysis.objects.exists()

    def test_how_long_that_is_is_a_setting(self, scripted: ScriptedEngine, settings: Any) -> None:
        settings.CHAT_LONG_TEXT_CHARACTERS = 1

        assert row(post("我的快递到哪了")).status == "PENDING"

    def test_the_answer_goes_by_what_is_asked(self, scripted: ScriptedEngine) -> None:
        dialogue.answer_blocking(post().pk)

        assert scripted.asked == [READ]


class TestReading:
    def test_finds_what_is_in_it_once(self, scripted: ScriptedEngine) -> None:
        Product.objects.create(
            sku="CUP-1", name_zh="保温杯", name_en="Mug", category="c", price=1, origin="CN"
        )
        message = post()

        assert read(message)
        assert not read(message)  # delivered twice

        found = row(message).found
        assert found is not None
        kinds = {entity.kind: entity.text for entity in found.entities}
        assert kinds["ORDER_NUMBER"] == "CS20261120001"
        assert kinds["PHONE"] == "13812345678"
        assert kinds["PRODUCT"] == "保温杯"
        assert all(LONG[one.start : one.end] == one.text for one in found.entities)
        assert ("customs", 0.96) in found.summary.asked
        assert found.mood is not None
        assert found.mood.score == pytest.approx(-0.9)

    def test_a_poison_text_ends_among_those_that_were_given_up_with_its_reason(
        self, scripted: ScriptedEngine, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.ANALYSIS_ATTEMPTS = 2
        message, fine = post(), post(uid="C2")

        def poisoned(texts: Any, *, timeout_s: float | None = None) -> Any:
            raise ValueError("poison")

        with monkeypatch.context() as patched:
            patched.setattr(scripted, "classify_many", poisoned)
            assert not read(message)
            assert not read(message)
        assert read(fine)

        assert (row(message).status, row(message).failure) == ("FAILED", "ValueError: poison")
        assert work.retry([message.pk], now=NOW) == 1
        assert read(message)

    def test_of_a_message_that_has_gone_nothing_is_left(self, scripted: ScriptedEngine) -> None:
        message = post()
        Conversation.objects.all().delete()

        assert not TextAnalysis.objects.filter(message=message.pk).exists()
        assert not read(message)

    def test_findings_go_with_their_conversation(self, scripted: ScriptedEngine) -> None:
        message = post()
        read(message)

        message.conversation.delete()

        assert not TextAnalysis.objects.exists()

    def test_the_sweep_finds_what_the_broker_lost(
        self, scripted: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message = post()
        asked: list[int] = []
        monkeypatch.setattr(
            tasks.analyse_message, "apply_async", lambda kwargs: asked.append(kwargs["message_id"])
        )
        TextAnalysis.objects.update(due_at=timezone.now() - timedelta(seconds=1))

        tasks.queue_analyses()
        tasks.queue_analyses()

        assert asked == [message.pk]


class TestUpsetCustomers:
    @pytest.fixture(autouse=True)
    def _at(self, settings: Any) -> None:
        settings.MOOD_HANDOVER_AT = 0.9

    def test_are_handed_over(self, scripted: ScriptedEngine) -> None:
        message = post()
        read(message)

        handover = Handover.objects.get()
        assert (handover.because, handover.intent) == ("MOOD", "customs")
        assert Conversation.objects.get().status == "WAITING"

    def test_are_not_where_nobody_wants_that_for_their_matter(
        self, scripted: ScriptedEngine, settings: Any
    ) -> None:
        settings.MOOD_HANDOVER_INTENTS = ["refund"]
        read(post())

        assert not Handover.objects.exists()

    def test_are_not_because_of_what_they_said_long_ago(self, scripted: ScriptedEngine) -> None:
        message = MessageFactory(text=LONG, awaits_answer=False)
        bulk.ask_for([message.conversation_id], now=NOW)

        assert read(message)
        assert not Handover.objects.exists()


class TestBulk:
    def test_asks_for_what_customers_said_and_twice_changes_nothing(
        self, scripted: ScriptedEngine
    ) -> None:
        conversation = ConversationFactory()
        first = MessageFactory(conversation=conversation, text="太慢了")
        MessageFactory(conversation=conversation, text="您好", sender=Message.Sender.AGENT, seq=2)

        assert bulk.ask_for([conversation.pk], now=NOW) == 1
        assert bulk.ask_for([conversation.pk], now=NOW) == 0
        assert read(first)


class TestWhoReads:
    def url(self, message: Message) -> str:
        return f"/api/workspace/conversations/{message.conversation_id}/messages/{message.seq}/analysis"

    def test_agents_and_programs_get_it_and_customers_do_not(
        self, scripted: ScriptedEngine, client: Client
    ) -> None:
        message = post()
        read(message)
        agent = tokens.issue(subject=str(StaffFactory().pk), kind=tokens.STAFF)["token"]
        program = ServiceToken.new_secret()
        ServiceToken.objects.create(name="erp", digest=digest(program))
        customer = tokens.issue(subject="C1", kind=tokens.CUSTOMER)["token"]

        def ask(token: str) -> Any:
            return client.get(self.url(message), headers={"Authorization": f"Bearer {token}"})

        assert ask(customer).status_code == 403
        for token in (agent, program):
            body = ask(token).json()
            assert body["status"] == "DONE"
            assert body["findings"] == row(message).findings

    def test_a_short_message_has_none(self, scripted: ScriptedEngine) -> None:
        message = post("你好呀")

        with pytest.raises(shown.NotAnalysed):
            shown.of_message(message.conversation_id, message.seq)

    def test_a_list_costs_the_same_for_any_number(
        self, scripted: ScriptedEngine, django_assert_num_queries: Any
    ) -> None:
        for _number in range(3):
            read(post())
        conversation = Conversation.objects.get()

        with django_assert_num_queries(3):
            found = shown.of_conversation(conversation.pk)

        assert [one["seq"] for one in found] == [3, 2, 1]

    def test_programs_are_told_without_personal_data(self, scripted: ScriptedEngine) -> None:
        webhooks.create(
            name="erp",
            url="https://shop.example/hook",
            kinds=["message.analysed"],
            created_by_id=None,
            now=NOW,
        )
        read(post())

        payload = WebhookEvent.objects.get().payload
        assert json.loads(payload)["type"] == "message.analysed"
        assert "13812345678" not in payload
        assert "CS20261120001" not in payload
        assert '"<phone>"' in payload


class TestSearch:
    def test_finds_the_negative_ones_about_a_matter_of_this_week(
        self, scripted: ScriptedEngine
    ) -> None:
        angry = post()
        read(angry)
        calm = post(LONG.replace(ANGRY, "谢谢你们的帮助。"), uid="C2")
        read(calm)
        wanted = inbox.Narrowed(
            mood=inbox.Mood.NEGATIVE, intent="customs", since=NOW - timedelta(days=6)
        )

        assert [hit.uid for hit in inbox.search("", narrowed=wanted).lines] == ["C1"]
        assert inbox.search("保温杯", narrowed=wanted).lines
        assert not inbox.search("没有这样的话", narrowed=wanted).lines
        later = inbox.Narrowed(mood=inbox.Mood.NEGATIVE, since=NOW + timedelta(days=1))
        assert not inbox.search("", narrowed=later).lines

    def test_without_anything_to_look_for_it_is_refused(self) -> None:
        with pytest.raises(inbox.TooShort):
            inbox.search("", narrowed=inbox.Narrowed(since=NOW))

"""One turn: what the bot says to a stored message, exactly once."""

import asyncio
import time
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from chat import dialogue, services, tasks
from chat.models import Conversation, Message
from intents import content, records
from intents.models import Intent, PredictionRecord, Reply
from knowledge.models import Customer, Order
from tests.chat.conftest import ScriptedEngine, write_content
from tests.databases import Running, interleave
from tests.factories import ConversationFactory, MessageFactory, StaffFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("talk")]

SURE = (("logistics", 0.9), ("invoice", 0.05))
UNSURE = (("logistics", 0.3), ("invoice", 0.2), ("coupon", 0.15), ("human_agent", 0.1))
CLUELESS = (("logistics", 0.05),)


def logged() -> QuerySet[PredictionRecord]:
    records.flush()
    return PredictionRecord.objects.order_by("pk")


def answer(text: str = "我的快递到哪了", **fields: object) -> Message:
    message = MessageFactory(text=text, **fields)
    found = dialogue.answer_blocking(message.pk).answer
    assert found is not None
    return found


class TestTheDecision:
    def test_sure_is_answered(self, engine: ScriptedEngine):
        said = answer()

        assert (said.decision, said.intent, said.probability) == ("ANSWER", "logistics", 0.9)
        assert said.text in ("logistics 答复1", "logistics 答复2")
        assert said.buttons == []
        assert said.answers.text == "我的快递到哪了"
        assert not Message.objects.filter(awaits_answer=True).exists()

    def test_unsure_asks_which_was_meant_and_offers_a_human(self, engine: ScriptedEngine):
        engine.otherwise = UNSURE

        said = answer()

        assert (said.decision, said.text) == ("CLARIFY", "[clarify zh]")
        assert [button["label"] for button in said.buttons][:3] == [
            "logistics的事",
            "invoice的事",
            "coupon的事",
        ]
        assert [button.get("action") for button in said.buttons] == [None, None, None, "human"]

    def test_what_nobody_would_press_is_not_offered(self, engine: ScriptedEngine):
        Intent.objects.filter(code__in=("logistics", "invoice")).update(is_offered=False)
        content.forget()
        engine.otherwise = (("logistics", 0.5), ("coupon", 0.45), ("invoice", 0.05))

        labels = [button["label"] for button in answer().buttons]

        assert "coupon的事" in labels
        assert not {"logistics的事", "invoice的事"} & set(labels)

    def test_an_order_number_alone_goes_on_with_what_was_spoken_of(self, engine: ScriptedEngine):
        asked = answer()
        engine.otherwise = CLUELESS

        said = answer("CS80012037", conversation=asked.conversation, language="zh")
        first = answer("CS80012037", language="zh")

        assert (said.decision, said.intent) == ("ANSWER", "logistics")
        assert first.decision == "HAND_OVER"  # nothing was spoken of before

    def test_clueless_says_so_and_offers_a_human(self, engine: ScriptedEngine):
        engine.otherwise = CLUELESS

        said = answer()

        assert (said.decision, said.text) == ("HAND_OVER", "[fallback zh]")
        assert [button.get("action") for button in said.buttons] == ["human"]
        assert said.conversation.status == "BOT"

    def test_the_second_miss_in_a_row_puts_the_human_first(self, engine: ScriptedEngine):
        engine.otherwise = UNSURE
        first = answer()

        second = answer(conversation=first.conversation)

        assert second.buttons[0]["action"] == "human"
        assert second.text.startswith("[clarify zh]\n")

    def test_a_button_of_it_is_answered_without_the_model(self, engine: ScriptedEngine):
        said = answer("invoice的事")

        assert (said.decision, said.intent, said.probability) == ("ANSWER", "invoice", 1.0)
        assert engine.asked == []

    def test_whoever_asks_for_a_human_waits_for_one(self, engine: ScriptedEngine):
        engine.otherwise = (("human_agent", 0.95),)

        said = answer("转人工")

        conversation = Conversation.objects.get()
        assert (said.decision, said.text) == ("HAND_OVER", "马上转人工")
        assert conversation.status == "WAITING"
        assert conversation.messages.get(seq=3).text == "[handed_over zh]"

    @pytest.mark.parametrize("text", ["🙂", "где моя посылка"])
    def test_in_neither_language_nobody_guesses(self, engine: ScriptedEngine, text: str):
        said = answer(text, language="")

        assert said.text == "[unsupported zh]\n[unsupported en]"
        assert (said.decision, said.intent, said.probability) == ("HAND_OVER", "", None)
        assert [button["action"] for button in said.buttons] == ["human"]
        assert engine.asked == []

    def test_an_intent_that_is_switched_off_is_never_answered(self, engine: ScriptedEngine):
        Intent.objects.filter(code="logistics").update(is_active=False)

        said = answer()

        assert (said.decision, said.intent) == ("HAND_OVER", "invoice")

    def test_a_long_text_is_answered_like_any_other(self, engine: ScriptedEngine):
        assert answer("我的快递到哪了。" * 600).decision == "ANSWER"

    def test_personal_data_reaches_neither_the_model_nor_the_log(self, engine: ScriptedEngine):
        said = answer("我的电话是13812345678，快递到哪了")

        assert "13812345678" not in engine.asked[0] + logged().get().text
        assert "13812345678" in said.answers.text


class TestTheReply:
    def test_is_never_the_same_twice_in_a_row(self, engine: ScriptedEngine):
        said = answer()
        for _ in range(6):
            before, said = said, answer(conversation=said.conversation)
            assert said.text != before.text

    def test_uses_the_customers_order_only_where_there_is_one(
        self, engine: ScriptedEngine, now: datetime
    ):
        Reply.objects.filter(intent__code="logistics").update(text="订单 {order_number} 在路上")
        Reply.objects.filter(language="zh", intent__code="logistics").last().delete()
        intent = Intent.objects.get(code="logistics")
        Reply.objects.create(intent=intent, language="zh", text="请到订单页查看")
        customer = Customer.objects.create(
            uid="C1001", name="王", language="zh", country="CN", joined_on=now.date()
        )
        Order.objects.create(
            customer=customer, number="ORD1", status="SHIPPED", placed_at=now, total=1
        )

        known = {answer(conversation=ConversationFactory(uid="C1001")).text}
        known |= {answer(conversation=Conversation.objects.get(uid="C1001")).text for _ in range(3)}
        unknown = {answer(conversation=ConversationFactory(uid=f"anon-{n}")).text for n in range(8)}

        assert known == {"订单 ORD1 在路上"}  # also when it is asked again
        assert unknown == {"请到订单页查看"}

    def test_that_names_his_own_order_comes_before_one_for_anybody(
        self, engine: ScriptedEngine, now: datetime
    ):
        intent = Intent.objects.get(code="logistics")
        Reply.objects.create(intent=intent, language="zh", text="订单 {order_number} 在路上")
        customer = Customer.objects.create(
            uid="C1001", name="王", language="zh", country="CN", joined_on=now.date()
        )
        for number, days in (("CS80000001", 9), ("CS80000002", 1)):
            Order.objects.create(
                customer=customer,
                number=number,
                status="SHIPPED",
                placed_at=now - timedelta(days=days),
                total=1,
            )
        Conversation.objects.filter(uid="C1001").delete()

        newest = answer(conversation=ConversationFactory(uid="C1001"))
        named = answer("CS80000001 到哪了", conversation=newest.conversation)

        assert newest.text == "订单 CS80000002 在路上"
        assert named.text == "订单 CS80000001 在路上"

    def test_english_falls_back_visibly(self, engine: ScriptedEngine):
        engine.otherwise = (("invoice", 0.9),)

        said = answer("invoice please", language="en")

        assert said.text in ("[no_reply en]\ninvoice 答复1", "[no_reply en]\ninvoice 答复2")

    def test_an_intent_without_any_reply_offers_a_human(self, engine: ScriptedEngine):
        Reply.objects.all().delete()

        said = answer()

        assert said.text == "[fallback zh]"
        assert said.buttons[-1]["action"] == "human"

    def test_a_composer_that_fails_leaves_a_sentence_and_a_human(
        self, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
    ):
        class Broken:
            def compose(self, turn: object) -> None:
                raise ZeroDivisionError

        monkeypatch.setattr(dialogue, "_COMPOSER", Broken())

        said = answer()

        assert said.text == "[fallback zh]"
        assert said.buttons[0]["action"] == "human"


class TestWhileSomebodyWaits:
    def test_what_the_bot_knows_is_still_answered(self, engine: ScriptedEngine):
        said = answer(conversation=ConversationFactory(status="WAITING"))

        assert said.intent == "logistics"

    @pytest.mark.parametrize("ranked", [UNSURE, CLUELESS])
    def test_what_it_does_not_is_left_to_the_human(
        self, engine: ScriptedEngine, ranked: tuple[tuple[str, float], ...]
    ):
        engine.otherwise = ranked
        message = MessageFactory(conversation=ConversationFactory(status="WAITING"))

        outcome = dialogue.answer_blocking(message.pk)

        message.refresh_from_db()
        assert outcome.answer is None
        assert not message.awaits_answer
        assert Message.objects.count() == 1
        assert logged().count() == 1


class TestTwiceLost:
    def test_a_human_is_called(self, engine: ScriptedEngine):
        engine.otherwise = CLUELESS
        first = answer()

        second = answer(conversation=first.conversation)

        conversation = Conversation.objects.get()
        assert (second.text, second.buttons) == ("[fallback zh]", [])
        assert conversation.status == "WAITING"
        assert conversation.messages.order_by("seq").last().text == "[handed_over zh]"

    def test_a_sentence_that_is_understood_in_between_begins_anew(self, engine: ScriptedEngine):
        engine.says = {"快递": SURE}
        engine.otherwise = CLUELESS
        second = answer("快递", conversation=answer().conversation)

        third = answer(conversation=second.conversation)

        assert third.conversation.status == "BOT"

    def test_an_agents_line_in_between_begins_anew(self, engine: ScriptedEngine):
        engine.otherwise = CLUELESS
        conversation = answer().conversation
        MessageFactory(
            conversation=conversation, sender="AGENT", author=StaffFactory(), awaits_answer=False
        )

        third = answer(conversation=conversation)

        assert third.conversation.status == "BOT"


class TestWhatCameOfIt:
    def outcomes(self) -> list[tuple[str, str]]:
        return list(logged().values_list("outcome", "meant"))

    def test_answered(self, engine: ScriptedEngine):
        said = answer()

        (record,) = logged()
        assert (record.message, record.outcome) == (said.answers_id, "ANSWERED")
        assert record.content_version == content.current().version

    def test_the_button_that_was_pressed(self, engine: ScriptedEngine):
        engine.otherwise = UNSURE
        asked_back = answer()
        assert self.outcomes() == [("ASKED_BACK", "")]

        answer(asked_back.buttons[1]["text"], conversation=asked_back.conversation)

        assert self.outcomes() == [("CLARIFIED", "invoice"), ("ANSWERED", "")]

    def test_another_sentence_instead_of_a_button(self, engine: ScriptedEngine):
        engine.says = {"发票": (("invoice", 0.9),)}
        engine.otherwise = UNSURE
        asked_back = answer()

        answer("发票", conversation=asked_back.conversation)

        assert self.outcomes() == [("ASKED_BACK", ""), ("ANSWERED", "")]

    @pytest.mark.django_db(transaction=True)
    def test_the_customer_asks_for_a_human_after_the_answer(
        self, engine: ScriptedEngine, now: datetime
    ):
        conversation = answer("一").conversation
        answer("二", conversation=conversation)

        services.ask_for_human(uid=conversation.uid, now=now)

        assert self.outcomes() == [("ANSWERED", ""), ("HANDED_OVER", "")]

    @pytest.mark.django_db(transaction=True)
    def test_an_agent_takes_over_after_the_answer(self, engine: ScriptedEngine, now: datetime):
        conversation = answer().conversation

        services.take_over(conversation_id=conversation.pk, agent_id=StaffFactory().pk, now=now)

        assert self.outcomes() == [("HANDED_OVER", "")]

    def test_an_agent_takes_over_while_the_model_thinks(
        self, both_databases: str, engine: ScriptedEngine, now: datetime
    ):
        write_content_once()
        message, agent = MessageFactory(), StaffFactory()
        engine.go.clear()
        thinking = Running(lambda: dialogue.answer_blocking(message.pk))
        assert engine.thinking.wait(20)
        services.take_over(conversation_id=message.conversation_id, agent_id=agent.pk, now=now)
        engine.go.set()

        assert thinking.outcome().result.answer is None
        assert self.outcomes() == [("HANDED_OVER", "")]
        conversation = Conversation.objects.get()
        assert conversation.last_seq == conversation.messages.count()  # no seq is lost


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_cached", [False, True])
def test_a_turn_takes_ten_statements(
    engine: ScriptedEngine, settings: Any, django_assert_num_queries: Any, *, is_cached: bool
):
    """Post: BEGIN, seq, line, COMMIT. Answer: what was said before, BEGIN, seq, owed, line, COMMIT.

    Nothing for the prediction log, the cache or the rate.
    """
    settings.CONTENT_POLL_S = 60.0
    conversation = answer("别的").conversation
    if is_cached:
        answer("我的快递到哪了", conversation=conversation)
    content.current()
    engine.asked.clear()

    with django_assert_num_queries(10):
        posted = services.post_customer_message(
            uid=conversation.uid,
            text="我的快递到哪了",
            client_id=uuid.uuid4(),
            now=timezone.now(),
        )
        outcome = dialogue.answer_blocking(posted.message)

    assert outcome.answer is not None
    assert outcome.cached is is_cached
    assert len(engine.asked) == (0 if is_cached else 1)


@pytest.mark.django_db(transaction=True)
class TestTheCache:
    def test_the_model_is_asked_once_for_one_sentence(self, engine: ScriptedEngine):
        outcomes = [
            dialogue.answer_blocking(MessageFactory(text=text).pk)
            for text in ("快递到哪了", "快递到哪了？？", " 快递 到哪了")
        ]

        assert engine.asked == ["快递到哪了"]
        assert [outcome.cached for outcome in outcomes] == [False, True, True]
        assert {outcome.answer.intent for outcome in outcomes if outcome.answer} == {"logistics"}
        assert list(logged().values_list("cached", flat=True)) == [
            False,
            True,
            True,
        ]

    @pytest.mark.parametrize("what", ["understanding", "model"])
    def test_nothing_stale_is_served(self, engine: ScriptedEngine, what: str):
        answer()
        if what == "understanding":
            engine.content_version += 1
        else:
            engine.version = "v2"

        answer()

        assert len(engine.asked) == 2

    def test_a_new_reply_is_said_at_once(self, engine: ScriptedEngine):
        conversation = answer().conversation
        Reply.objects.filter(intent__code="logistics").update(text="新的答复")
        content.forget()

        assert answer(conversation=conversation).text == "新的答复"
        assert len(engine.asked) == 1

    def test_a_decision_is_none_of_it(self, engine: ScriptedEngine):
        answer()
        Intent.objects.filter(code="logistics").update(hands_over=True)
        content.forget()

        outcome = dialogue.answer_blocking(MessageFactory().pk)

        assert outcome.cached
        assert outcome.answer is not None
        assert outcome.answer.decision == "HAND_OVER"

    def test_everybody_reads_of_his_own_order(self, engine: ScriptedEngine, now: datetime):
        Reply.objects.filter(intent__code="logistics").update(text="订单 {order_number} 在路上")
        content.forget()
        said = {}
        for uid in ("C1001", "C1002"):
            customer = Customer.objects.create(
                uid=uid, name="王", language="zh", country="CN", joined_on=now.date()
            )
            Order.objects.create(
                customer=customer, number=f"ORD{uid}", status="SHIPPED", placed_at=now, total=1
            )
            said[uid] = answer(conversation=ConversationFactory(uid=uid)).text

        assert said == {"C1001": "订单 ORDC1001 在路上", "C1002": "订单 ORDC1002 在路上"}
        assert len(engine.asked) == 1

    async def test_sockets_and_rest_share_it(self, engine: ScriptedEngine):
        first, second = [await asyncio.to_thread(MessageFactory) for _ in range(2)]

        outcomes = [
            await dialogue.answer(first.pk),
            await asyncio.to_thread(dialogue.answer_blocking, second.pk),
        ]

        assert [outcome.cached for outcome in outcomes] == [False, True]

    def test_what_the_engine_said_in_distress_is_not_kept(self, engine: ScriptedEngine):
        engine.source = "keywords"

        answer()
        answer()

        assert len(engine.asked) == 2


class TestOnce:
    def test_never_while_an_agent_has_the_conversation(self, engine: ScriptedEngine):
        conversation = ConversationFactory(status="AGENT", agent=StaffFactory())
        message = MessageFactory(conversation=conversation)

        assert dialogue.answer_blocking(message.pk).answer is None

        conversation.refresh_from_db()
        assert (conversation.last_seq, conversation.messages.count()) == (1, 1)

    def test_again_returns_the_same_answer(self, engine: ScriptedEngine):
        message = MessageFactory()

        first, second = (dialogue.answer_blocking(message.pk).answer for _ in range(2))

        assert first == second
        assert Message.objects.count() == 2
        assert logged().count() == 1

    def test_web_process_and_sweep_at_once(self, both_databases: str, engine: ScriptedEngine):
        write_content_once()
        message = MessageFactory()

        web, sweep = interleave(
            lambda: dialogue.answer_blocking(message.pk),
            lambda: dialogue.answer_blocking(message.pk),
            at='UPDATE "chat_message"',
        )

        assert web.result.answer == sweep.result.answer
        assert Message.objects.filter(sender="BOT").count() == 1
        assert logged().count() == 1
        assert Conversation.objects.get().last_seq == 2

    def test_both_thinking_at_once(self, both_databases: str, engine: ScriptedEngine):
        write_content_once()
        message = MessageFactory()
        engine.go.clear()
        both = [Running(lambda: dialogue.answer_blocking(message.pk)) for _ in range(2)]
        deadline = time.monotonic() + 20
        while len(engine.asked) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        engine.go.set()

        answers = [running.outcome().result.answer for running in both]

        assert answers[0] == answers[1]
        assert Message.objects.filter(sender="BOT").count() == 1


class TestTheSweep:
    @pytest.fixture
    def late(self) -> datetime:
        return timezone.now() - timedelta(seconds=60)

    def test_answers_what_a_killed_process_left(self, engine: ScriptedEngine, late: datetime):
        left, fresh = MessageFactory(sent_at=late), MessageFactory(sent_at=timezone.now())

        tasks.answer_overdue(a_field_of_a_newer_release=1)
        tasks.answer_overdue()

        assert Message.objects.get(sender="BOT").answers == left
        assert Message.objects.get(awaits_answer=True) == fresh

    def test_one_that_fails_does_not_hold_up_the_others(
        self, engine: ScriptedEngine, late: datetime
    ):
        MessageFactory(sent_at=late, text="坏的")
        good = MessageFactory(sent_at=late)
        engine.says["坏的"] = None  # type: ignore[assignment]

        tasks.answer_overdue()

        assert Message.objects.get(sender="BOT").answers == good

    def test_leaves_alone_what_an_agent_has(self, engine: ScriptedEngine, late: datetime):
        agent = StaffFactory()
        message = MessageFactory(sent_at=late)
        services.take_over(conversation_id=message.conversation_id, agent_id=agent.pk, now=late)

        tasks.answer_overdue()

        assert not Message.objects.filter(sender="BOT").exists()


def write_content_once() -> None:
    if not Intent.objects.exists():
        write_content()


class TestBursts:
    """Messages that follow each other at once are one question."""

    def burst(self, *texts: str) -> list[Message]:
        conversation = ConversationFactory(uid="C1")
        return [MessageFactory(conversation=conversation, text=text) for text in texts]

    def test_one_answer_is_for_all_of_them(self, engine: ScriptedEngine):
        first, second, third = self.burst("你好", "我的快递", "到哪了")

        dialogue.answer_blocking(third.pk)
        dialogue.answer_blocking(first.pk)
        dialogue.answer_blocking(second.pk)

        assert [one.answers_id for one in Message.objects.filter(sender="BOT")] == [third.pk]
        assert not Message.objects.filter(awaits_answer=True).exists()
        assert engine.asked == ["我的快递 到哪了"]  # a greeting asks nothing

    def test_an_order_number_after_it_is_not_taken_for_a_message_of_its_own(
        self, engine: ScriptedEngine
    ):
        _question, number = self.burst("我的快递到哪了", "SF1234567890123")
        Message.objects.filter(pk=number.pk).update(language="")

        dialogue.answer_blocking(number.pk)

        assert "我的快递到哪了" in engine.asked[0]
        assert Message.objects.get(sender="BOT").decision == "ANSWER"

    def test_the_sweep_answers_what_a_killed_process_held_once(
        self, engine: ScriptedEngine, settings: Any
    ):
        settings.CHAT_BURST_S = 2.0
        messages = self.burst("你好", "我的快递")
        Message.objects.update(sent_at=timezone.now() - timedelta(seconds=9))
        tasks.answer_overdue()
        assert not Message.objects.filter(sender="BOT").exists(), "it may still be held"

        Message.objects.update(sent_at=timezone.now() - timedelta(seconds=11))
        tasks.answer_overdue()
        tasks.answer_overdue()

        assert Message.objects.get(sender="BOT").answers_id == messages[-1].pk
        assert not Message.objects.filter(awaits_answer=True).exists()

    def test_the_sweep_waits_for_nothing_after_a_complete_question(
        self, engine: ScriptedEngine, settings: Any
    ):
        settings.CHAT_BURST_S = 2.0
        messages = self.burst("你好", "我的快递到哪了")
        Message.objects.update(sent_at=timezone.now() - timedelta(seconds=5))

        tasks.answer_overdue()

        assert Message.objects.get(sender="BOT").answers_id == messages[-1].pk

    def test_two_processes_that_answer_it_at_once_answer_it_once(
        self, both_databases: str, engine: ScriptedEngine
    ):
        write_content_once()
        _first, last = self.burst("我的快递", "到哪了")

        interleave(
            lambda: dialogue.answer_blocking(last.pk),
            lambda: dialogue.answer_blocking(last.pk),
            at='INSERT INTO "chat_message"',
        )

        assert Message.objects.filter(sender="BOT").count() == 1

    @pytest.mark.parametrize("misses", [1, 3])
    def test_so_many_misses_call_a_human(self, engine: ScriptedEngine, settings: Any, misses: int):
        settings.HANDOVER_AFTER_MISSES = misses
        engine.otherwise = (("logistics", 0.02), ("invoice", 0.01))
        conversation = ConversationFactory(uid="C1")
        for number in range(misses):
            conversation.refresh_from_db()
            assert conversation.status == "BOT", f"after {number}"
            message = MessageFactory(conversation=conversation, text=f"不知所云{number}")
            dialogue.answer_blocking(message.pk)

        conversation.refresh_from_db()
        assert conversation.status == "WAITING"
        assert conversation.handovers.get().because == "OUT_OF_SCOPE"

    def test_a_matter_for_people_says_which(self, engine: ScriptedEngine):
        engine.otherwise = (("human_agent", 0.95),)
        message = MessageFactory()

        dialogue.answer_blocking(message.pk)

        handover = message.conversation.handovers.get()
        assert (handover.because, handover.intent) == ("INTENT", "human_agent")

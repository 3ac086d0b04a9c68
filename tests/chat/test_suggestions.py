"""The suggested reply: made as the bot would, never sent by itself, judged by what is sent."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from chat import services, suggesting
from chat.models import Conversation, Message, Suggestion
from chat.services.suggestions import _unfilled, similarity_of
from csplatform import tokens
from intents import content, records
from intents import services as intent_services
from intents.models import Intent, PredictionRecord, Reply, ReviewCandidate
from knowledge import demo
from knowledge.models import Customer, Order
from tests.chat.conftest import ScriptedEngine, write_content
from tests.databases import interleave
from tests.factories import ConversationFactory, MessageFactory, StaffFactory

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 3, 20, 4, tzinfo=UTC)
UNSURE = (("logistics", 0.3), ("invoice", 0.2), ("coupon", 0.15), ("human_agent", 0.1))


@pytest.fixture
def agent() -> User:
    return StaffFactory()


@pytest.fixture
def conversation(talk: None, agent: User) -> Conversation:
    return ConversationFactory(status="AGENT", agent=agent)


def said(conversation: Conversation, text: str = "我的快递到哪了", **fields: Any) -> Message:
    return MessageFactory(conversation=conversation, text=text, awaits_answer=False, **fields)


def suggested(conversation: Conversation, after: int = 0) -> Suggestion | None:
    return suggesting.suggest(conversation.pk, after=after, now=NOW)


def sends(conversation: Conversation, agent: User, text: str) -> Suggestion:
    """Have the agent send something; return what became of the newest suggestion."""
    services.post_agent_message(
        conversation_id=conversation.pk, agent_id=agent.pk, text=text, now=NOW
    )
    return Suggestion.objects.latest("pk")


class TestWhatIsSuggested:
    def test_is_what_the_bot_would_say(self, conversation: Conversation, engine: ScriptedEngine):
        message = said(conversation)

        found = suggested(conversation)

        assert (found.state, found.intent, found.probability) == ("SUGGESTED", "logistics", 0.9)
        assert found.text.startswith("logistics 答复")
        assert found.message == message

    def test_nothing_is_posted(self, conversation: Conversation, engine: ScriptedEngine):
        said(conversation)
        before = list(Message.objects.values())

        suggested(conversation)
        suggesting.pick(
            conversation.pk, seq=1, intent="invoice", agent_id=conversation.agent_id, now=NOW
        )

        assert list(Message.objects.values()) == before

    def test_what_was_said_in_a_row_is_read_together(
        self, conversation: Conversation, engine: ScriptedEngine
    ):
        said(conversation, "我的快递")
        said(conversation, "到哪了")

        assert suggested(conversation).said == "我的快递\n到哪了"
        assert engine.asked == ["我的快递 到哪了"]

    def test_the_model_is_asked_once(self, conversation: Conversation, engine: ScriptedEngine):
        said(conversation)

        first, second = suggested(conversation), suggested(conversation)

        assert first.text == second.text
        assert len(engine.asked) == 1

    def test_changed_replies_are_seen(self, conversation: Conversation, engine: ScriptedEngine):
        said(conversation)
        suggested(conversation)
        Reply.objects.filter(intent__code="logistics").delete()
        intent_services.save_reply(
            Reply(intent=Intent.objects.get(code="logistics"), language="zh", text="新的答复")
        )
        content.forget()

        assert suggested(conversation).text == "新的答复"

    def test_who_is_not_sure_suggests_nothing_and_names_three(
        self, conversation: Conversation, engine: ScriptedEngine
    ):
        engine.otherwise = UNSURE
        said(conversation)

        found = suggested(conversation)

        assert (found.state, found.text) == ("UNSURE", "")
        assert [code for code, _ in found.ranked] == ["logistics", "invoice", "coupon"]

    def test_a_matter_for_people_is_called_one(
        self, conversation: Conversation, engine: ScriptedEngine
    ):
        engine.otherwise = (("human_agent", 0.97),)
        said(conversation, "找人工")

        assert suggested(conversation).state == "PEOPLE"

    def test_the_call_for_a_human_is_not_the_matter(
        self, conversation: Conversation, engine: ScriptedEngine
    ):
        said(conversation)
        called = said(conversation, "转人工")
        said(conversation, "好的", sender="BOT", answers=called, intent="human_agent")

        assert suggested(conversation).said == "我的快递到哪了"

    def test_no_reply_in_his_language_suggests_none(
        self, conversation: Conversation, engine: ScriptedEngine
    ):
        engine.otherwise = (("invoice", 0.97),)
        said(conversation, "I need an invoice", language="en")

        assert suggested(conversation).state == "NO_REPLY"

    @pytest.mark.parametrize("status", ["BOT", "CLOSED"])
    def test_nothing_where_no_agent_answers(self, talk: None, engine: ScriptedEngine, status: str):
        said(of := ConversationFactory(status=status))

        assert suggested(of) is None

    def test_nothing_while_the_bot_is_about_to_answer(self, talk: None, engine: ScriptedEngine):
        MessageFactory(conversation=(of := ConversationFactory(status="WAITING")))

        assert suggested(of) is None

    @pytest.mark.parametrize(
        "answer", [{"sender": "AGENT"}, {"sender": "BOT", "decision": "ANSWER"}]
    )
    def test_nothing_where_somebody_has_answered(
        self, conversation: Conversation, engine: ScriptedEngine, answer: dict[str, str]
    ):
        said(conversation)
        said(conversation, "在路上", **answer)

        assert suggested(conversation) is None

    def test_nothing_that_is_known_already(
        self, conversation: Conversation, engine: ScriptedEngine
    ):
        message = said(conversation)

        assert suggested(conversation, after=message.seq) is None

    def test_personal_data_does_not_reach_the_model(
        self, conversation: Conversation, engine: ScriptedEngine
    ):
        said(conversation, "13812345678的快递到哪了")
        suggested(conversation)

        assert "13812345678" not in engine.asked[0]


class TestWithTheStarterContent:
    """What a new installation says, to a customer of the demo shop."""

    @pytest.fixture
    def customer(self, db: None) -> Customer:
        intent_services.load_starter()
        content.forget()
        demo.load(now=NOW)
        return Customer.objects.get(uid="C1001")

    def test_the_facts_of_his_order_are_in_it(
        self, customer: Customer, agent: User, engine: ScriptedEngine
    ):
        order = Order.objects.filter(customer=customer).latest("placed_at")
        of = ConversationFactory(uid="C1001", customer=customer, status="AGENT", agent=agent)
        said(of, "我的包裹到哪了")

        found = suggested(of)

        assert found.state == "SUGGESTED"
        assert order.number in found.text
        assert found.facts["order_number"] == order.number
        assert "{" not in found.text
        assert "{order_number}" in found.template

    def test_the_order_that_he_named_before_is_meant(
        self, customer: Customer, agent: User, engine: ScriptedEngine
    ):
        newest = Order.objects.filter(customer=customer).latest("placed_at")
        older = Order.objects.create(
            number="CS70000001",
            customer=customer,
            status="SHIPPED",
            placed_at=newest.placed_at - timedelta(days=9),
            total=299,
            carrier="DHL",
            tracking_number="JD1",
        )
        of = ConversationFactory(uid="C1001", customer=customer, status="AGENT", agent=agent)
        said(of, f"我问的是{older.number}")
        said(of, "好的，我看看", sender="AGENT", author=agent)
        said(of, "到哪了")

        assert suggested(of).facts["order_number"] == older.number


class TestWhatTheAgentSends:
    @pytest.fixture
    def text(self, conversation: Conversation, engine: ScriptedEngine) -> str:
        said(conversation, "我的快递到哪了，电话13812345678")
        found = suggested(conversation)
        Suggestion.objects.update(
            text="王芳您好，订单CS80012037在路上，请您放心",
            template="{customer_name}您好，订单{order_number}在路上，请您放心",
            facts={"customer_name": "王芳", "order_number": "CS80012037"},
        )
        assert found.state == "SUGGESTED"
        return Suggestion.objects.get().text

    def test_as_it_is_confirms_the_intent(self, conversation: Conversation, agent: User, text: str):
        used = sends(conversation, agent, f" {text}\n")

        candidate = ReviewCandidate.objects.get()
        assert (used.use, used.similarity, used.used_by) == ("VERBATIM", 1.0, agent)
        assert (candidate.verdict, candidate.meant) == ("CONFIRMED", "logistics")
        assert (candidate.predicted, candidate.probability) == ("logistics", 0.9)
        assert (candidate.decided_by, candidate.status) == (agent, "NEW")
        assert candidate.text == "我的快递到哪了,电话<phone>"

    def test_edited_keeps_the_words_beside_it_without_the_customers_facts(
        self, conversation: Conversation, agent: User, text: str
    ):
        used = sends(conversation, agent, f"{text}，后天到。")

        candidate = ReviewCandidate.objects.get()
        assert used.use == "EDITED"
        assert 0.6 < used.similarity < 1
        assert candidate.verdict == "EDITED"
        assert candidate.edited_reply == (
            "{customer_name}您好，订单{order_number}在路上，请您放心，后天到。"
        )
        assert "CS80012037" not in candidate.reply

    def test_something_else_is_no_label(self, conversation: Conversation, agent: User, text: str):
        used = sends(conversation, agent, "稍等")

        assert used.use == "UNUSED"
        assert not ReviewCandidate.objects.exists()

    def test_first_a_greeting_and_then_the_suggestion_is_using_it(
        self, conversation: Conversation, agent: User, text: str
    ):
        sends(conversation, agent, "稍等")

        assert sends(conversation, agent, text).use == "VERBATIM"

    def test_what_was_used_is_not_judged_again(
        self, conversation: Conversation, agent: User, text: str
    ):
        sends(conversation, agent, text)

        assert sends(conversation, agent, "还有什么可以帮您").use == "VERBATIM"
        assert ReviewCandidate.objects.count() == 1


class TestTheAgentsWord:
    @pytest.fixture(autouse=True)
    def _suggested(self, conversation: Conversation, engine: ScriptedEngine) -> None:
        said(conversation)
        suggested(conversation)

    def pick(self, conversation: Conversation, agent: User, intent: str) -> Suggestion:
        return suggesting.pick(conversation.pk, seq=1, intent=intent, agent_id=agent.pk, now=NOW)

    def test_another_intent_corrects_the_log_and_gives_its_reply(
        self, conversation: Conversation, agent: User
    ):
        message = Message.objects.get()
        PredictionRecord.objects.create(
            message=message.pk, text="x", decision="ANSWER", source="model", elapsed_ms=1
        )

        picked = self.pick(conversation, agent, "invoice")

        records.flush()
        record, candidate = PredictionRecord.objects.get(), ReviewCandidate.objects.get()
        assert picked.text.startswith("invoice 答复")
        assert (record.outcome, record.meant) == ("CORRECTED", "invoice")
        assert (candidate.verdict, candidate.predicted) == ("CORRECTED", "logistics")
        assert candidate.meant == "invoice"

    def test_the_last_word_counts_and_there_is_one_candidate(
        self, conversation: Conversation, agent: User
    ):
        self.pick(conversation, agent, "invoice")
        text = self.pick(conversation, agent, "coupon").text
        sends(conversation, agent, text)

        candidate = ReviewCandidate.objects.get()
        assert (candidate.verdict, candidate.meant) == ("CORRECTED", "coupon")
        assert candidate.similarity == 1.0

    def test_what_was_picked_stays(self, conversation: Conversation, agent: User):
        self.pick(conversation, agent, "invoice")

        assert suggested(conversation).intent == "invoice"

    def test_the_likeliest_intent_is_no_correction(self, conversation: Conversation, agent: User):
        self.pick(conversation, agent, "logistics")

        records.flush()
        assert ReviewCandidate.objects.get().verdict == "CONFIRMED"
        assert not PredictionRecord.objects.filter(outcome="CORRECTED").exists()

    def test_dismissed_is_gone_and_kept_for_reviewers(
        self, conversation: Conversation, agent: User
    ):
        message = Message.objects.get()
        for _twice in range(2):
            services.dismiss_suggestion(message_id=message.pk, agent_id=agent.pk, now=NOW)

        candidate = ReviewCandidate.objects.get()
        assert suggested(conversation) is None
        assert (candidate.verdict, candidate.meant) == ("DISMISSED", "")

    def test_is_his_who_has_the_conversation(self, conversation: Conversation):
        stranger = StaffFactory()
        with pytest.raises(services.NotYours):
            self.pick(conversation, stranger, "invoice")
        with pytest.raises(services.NotYours):
            services.dismiss_suggestion(
                message_id=Message.objects.get().pk, agent_id=stranger.pk, now=NOW
            )

        assert Suggestion.objects.get().intent == "logistics"
        assert not ReviewCandidate.objects.exists()

    def test_an_intent_that_is_not_there_is_refused(self, conversation: Conversation, agent: User):
        with pytest.raises(services.NoSuchSuggestion):
            self.pick(conversation, agent, "nonsense")


class TestOverRest:
    def ask(self, who: User, conversation: Conversation, **body: Any) -> Any:
        token = tokens.issue(subject=str(who.pk), kind=tokens.STAFF)["token"]
        headers = {"Authorization": f"Bearer {token}"}
        path = reverse("api-workspace-suggestion", args=[conversation.pk])
        if not body:
            return Client().get(path, headers=headers)
        return Client().post(path, body, content_type="application/json", headers=headers)

    def test_it_comes_with_its_evidence(
        self, conversation: Conversation, agent: User, engine: ScriptedEngine
    ):
        said(conversation)

        body = self.ask(agent, conversation).json()

        assert (body["state"], body["message"], body["intent"]) == ("SUGGESTED", 1, "logistics")
        assert body["choices"][0] == {"intent": "logistics", "probability": 0.9}
        assert body["reply"]["id"] in Reply.objects.values_list("pk", flat=True)
        assert body["reply"]["url"] == ""  # agents do not come into the admin

    def test_a_supervisor_is_led_to_the_reply(
        self, conversation: Conversation, engine: ScriptedEngine
    ):
        said(conversation)

        body = self.ask(StaffFactory(role="supervisor"), conversation).json()

        assert body["reply"]["url"].startswith("/admin/intents/reply/")

    def test_picking_and_dismissing(
        self, conversation: Conversation, agent: User, engine: ScriptedEngine
    ):
        said(conversation)
        self.ask(agent, conversation)

        picked = self.ask(agent, conversation, message=1, intent="coupon").json()
        dismissed = self.ask(agent, conversation, message=1, dismissed=True).json()
        stranger = self.ask(StaffFactory(), conversation, message=1, dismissed=True)

        assert (picked["intent"], picked["is_chosen"]) == ("coupon", True)
        assert dismissed == {"state": "NONE", "message": None}
        assert (stranger.status_code, stranger.json()["code"]) == (403, "not_yours")

    @pytest.mark.parametrize(
        "body", [{"message": 1}, {"message": 1, "intent": "x", "dismissed": True}]
    )
    def test_half_a_word_is_refused(
        self, conversation: Conversation, agent: User, engine: ScriptedEngine, body: dict[str, Any]
    ):
        assert self.ask(agent, conversation, **body).status_code == 400


class TestTheInbox:
    def test_reviewers_find_it_by_what_was_said_of_it(
        self, client: Client, conversation: Conversation, agent: User, engine: ScriptedEngine
    ):
        said(conversation)
        sends(conversation, agent, suggested(conversation).text)
        client.force_login(
            StaffFactory(role="reviewer"), backend="django.contrib.auth.backends.ModelBackend"
        )
        page = reverse("admin:intents_reviewcandidate_changelist")

        found = client.get(page, {"verdict__exact": "CONFIRMED", "predicted": "logistics"})
        others = client.get(page, {"meant": "invoice"})

        assert found.context["cl"].result_count == 1
        assert others.context["cl"].result_count == 0
        row = ReviewCandidate.objects.get()
        change = reverse("admin:intents_reviewcandidate_change", args=[row.pk])
        assert client.get(change).status_code == 200
        assert client.post(change, {"meant": "invoice"}).status_code == 403


def test_similarity():
    assert similarity_of("一样", "一样") == 1.0
    assert similarity_of("完全", "不同") == 0.0
    assert similarity_of("a" * 9000, "a" * 9000) == 1.0


class TestAtOnce:
    """Whatever two agents, two tabs or two processes do at the same moment."""

    def test_two_who_look_see_one_suggestion(self, both_databases: str, engine: ScriptedEngine):
        write_content()
        of = ConversationFactory(status="WAITING")
        said(of)

        first, second = interleave(
            lambda: suggested(of), lambda: suggested(of), at='INSERT INTO "chat_suggestion"'
        )

        assert first.result.pk == second.result.pk
        assert Suggestion.objects.count() == 1

    def test_two_words_make_one_candidate(self, both_databases: str, engine: ScriptedEngine):
        write_content()
        agent = StaffFactory()
        of = ConversationFactory(status="AGENT", agent=agent)
        said(of)
        suggested(of)

        def pick(intent: str) -> Suggestion:
            return suggesting.pick(of.pk, seq=1, intent=intent, agent_id=agent.pk, now=NOW)

        interleave(
            lambda: pick("invoice"), lambda: pick("coupon"), at='INSERT INTO "intents_reviewc'
        )

        assert ReviewCandidate.objects.get().meant == Suggestion.objects.get().intent


@given(st.text(max_size=80), st.text(max_size=80))
def test_similarity_is_a_share_and_equal_texts_are_alike(one: str, other: str):
    assert 0.0 <= similarity_of(one, other) <= 1.0
    assert similarity_of(one, one) == 1.0


@given(st.dictionaries(st.sampled_from(["order_number", "customer_name"]), st.text(min_size=3)))
def test_what_is_unfilled_holds_no_fact(facts: dict[str, str]):
    sent = " ".join(f"<{value}>" for value in facts.values())
    unfilled = _unfilled(sent, facts)

    assert not any(f"<{value}>" in unfilled for value in facts.values())

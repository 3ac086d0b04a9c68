"""REST for customers and programs: the shapes and refusals that are fixed from outside."""

import uuid
from typing import Any

import pytest
from django.test import Client

from chat import services
from chat.models import Conversation, Message
from csplatform import tokens
from intents.models import Intent, Reply
from tests.chat.conftest import ScriptedEngine
from tests.factories import ConversationFactory, MessageFactory, StaffFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("talk")]


class Api:
    """A program that speaks for one customer."""

    def __init__(self, uid: str = "C1", kind: str = tokens.CUSTOMER) -> None:
        self.token = tokens.issue(subject=uid, kind=kind)["token"]

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept-Language": "en"}

    def post(self, path: str, **body: Any) -> Any:
        return Client().post(path, body, content_type="application/json", headers=self.headers())

    def get(self, path: str, **query: Any) -> Any:
        return Client().get(path, query, headers=self.headers())

    def chat(self, text: str = "我的快递到哪了", **fields: Any) -> Any:
        return self.post("/api/chat", text=text, **fields)


class TestChat:
    def test_answers_in_the_fixed_shape(self, engine: ScriptedEngine):
        answered = Api().chat()

        body = answered.json()
        conversation = Conversation.objects.get()
        assert answered.status_code == 200
        assert list(body) == [
            "intent",
            "prob",
            "reply",
            "decision",
            "conversation",
            "message",
            "cached",
            "model",
            "elapsed_ms",
        ]
        assert (body["intent"], body["prob"], body["decision"]) == ("logistics", 0.9, "ANSWER")
        assert body["reply"].startswith("logistics 答复")
        assert (body["conversation"], body["message"]) == (str(conversation.pk), 1)
        assert (body["cached"], body["model"]) == (False, "v1")
        assert body["elapsed_ms"] > 0
        assert conversation.channel == "api"

    @pytest.mark.django_db(transaction=True)
    def test_the_same_again_comes_from_the_cache(self, engine: ScriptedEngine):
        Api("C1").chat()

        assert Api("C2").chat("我的快递到哪了?").json()["cached"] is True
        assert len(engine.asked) == 1

    def test_a_repeated_client_id_returns_the_stored_answer(self, engine: ScriptedEngine):
        key = str(uuid.uuid4())

        first = Api().chat(client_id=key).json()
        again = Api().chat("另一个", client_id=key).json()

        assert {**again, "elapsed_ms": 0} == {**first, "elapsed_ms": 0}
        assert Message.objects.count() == 2

    def test_with_an_agent_it_is_stored_and_the_bot_is_silent(self, engine: ScriptedEngine):
        ConversationFactory(uid="C1", status="AGENT", agent=StaffFactory())

        answered = Api().chat()

        body = answered.json()
        assert (answered.status_code, body["decision"]) == (202, "HAND_OVER")
        assert (body["intent"], body["prob"], body["reply"]) == (None, None, None)
        assert Message.objects.get().text == "我的快递到哪了"
        assert engine.asked == []

    def test_an_attack_is_blocked_before_anything_else(self, engine: ScriptedEngine):
        refused = Api().chat("1' UNION SELECT password FROM users --")

        assert (refused.status_code, refused.json()["code"]) == (400, "blocked")
        assert engine.asked == []
        assert not Conversation.objects.exists()

    @pytest.mark.parametrize("length", [10_001, 200_000])
    def test_too_long(self, engine: ScriptedEngine, length: int):
        refused = Api().chat("字" * length)

        assert (refused.status_code, refused.json()["code"]) == (413, "too_long")
        assert not Conversation.objects.exists()

    @pytest.mark.parametrize(
        "body", [{}, {"text": None}, {"text": "好", "client_id": "x"}, {"text": "a\0b"}]
    )
    def test_malformed(self, body: dict[str, Any]):
        refused = Api().post("/api/chat", **body)

        assert (refused.status_code, refused.json()["code"]) == (400, "invalid")
        assert refused.json()["fields"]
        assert not Conversation.objects.exists()

    def test_no_or_a_bad_token(self):
        for headers in ({}, {"Authorization": "Bearer broken"}, {"Authorization": "Bearer"}):
            refused = Client().post(
                "/api/chat", {"text": "好"}, content_type="application/json", headers=headers
            )
            assert refused.status_code == 401
            assert refused.headers["WWW-Authenticate"] == "Bearer"

    def test_staff_is_no_customer(self):
        agent = StaffFactory()

        assert Api(str(agent.pk), tokens.STAFF).chat().status_code == 403

    def test_somebody_elses_conversation(self):
        theirs = ConversationFactory(uid="C2")

        refused = Api().chat(conversation=str(theirs.pk))

        assert (refused.status_code, refused.json()["code"]) == (404, "no_such_conversation")
        assert not Message.objects.exists()

    def test_too_fast(self, engine: ScriptedEngine, settings: Any):
        settings.RATES = {"chat": (1, 3600)}
        Api().chat()

        refused = Api().chat()

        assert (refused.status_code, refused.json()["code"]) == (429, "too_fast")
        assert 1 <= int(refused.headers["Retry-After"]) <= 3600
        assert Api("C2").chat().status_code == 200

    def test_a_reply_for_programs_is_chosen_for_programs(self, engine: ScriptedEngine):
        intent = Intent.objects.get(code="logistics")
        Reply.objects.create(intent=intent, language="zh", channel="api", text="给程序")
        Reply.objects.create(intent=intent, language="zh", channel="web", text="给网页")

        assert Api("C1").chat().json()["reply"] == "给程序"
        assert Api("C2").chat(channel="web").json()["reply"] == "给网页"


class TestWithoutASocket:
    def test_a_customer_sees_and_does_the_same(self, engine: ScriptedEngine):
        api = Api()
        before = api.get("/api/conversation", language="en").json()
        api.chat()
        welcome = api.get("/api/conversation").json()
        frame = api.get(
            "/api/conversation/messages", conversation=welcome["conversation"], after=1
        ).json()
        status = api.post("/api/conversation/human").json()

        assert (before["conversation"], before["greeting"]) == (None, "[greeting en]")
        assert (welcome["status"], welcome["last_seq"]) == ("BOT", 2)
        assert (frame["type"], frame["last_seq"]) == ("messages", 2)
        assert [(line["seq"], line["sender"]) for line in frame["messages"]] == [(2, "BOT")]
        assert (frame["messages"][0]["intent"], frame["messages"][0]["answers"]) == ("", 1)
        assert (status["type"], status["status"]) == ("status", "WAITING")

    def test_other_peoples_conversations_do_not_exist(self):
        theirs = str(MessageFactory(conversation__uid="C2").conversation_id)

        read = Api().get("/api/conversation/messages", conversation=theirs)
        called = Api().post("/api/conversation/human", conversation=theirs)

        assert (read.status_code, called.status_code) == (404, 404)
        assert Conversation.objects.get().status == "BOT"


def test_refusals_are_in_the_readers_language(engine: ScriptedEngine):
    assert Api().chat(" ").json()["detail"] == str(services.EmptyMessage.detail._args[0])

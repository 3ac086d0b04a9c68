"""Sockets against the real layer: what a client lacks comes, in order, once, and nothing else."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.utils import timezone
from rest_framework_simplejwt.tokens import AccessToken

from chat import services
from chat.models import Conversation, Message
from chat.routing import websocket_urlpatterns
from csplatform import tokens
from tests.chat import asyncapi
from tests.chat.conftest import ScriptedEngine
from tests.factories import ConversationFactory, MessageFactory, StaffFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("transactional_db", "talk", "engine"),
]

Frame = dict[str, Any]
# For what comes at once, on however busy a machine.
PATIENCE_S = 20
rows = sync_to_async(lambda call: call(), thread_sensitive=False)


class Client:
    """A browser's side of a socket."""

    def __init__(self, path: str) -> None:
        self.address = path
        self.socket = WebsocketCommunicator(URLRouter(websocket_urlpatterns), path)

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send_json_to({"type": kind, **fields})

    async def next(self, kind: str) -> Frame:
        """Return the next frame of this kind; others before it are read over."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                frame = await self.socket.receive_json_from(PATIENCE_S)
                asyncapi.check_sent(self.address, frame)
                if frame["type"] == kind:
                    return frame

    async def lines(self, upto: int) -> list[Frame]:
        """Return the messages that come until a seq has."""
        found: list[Frame] = []
        while not found or found[-1]["seq"] < upto:
            found += (await self.next("messages"))["messages"]
        return found

    async def closed_with(self) -> int:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                output = await self.socket.receive_output(PATIENCE_S)
                if output["type"] == "websocket.close":
                    return int(output["code"])

    async def is_quiet(self) -> bool:
        return await self.socket.receive_nothing(0.3)


Connect = Callable[..., Coroutine[Any, Any, Client]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    clients: list[Client] = []

    async def open_socket(path: str = "/ws/chat/") -> Client:
        client = Client(path)
        clients.append(client)
        assert (await client.socket.connect(PATIENCE_S))[0]
        return client

    yield open_socket
    for client in clients:
        await client.socket.disconnect(timeout=PATIENCE_S)


def token(uid: str = "C1") -> str:
    return str(tokens.issue(subject=uid, kind=tokens.CUSTOMER)["token"])


async def staff_token(**fields: Any) -> tuple[Any, str]:
    agent = await rows(lambda: StaffFactory(**fields))
    return agent, str(tokens.issue(subject=str(agent.pk), kind=tokens.STAFF)["token"])


async def customer(connect: Connect, uid: str = "C1", **hello: Any) -> tuple[Client, Frame]:
    client = await connect()
    await client.send("hello", token=token(uid), **hello)
    return client, await client.next("welcome")


class TestSigningIn:
    async def test_greets_whoever_has_no_conversation(self, connect: Connect):
        _client, welcome = await customer(connect, language="en")

        assert welcome == {
            "type": "welcome",
            "conversation": None,
            "status": "BOT",
            "agent": "",
            "last_seq": 0,
            "greeting": "[greeting en]",
            "suggestions": [],
        }

    @pytest.mark.parametrize(
        "first", [{"type": "message"}, {"type": "hello", "token": "broken"}, {"type": "ping"}]
    )
    async def test_anything_but_a_good_hello_closes(self, connect: Connect, first: Frame):
        client = await connect()

        await client.socket.send_json_to(first)

        assert await client.closed_with() == 4401

    async def test_silence_closes(self, connect: Connect, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("chat.consumers.base.HELLO_WITHIN_S", 0.1)
        client = await connect()

        assert await client.closed_with() == 4401

    async def test_staff_is_not_a_customer_nor_the_other_way_round(self, connect: Connect):
        _agent, staffs = await staff_token()
        _editor, editors = await staff_token(role="business editor")
        cases = [("/ws/chat/", staffs), ("/ws/workspace/", token()), ("/ws/workspace/", editors)]
        for path, bearer in cases:
            client = await connect(path)
            await client.send("hello", token=bearer)
            assert await client.closed_with() == 4403

    async def test_a_token_that_expires_closes_and_a_new_one_keeps_it_open(self, connect: Connect):
        short = AccessToken()
        short["sub"], short["kind"] = "C1", tokens.CUSTOMER
        short.set_exp(lifetime=timedelta(seconds=2))
        renewed, forgetful = await connect(), await connect()
        for client in (renewed, forgetful):
            await client.send("hello", token=str(short))
            await client.next("welcome")
        await renewed.send("hello", token=token())
        await renewed.next("welcome")

        assert await forgetful.closed_with() == 4401
        await renewed.send("ping")
        assert await renewed.next("pong")


class TestACustomersMessage:
    async def test_is_stored_acknowledged_and_answered(self, connect: Connect):
        client, _welcome = await customer(connect)
        key = str(uuid.uuid4())

        await client.send("message", client_id=key, text=" 我的快递到哪了 ")

        accepted = await client.next("accepted")
        stored = await rows(lambda: Message.objects.get(seq=1))
        assert accepted == {
            "type": "accepted",
            "client_id": key,
            "conversation": str(stored.conversation_id),
            "seq": 1,
            "text": "我的快递到哪了",
            "sent_at": stored.sent_at.isoformat(),
        }
        assert (await client.next("typing"))["sender"] == "BOT"
        answer = (await client.lines(upto=2))[-1]
        assert (answer["sender"], answer["answers"]) == ("BOT", 1)
        assert (answer["intent"], answer["decision"], answer["probability"]) == ("", "", None)

    async def test_a_repeat_is_acknowledged_again_and_answered_once(self, connect: Connect):
        client, _welcome = await customer(connect)
        key = str(uuid.uuid4())

        await client.send("message", client_id=key, text="快递")
        first = await client.next("accepted")
        await client.lines(upto=2)
        await client.send("message", client_id=key, text="快递")
        again = await client.next("accepted")

        assert again == first
        assert await client.is_quiet()
        assert await rows(Message.objects.count) == 2

    async def test_comes_to_his_other_window_too(self, connect: Connect):
        conversation = await rows(lambda: ConversationFactory(uid="C1"))
        writing, _ = await customer(connect)
        reading, _ = await customer(connect)
        await reading.next("messages")

        await writing.send("message", client_id=str(uuid.uuid4()), text="快递")

        lines = await reading.lines(upto=2)
        assert [line["seq"] for line in lines] == [1, 2]
        assert {line["conversation"] for line in lines} == {str(conversation.pk)}

    @pytest.mark.parametrize(
        ("text", "code"), [("' OR 1=1 --", "blocked"), (" ", "empty"), ("字" * 10_001, "too_long")]
    )
    async def test_refused_it_changes_nothing(self, connect: Connect, text: str, code: str):
        client, _welcome = await customer(connect)
        key = str(uuid.uuid4())

        await client.send("message", client_id=key, text=text)

        refused = await client.next("refused")
        assert (refused["code"], refused["client_id"]) == (code, key)
        assert not await rows(Conversation.objects.exists)

    async def test_too_many_are_refused(self, connect: Connect, settings: Any):
        settings.RATES = {"chat": (2, 3600)}
        client, _welcome = await customer(connect)

        for _ in range(3):
            await client.send("message", client_id=str(uuid.uuid4()), text="快递")

        assert (await client.next("refused"))["code"] == "too_fast"
        assert await rows(Message.objects.filter(sender="CUSTOMER").count) == 2

    async def test_garbage_is_refused_and_the_socket_lives_on(self, connect: Connect):
        client, _welcome = await customer(connect)
        for garbage in (" ", "{", "[]", '{"type": "take"}', '{"type": "message"}', "[" * 9999):
            await client.socket.send_to(text_data=garbage)
            assert (await client.next("refused"))["code"] == "invalid"
        await client.socket.send_to(bytes_data=b"\x00\xff")
        assert (await client.next("refused"))["code"] == "invalid"

        await client.send("ping")

        assert await client.next("pong")
        assert not await rows(Conversation.objects.exists)

    async def test_outlives_its_socket(self, connect: Connect, engine: ScriptedEngine):
        engine.go.clear()
        client, _welcome = await customer(connect)
        await client.send("message", client_id=str(uuid.uuid4()), text="快递")
        await client.next("accepted")
        await client.socket.disconnect()
        engine.go.set()

        reader, _welcome = await customer(connect)
        assert (await reader.lines(upto=2))[-1]["sender"] == "BOT"


@pytest.fixture
def valkey_is_away(settings: Any) -> None:
    """Cache and channel layer are where nobody listens."""
    nowhere = f"unix://{settings.VAR_DIR}/nowhere.sock"
    settings.CACHE_URL = nowhere
    layer = settings.CHANNEL_LAYERS["default"]
    hosts = [{"address": nowhere, "socket_timeout": None}]
    settings.CHANNEL_LAYERS = {"default": {**layer, "CONFIG": {"hosts": hosts}}}


@pytest.mark.usefixtures("valkey_is_away")
class TestWithValkeyAway:
    async def test_messages_are_stored_and_answered(self, connect: Connect):
        began = time.monotonic()
        client, _welcome = await customer(connect)

        await client.send("message", client_id=str(uuid.uuid4()), text="快递")

        assert (await client.next("accepted"))["seq"] == 1
        assert [line["seq"] for line in await client.lines(upto=2)][-1] == 2
        assert time.monotonic() - began < 8

    async def test_an_agents_reply_comes_with_the_next_heartbeat(
        self, connect: Connect, now: datetime
    ):
        agent = await rows(StaffFactory)
        await rows(lambda: ConversationFactory(uid="C1", status="AGENT", agent=agent))
        client, welcome = await customer(connect)
        await client.next("messages")
        await rows(
            lambda: services.post_agent_message(
                conversation_id=uuid.UUID(welcome["conversation"]),
                agent_id=agent.pk,
                text="您好",
                now=now,
            )
        )

        await client.send("ping")

        assert (await client.lines(upto=1))[0]["text"] == "您好"


class TestCatchingUp:
    async def test_brings_exactly_what_is_missing(self, connect: Connect):
        conversation = await rows(lambda: ConversationFactory(uid="C1"))
        for n in range(5):
            await rows(lambda n=n: MessageFactory(conversation=conversation, text=f"{n}"))

        client, welcome = await customer(connect, conversation=str(conversation.pk), after=3)
        missing = await client.next("messages")
        await client.send("catch_up", after=1)
        again = await client.next("messages")
        await client.send("catch_up", after=5)
        nothing = await client.next("messages")

        assert welcome["last_seq"] == missing["last_seq"] == 5
        assert [line["seq"] for line in missing["messages"]] == [4, 5]
        assert [line["seq"] for line in again["messages"]] == [2, 3, 4, 5]
        assert nothing["messages"] == []
        assert await client.is_quiet()

    async def test_a_heartbeat_brings_what_a_lost_hint_did_not(self, connect: Connect):
        conversation = await rows(lambda: ConversationFactory(uid="C1"))
        client, _welcome = await customer(connect)
        await client.next("messages")
        await rows(lambda: MessageFactory(conversation=conversation))  # without a hint

        await client.send("ping")

        assert [line["seq"] for line in await client.lines(upto=1)] == [1]

    async def test_long_histories_come_in_parts(
        self, connect: Connect, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("chat.sockets.MESSAGES_PER_FRAME", 2)
        conversation = await rows(lambda: ConversationFactory(uid="C1"))
        for _ in range(5):
            await rows(lambda: MessageFactory(conversation=conversation))

        client, _welcome = await customer(connect)

        assert [line["seq"] for line in await client.lines(upto=5)] == [1, 2, 3, 4, 5]

    async def test_other_peoples_conversations_do_not_exist(self, connect: Connect):
        theirs = await rows(lambda: MessageFactory(conversation__uid="C2"))

        client = await connect()
        await client.send("hello", token=token(), conversation=str(theirs.conversation_id))

        assert (await client.next("refused"))["code"] == "no_such_conversation"
        assert (await client.next("welcome"))["conversation"] is None
        await client.send("catch_up", after=0)
        assert await client.is_quiet()

    async def test_an_ended_conversation_is_read_and_the_next_message_opens_another(
        self, connect: Connect
    ):
        ended = await rows(lambda: ConversationFactory(uid="C1", status="CLOSED"))
        await rows(lambda: MessageFactory(conversation=ended, awaits_answer=False))

        client, welcome = await customer(connect, conversation=str(ended.pk), after=0)
        history = await client.lines(upto=1)
        await client.send("message", client_id=str(uuid.uuid4()), text="快递")
        accepted = await client.next("accepted")
        answer = (await client.lines(upto=2))[-1]

        assert (welcome["status"], history[0]["seq"]) == ("CLOSED", 1)
        assert accepted["conversation"] != str(ended.pk)
        assert answer["conversation"] == accepted["conversation"]


class TestWithAHuman:
    async def test_from_asking_to_handing_back(self, connect: Connect, engine: ScriptedEngine):
        agent, bearer = await staff_token(first_name="小林")
        desk = await connect("/ws/workspace/")
        await desk.send("hello", token=bearer)
        welcome = await desk.next("welcome")
        assert (welcome["name"], welcome["inbox"]) == ("小林", [])
        client, _welcome = await customer(connect)

        await client.send("human")
        assert (await client.lines(upto=1))[0]["text"] == "[handed_over zh]"
        assert (await client.next("status"))["status"] == "WAITING"
        entry = (await desk.next("inbox_changed"))["inbox"][0]
        assert (entry["uid"], entry["status"], entry["agent_is_me"]) == ("C1", "WAITING", False)
        # The customer has said nothing yet: the system's own line is no news to an agent.
        assert (entry["last_text"], entry["last_seq"]) == ("", 1)

        conversation = entry["conversation"]
        await desk.send("open", conversation=conversation, after=0)
        await desk.lines(upto=1)
        await desk.send("take", conversation=conversation)
        assert (await client.lines(upto=2))[0]["text"] == "[agent_joined zh 小林]"
        assert await client.next("status") == {
            "type": "status",
            "conversation": conversation,
            "status": "AGENT",
            "agent": "小林",
            "read": {"customer": 0, "agent": 0},
        }

        await client.send("typing")
        assert (await desk.next("typing"))["sender"] == "CUSTOMER"
        await desk.send("typing", conversation=conversation)
        assert (await client.next("typing"))["sender"] == "AGENT"
        await client.send("message", client_id=str(uuid.uuid4()), text="在吗")
        assert (await desk.lines(upto=3))[-1]["text"] == "在吗"
        key = str(uuid.uuid4())
        await desk.send("message", conversation=conversation, client_id=key, text="您好")
        assert (await desk.next("accepted"))["client_id"] == key
        line = (await client.lines(upto=4))[-1]
        assert (line["sender"], line["author"], line["text"]) == ("AGENT", "小林", "您好")
        assert engine.asked == []

        await desk.send("hand_back", conversation=conversation)
        assert (await client.lines(upto=5))[-1]["text"] == "[handed_back zh]"
        assert (await client.next("status"))["status"] == "BOT"
        assert agent.pk

    async def test_the_second_agent_reads_who_has_it(self, connect: Connect):
        first = await rows(lambda: StaffFactory(first_name="小林"))
        conversation = await rows(lambda: ConversationFactory(status="AGENT", agent=first))
        _second, bearer = await staff_token()
        desk = await connect("/ws/workspace/")
        await desk.send("hello", token=bearer, language="zh")
        await desk.next("welcome")

        await desk.send("take", conversation=str(conversation.pk))
        taken = await desk.next("refused")
        await desk.send(
            "message", conversation=str(conversation.pk), client_id=str(uuid.uuid4()), text="您好"
        )
        not_yours = await desk.next("refused")

        assert (taken["code"], not_yours["code"]) == ("already_taken", "not_yours")
        assert "小林" in taken["detail"]
        assert not await rows(Message.objects.exists)

    async def test_agents_see_what_the_bot_thought(self, connect: Connect):
        line = await rows(
            lambda: MessageFactory(
                sender="BOT", decision="ANSWER", intent="coupon", probability=0.5
            )
        )
        _agent, bearer = await staff_token()
        desk = await connect("/ws/workspace/")
        await desk.send("hello", token=bearer)

        await desk.send("open", conversation=str(line.conversation_id))

        seen = (await desk.lines(upto=1))[0]
        assert (seen["decision"], seen["intent"], seen["probability"]) == ("ANSWER", "coupon", 0.5)

    async def test_what_does_not_exist_is_refused(self, connect: Connect):
        _agent, bearer = await staff_token()
        desk = await connect("/ws/workspace/")
        await desk.send("hello", token=bearer)
        await desk.next("welcome")

        for kind in ("open", "take", "hand_back", "close", "catch_up"):
            await desk.send(kind, conversation=str(uuid.uuid4()))
            assert (await desk.next("refused"))["code"] == "no_such_conversation"


async def test_times_are_utc(connect: Connect):
    await rows(lambda: MessageFactory(conversation__uid="C1", sent_at=timezone.now()))

    client, _welcome = await customer(connect)

    assert (await client.lines(upto=1))[0]["sent_at"].endswith("+00:00")

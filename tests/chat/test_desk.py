"""Routing over the sockets: what agents and waiting customers see and may do."""

import asyncio
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.utils import timezone

from chat import presence, services
from chat.models import AgentProfile, Assignment, Conversation, Message
from tests.chat.conftest import ScriptedEngine
from tests.chat.test_sockets import Client, Connect, connect, customer, rows, staff_token
from tests.factories import ConversationFactory, StaffFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("transactional_db", "talk", "engine"),
]
__all__ = ["connect"]


@pytest.fixture
async def desk(connect: Connect) -> tuple[Any, Client]:
    agent, bearer = await staff_token()
    client = await connect("/ws/workspace/")
    await client.send("hello", token=bearer)
    await client.next("welcome")
    return agent, client


def assigned(agent_id: int) -> Any:
    conversation = ConversationFactory()
    now = timezone.now()
    services.ask_for_human(uid=conversation.uid, now=now)
    services.assign_waiting(now=now, present=frozenset({agent_id}))
    return conversation


class TestAvailability:
    async def test_is_chosen_by_the_agent_and_told_as_the_server_has_it(self, desk: Any):
        agent, client = desk

        await client.send("availability", availability="BREAK")

        assert (await client.next("me"))["me"]["availability"] == "BREAK"
        stored = await rows(lambda: AgentProfile.objects.get(user=agent).availability)
        assert stored == "BREAK"

    async def test_what_is_none_is_refused(self, desk: Any):
        _agent, client = desk

        await client.send("availability", availability="ASLEEP")

        assert (await client.next("refused"))["code"] == "invalid"

    async def test_the_agent_sees_how_many_chats_he_has(self, desk: Any):
        agent, client = desk
        await rows(lambda: assigned(agent.pk))

        await client.send("ping")

        assert (await client.next("me"))["me"]["chats"] == 1

    async def test_presence_is_true_after_one_lease_and_false_when_the_tab_has_gone(
        self, settings: Any, connect: Connect
    ):
        settings.PRESENCE_LEASE_S = 2.0  # a busy machine renews it in time
        # Numbers begin anew with each test: the tabs of earlier ones would be this agent's.
        redis.Redis.from_url(settings.PRESENCE_URL).delete("presence:tabs")
        agent, bearer = await staff_token()
        first = await connect("/ws/workspace/")
        await first.send("hello", token=bearer)
        await first.next("welcome")
        for _ in range(100):
            await first.send("ping")
            await first.next("pong")  # else the last ones are heard after the tab has gone
            if agent.pk in (there := await rows(presence.present) or ()):
                break
            await asyncio.sleep(0.1)
        assert agent.pk in there
        await first.socket.disconnect()
        for _ in range(100):
            if (there := await rows(presence.present)) is not None and agent.pk not in there:
                break
            await asyncio.sleep(0.05)
        assert there is not None
        assert agent.pk not in there


class TestTheLease:
    async def test_opening_it_renews_it_and_reading_somebody_elses_does_not(
        self, desk: Any, connect: Connect
    ):
        agent, client = desk
        conversation = await rows(lambda: assigned(agent.pk))
        _other, bearer = await staff_token()
        colleague = await connect("/ws/workspace/")
        await colleague.send("hello", token=bearer)
        await colleague.send("open", conversation=str(conversation.pk))
        await colleague.next("messages")
        assert (await rows(lambda: Assignment.objects.get().seen_at)) is None

        await client.send("open", conversation=str(conversation.pk))
        await client.next("messages")

        assert (await rows(lambda: Assignment.objects.get().seen_at)) is not None


class TestPassingOn:
    async def test_to_a_colleague_and_only_what_one_has(self, desk: Any):
        agent, client = desk
        conversation = await rows(lambda: assigned(agent.pk))
        other = await rows(StaffFactory)

        await client.send(
            "transfer", conversation=str(conversation.pk), to_agent=other.pk, reason="懂退款"
        )
        while not (inbox := (await client.next("inbox"))["inbox"]) or inbox[0]["agent_is_me"]:
            pass
        assert inbox[0]["because"] == "TRANSFERRED"

        await client.send("transfer", conversation=str(conversation.pk), to_agent=agent.pk)
        assert (await client.next("refused"))["code"] == "not_yours"

    async def test_not_to_two_or_to_nobody(self, desk: Any):
        agent, client = desk
        conversation = await rows(lambda: assigned(agent.pk))

        for where in ({}, {"to_agent": 1, "to_queue": 1}):
            await client.send("transfer", conversation=str(conversation.pk), **where)
            assert (await client.next("refused"))["code"] == "invalid"

    @pytest.mark.parametrize(("role", "expected"), [("agent", "already_taken"), ("supervisor", "")])
    async def test_only_supervisors_take_from_a_colleague(
        self, connect: Connect, role: str, expected: str
    ):
        owner = await rows(StaffFactory)
        conversation = await rows(lambda: assigned_by_hand(owner.pk))
        person, bearer = await staff_token(role=role)
        client = await connect("/ws/workspace/")
        await client.send("hello", token=bearer)
        await client.next("welcome")

        await client.send("take", conversation=str(conversation.pk), from_colleague=True)

        if expected:
            assert (await client.next("refused"))["code"] == expected
        else:
            await client.next("status")
        has = await rows(lambda: Assignment.objects.running().get().agent_id)
        assert has == (owner.pk if expected else person.pk)


def assigned_by_hand(agent_id: int) -> Any:
    conversation = ConversationFactory()
    services.take_over(conversation_id=conversation.pk, agent_id=agent_id, now=timezone.now())
    return conversation


class TestACustomerWhoWaits:
    async def test_sees_his_place_and_that_he_moves_up(
        self, connect: Connect, engine: ScriptedEngine
    ):
        ahead = await rows(lambda: ConversationFactory(uid="C2"))
        earlier = timezone.now() - timedelta(minutes=1)
        await rows(lambda: services.ask_for_human(uid="C2", now=earlier))
        client, _ = await customer(connect, uid="C1")
        await client.send("human")

        status = await client.next("status")
        assert status["queue"] == {
            "position": 2,
            "wait_low_s": None,
            "wait_high_s": None,
            "open": True,
            "opens_at": None,
        }

        taker = await rows(StaffFactory)
        await rows(
            lambda: services.take_over(
                conversation_id=ahead.pk, agent_id=taker.pk, now=timezone.now()
            )
        )
        assert (await client.next("status"))["queue"]["position"] == 1

    async def test_waits_until_the_agent_has_opened_it(self, connect: Connect):
        taker = await rows(StaffFactory)
        await rows(lambda: AgentProfile.objects.create(user=taker))
        client, _ = await customer(connect, uid="C1")
        await client.send("human")
        await client.next("status")
        now, conversation = timezone.now(), await rows(lambda: Conversation.objects.get())
        await rows(lambda: services.assign_waiting(now=now, present=frozenset({taker.pk})))
        status = await client.next("status")
        assert (status["status"], status["agent"], "queue" in status) == ("WAITING", "", False)

        await rows(
            lambda: services.renew(conversation_id=conversation.pk, agent_id=taker.pk, now=now)
        )

        status = await client.next("status")
        assert (status["status"], status["agent"]) == ("AGENT", taker.first_name)

    async def test_is_told_again_when_he_comes_back(self, connect: Connect):
        await rows(lambda: services.ask_for_human(uid="C1", now=timezone.now()))

        _client, welcome = await customer(connect, uid="C1")

        assert welcome["queue"]["position"] == 1


class TestABurst:
    async def test_is_answered_once_and_as_soon_as_it_is_complete(
        self, connect: Connect, engine: ScriptedEngine, settings: Any
    ):
        settings.CHAT_BURST_S = 20.0
        client, _ = await customer(connect, uid="C1")
        for text in ("你好", "我的快递", "到哪了"):
            await client.send("message", client_id=str(uuid.uuid4()), text=text)
            await client.next("accepted")

        (answer,) = await client.lines(4)

        assert (answer["seq"], answer["sender"], answer["answers"]) == (4, "BOT", 3)
        assert len(engine.asked) == 1

    async def test_that_nothing_follows_is_answered_so_long_after_its_last_message(
        self, connect: Connect, engine: ScriptedEngine, settings: Any
    ):
        settings.CHAT_BURST_S = 1.0
        client, _ = await customer(connect, uid="C1")
        began = time.monotonic()
        for text in ("你好", "我的快递"):
            await client.send("message", client_id=str(uuid.uuid4()), text=text)
            await client.next("accepted")

        (answer,) = await client.lines(3)

        assert (answer["sender"], answer["answers"]) == ("BOT", 2)
        assert time.monotonic() - began >= 1.0

    async def test_waits_for_somebody_who_writes_on_but_not_for_ever(
        self, connect: Connect, engine: ScriptedEngine, settings: Any
    ):
        settings.CHAT_BURST_S = 0.6
        client, _ = await customer(connect, uid="C1")
        began = time.monotonic()
        await client.send("message", client_id=str(uuid.uuid4()), text="我想问一下")
        await client.next("accepted")
        await client.send("typing")

        answer = (await client.lines(2))[-1]

        assert answer["answers"] == 1
        assert 1.5 <= time.monotonic() - began < 3.4  # 3.5 after somebody who types on and on

    async def test_what_comes_while_the_model_thinks_is_answered_with_it(
        self, connect: Connect, engine: ScriptedEngine, settings: Any
    ):
        settings.CHAT_BURST_S = 2.0
        engine.go.clear()
        client, _ = await customer(connect, uid="C1")
        await client.send("message", client_id=str(uuid.uuid4()), text="我的快递到哪了")
        await client.next("accepted")
        await asyncio.to_thread(engine.thinking.wait, 5)
        await client.send("message", client_id=str(uuid.uuid4()), text="昨天就该到了")
        await client.next("accepted")
        engine.go.set()

        (answer,) = await client.lines(3)

        assert (answer["sender"], answer["answers"]) == ("BOT", 2)
        assert await client.is_quiet()

    async def test_asking_for_a_human_meanwhile_leaves_the_rest_to_him(
        self, connect: Connect, engine: ScriptedEngine, settings: Any
    ):
        settings.CHAT_BURST_S = 0.3
        engine.otherwise = (("logistics", 0.3),)
        client, _ = await customer(connect, uid="C1")
        await client.send("message", client_id=str(uuid.uuid4()), text="我想问一下")
        await client.send("human")
        while (await client.next("status"))["status"] != "WAITING":
            pass

        await asyncio.sleep(0.6)

        assert not await rows(lambda: Message.objects.filter(sender="BOT").exists())

    async def test_who_has_gone_is_answered_too(
        self, connect: Connect, engine: ScriptedEngine, settings: Any
    ):
        settings.CHAT_BURST_S = 0.2
        client, _ = await customer(connect, uid="C1")
        await client.send("message", client_id=str(uuid.uuid4()), text="我的快递到哪了")
        await client.next("accepted")
        await client.socket.disconnect()

        for _ in range(40):
            if await rows(lambda: Message.objects.filter(sender="BOT").exists()):
                return
            await asyncio.sleep(0.05)
        raise AssertionError("nobody answered")

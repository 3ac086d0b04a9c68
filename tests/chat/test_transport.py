"""Sockets that fall silent, processes that end, clocks that were set back: nothing is lost by it."""

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from chat import consumers, services
from chat.consumers.base import keep
from chat.models import Message
from chat.tasks import answer_overdue
from tests.chat.conftest import ScriptedEngine
from tests.chat.test_sockets import Connect, connect, customer, rows, staff_token

__all__ = ["connect"]  # a fixture

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("transactional_db", "talk", "engine"),
]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers.CustomerConsumer, "silent_s", 0.4)


@pytest.mark.usefixtures("impatient")
async def test_a_client_that_has_fallen_silent_is_let_go(connect: Connect):
    client, _welcome = await customer(connect)

    assert await client.closed_with() == 4408


@pytest.mark.usefixtures("impatient")
async def test_a_client_that_pings_is_kept(connect: Connect):
    client, _welcome = await customer(connect)

    for _ in range(4):
        await asyncio.sleep(0.2)
        await client.send("ping")
        await client.next("pong")


async def test_on_another_device_the_conversation_goes_on_where_it_was(connect: Connect):
    phone, _welcome = await customer(connect, uid="C7")
    await phone.send("message", client_id=str(uuid.uuid4()), text="我的包裹到哪了")
    said = await phone.lines(upto=2)

    desk, welcome = await customer(connect, uid="C7")

    assert welcome["conversation"] == said[0]["conversation"]
    assert [line["text"] for line in await desk.lines(upto=2)][-1] == said[-1]["text"]
    client_id = str(uuid.uuid4())
    await desk.send("message", client_id=client_id, text="谢谢")
    assert client_id in [line["client_id"] for line in await phone.lines(upto=3)]


async def test_an_answer_that_is_being_made_is_waited_for_when_the_process_ends(
    connect: Connect, engine: ScriptedEngine
):
    engine.go.clear()
    client, _welcome = await customer(connect)
    await client.send("message", client_id=str(uuid.uuid4()), text="物流到哪里了呢")
    await client.next("accepted")
    await asyncio.to_thread(engine.thinking.wait, 5)

    ending = asyncio.create_task(consumers.finish(5))
    await asyncio.sleep(0.1)
    assert not ending.done()
    engine.go.set()
    await ending

    assert await rows(lambda: Message.objects.filter(sender=Message.Sender.BOT).count()) == 1


async def test_what_takes_too_long_does_not_keep_a_process_from_ending():
    stuck = asyncio.Event()

    async def never() -> None:
        await stuck.wait()

    keep(never())
    async with asyncio.timeout(20):
        await consumers.finish(0.1)
    stuck.set()


def test_a_message_from_before_the_clock_was_set_back_is_answered_by_the_sweep():
    now = timezone.now()
    ahead = services.post_customer_message(
        uid="C1", text="我的包裹到哪了", now=now + timedelta(hours=3)
    )
    fresh = services.post_customer_message(uid="C2", text="我的包裹到哪了", now=now)

    answer_overdue()

    ahead.message.refresh_from_db()
    fresh.message.refresh_from_db()
    assert not ahead.message.awaits_answer
    assert fresh.message.awaits_answer  # whoever posted it is answering it


async def test_who_cannot_sign_in_because_the_database_is_away_is_told_to_come_back(
    connect: Connect,
):
    _agent, bearer = await staff_token()
    client = await connect("/ws/workspace/")
    database = connections.settings["default"]
    before = database["NAME"]
    database["NAME"] = "/nowhere/db.sqlite3"  # for connections of new threads
    try:
        with ThreadPoolExecutor() as fresh:
            asyncio.get_running_loop().set_default_executor(fresh)
            await client.send("hello", token=bearer)

            assert await client.closed_with() == 1013
    finally:
        database["NAME"] = before

"""Supervisors read along unseen, and whisper what no customer reads; all of it is written down."""

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client as Browser

from chat import services, sockets
from chat.models import Conversation, Message, Watch, Whisper
from chat.services import supervision
from chat.services.handover import NotYours
from csplatform import tokens
from tests.chat.test_assignment import agent, seconds, waiting
from tests.chat.test_sockets import Connect, connect, customer, rows, staff_token, token
from tests.databases import at_once
from tests.factories import ConversationFactory, StaffFactory

__all__ = ["connect"]  # the fixture

NO_ONE = uuid.UUID("7b0f2a3e-0000-4000-8000-000000000000")


def with_agent(now: datetime, agent_id: int) -> Conversation:
    conversation = waiting(now)
    services.take_over(conversation_id=conversation.pk, agent_id=agent_id, now=now)
    return Conversation.objects.get(pk=conversation.pk)


def whisper(conversation: Conversation, author_id: int, now: datetime, **fields: Any) -> Whisper:
    said = {"text": "退款要主管批准", "client_id": uuid.uuid4(), **fields}
    return supervision.whisper(
        conversation_id=conversation.pk, author_id=author_id, now=now, **said
    )


def bearer(user_id: int) -> dict[str, str]:
    issued = tokens.issue(subject=str(user_id), kind=tokens.STAFF)
    return {"Authorization": f"Bearer {issued['token']}"}


@pytest.mark.django_db
@pytest.mark.usefixtures("talk")
class TestWatching:
    def test_what_a_colleague_has_is_written_down_with_begin_and_end(self, now: datetime):
        boss, me = agent(role="supervisor"), agent()
        conversation = with_agent(now, me)

        number = supervision.watch(conversation_id=conversation.pk, watcher_id=boss, now=now)
        supervision.go_on_watching(number, now=now + seconds(20))
        supervision.stop_watching(number, now=now + seconds(30))
        supervision.stop_watching(number, now=now + seconds(90))

        row = Watch.objects.values_list("watcher", "watched", "began_at", "ended_at").get()
        assert row == (boss, me, now, now + seconds(30))

    def test_what_waits_or_is_his_own_is_no_watching(self, now: datetime):
        boss = agent(role="supervisor")

        assert supervision.watch(conversation_id=waiting(now).pk, watcher_id=boss, now=now) is None
        own = with_agent(now, boss)
        assert supervision.watch(conversation_id=own.pk, watcher_id=boss, now=now) is None
        assert not Watch.objects.exists()

    def test_what_the_bot_has_is(self, now: datetime):
        boss, conversation = agent(role="supervisor"), ConversationFactory()

        assert supervision.watch(conversation_id=conversation.pk, watcher_id=boss, now=now)
        assert Watch.objects.get().watched is None


@pytest.mark.django_db
@pytest.mark.usefixtures("talk")
class TestWhispering:
    def test_it_is_no_line_of_the_conversation(self, now: datetime):
        boss, me = agent(role="supervisor"), agent()
        conversation = with_agent(now, me)
        lines, last_seq = conversation.messages.count(), conversation.last_seq

        said = whisper(conversation, boss, now)

        conversation.refresh_from_db()
        assert (conversation.messages.count(), conversation.last_seq) == (lines, last_seq)
        assert said.after_seq == last_seq
        news = sockets.news(conversation.pk, 0)
        for for_staff in (False, True):
            frame = sockets.messages(news.conversation, news.messages, for_staff=for_staff)
            assert said.text not in json.dumps(frame, ensure_ascii=False)

    def test_sent_twice_it_is_one(self, now: datetime):
        boss, number = agent(role="supervisor"), uuid.uuid4()
        conversation = with_agent(now, agent())

        first = whisper(conversation, boss, now, client_id=number)
        second = whisper(conversation, boss, now + seconds(5), client_id=number, text="别的")

        assert (first, Whisper.objects.count()) == (second, 1)

    @pytest.mark.parametrize(
        ("text", "code"),
        [("  \n", "empty"), ("长" * 10_001, "too_long")],
        ids=["nothing", "too much"],
    )
    def test_nothing_and_too_much_are_refused(self, now: datetime, text: str, code: str):
        conversation = with_agent(now, agent())

        with pytest.raises(services.EmptyMessage.__bases__[0]) as refused:
            whisper(conversation, agent(role="supervisor"), now, text=text)
        assert (refused.value.code, Whisper.objects.count()) == (code, 0)

    def test_where_no_agent_is_nobody_would_read_it(self, now: datetime):
        boss = agent(role="supervisor")

        for conversation in (waiting(now), ConversationFactory()):
            with pytest.raises(supervision.NoAgent):
                whisper(conversation, boss, now)

    def test_who_has_or_had_it_and_supervisors_read_it_and_no_other_agent(self, now: datetime):
        boss, before, after, other = agent(role="supervisor"), agent(), agent(), agent()
        conversation = with_agent(now, before)
        said = whisper(conversation, boss, now)
        services.transfer(
            conversation_id=conversation.pk, from_agent_id=before, to_agent_id=after,
            reason="", summary="", now=now + seconds(9),
        )  # fmt: skip

        def read(reader: int, *, is_supervisor: bool = False) -> list[Whisper]:
            return list(
                supervision.whispers_of(
                    conversation.pk, reader_id=reader, is_supervisor=is_supervisor
                )
            )

        assert read(before) == read(after) == read(boss, is_supervisor=True) == [said]
        with pytest.raises(NotYours):
            read(other)


def test_of_two_that_are_sent_at_once_one_is_stored(both_databases: str, now: datetime):
    from tests.chat.test_handover import write_content_once

    write_content_once()
    boss = agent(role="supervisor")
    conversation, number = with_agent(now, agent()), uuid.uuid4()

    outcomes = at_once(
        *(lambda: whisper(conversation, boss, now, client_id=number) for _ in range(4))
    )

    assert len({outcome.result.pk for outcome in outcomes}) == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("talk")
class TestOverRest:
    def address(self, conversation: Conversation) -> str:
        return f"/api/workspace/conversations/{conversation.pk}/whispers"

    def post(self, conversation: Conversation, user_id: int, **body: Any) -> Any:
        body = {"text": "慢一点", "client_id": str(uuid.uuid4()), **body}
        return Browser().post(
            self.address(conversation).removesuffix("s"),
            body,
            "application/json",
            headers=bearer(user_id),
        )

    def test_a_supervisor_whispers_and_the_agent_reads(self, now: datetime):
        boss, me = agent(role="supervisor"), agent()
        conversation = with_agent(now, me)

        assert self.post(conversation, boss).status_code == 201

        found = Browser().get(self.address(conversation), headers=bearer(me)).json()["whispers"]
        assert [(one["text"], one["is_mine"]) for one in found] == [("慢一点", False)]

    def test_an_agent_may_not_whisper_nor_read_what_is_none_of_his(self, now: datetime):
        me, other = agent(), agent()
        conversation = with_agent(now, me)

        for who in (me, other):
            assert self.post(conversation, who).status_code == 403
        answer = Browser().get(self.address(conversation), headers=bearer(other))
        assert (answer.status_code, answer.json()["code"]) == (403, "not_yours")
        assert not Whisper.objects.exists()

    def test_customers_get_nowhere_near(self, now: datetime):
        conversation = with_agent(now, agent())
        mine = {"Authorization": f"Bearer {token(conversation.uid)}"}

        answer = Browser().get(self.address(conversation), headers=mine)

        assert answer.status_code == 403


# --- Live -----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("transactional_db", "talk", "engine")
class TestLive:
    async def desk(self, connect: Connect, **fields: Any) -> tuple[Any, Any]:
        person, key = await staff_token(**fields)
        client = await connect("/ws/workspace/")
        await client.send("hello", token=key)
        await client.next("welcome")
        return person, client

    async def talking(self, connect: Connect, now: datetime) -> tuple[Any, Any, Any, Conversation]:
        me, desk = await self.desk(connect)
        guest, _welcome = await customer(connect, "C9")
        await guest.send("human")
        await guest.next("status")
        conversation = await rows(lambda: Conversation.objects.get(uid="C9"))
        await desk.send("open", conversation=str(conversation.pk))
        await desk.send("take", conversation=str(conversation.pk))
        await desk.next("status")
        await desk.send("looking", conversation=str(conversation.pk))
        return me, desk, guest, conversation

    async def heard(self, client: Any) -> list[dict[str, Any]]:
        """Everything that has come so far, and comes within a moment."""
        frames = []
        while not await client.socket.receive_nothing(0.4):
            frames.append(await client.socket.receive_json_from(1))
        return frames

    async def test_a_supervisor_reads_along_and_nobody_sees_him(
        self, connect: Connect, now: datetime
    ):
        me, desk, guest, conversation = await self.talking(connect, now)
        boss, watching = await self.desk(connect, role="supervisor", first_name="看不见的人")
        await self.heard(desk)
        await self.heard(guest)

        await watching.send("open", conversation=str(conversation.pk))
        await watching.send("looking", conversation=str(conversation.pk))
        await watching.send("typing", conversation=str(conversation.pk))
        await watching.next("messages")
        # What is said comes live.
        await guest.send("message", client_id=str(uuid.uuid4()), text="还在吗")
        assert (await watching.next("messages"))["messages"][-1]["text"] == "还在吗"

        seen = json.dumps([await self.heard(desk), await self.heard(guest)], ensure_ascii=False)
        assert "看不见的人" not in seen
        assert '"typing"' not in seen
        row = await rows(lambda: Watch.objects.values_list("watcher", "watched").get())
        assert row == (boss.pk, me.pk)

        await watching.send("looking", conversation=None)
        await self.heard(watching)
        ended = await rows(lambda: Watch.objects.get().ended_at)
        assert ended is not None
        await watching.socket.disconnect()
        assert "看不见的人" not in json.dumps(await self.heard(desk), ensure_ascii=False)

    async def test_told_by_setting_the_agent_sees_him(
        self, connect: Connect, now: datetime, settings: Any
    ):
        settings.WATCH_IS_TOLD = True
        _me, desk, _guest, conversation = await self.talking(connect, now)
        boss, watching = await self.desk(connect, role="supervisor")

        await watching.send("open", conversation=str(conversation.pk))
        await watching.send("looking", conversation=str(conversation.pk))

        assert (await desk.next("company"))["agent"] == boss.pk

    async def test_an_agent_cannot_read_along_unseen_and_it_is_written_down(
        self, connect: Connect, now: datetime
    ):
        _me, desk, _guest, conversation = await self.talking(connect, now)
        other, curious = await self.desk(connect)

        await curious.send("open", conversation=str(conversation.pk))
        await curious.send("looking", conversation=str(conversation.pk))

        assert (await desk.next("company"))["agent"] == other.pk
        assert await rows(lambda: Watch.objects.get().watcher_id) == other.pk

    async def test_who_looks_when_a_colleague_takes_it_watches_from_then_on(
        self, connect: Connect, now: datetime
    ):
        boss, watching = await self.desk(connect, role="supervisor")
        me = await rows(lambda: StaffFactory())
        conversation = await rows(lambda: waiting(now))
        await watching.send("open", conversation=str(conversation.pk))
        await watching.next("status")
        assert not await rows(Watch.objects.exists)

        await rows(
            lambda: services.take_over(conversation_id=conversation.pk, agent_id=me.pk, now=now)
        )
        await watching.next("status")

        assert await rows(lambda: Watch.objects.get().watcher_id) == boss.pk

    async def test_a_whisper_reaches_agent_and_supervisor_and_no_customer(
        self, connect: Connect, now: datetime
    ):
        _me, desk, guest, conversation = await self.talking(connect, now)
        boss, watching = await self.desk(connect, role="supervisor")
        _other, curious = await self.desk(connect)
        for client in (watching, curious):
            await client.send("open", conversation=str(conversation.pk))
            await client.next("messages")
        await self.heard(guest)
        await self.heard(curious)

        await rows(lambda: whisper(conversation, boss.pk, now, text="先道歉"))

        assert await desk.next("whispers") == {
            "type": "whispers",
            "conversation": str(conversation.pk),
        }
        await watching.next("whispers")
        assert "whispers" not in [one["type"] for one in await self.heard(curious)]
        await guest.send("catch_up", after=0)
        heard = json.dumps(await self.heard(guest), ensure_ascii=False)
        assert "先道歉" not in heard
        assert "whispers" not in heard
        assert await rows(lambda: not Message.objects.filter(text__contains="先道歉").exists())


def test_how_long_a_watch_lives_without_a_sign():
    """A background tab pings once a minute; a silent socket is shut after 150 s."""
    assert timedelta(seconds=60) < supervision.WATCHES_FOR <= timedelta(seconds=150)

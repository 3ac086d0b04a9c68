"""Read marks: they say what was on a screen, never go back, and are each side's own."""

import uuid
from datetime import datetime
from typing import Any

import pytest
from django.test import Client as Http
from django.utils import timezone

from chat import access, services
from chat.models import Conversation
from tests.chat.test_sockets import Connect, connect, customer, rows, staff_token, token
from tests.factories import ConversationFactory, MessageFactory, StaffFactory

__all__ = ["connect"]  # a fixture


def marks(conversation: Conversation) -> tuple[int, int]:
    conversation.refresh_from_db()
    return conversation.customer_read_seq, conversation.agent_read_seq


@pytest.mark.usefixtures("talk")
class TestMarks:
    def test_move_forward_only_and_not_beyond_the_last_line(self):
        conversation = ConversationFactory(uid="C1", last_seq=5)

        def read(seq: int) -> bool:
            return services.read_by_customer(uid="C1", conversation_id=conversation.pk, seq=seq)

        assert [read(3), read(2), read(3), read(6), read(5)] == [True, False, False, False, True]
        assert marks(conversation) == (5, 0)

    def test_of_somebody_elses_conversation_are_refused(self):
        conversation = ConversationFactory(uid="C1", last_seq=5)

        with pytest.raises(access.NoSuchConversation):
            services.read_by_customer(uid="C2", conversation_id=conversation.pk, seq=1)

        assert marks(conversation) == (0, 0)

    def test_of_the_agent_count_only_while_he_has_it(self):
        mine, other = StaffFactory(), StaffFactory()
        conversation = ConversationFactory(uid="C1", status="AGENT", agent=mine, last_seq=5)

        def read(agent: Any) -> bool:
            return services.read_by_agent(agent_id=agent.pk, conversation_id=conversation.pk, seq=4)

        assert [read(other), read(mine)] == [False, True]
        assert marks(conversation) == (0, 4)

    def test_over_rest_as_over_the_socket(self):
        conversation = ConversationFactory(uid="C1", last_seq=5)
        sent = {"conversation": str(conversation.pk), "seq": 4}

        def post(uid: str) -> Any:
            headers = {"Authorization": f"Bearer {token(uid)}"}
            return Http().post(
                "/api/conversation/read", sent, content_type="application/json", headers=headers
            )

        assert post("C2").status_code == 404
        assert post("C1").json()["read"] == {"customer": 4, "agent": 0}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("transactional_db", "talk", "engine")
class TestOverTheSocket:
    async def test_each_side_sees_how_far_the_other_has_read(self, connect: Connect, now: datetime):
        agent, bearer = await staff_token()
        conversation = await rows(
            lambda: ConversationFactory(uid="C1", status="AGENT", agent=agent)
        )
        await rows(lambda: MessageFactory(conversation=conversation, awaits_answer=False))
        await rows(
            lambda: services.post_agent_message(
                conversation_id=conversation.pk, agent_id=agent.pk, text="您好", now=now
            )
        )
        visitor, welcome = await customer(connect, uid="C1")
        assert welcome["read"] == {"customer": 0, "agent": 0}
        desk = await connect("/ws/workspace/")
        await desk.send("hello", token=bearer)
        await desk.send("open", conversation=str(conversation.pk))
        assert (await desk.next("status"))["read"] == {"customer": 0, "agent": 0}

        await desk.send("read", conversation=str(conversation.pk), seq=1)
        assert (await visitor.next("status"))["read"] == {"customer": 0, "agent": 1}
        await visitor.send("read", conversation=str(conversation.pk), seq=2)

        while (status := await desk.next("status"))["read"]["customer"] != 2:
            pass
        assert status["read"] == {"customer": 2, "agent": 1}

    async def test_who_only_looks_on_marks_nothing(self, connect: Connect):
        agent = await rows(StaffFactory)
        _supervisor, bearer = await staff_token(role="supervisor")
        conversation = await rows(
            lambda: ConversationFactory(uid="C1", status="AGENT", agent=agent)
        )
        await rows(lambda: MessageFactory(conversation=conversation, awaits_answer=False))
        desk = await connect("/ws/workspace/")
        await desk.send("hello", token=bearer)
        await desk.send("open", conversation=str(conversation.pk))

        await desk.send("read", conversation=str(conversation.pk), seq=1)
        await desk.send("ping")
        await desk.next("pong")

        assert await rows(lambda: marks(conversation)) == (0, 0)

    async def test_the_customer_ends_it_and_all_his_windows_move_on_together(
        self, connect: Connect
    ):
        conversation = await rows(lambda: ConversationFactory(uid="C1"))
        one, _ = await customer(connect, uid="C1")
        other, _ = await customer(connect, uid="C1")

        await one.send("end")
        for window in (one, other):
            while (status := await window.next("status"))["status"] != "CLOSED":
                pass
            assert status["rating"] == {"score": None, "comment": ""}
        await one.send("message", client_id=str(uuid.uuid4()), text="还有一个问题？")
        accepted = await one.next("accepted")

        assert accepted["conversation"] != str(conversation.pk)
        while (news := await other.next("messages"))["conversation"] == str(conversation.pk):
            pass
        assert news["conversation"] == accepted["conversation"]


@pytest.mark.usefixtures("talk")
class TestWhatWaitsForWhoComes:
    @pytest.fixture
    def conversation(self, now: datetime) -> Conversation:
        """Asked, answered by the bot, then by an agent: his third line taken back by the fourth."""
        conversation = ConversationFactory(uid="C1", customer_read_seq=0)
        MessageFactory(conversation=conversation, awaits_answer=False)
        MessageFactory(conversation=conversation, awaits_answer=False, sender="BOT")
        MessageFactory(conversation=conversation, awaits_answer=False, sender="AGENT")
        taken = MessageFactory(conversation=conversation, awaits_answer=False, sender="AGENT")
        MessageFactory(
            conversation=conversation, awaits_answer=False, sender="SYSTEM", recalls=taken
        )
        conversation.refresh_from_db()
        return conversation

    def asked(self, uid: str = "C1", **seen: Any) -> Any:
        headers = {"Authorization": f"Bearer {token(uid)}"}
        return Http().get("/api/conversation/unread", seen, headers=headers)

    def test_is_what_his_browser_has_not_shown(self, conversation: Conversation):
        shown = {"conversation": str(conversation.pk)}

        assert self.asked(**shown, seq=1).json()["unread"] == 2
        assert self.asked(**shown, seq=2).json()["unread"] == 1
        assert self.asked(**shown, seq=5).json() == {
            "conversation": str(conversation.pk),
            "status": "BOT",
            "unread": 0,
            "awaits_answer": False,
        }

    def test_on_another_device_it_is_what_agents_have_said_since_the_mark(
        self, conversation: Conversation
    ):
        assert self.asked().json()["unread"] == 1
        assert self.asked(conversation=str(uuid.uuid4()), seq=9).json()["unread"] == 1
        Conversation.objects.update(customer_read_seq=3)
        assert self.asked().json()["unread"] == 0

    def test_also_of_what_ended_meanwhile(self, conversation: Conversation):
        services.close_by_customer(uid="C1", conversation_id=conversation.pk, now=timezone.now())

        found = self.asked(conversation=str(conversation.pk), seq=2).json()

        assert (found["status"], found["unread"]) == ("CLOSED", 2)  # and that it has ended

    def test_of_others_it_tells_nothing(self, conversation: Conversation):
        found = self.asked("C2", conversation=str(conversation.pk), seq=1).json()

        nothing = {"conversation": None, "status": "BOT", "unread": 0, "awaits_answer": False}
        assert found == nothing
        assert self.asked(seq="-1").status_code == 400

    def test_is_an_answer_too_that_the_bot_still_owes(self, conversation: Conversation):
        shown = {"conversation": str(conversation.pk)}
        asked = MessageFactory(conversation=conversation, awaits_answer=True)

        waiting = self.asked(**shown, seq=asked.seq).json()
        assert (waiting["unread"], waiting["awaits_answer"]) == (0, True)
        assert self.asked().json()["awaits_answer"] is True  # on another device

        services.close_by_customer(uid="C1", conversation_id=conversation.pk, now=timezone.now())
        assert self.asked(**shown, seq=asked.seq).json()["awaits_answer"] is False

    def test_takes_two_queries_and_one_where_all_is_read_and_nobody_answers_any_more(
        self, conversation: Conversation, now: datetime, django_assert_num_queries: Any
    ):
        seen: Any = {"uid": "C1", "now": now, "seen_in": conversation.pk}
        with django_assert_num_queries(2):
            assert services.unread_of_customer(**seen, seen_seq=1).count == 2
        with django_assert_num_queries(2):
            assert services.unread_of_customer(**seen, seen_seq=5).count == 0
        Conversation.objects.update(status="CLOSED", open_for=None, reopens_for="C1")
        with django_assert_num_queries(1):
            assert services.unread_of_customer(**seen, seen_seq=5).count == 0

"""Passing on, ending with a disposition, and who else is at a conversation."""

import uuid
from datetime import datetime
from typing import Any

import pytest
from django.test import Client as Browser

from chat import services
from chat.models import AgentProfile, Conversation, Disposition, Note, Queue
from csplatform import tokens
from csplatform.errors import Refusal
from tests.chat.conftest import ScriptedEngine
from tests.chat.test_notes import bearer
from tests.chat.test_sockets import Connect, connect, customer, staff_token
from tests.factories import ConversationFactory, MessageFactory, StaffFactory

__all__ = ["connect"]


@pytest.mark.django_db
@pytest.mark.usefixtures("talk")
class TestDestinations:
    def test_who_is_there_and_free_comes_first(self, now: datetime):
        busy, gone, free = (StaffFactory(first_name=name) for name in ("忙", "走了", "闲"))
        AgentProfile.objects.create(user=busy, availability="BUSY")
        StaffFactory(role="reviewer")

        found = services.colleagues(present=frozenset({busy.pk, free.pk}))

        assert [one.name for one in found] == ["闲", "忙", "走了"]
        assert [one.is_free for one in found] == [True, False, False]
        assert found[2].user_id == gone.pk

    def test_while_presence_is_unknown_nobody_counts_as_gone(self):
        StaffFactory()
        (one,) = services.colleagues(present=None)
        assert (one.is_present, one.is_free) == (None, True)

    def test_it_costs_the_same_however_many_they_are(
        self, now: datetime, django_assert_num_queries: Any
    ):
        for _ in range(4):
            AgentProfile.objects.create(user=StaffFactory())
            Queue.objects.create(name=uuid.uuid4().hex)
        with django_assert_num_queries(2):
            services.colleagues(present=frozenset())
        with django_assert_num_queries(4):
            services.open_queues(now=now)

    def test_the_extract_says_what_was_wanted_and_asked_and_invents_nothing(self, now: datetime):
        conversation = ConversationFactory()
        MessageFactory(conversation=conversation, text="我的订单 cn20261122 到哪了")
        MessageFactory(conversation=conversation, sender="BOT", text="在路上", intent="logistics")
        MessageFactory(conversation=conversation, text="太慢了\n  要投诉" + "啊" * 300)

        summary = services.summary_of(conversation.pk)

        wanted, numbers, _asked, first, second = summary.split("\n")
        assert "About logistics" in wanted or "logistics" in wanted
        assert numbers.endswith("CN20261122")
        assert first == "- 我的订单 cn20261122 到哪了"
        assert second.startswith("- 太慢了 要投诉啊")
        assert len(second) <= 162
        assert "在路上" not in summary

    def test_of_nothing_it_is_empty(self):
        assert services.summary_of(ConversationFactory().pk) == ""

    def test_the_next_agent_reads_who_why_and_what(self, client: Browser, now: datetime):
        agent, other = StaffFactory(first_name="小林"), StaffFactory()
        conversation = ConversationFactory()
        ids = {"conversation_id": conversation.pk, "now": now}
        url = f"/api/workspace/conversations/{conversation.pk}/passed-on"
        services.take_over(agent_id=agent.pk, **ids)
        assert client.get(url, headers=bearer(other)).json()["passed_at"] is None

        services.transfer(
            from_agent_id=agent.pk,
            to_agent_id=other.pk,
            reason="懂海关",
            summary="关税 120 元",
            **ids,
        )

        left = client.get(url, headers=bearer(other)).json()
        assert (left["passed_by"], left["reason"]) == ("小林", "懂海关")
        assert left["summary"] == "关税 120 元"
        services.take_over(agent_id=agent.pk, from_colleague=True, **ids)
        services.hand_back(agent_id=agent.pk, **ids)
        assert client.get(url, headers=bearer(other)).json()["passed_at"] is None

    def test_over_rest_one_does_not_find_oneself(self, client: Browser):
        agent, other = StaffFactory(), StaffFactory()
        url = f"/api/workspace/conversations/{ConversationFactory().pk}/destinations"

        body = client.get(url, headers=bearer(agent)).json()

        assert [one["id"] for one in body["agents"]] == [other.pk]
        assert body["queues"][0]["open"] is True

    @pytest.mark.parametrize("what", ["destinations", "passed-on", "canned-replies", "recalled/1"])
    def test_customers_get_none_of_it(self, client: Browser, what: str):
        conversation = ConversationFactory()
        token = tokens.issue(subject=conversation.uid, kind=tokens.CUSTOMER)["token"]
        url = f"/api/workspace/conversations/{conversation.pk}/{what}"
        answer = client.get(url, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code in (401, 403)


@pytest.mark.django_db
@pytest.mark.usefixtures("talk")
class TestEnding:
    def ended(self, agent: Any, now: datetime, **fields: Any) -> Conversation:
        conversation = ConversationFactory()
        services.take_over(conversation_id=conversation.pk, agent_id=agent.pk, now=now)
        self.conversation = conversation
        services.close(conversation_id=conversation.pk, agent_id=agent.pk, now=now, **fields)
        conversation.refresh_from_db()
        return conversation

    def test_it_says_how_it_came_out_and_leaves_a_note(self, now: datetime):
        solved = Disposition.objects.create(name="已解决")
        agent = StaffFactory()

        conversation = self.ended(agent, now, disposition_id=solved.pk, note=" 已补发 ")

        assert conversation.status == "CLOSED"
        assert conversation.disposition == solved
        note = Note.objects.get()
        assert (note.text, note.author) == ("已补发", agent)

    def test_nobody_has_to_say_unless_a_setting_asks(self, now: datetime, settings: Any):
        Disposition.objects.create(name="已解决")
        assert self.ended(StaffFactory(), now).disposition is None

        settings.CLOSE_NEEDS_DISPOSITION = True
        with pytest.raises(Refusal) as refused:
            self.ended(StaffFactory(), now)

        assert refused.value.code == "disposition_required"
        self.conversation.refresh_from_db()
        assert self.conversation.status == "AGENT"

    def test_with_nothing_to_choose_from_nobody_is_kept_from_ending(
        self, now: datetime, settings: Any
    ):
        settings.CLOSE_NEEDS_DISPOSITION = True
        assert self.ended(StaffFactory(), now).status == "CLOSED"

    def test_what_is_switched_off_cannot_be_chosen(self, now: datetime):
        old = Disposition.objects.create(name="旧", is_active=False)
        with pytest.raises(services.NoSuchDisposition):
            self.ended(StaffFactory(), now, disposition_id=old.pk)

    def test_the_choices_are_in_the_readers_language(self, client: Browser):
        Disposition.objects.create(name="其他", name_en="Other", position=9)
        Disposition.objects.create(name="已解决", name_en="Resolved", position=1)
        Disposition.objects.create(name="旧", is_active=False)
        headers = {**bearer(StaffFactory()), "Accept-Language": "en"}

        choices = client.get("/api/workspace/dispositions", headers=headers).json()

        assert [one["name"] for one in choices["dispositions"]] == ["Resolved", "Other"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("transactional_db", "talk", "engine")
class TestCompany:
    async def test_colleagues_see_who_comes_writes_and_goes_and_the_customer_does_not(
        self, connect: Connect, engine: ScriptedEngine
    ):
        shopper, _welcome = await customer(connect)
        await shopper.send("message", client_id=str(uuid.uuid4()), text="我的快递到哪了")
        conversation = (await shopper.next("accepted"))["conversation"]
        people, desks = [], []
        for name in ("小林", "小周"):
            agent, token = await staff_token(first_name=name)
            desk = await connect("/ws/workspace/")
            await desk.send("hello", token=token)
            await desk.send("open", conversation=conversation)
            await desk.next("messages")
            people.append(agent)
            desks.append(desk)
        first, second = desks
        about = {"type": "company", "conversation": conversation}
        lin = {**about, "agent": people[0].pk, "name": "小林"}
        zhou = {**about, "agent": people[1].pk, "name": "小周"}

        await first.send("looking", conversation=conversation)
        assert await second.next("company") == {**lin, "state": "here"}
        await second.send("looking", conversation=conversation)
        assert await first.next("company") == {**zhou, "state": "here"}
        # Who was there before says so at once to who comes.
        assert await second.next("company") == {**lin, "state": "here"}
        await first.send("looking", conversation=conversation, writing=True)
        assert await second.next("company") == {**lin, "state": "writing"}
        await first.send("looking", conversation=None)
        assert await second.next("company") == {**lin, "state": "gone"}
        await second.socket.disconnect()
        assert await first.next("company") == {**zhou, "state": "gone"}

        while not await shopper.is_quiet():
            assert (await shopper.socket.receive_json_from(5))["type"] != "company"

    async def test_nobody_is_told_of_a_conversation_that_he_has_not_open(self, connect: Connect):
        _agent, token = await staff_token()
        desk = await connect("/ws/workspace/")
        await desk.send("hello", token=token)
        await desk.next("mentions")

        await desk.send("looking", conversation=str(uuid.uuid4()))

        assert await desk.is_quiet()

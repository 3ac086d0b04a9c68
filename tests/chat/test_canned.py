"""Canned replies: whose they are, what they say to one customer, and the set to begin with."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.template.loader import get_template
from django.test import Client as Browser
from django.urls import reverse

from chat import services, starter
from chat.models import AgentProfile, CannedReply, Disposition, Team
from chat.models.canned import pinyin_of
from chat.services.canned import VARIABLES, check
from knowledge.models import Customer, Order
from tests.chat.test_notes import bearer
from tests.factories import ConversationFactory, MessageFactory, StaffFactory

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"


def reply(**fields: Any) -> CannedReply:
    return CannedReply.objects.create(
        **{"shortcut": "order", "title": "订单", "text_zh": "订单 {order_number}", **fields}
    )


def customer_with_order(now: datetime, *numbers: str) -> Customer:
    customer = Customer.objects.create(
        uid="C1001", name="王芳", language="zh", country="CN", joined_on=now.date()
    )
    for number in numbers:
        Order.objects.create(
            number=number,
            customer=customer,
            status="SHIPPED",
            placed_at=now,
            total=Decimal(10),
        )
    return customer


def worded(conversation: Any, agent: Any, now: datetime) -> dict[str, services.Worded]:
    found = services.worded_for(conversation_id=conversation.pk, agent_id=agent.pk, now=now)
    return {one.reply.shortcut: one for one in found}


class TestWording:
    def test_the_facts_are_this_customers_and_the_order_is_the_one_he_speaks_of(
        self, now: datetime
    ):
        customer = customer_with_order(now, "CN20261", "CN20262")
        conversation = ConversationFactory(uid="C1001", customer=customer)
        MessageFactory(conversation=conversation, text="CN20261 到哪了")
        MessageFactory(conversation=conversation, text="在吗")
        reply(text_zh="{customer_name}，我是{agent_name}，订单 {order_number}")
        agent = StaffFactory(first_name="小林")

        one = worded(conversation, agent, now)["order"]

        assert one.text == "王芳，我是小林，订单 CN20261"
        assert one.missing == []

    def test_what_is_not_known_is_named_and_stays_as_it_is_written(self, now: datetime):
        reply(text_zh="{customer_name}的订单 {order_number}，{shop_name}")

        one = worded(ConversationFactory(uid="anon-1"), StaffFactory(), now)["order"]

        assert one.missing == ["customer_name", "order_number"]
        assert one.text.startswith("{customer_name}的订单 {order_number}，")

    def test_the_conversations_language_chooses_and_the_other_one_stands_in(self, now: datetime):
        reply(shortcut="both", text_zh="你好", text_en="Hello")
        reply(shortcut="zh", text_zh="你好")
        conversation = ConversationFactory(language="en")

        found = worded(conversation, StaffFactory(), now)

        assert (found["both"].text, found["both"].language) == ("Hello", "en")
        assert (found["zh"].text, found["zh"].language) == ("你好", "zh")

    def test_it_costs_the_same_however_many(self, now: datetime, django_assert_num_queries: Any):
        customer = customer_with_order(now, "CN20261")
        conversation = ConversationFactory(uid="C1001", customer=customer)
        for number in range(6):
            reply(shortcut=f"r{number}", text_zh="{order_number}")
        agent = StaffFactory()

        # conversation, replies, agent, the customer's lines, his order and its product
        with django_assert_num_queries(6):
            assert len(worded(conversation, agent, now)) == 6


class TestWhose:
    def test_everybodys_ones_teams_and_ones_own(self, now: datetime):
        agent, other = StaffFactory(), StaffFactory()
        team, strange = Team.objects.create(name="甲"), Team.objects.create(name="乙")
        AgentProfile.objects.create(user=agent).teams.add(team)
        reply(shortcut="all")
        reply(shortcut="team", team=team)
        reply(shortcut="strange", team=strange)
        reply(shortcut="own", owner=agent)
        reply(shortcut="others", owner=other)
        reply(shortcut="off", is_active=False)

        assert set(worded(ConversationFactory(), agent, now)) == {"all", "team", "own"}

    def test_an_agent_changes_and_deletes_only_his_own(self, client: Browser):
        agent, other = StaffFactory(), StaffFactory()
        fields = {"shortcut": "hi", "title": "你好", "text_zh": "您好", "text_en": ""}
        ask = {"content_type": "application/json"}
        made = client.post("/api/workspace/canned-replies", fields, headers=bearer(agent), **ask)
        url = f"/api/workspace/canned-replies/{made.json()['id']}"

        assert made.status_code == 201
        for person in (other, StaffFactory(role="supervisor")):
            assert client.put(url, fields, headers=bearer(person), **ask).status_code == 404
            assert client.delete(url, headers=bearer(person)).status_code == 404
        changed = client.put(url, {**fields, "title": "退货"}, headers=bearer(agent), **ask)
        assert changed.json()["title"] == "退货"
        assert CannedReply.objects.get().pinyin == "tui huo"
        mine = client.get("/api/workspace/canned-replies", headers=bearer(agent)).json()
        assert [one["shortcut"] for one in mine["replies"]] == ["hi"]
        assert client.delete(url, headers=bearer(agent)).status_code == 204
        assert not CannedReply.objects.exists()

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"text_zh": ""}, "text_zh"),
            ({"text_zh": "{order_numbr}"}, "text_zh"),
            ({"text_en": "{open"}, "text_en"),
            ({"shortcut": "a b"}, "shortcut"),
            ({"shortcut": ""}, "shortcut"),
            ({"title": ""}, "title"),
            ({"shortcut": "TAKEN"}, "shortcut"),
        ],
    )
    def test_what_is_wrong_is_said_at_its_field_and_nothing_is_stored(
        self, client: Browser, wrong: dict[str, str], field: str
    ):
        agent = StaffFactory()
        reply(shortcut="taken", owner=agent)
        fields = {"shortcut": "hi", "title": "你好", "text_zh": "您好", "text_en": "", **wrong}

        refused = client.post(
            "/api/workspace/canned-replies",
            fields,
            headers=bearer(agent),
            content_type="application/json",
        )

        assert refused.status_code == 400
        assert list(refused.json()["fields"]) == [field]
        assert CannedReply.objects.count() == 1

    def test_there_is_an_end_to_ones_own(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("chat.services.canned.OWN_MOST", 1)
        agent = StaffFactory()
        reply(owner=agent)
        with pytest.raises(services.TooManyCannedReplies):
            services.save_own(agent_id=agent.pk, shortcut="b", title="b", text_zh="b", text_en="")


class TestPinyin:
    @pytest.mark.parametrize(
        ("title", "syllables"),
        [("退货地址", "tui huo di zhi"), ("物流 Tracking", "wu liu tracking"), ("", "")],
    )
    def test_syllables_follow_each_other(self, title: str, syllables: str):
        assert pinyin_of(title) == syllables


class TestTheStarterSet:
    def test_is_loaded_once_and_left_as_staff_leave_it(self):
        assert services.load_starter() == len(starter.rows("canned_replies")) + len(
            starter.rows("dispositions")
        )
        CannedReply.objects.filter(shortcut="hello").update(text_zh="改过")
        CannedReply.objects.filter(shortcut="bye").delete()

        assert services.load_starter() == 0

        assert CannedReply.objects.get(shortcut="hello").text_zh == "改过"
        assert not CannedReply.objects.filter(shortcut="bye").exists()

    def test_is_bilingual_and_says_only_what_can_be_filled_in(self):
        services.load_starter()
        assert CannedReply.objects.count() >= 15
        for one in CannedReply.objects.all():
            assert one.text_zh
            assert one.text_en
            check(one)
        assert Disposition.objects.count() >= 5
        assert all(one.name_en for one in Disposition.objects.all())

    def test_every_variable_has_a_name_for_the_preview(self):
        texts = get_template("workspace/_canned_texts.html").render()
        assert [name for name in VARIABLES if f'"variable-{name}"' not in texts] == []


def test_a_shared_shortcut_is_there_once_for_each_team():
    reply(shortcut="hi")
    with pytest.raises(ValidationError):
        check(CannedReply(shortcut="HI", title="x", text_zh="x"))
    check(CannedReply(shortcut="hi", title="x", text_zh="x", team=Team.objects.create(name="甲")))


class TestInTheAdmin:
    def test_editors_write_shared_ones_and_do_not_see_agents_own(self, client: Browser):
        reply(shortcut="secret", title="我自己的", owner=StaffFactory())
        client.force_login(StaffFactory(role="business editor"), backend=BACKEND)
        address = reverse("admin:chat_cannedreply_add")
        form = {"shortcut": "hi", "title": "问候", "text_zh": "{nobody}", "is_active": "on"}

        refused = client.post(address, form)
        saved = client.post(address, {**form, "text_zh": "您好，{customer_name}"})
        listed = client.get(reverse("admin:chat_cannedreply_changelist"))

        assert refused.status_code == 200
        assert "{nobody}" in refused.content.decode()
        assert saved.status_code == 302
        assert CannedReply.objects.get(shortcut="hi").pinyin == "wen hou"
        assert "问候" in listed.content.decode()
        assert "我自己的" not in listed.content.decode()

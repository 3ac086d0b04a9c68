"""Searching what was said: Chinese without word boundaries, on both databases."""

from datetime import date, datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from chat import inbox
from chat.inbox import search_index
from chat.inbox.searching import excerpt
from chat.models import Message
from knowledge.models import Customer
from tests.chat.test_inbox import api
from tests.factories import ConversationFactory, MessageFactory, StaffFactory

LINES = [
    "我要退款",
    "退款",
    "请问怎么退款呢？",
    "Where is my order?",
    "100% 棉 a_b",
    "退 款",
    "想退货",
]


@pytest.fixture(params=["recent", "index"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Find everything among the newest lines, or everything in the index."""
    if request.param == "index":
        monkeypatch.setattr("chat.inbox.searching.RECENT", 0)
    return str(request.param)


@pytest.fixture
def said(both_databases: str) -> list[Message]:
    return [MessageFactory(text=line) for line in LINES]


def found(query: str) -> list[str]:
    return [LINES[LINES.index(hit.excerpt)] for hit in inbox.search(query).lines]


@pytest.mark.usefixtures("said", "place")
@pytest.mark.parametrize(
    ("query", "lines"),
    [
        ("退款", ["请问怎么退款呢？", "退款", "我要退款"]),
        ("怎么退款", ["请问怎么退款呢？"]),
        ("退款 请问", ["请问怎么退款呢？"]),
        ("ORDER", ["Where is my order?"]),
        ("is MY", ["Where is my order?"]),
        ("0%", ["100% 棉 a_b"]),
        ("a_b", ["100% 棉 a_b"]),
        ("a%b", []),
        ('"x" OR', []),
        ("发票", []),
        ("退款 发票", []),
        ("想 退货", ["想退货"]),
    ],
)
def test_parts_of_text_are_found_the_newest_first(query: str, lines: list[str]):
    assert found(query) == lines


def test_a_line_that_was_changed_or_deleted_is_found_as_it_is_now(
    said: list[Message], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("chat.inbox.searching.RECENT", 0)
    Message.objects.filter(pk=said[0].pk).update(text="想退货")
    said[1].delete()

    assert found("退款") == ["请问怎么退款呢？"]
    assert found("想退货") == ["想退货", "想退货"]


@pytest.mark.django_db
class TestSearching:
    def test_one_character_alone_is_refused(self):
        with pytest.raises(inbox.TooShort):
            inbox.search("退 款")
        answer = api(StaffFactory()).get("/api/workspace/search?q=退")
        assert (answer.status_code, answer.json()["code"]) == (400, "too_short")

    def test_customers_are_found_by_name_and_number(self):
        customer = Customer.objects.create(uid="C7788", name="王小明", joined_on=date(2026, 1, 1))
        theirs = ConversationFactory(uid="C7788", customer=customer)
        visitor = ConversationFactory(uid="anon-1f2e3d")

        assert [hit.conversation for hit in inbox.search("小明").people] == [theirs.pk]
        assert [hit.conversation for hit in inbox.search("c7788").people] == [theirs.pk]
        assert [hit.conversation for hit in inbox.search("2E3D").people] == [visitor.pk]

    def test_what_was_taken_back_is_not_found(self, now: datetime):
        line = MessageFactory(text="不该说的话", sender="AGENT", awaits_answer=False)
        MessageFactory(
            conversation=line.conversation,
            sender="SYSTEM",
            text="",
            recalls=line,
            awaits_answer=False,
        )

        assert not inbox.search("不该说的").lines

    def test_the_newest_are_told_and_that_there_are_more(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("chat.inbox.searching.FOUND_MOST", 2)
        conversation = ConversationFactory()
        for _ in range(3):
            MessageFactory(conversation=conversation, text="我要退款")

        result = inbox.search("退款")

        assert ([hit.seq for hit in result.lines], result.has_more) == ([3, 2], True)

    def test_when_the_time_is_up_it_says_so(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("chat.inbox.searching.PATIENCE_S", -1.0)
        monkeypatch.setattr("chat.inbox.searching.RECENT", 10**9)
        conversation = ConversationFactory()
        Message.objects.bulk_create(
            Message(conversation=conversation, seq=n, sender="BOT", text="很长的一句话" * 20)
            for n in range(1, 3000)
        )

        result = inbox.search("没有的词语")

        assert result.is_cut_short

    def test_over_rest_with_the_line_to_open(self):
        line = MessageFactory(text="我要退款", conversation__uid="C1")

        answer = api(StaffFactory()).get("/api/workspace/search?q=退款").json()

        [hit] = answer["lines"]
        assert (hit["conversation"], hit["seq"], hit["uid"]) == (
            str(line.conversation_id),
            1,
            "C1",
        )
        assert (answer["words"], answer["has_more"], answer["is_cut_short"]) == (
            ["退款"],
            False,
            False,
        )


def test_an_excerpt_is_the_part_around_what_was_found():
    text = "前" * 100 + "我要\n退款" + "后" * 200

    assert excerpt(text, ["退款"]).startswith("…前前")
    assert "我要 退款后" in excerpt(text, ["退款"])
    assert excerpt("我要退款", ["退款"]) == "我要退款"


@pytest.mark.skipif("sqlite" not in connection.vendor, reason="these triggers are SQLite's")
def test_migrating_again_keeps_the_index_up_to_date(transactional_db: None, monkeypatch: Any):
    with connection.cursor() as cursor:  # as a migration does that makes the table anew
        cursor.execute("DROP TRIGGER chat_message_search_insert")

    call_command("migrate", verbosity=0)

    line = MessageFactory(text="我要退款")
    assert search_index.find(["退款"], upto=line.pk, most=5) == [line.pk]

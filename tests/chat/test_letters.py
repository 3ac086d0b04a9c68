"""Mail: an agent's answer to who has left, once, and the transcript to whom he asked for it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client as Http

from chat import letters, services, tasks, transcripts
from chat.models import Conversation, LeftAddress, Message
from csplatform import celery
from tests.chat.test_sockets import token
from tests.databases import interleave
from tests.factories import ConversationFactory, MessageFactory, StaffFactory


@pytest.fixture(autouse=True)
def _mail_is_set_up(settings: Any) -> None:
    settings.EMAIL_URL = "locmem"
    settings.CHAT_EMAIL_AFTER_S = 300.0
    settings.SITE_URL = "https://shop.example/help"


@pytest.fixture
def agent(db: None) -> Any:
    return StaffFactory(first_name="小林")


@pytest.fixture
def conversation(agent: Any, now: datetime) -> Conversation:
    """The customer asked, left his address, and an agent has it."""
    conversation = ConversationFactory(uid="C1", status="AGENT", agent=agent)
    MessageFactory(conversation=conversation, awaits_answer=False, sent_at=now)
    leave(conversation, now)
    return conversation


def leave(conversation: Conversation, now: datetime, email: str = "a@example.com") -> None:
    services.leave_address(uid="C1", conversation_id=conversation.pk, email=email, now=now)


def reply(conversation: Conversation, agent: Any, text: str, now: datetime) -> None:
    services.post_agent_message(
        conversation_id=conversation.pk, agent_id=agent.pk, text=text, now=now
    )


class TestAnAnswer:
    def test_is_mailed_once_when_it_was_not_read(
        self, conversation: Conversation, agent: Any, now: datetime
    ):
        reply(conversation, agent, "已经补发了", now)
        reply(conversation, agent, "明天到", now + timedelta(seconds=100))

        assert letters.send_due(now=now + timedelta(seconds=350)) == 0, "he may be writing still"
        assert letters.send_due(now=now + timedelta(seconds=401)) == 1
        assert letters.send_due(now=now + timedelta(seconds=999)) == 0

        (sent,) = mail.outbox
        assert sent.to == ["a@example.com"]
        assert "已经补发了" in sent.body
        assert "明天到" in sent.body
        assert "https://shop.example/help" in sent.body
        assert "我的快递到哪了" not in sent.body  # what was said before stays in the chat

    def test_what_comes_later_is_another_mail(
        self, conversation: Conversation, agent: Any, now: datetime
    ):
        for number in range(2):
            later = now + timedelta(hours=number)
            reply(conversation, agent, f"第{number}次", later)
            letters.send_due(now=later + timedelta(minutes=6))

        assert ["第0次" in one.body for one in mail.outbox] == [True, False]
        assert ["第1次" in one.body for one in mail.outbox] == [False, True]

    def test_not_to_who_has_read_it_or_replied(
        self, conversation: Conversation, agent: Any, now: datetime
    ):
        reply(conversation, agent, "您好", now)
        services.read_by_customer(uid="C1", conversation_id=conversation.pk, seq=2)
        assert letters.send_due(now=now + timedelta(minutes=6)) == 0
        reply(conversation, agent, "还在吗", now)
        services.post_customer_message(uid="C1", text="在的", now=now)

        assert letters.send_due(now=now + timedelta(minutes=6)) == 0

    def test_what_was_taken_back_is_not_in_it(
        self, conversation: Conversation, agent: Any, now: datetime, talk: None
    ):
        reply(conversation, agent, "说错了", now)
        services.recall(conversation_id=conversation.pk, agent_id=agent.pk, seq=2, now=now)

        assert letters.send_due(now=now + timedelta(minutes=6)) == 0

    def test_not_after_thirty_days_and_not_when_it_was_taken_back(
        self, conversation: Conversation, agent: Any, now: datetime
    ):
        reply(conversation, agent, "您好", now + timedelta(days=31))
        assert letters.send_due(now=now + timedelta(days=31, minutes=6)) == 0
        leave(conversation, now, email="")
        assert not LeftAddress.objects.exists()
        leave(conversation, now)
        assert services.forget_addresses(now + timedelta(days=30)) == 1

    def test_with_the_mail_server_away_nothing_is_lost(
        self, conversation: Conversation, agent: Any, now: datetime, settings: Any
    ):
        reply(conversation, agent, "您好", now)
        backend = settings.EMAIL_BACKEND
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
        with pytest.raises(OSError, match="refused"):
            letters.send_due(now=now + timedelta(minutes=6))
        settings.EMAIL_BACKEND = backend

        assert letters.send_due(now=now + timedelta(minutes=6)) == 1

    def test_one_query_when_nothing_is_due(
        self, conversation: Conversation, now: datetime, django_assert_num_queries: Any
    ):
        with django_assert_num_queries(1):
            letters.send_due(now=now)

    def test_of_two_sweeps_one_takes_it(self, both_databases: str, now: datetime):
        agent = StaffFactory()
        conversation = ConversationFactory(uid="C1", status="AGENT", agent=agent)
        leave(conversation, now)
        address = LeftAddress.objects.get().pk
        reply(conversation, agent, "您好", now)
        taken: list[object] = []

        interleave(
            lambda: taken.append(services.take_letter(address)),
            lambda: taken.append(services.take_letter(address)),
            at='UPDATE "chat_leftaddress"',
        )

        assert sorted(one is None for one in taken) == [False, True]


class TestATranscript:
    @pytest.fixture(autouse=True)
    def _worker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(celery.app.conf, "task_always_eager", True)

    def ask(self, method: str, uid: str = "C1", language: str = "zh-hans", **fields: Any) -> Any:
        headers = {"Authorization": f"Bearer {token(uid)}", "Accept-Language": language}
        address = "/api/conversation/transcript"
        if method == "GET":
            return Http().get(address, fields, headers=headers)
        return Http().post(address, fields, content_type="application/json", headers=headers)

    def test_has_what_was_said_and_not_what_was_taken_back_or_noted(
        self, conversation: Conversation, agent: Any, now: datetime, talk: None
    ):
        reply(conversation, agent, "<b>明天</b>到", now)
        reply(conversation, agent, "说错了", now)
        services.recall(conversation_id=conversation.pk, agent_id=agent.pk, seq=3, now=now)
        services.write_note(
            conversation_id=conversation.pk, author_id=agent.pk, text="难缠的客户", now=now
        )
        which = {"conversation": str(conversation.pk)}

        text = self.ask("GET", **which, format="txt")
        page = self.ask("GET", **which, format="html")

        assert text.content.startswith(b"\xef\xbb\xbf")
        read = text.content.decode("utf-8-sig")
        assert "小林: <b>明天</b>到" in read
        assert "[2026-11-22 18:00]" in read  # on the clock of TIME_ZONE
        assert "&lt;b&gt;明天&lt;/b&gt;到" in page.content.decode()
        for content in (read, page.content.decode()):
            assert "说错了" not in content
            assert "难缠的客户" not in content
        assert text["Content-Disposition"].startswith("attachment")

    def test_costs_three_queries_however_long_it_is(
        self, conversation: Conversation, now: datetime, django_assert_num_queries: Any
    ):
        for _ in range(30):
            MessageFactory(conversation=conversation, awaits_answer=False)

        with django_assert_num_queries(2):
            transcripts.written(conversation, "txt", now=now)

    def test_of_somebody_else_is_absent(self, conversation: Conversation):
        which = {"conversation": str(conversation.pk)}

        assert self.ask("GET", uid="C2", **which).status_code == 404
        assert self.ask("POST", uid="C2", **which, email="b@example.com").status_code == 404
        assert mail.outbox == []

    def test_goes_by_mail_to_the_address_typed_so_many_times(
        self, conversation: Conversation, settings: Any
    ):
        settings.RATES = {**settings.RATES, "mail": (2, 3600)}
        asked = {"conversation": str(conversation.pk), "email": "b@example.com"}

        codes = [self.ask("POST", **asked).status_code for _ in range(3)]

        assert codes == [202, 202, 429]
        assert [one.to for one in mail.outbox] == [["b@example.com"]] * 2
        (name, content, kind) = mail.outbox[0].attachments[0]
        assert (name.endswith(".html"), kind) == (True, "text/html")
        assert "我的快递到哪了" in content
        assert "我的快递到哪了" not in mail.outbox[0].body

    def test_without_mail_is_refused_and_so_is_an_address(
        self, conversation: Conversation, settings: Any
    ):
        settings.EMAIL_URL = ""
        asked = {"conversation": str(conversation.pk), "email": "b@example.com"}

        assert self.ask("POST", **asked).json()["code"] == "mail_is_off"
        with pytest.raises(services.MailIsOff):
            leave(conversation, conversation.opened_at)
        tasks.mail_answers()
        assert mail.outbox == []


def test_an_address_is_left_by_whose_conversation_it_is(conversation: Conversation):
    def put(uid: str, email: str) -> Any:
        body = {"conversation": str(conversation.pk), "email": email}
        headers = {"Authorization": f"Bearer {token(uid)}"}
        address = "/api/conversation/address"
        return Http().put(address, body, content_type="application/json", headers=headers)

    assert put("C2", "b@example.com").status_code == 404
    assert put("C1", "nonsense").status_code == 400
    assert put("C1", "b@example.com").status_code == 200
    assert LeftAddress.objects.get().email == "b@example.com"
    assert Message.objects.count() == 1

"""Webhooks: written with the change, signed, sent until taken, and only to public addresses."""

import base64
import hashlib
import hmac
import json
import re
import shutil
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils import timezone

from chat import attachments, services, tasks, webhooks
from chat.models import Attachment, Message, WebhookDelivery, WebhookEndpoint, WebhookEvent
from chat.webhooks import delivery as delivering
from chat.webhooks import endpoints, signing
from intents import content
from tests.chat import files
from tests.chat.receiver import Received, Receiver, listening
from tests.databases import at_once, interleave
from tests.factories import ConversationFactory, StaffFactory

pytestmark = pytest.mark.usefixtures("talk")

ALL = [kind.name for kind in webhooks.KINDS]
PENDING, DELIVERED, GIVEN_UP = "PENDING", "DELIVERED", "GIVEN_UP"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    settings.WEBHOOK_HTTPS_ONLY = False
    settings.WEBHOOK_TIMEOUT_S = 5.0


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as one:
        yield one


def endpoint_at(receiver: Receiver, now: datetime, kinds: list[str] = ALL) -> WebhookEndpoint:
    endpoint, _secret = webhooks.create(
        name="erp", url=receiver.url, kinds=kinds, created_by_id=None, now=now
    )
    return endpoint


def say(now: datetime, text: str = "我的快递到哪了", uid: str = "C1001") -> Message:
    return services.post_customer_message(
        uid=uid, text=text, now=now, client_id=uuid.uuid4()
    ).message


def uploaded(*, uid: str, name: str, now: datetime) -> Attachment:
    return attachments.upload(file=SimpleUploadedFile(name, files.image()), uid=uid, now=now)


def deliver_all(now: datetime) -> int:
    """Send until nothing is due; an endpoint is free again a moment after it answered."""
    for times in range(100):
        if not webhooks.deliver_next(now=now + timedelta(seconds=6 * times)):
            return times
    raise AssertionError("it never ends")


def deliveries() -> list[tuple[str, int]]:
    return list(WebhookDelivery.objects.order_by("pk").values_list("status", "attempts"))


# --- The outbox -----------------------------------------------------------------------------


@pytest.mark.django_db
class TestWhatIsTold:
    def test_a_conversation_from_beginning_to_end(self, receiver: Receiver, now: datetime):
        endpoint_at(receiver, now)
        agent = StaffFactory(first_name="小林")
        posted = say(now)
        conversation = posted.conversation
        ids = {"conversation_id": conversation.pk}
        services.ask_for_human(uid="C1001", **ids, now=now)
        services.take_over(**ids, agent_id=agent.pk, now=now)
        services.post_agent_message(**ids, agent_id=agent.pk, text="您好", now=now)
        services.hand_back(**ids, agent_id=agent.pk, now=now)
        services.close(**ids, agent_id=agent.pk, now=now)

        deliver_all(now)

        assert receiver.kinds == [
            "message.posted",
            "conversation.handed_over",
            "conversation.taken_over",
            "message.posted",
            "conversation.handed_back",
            "conversation.closed",
        ]
        about = [one.json["data"]["conversation"] for one in receiver.received]
        assert {one["id"] for one in about} == {str(conversation.pk)}
        assert [one["status"] for one in about] == [
            "BOT",
            "WAITING",
            "AGENT",
            "AGENT",
            "BOT",
            "CLOSED",
        ]
        assert receiver.received[1].json["data"]["handover"]["because"] == "CUSTOMER"
        said = receiver.received[3].json["data"]["message"]
        assert (said["sender"], said["author"], said["text"]) == ("AGENT", "小林", "您好")

    def test_the_bots_answer_names_what_it_answers(
        self, receiver: Receiver, now: datetime, engine: Any
    ):
        from chat import dialogue

        endpoint_at(receiver, now, ["message.posted"])
        dialogue.answer_blocking(say(now).pk)

        deliver_all(now + DAY * 3650)  # the bot answers by the real clock

        message = receiver.received[1].json["data"]["message"]
        assert (message["sender"], message["answers"], message["intent"]) == ("BOT", 1, "logistics")
        assert (message["decision"], message["probability"]) == ("ANSWER", 0.9)

    def test_personal_data_becomes_placeholders(self, receiver: Receiver, now: datetime):
        endpoint_at(receiver, now)
        say(now, "电话13812345678，邮箱 wang@example.com，订单 CS-20261122-0001")

        deliver_all(now)

        text = receiver.received[0].json["data"]["message"]["text"]
        assert text == "电话<phone>,邮箱 <email>,订单 <order>"
        stored = WebhookEvent.objects.get().payload
        assert "13812345678" not in stored
        assert "13812345678" in Message.objects.get(seq=1).text

    def test_a_message_names_the_files_that_came_with_it(self, receiver: Receiver, now: datetime):
        endpoint_at(receiver, now, ["message.posted"])
        receipt = uploaded(uid="C1001", name="13812345678.png", now=now)
        services.post_customer_message(
            uid="C1001", text="", client_id=uuid.uuid4(), attachment_ids=[receipt.pk], now=now
        )

        deliver_all(now)

        assert receiver.received[0].json["data"]["message"]["attachments"] == [
            {
                "id": str(receipt.pk),
                "name": "<phone>.png",
                "content_type": "image/png",
                "size": receipt.size,
            }
        ]

    def test_an_endpoint_hears_only_what_it_asked_for(self, receiver: Receiver, now: datetime):
        endpoint_at(receiver, now, ["conversation.closed"])
        conversation = say(now).conversation
        services.close(conversation_id=conversation.pk, agent_id=StaffFactory().pk, now=now)

        deliver_all(now)

        assert receiver.kinds == ["conversation.closed"]

    def test_a_visitor_who_signs_in_changes_nobodys_turn(self, receiver: Receiver, now: datetime):
        endpoint_at(receiver, now)
        say(now, uid="anon-1")
        services.join_visitor(visitor_uid="anon-1", uid="C1001", now=now)

        assert [event.kind for event in WebhookEvent.objects.all()] == ["message.posted"]

    def test_nobody_is_told_twice_of_a_message_that_was_sent_twice(
        self, receiver: Receiver, now: datetime
    ):
        endpoint_at(receiver, now)
        for _ in range(2):
            services.post_customer_message(
                uid="C1", text="你好", now=now, client_id=uuid.UUID(int=1)
            )

        assert WebhookEvent.objects.count() == 1

    def test_what_is_rolled_back_is_not_told(self, receiver: Receiver, now: datetime):
        endpoint_at(receiver, now)

        def fails() -> None:
            with transaction.atomic():
                say(now)
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fails()

        assert not WebhookEvent.objects.exists()
        assert not WebhookDelivery.objects.exists()

    def test_an_endpoint_that_is_off_is_told_nothing_and_gets_what_waited_when_it_is_on(
        self, receiver: Receiver, now: datetime
    ):
        endpoint = endpoint_at(receiver, now)
        say(now, "一")
        webhooks.switch_off(endpoint_id=endpoint.pk)
        say(now, "二")
        assert deliver_all(now) == 0
        webhooks.switch_on(endpoint_id=endpoint.pk, now=now)
        say(now, "三")

        deliver_all(now)

        texts = [one.json["data"]["message"]["text"] for one in receiver.received]
        assert texts == ["一", "三"]

    def test_forgotten_conversations_take_their_events_with_them(
        self, receiver: Receiver, now: datetime
    ):
        endpoint_at(receiver, now)
        say(now).conversation.delete()

        assert not WebhookEvent.objects.exists()
        assert not WebhookDelivery.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_change_costs_no_statement_while_nobody_listens(
    settings: Any, now: datetime, django_assert_num_queries: Any
):
    """BEGIN, the seq, the line, COMMIT; with a listener also: the message, the event, its delivery."""
    settings.CONTENT_POLL_S = 60.0
    ConversationFactory(uid="C1")
    content.current()
    assert endpoints.that_want("message.posted") == ()

    with django_assert_num_queries(4):
        say(now, uid="C1")

    webhooks.create(name="erp", url="http://127.0.0.1:9", kinds=ALL, created_by_id=None, now=now)
    assert len(endpoints.that_want("message.posted")) == 1
    with django_assert_num_queries(4 + 3):
        say(now, uid="C1")


@pytest.mark.django_db
def test_an_empty_sweep_is_one_statement(now: datetime, django_assert_num_queries: Any):
    with django_assert_num_queries(1):
        assert not webhooks.deliver_next(now=now)


# --- Signatures -----------------------------------------------------------------------------


def is_signed(request: Received, secret: str) -> list[bool]:
    """Verify as the specification says, on our own: whether each signature is of this secret."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode()
    wanted = base64.b64encode(hmac.new(key, signed + request.body, hashlib.sha256).digest())
    return [
        one == f"v1,{wanted.decode()}" for one in request.headers["webhook-signature"].split(" ")
    ]


def test_the_signature_is_that_of_the_specification():
    """The published example of github.com/standard-webhooks/standard-webhooks (libraries' tests)."""
    headers = dict(
        signing.headers(
            event_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
            body=b'{"test": 2432232314}',
            secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
            now=datetime.fromtimestamp(1614265330).astimezone(),
        )
    )
    assert headers["webhook-timestamp"] == "1614265330"
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.django_db
class TestSecrets:
    def test_a_delivery_is_signed_with_the_secret_that_was_shown(
        self, receiver: Receiver, now: datetime
    ):
        _, secret = webhooks.create(
            name="erp", url=receiver.url, kinds=ALL, created_by_id=None, now=now
        )
        say(now)
        deliver_all(now)

        [request] = receiver.received
        assert is_signed(request, secret) == [True]
        assert request.headers["webhook-id"] == request.json["id"]
        assert int(request.headers["webhook-timestamp"]) == int(now.timestamp())
        assert request.headers["content-type"] == "application/json"

    def test_for_a_day_both_secrets_sign_and_then_the_new_one_alone(
        self, receiver: Receiver, now: datetime
    ):
        endpoint, former = webhooks.create(
            name="erp", url=receiver.url, kinds=ALL, created_by_id=None, now=now
        )
        newest = webhooks.rotate_secret(endpoint_id=endpoint.pk, now=now)
        assert newest != former
        say(now)
        deliver_all(now)
        say(now + DAY)
        deliver_all(now + DAY)

        during, after = receiver.received
        assert is_signed(during, newest) == [True, False]
        assert is_signed(during, former) == [False, True]
        assert is_signed(after, newest) == [True]
        assert is_signed(after, former) == [False]

    def test_no_table_holds_it_and_every_endpoint_has_its_own(
        self, receiver: Receiver, now: datetime
    ):
        first, second = endpoint_at(receiver, now), endpoint_at(receiver, now)
        secrets = {signing.secret_of(first), signing.secret_of(second)}
        assert len(secrets) == 2
        rows = json.dumps(list(WebhookEndpoint.objects.values()), default=str)
        assert not any(secret.removeprefix("whsec_") in rows for secret in secrets)


# --- Delivery -------------------------------------------------------------------------------


@pytest.mark.django_db
class TestDelivery:
    def test_what_was_taken_is_not_sent_again(self, receiver: Receiver, now: datetime):
        endpoint_at(receiver, now)
        say(now)

        assert deliver_all(now) == 1
        assert deliver_all(now + DAY) == 0

        assert deliveries() == [(DELIVERED, 1)]
        delivery = WebhookDelivery.objects.get()
        assert (delivery.response_code, delivery.attempted_at) == (204, now)

    def test_a_worker_that_dies_after_sending_sends_again_with_the_same_id(
        self, receiver: Receiver, now: datetime
    ):
        endpoint = endpoint_at(receiver, now)
        say(now)

        class Killed(BaseException):
            """What kill -9 leaves: the request was sent, and nothing noted."""

        def dies(execute: Any, sql: str, *rest: Any) -> Any:
            if receiver.received and sql.startswith("UPDATE"):
                raise Killed
            return execute(sql, *rest)

        with pytest.raises(Killed), transaction.get_connection().execute_wrapper(dies):
            webhooks.deliver_next(now=now)
        assert deliveries() == [(PENDING, 0)]

        held_until = now + delivering.LEASE
        assert not webhooks.deliver_next(now=held_until - timedelta(seconds=1))
        assert webhooks.deliver_next(now=held_until)

        first, second = receiver.received
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.body == second.body
        assert deliveries() == [(DELIVERED, 1)]
        endpoint.refresh_from_db()
        assert endpoint.failures == 0

    def test_it_is_tried_for_about_a_day_with_growing_waits_and_then_given_up(
        self, receiver: Receiver, now: datetime, settings: Any
    ):
        settings.WEBHOOK_SWITCH_OFF_DAYS = 3.0
        endpoint_at(receiver, now)
        receiver.code, receiver.body = 500, "库存服务没有响应".encode()
        say(now)
        moment, waits = now, []
        while (delivery := WebhookDelivery.objects.get()).status == PENDING:
            assert not webhooks.deliver_next(now=delivery.due_at - timedelta(milliseconds=1))
            assert webhooks.deliver_next(now=max(delivery.due_at, moment))
            moment = max(delivery.due_at, moment)
            after = WebhookDelivery.objects.get()
            waits.append(after.due_at - moment)

        assert delivery.status == GIVEN_UP
        assert delivery.attempts == len(receiver.received) == 9
        assert len(set(receiver.ids)) == 1
        for wait, planned in zip(waits[:-1], delivering.BACK_OFF, strict=True):
            # A request takes some milliseconds.
            assert planned * 0.8 <= wait <= planned * 1.2 + timedelta(seconds=1)
        assert 18 * HOUR < moment - now < 29 * HOUR
        assert (delivery.response_code, delivery.outcome) == (500, "库存服务没有响应")
        assert deliver_all(now + 30 * DAY) == 0

    def test_one_event_that_it_cannot_take_does_not_hold_up_the_others(
        self, receiver: Receiver, now: datetime
    ):
        endpoint_at(receiver, now)
        say(now, "坏的")
        say(now, "好的")

        def refuse(request: Received) -> None:
            receiver.code = 400 if "坏的" in request.body.decode() else 204

        receiver.on_request = refuse
        for second in range(0, 10, 3):
            webhooks.deliver_next(now=now + timedelta(seconds=second))

        assert deliveries() == [(PENDING, 2), (DELIVERED, 1)]

    def test_an_endpoint_that_fails_rests_however_much_waits(
        self, receiver: Receiver, now: datetime
    ):
        endpoint = endpoint_at(receiver, now)
        receiver.code = 503
        for _ in range(60):
            say(now)
        for second in range(600):
            webhooks.deliver_next(now=now + timedelta(seconds=second))

        assert len(receiver.received) <= 16  # 1, 2, 4, … 60 seconds apart
        receiver.code = 204
        deliver_all(now + HOUR)
        assert {status for status, _ in deliveries()} == {DELIVERED}
        endpoint.refresh_from_db()
        assert (endpoint.failures, endpoint.failing_since) == (0, None)

    def test_after_failing_for_days_it_is_switched_off(self, receiver: Receiver, now: datetime):
        endpoint = endpoint_at(receiver, now)
        receiver.code = 500
        for hours in range(0, 80, 4):
            say(now + hours * HOUR)
            webhooks.deliver_next(now=now + hours * HOUR)
            endpoint.refresh_from_db()
            assert endpoint.is_active == (hours < 72), hours

        assert endpoint.switched_off_because == "FAILING"
        assert endpoint.outcome == "HTTP 500"

    def test_two_failures_with_a_quiet_week_between_are_no_week_of_failing(
        self, receiver: Receiver, now: datetime
    ):
        endpoint = endpoint_at(receiver, now)
        receiver.code = 500
        for at in (now, now + 7 * DAY):
            WebhookDelivery.objects.all().delete()
            say(at)
            webhooks.deliver_next(now=at)

        endpoint.refresh_from_db()
        assert endpoint.is_active
        assert endpoint.failing_since == now + 7 * DAY

    def test_one_that_is_gone_is_switched_off_at_once(self, receiver: Receiver, now: datetime):
        endpoint = endpoint_at(receiver, now)
        receiver.code = 410
        say(now)
        deliver_all(now)

        endpoint.refresh_from_db()
        assert (endpoint.is_active, endpoint.switched_off_because) == (False, "GONE")

    def test_a_given_up_delivery_is_sent_again_with_its_id(self, receiver: Receiver, now: datetime):
        endpoint_at(receiver, now)
        say(now)
        WebhookDelivery.objects.update(status=GIVEN_UP, attempts=9)
        [delivery_id] = WebhookDelivery.objects.values_list("pk", flat=True)

        webhooks.redeliver(delivery_ids=[delivery_id], now=now)
        deliver_all(now)
        webhooks.redeliver(delivery_ids=[delivery_id], now=now)
        deliver_all(now + HOUR)

        assert receiver.ids == [str(WebhookEvent.objects.get().pk)] * 2
        assert deliveries() == [(DELIVERED, 1)]

    def test_a_ping_goes_to_one_endpoint_whatever_it_asked_for(
        self, receiver: Receiver, now: datetime
    ):
        endpoint = endpoint_at(receiver, now, ["conversation.closed"])
        endpoint_at(receiver, now)
        webhooks.ping(endpoint_id=endpoint.pk, now=now)
        deliver_all(now)

        assert receiver.kinds == ["ping"]
        assert receiver.received[0].json["data"] == {"endpoint": str(endpoint.pk)}

    def test_the_log_is_forgotten_after_a_month(self, receiver: Receiver, now: datetime):
        endpoint_at(receiver, now)
        say(now - 31 * DAY)
        say(now - 29 * DAY)

        assert webhooks.forget_old(now=now) == 1
        assert [event.created_at for event in WebhookEvent.objects.all()] == [now - 29 * DAY]
        assert len(deliveries()) == 1


@pytest.mark.django_db(transaction=True)
class TestWorkers:
    def test_of_many_at_once_one_sends(
        self, both_databases: str, receiver: Receiver, now: datetime
    ):
        endpoint_at(receiver, now)
        say(now)
        arrived, all_looked = threading.Event(), threading.Event()

        def hold(_: Received) -> None:
            arrived.set()
            all_looked.wait(20)

        receiver.on_request = hold

        def first() -> bool:
            return webhooks.deliver_next(now=now)

        def other() -> bool:
            return webhooks.deliver_next(now=now)

        def last() -> bool:
            assert arrived.wait(20)
            sent = webhooks.deliver_next(now=now + timedelta(seconds=5))
            all_looked.set()
            return sent

        outcomes = [one.result for one in at_once(first, other, other, last)]

        assert sum(outcomes) == 1
        assert len(receiver.received) == 1
        assert deliveries() == [(DELIVERED, 1)]

    def test_the_claim_is_decided_by_the_update_not_by_the_look(
        self, both_databases: str, receiver: Receiver, now: datetime
    ):
        """One stands before its UPDATE while the other claims and waits for the receiver."""
        endpoint_at(receiver, now)
        say(now)
        receiver.on_request = lambda _: time.sleep(1.0 if len(receiver.received) == 1 else 0.0)

        first, second = interleave(
            lambda: webhooks.deliver_next(now=now),
            lambda: webhooks.deliver_next(now=now),
            at='UPDATE "chat_webhookendpoint"',
        )

        assert (first.result, second.result) == (False, True)
        assert len(receiver.received) == 1
        assert deliveries() == [(DELIVERED, 1)]

    def test_a_late_worker_does_not_free_what_another_one_has(
        self, both_databases: str, receiver: Receiver, now: datetime
    ):
        """It slept through its lease: what it noted counts, the new lease stands."""
        endpoint = endpoint_at(receiver, now)
        say(now)
        later = now + delivering.LEASE

        def overtaken(_: Received) -> None:
            WebhookEndpoint.objects.update(free_at=later + delivering.LEASE)
            transaction.get_connection().close()

        receiver.on_request = overtaken
        webhooks.deliver_next(now=now)

        endpoint.refresh_from_db()
        assert endpoint.free_at == later + delivering.LEASE
        assert deliveries() == [(DELIVERED, 1)]

    def test_the_task_sends_all_that_waits_in_order(self, receiver: Receiver, now: datetime):
        endpoint_at(receiver, now)
        for number in range(5):
            say(now + timedelta(milliseconds=number), str(number))

        tasks.deliver_webhooks()

        sent = [one.json["data"]["message"]["seq"] for one in receiver.received]
        assert sent == [1, 2, 3, 4, 5]

    def test_writing_asks_the_worker_after_the_commit(
        self, receiver: Receiver, now: datetime, monkeypatch: pytest.MonkeyPatch
    ):
        asked: list[int] = []

        def ask(**_: Any) -> None:
            asked.append(WebhookEvent.objects.count())

        monkeypatch.setattr(tasks.deliver_webhooks, "apply_async", ask)
        say(now)
        assert asked == []
        endpoint_at(receiver, now)
        say(now)
        assert asked == [1]

    def test_a_broker_that_is_away_costs_one_message_a_moment_and_loses_nothing(
        self, receiver: Receiver, now: datetime, monkeypatch: pytest.MonkeyPatch
    ):
        asked: list[int] = []

        def away(**_: Any) -> None:
            asked.append(1)
            raise tasks.OperationalError("away")

        monkeypatch.setattr(tasks.deliver_webhooks, "apply_async", away)
        monkeypatch.setattr(tasks, "_broker_away_until", 0.0)
        endpoint_at(receiver, now)
        for _ in range(3):
            say(now)

        assert asked == [1]
        tasks.deliver_webhooks()
        assert len(receiver.received) == 3


# --- Endpoints ------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    "url",
    [
        "ftp://shop.example/hook",
        "file:///etc/passwd",
        "//shop.example/hook",
        "shop.example",
        "https://user:secret@shop.example/hook",
        "https://shop.example/hook#part",
        "https://shop.example:99999/",
        "https://[::1",
        "https://shop.example/\r\nx-more: 1",
        "https://shop.example\\@10.0.0.1/",
        "https://" + "a" * 500 + ".example/",
        "https://shop.example/" + "a" * 500,
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:10.0.0.1]/",
        "http://[fd00:ec2::254]/",
    ],
)
def test_what_is_no_address_of_a_receiver_is_refused(url: str, now: datetime):
    with pytest.raises(ValidationError):
        webhooks.create(name="erp", url=url, kinds=ALL, created_by_id=None, now=now)
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.django_db
def test_without_tls_only_where_a_setting_says_so(settings: Any, now: datetime):
    settings.WEBHOOK_HTTPS_ONLY = True
    with pytest.raises(ValidationError):
        webhooks.create(
            name="erp", url="http://shop.example/", kinds=ALL, created_by_id=None, now=now
        )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("url", "kept"),
    [
        (
            "https://商店.example/钩子?名=一",
            "https://xn--czrs0t.example/%E9%92%A9%E5%AD%90?%E5%90%8D=%E4%B8%80",
        ),
        ("https://Shop.Example:8443", "https://shop.example:8443/"),
        ("http://shop:8000/hook", "http://shop:8000/hook"),
        ("https://[2606:4700::1111]:8443/x", "https://[2606:4700::1111]:8443/x"),
    ],
)
def test_addresses_are_kept_in_ascii(url: str, kept: str, now: datetime):
    endpoint, _ = webhooks.create(name="erp", url=url, kinds=ALL, created_by_id=None, now=now)
    assert endpoint.url == kept


@pytest.mark.django_db
@pytest.mark.parametrize("kinds", [[], ["message.posted", "weather.changed"], ["ping"]])
def test_an_endpoint_asks_for_what_there_is(kinds: list[str], now: datetime):
    with pytest.raises(ValidationError):
        webhooks.create(
            name="erp", url="https://shop.example/", kinds=kinds, created_by_id=None, now=now
        )


def test_every_kind_has_a_name_of_its_own():
    assert len(set(ALL)) == len(ALL)
    assert all(kind.version >= 1 and str(kind.label) for kind in webhooks.KINDS)


# --- docs/webhooks.md -------------------------------------------------------------------------

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "webhooks.md").read_text("utf-8")


def example(language: str) -> str:
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)[0]


def says_python(secret: str, headers: dict[str, str], body: bytes) -> bool:
    space: dict[str, Any] = {}
    exec(example("python"), space)
    return space["is_genuine"](secret, headers, body)


def says_javascript(secret: str, headers: dict[str, str], body: bytes) -> bool:
    given = json.dumps([secret, headers, base64.b64encode(body).decode()])
    script = f"""{example("javascript")}
const [secret, headers, body] = {given};
console.log(isGenuine(secret, headers, Buffer.from(body, "base64")));"""
    done = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True)
    return {"true": True, "false": False}[done.stdout.strip()]


@pytest.mark.django_db
@pytest.mark.parametrize("verdict", [says_python, says_javascript])
def test_the_documented_verification_takes_ours_and_nothing_else(verdict: Any, receiver: Receiver):
    if verdict is says_javascript and shutil.which("node") is None:
        pytest.skip("node is not installed")
    now = timezone.now()
    endpoint, former = webhooks.create(
        name="erp", url=receiver.url, kinds=ALL, created_by_id=None, now=now
    )
    newest = webhooks.rotate_secret(endpoint_id=endpoint.pk, now=now)
    say(now)
    deliver_all(now)
    [request] = receiver.received
    old = {**request.headers, "webhook-timestamp": str(int(now.timestamp()) - 3600)}

    assert verdict(newest, request.headers, request.body)
    assert verdict(former, request.headers, request.body)
    assert not verdict(newest, request.headers, request.body + b" ")
    assert not verdict("whsec_" + "A" * 43 + "=", request.headers, request.body)
    assert not verdict(newest, old, request.body)


def test_every_kind_and_its_version_are_documented():
    rows = re.findall(r"^\| `([a-z_.]+)` \| (\d+) \|", DOCUMENT, re.MULTILINE)
    told = [(kind.name, str(kind.version)) for kind in webhooks.KINDS]
    assert rows == [*told, ("ping", "1")]


@pytest.mark.django_db
def test_every_field_is_documented(receiver: Receiver, now: datetime):
    endpoint_at(receiver, now)
    services.ask_for_human(uid="C1001", conversation_id=say(now).conversation.pk, now=now)
    deliver_all(now)

    for request in receiver.received:
        assert set(request.json) == {"id", "type", "version", "timestamp", "data"}
        for part, fields in request.json["data"].items():
            missing = [name for name in (part, *fields) if f"`{name}`" not in DOCUMENT]
            assert missing == []


def test_the_documented_waits_are_those_of_the_code():
    def minutes(text: str) -> float:
        number, unit = text.split(" ")
        return float(number) * {"s": 1 / 60, "min": 1, "h": 60}[unit]

    [listed] = re.findall(r"sent after (.*?), each a fifth", DOCUMENT, re.DOTALL)
    waits = [minutes(one) for one in listed.replace(" and ", ", ").split(", ")]
    assert waits == [wait.total_seconds() / 60 for wait in delivering.BACK_OFF]

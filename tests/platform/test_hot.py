"""The hot path: what comes past Django's handler is answered as Django would, and blocks nobody."""

import asyncio
import json
import sqlite3
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from prometheus_client import REGISTRY

from chat import services
from chat.models import Conversation, Message
from csplatform import hot, tokens
from csplatform.hot import HotPath, HotView
from csplatform.models import ServiceToken, digest
from csplatform.roles import CUSTOMERS
from csplatform.threads import in_thread
from intents import inference
from tests.chat.conftest import ScriptedEngine, write_content
from tests.factories import ConversationFactory

pytestmark = pytest.mark.django_db(transaction=True)
CHAT, CLASSIFY = "/api/chat", "/api/classify"
PATIENCE_S = 20.0


@dataclass
class Answer:
    """What an application sent."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.content)


@dataclass
class Server:
    """Speaks ASGI to the hot path, as uvicorn does; whatever it passes on is noted."""

    passed_on: list[tuple[str, str]] = field(default_factory=list)
    read: int = 0  # chunks of the last body that were taken

    async def others(self, scope: Any, receive: Any, send: Any) -> None:
        self.passed_on.append((scope["method"], scope["path"]))
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    async def ask(
        self, path: str, *chunks: bytes, method: str = "POST", gone: bool = False, **headers: str
    ) -> Answer | None:
        given = {"host": "testserver", "content_type": "application/json", **headers}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [
                (name.replace("_", "-").encode(), value.encode()) for name, value in given.items()
            ],
            "client": ("203.0.113.7", 1),
            "server": ("testserver", 80),
        }
        sent: list[dict[str, Any]] = []
        self.read = 0

        async def receive() -> dict[str, Any]:
            if self.read == len(chunks) and gone:
                return {"type": "http.disconnect"}
            self.read += 1
            more = self.read < len(chunks) or gone
            body = chunks[self.read - 1] if chunks else b""
            return {"type": "http.request", "body": body, "more_body": more}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await HotPath(["api-chat", "classify"], self.others)(scope, receive, send)
        if not sent:
            return None
        start, body = sent
        answered = {
            name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]
        }
        return Answer(start["status"], answered, body["body"])

    async def post(self, path: str, body: Any, token: str = "", **headers: str) -> Answer:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        if token:
            headers["authorization"] = f"Bearer {token}"
        answer = await self.ask(path, content, content_length=str(len(content)), **headers)
        assert answer is not None
        return answer


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def customer() -> str:
    return tokens.issue(subject="C1", kind=tokens.CUSTOMER)["token"]


@pytest.fixture
def program(transactional_db: None) -> str:
    token = ServiceToken.new_secret()
    ServiceToken.objects.create(name="program", digest=digest(token))
    return token


class ThinkingEngine(ScriptedEngine):
    """The scripted engine, for lists of texts too."""

    async def aclassify_many(
        self, texts: list[str], *, timeout_s: float | None = None
    ) -> list[inference.Prediction]:
        return [await self.aclassify(text) for text in texts]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Iterator[ScriptedEngine]:
    write_content()
    scripted = ThinkingEngine()
    monkeypatch.setattr(inference, "_engine", scripted)
    yield scripted
    scripted.stop()


# --- The same as Django ---------------------------------------------------------------------

THEIRS = uuid.UUID("7b0f2a3e-0000-4000-8000-000000000000")
REFUSED: list[tuple[str, str, Any, dict[str, str], int, str]] = [
    (CHAT, "", {"text": "好"}, {}, 401, "not_authenticated"),
    (CHAT, "broken", {"text": "好"}, {}, 401, "token_expired"),
    (CHAT, "program", {"text": "好"}, {}, 403, "permission_denied"),
    (CHAT, "customer", b"{", {}, 400, "parse_error"),
    (CHAT, "customer", b"[" * 100_000, {}, 400, "parse_error"),
    (CHAT, "customer", b'{"text": NaN}', {}, 400, "parse_error"),
    (CHAT, "customer", b"\xff\xfe", {}, 400, "parse_error"),
    (CHAT, "customer", b"", {}, 400, "invalid"),
    (CHAT, "customer", [1], {}, 400, "invalid"),
    (CHAT, "customer", {"text": 0.5, "client_id": "x"}, {}, 400, "invalid"),
    (CHAT, "customer", b"text=1", {"content_type": "text/plain"}, 415, "unsupported_media_type"),
    (CHAT, "customer", {"text": " "}, {"accept_language": "en"}, 400, "empty"),
    (CHAT, "customer", {"text": " "}, {"cookie": "django_language=en"}, 400, "empty"),
    (CHAT, "customer", {"text": "1' UNION SELECT password FROM users --"}, {}, 400, "blocked"),
    (CHAT, "customer", {"text": "字" * 10_001}, {}, 413, "too_long"),
    (
        CHAT,
        "customer",
        {"text": "好", "conversation": str(THEIRS)},
        {},
        404,
        "no_such_conversation",
    ),
    (CLASSIFY, "", {"texts": ["好"]}, {}, 401, "not_authenticated"),
    (CLASSIFY, "svc_unknown", {"texts": ["好"]}, {}, 401, "token_revoked"),
    (CLASSIFY, "customer", {"texts": ["好"]}, {}, 403, "permission_denied"),
    (CLASSIFY, "program", {"texts": []}, {}, 400, "invalid"),
    (CLASSIFY, "program", {"texts": ["a" * 10_001]}, {}, 400, "invalid"),
    (CLASSIFY, "program", b"{", {}, 400, "parse_error"),
]


@pytest.mark.parametrize(("path", "who", "body", "headers", "status", "code"), REFUSED)
def test_a_refusal_is_the_one_of_django(
    server: Server,
    engine: ScriptedEngine,
    customer: str,
    program: str,
    path: str,
    who: str,
    body: Any,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    ConversationFactory(pk=THEIRS, uid="C2")
    token = {"customer": customer, "program": program}.get(who, who)

    content = body if isinstance(body, bytes) else json.dumps(body)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    client = Client(headers={"authorization": f"Bearer {token}"} if token else None)
    client.cookies.load(given.pop("cookie", ""))
    kind = given.pop("content-type", "application/json")

    theirs = client.generic("POST", path, content, content_type=kind, headers=given)
    ours = asyncio.run(server.post(path, body, token, **headers))

    assert (ours.status, ours.body["code"]) == (status, code)
    assert ours.body == theirs.json()
    for header in ("WWW-Authenticate", "Content-Language", "Content-Type"):
        assert ours.headers.get(header.lower()) == theirs.headers.get(header)
    assert engine.asked == []
    assert not Message.objects.exists()


async def test_an_answer_is_the_one_of_django(
    server: Server, engine: ScriptedEngine, customer: str, program: str
):
    key = str(uuid.uuid4())
    chat = await server.post(CHAT, {"text": "我的快递到哪了", "client_id": key}, customer)
    again = await AsyncClient().post(
        CHAT,
        {"text": "我的快递到哪了", "client_id": key},
        content_type="application/json",
        headers={"Authorization": f"Bearer {customer}"},
    )
    classified = await server.post(CLASSIFY, {"texts": ["快递", "发票"]}, program)

    assert (chat.status, chat.body["intent"], chat.body["decision"]) == (200, "logistics", "ANSWER")
    assert {**chat.body, "elapsed_ms": 0} == {**again.json(), "elapsed_ms": 0}
    assert int(chat.headers["content-length"]) == len(chat.content)
    assert chat.headers["x-content-type-options"] == "nosniff"
    assert [one["intent"] for one in classified.body["results"]] == ["logistics", "logistics"]


async def test_too_fast_says_when_to_come_back(
    server: Server, engine: ScriptedEngine, customer: str, settings: Any
):
    settings.RATES = {"chat": (2, 3600)}
    nonsense = await server.post(CHAT, {"text": None}, customer)
    passed = await server.post(CHAT, {"text": "我的快递到哪了"}, customer)
    refused = await server.post(CHAT, {"text": "我的快递到哪了"}, customer)

    assert (nonsense.status, passed.status) == (400, 200)
    assert (refused.status, refused.body["code"]) == (429, "too_fast")
    assert 1 <= int(refused.headers["retry-after"]) <= 3600


async def test_a_revoked_program_is_refused_at_once(
    server: Server, engine: ScriptedEngine, program: str
):
    before = await server.post(CLASSIFY, {"texts": ["快递"]}, program)
    await ServiceToken.objects.aupdate(revoked_at="2026-01-01T00:00:00Z")
    after = await server.post(CLASSIFY, {"texts": ["快递"]}, program)

    assert (before.status, after.status) == (200, 401)


async def test_what_is_not_hot_is_djangos(server: Server):
    await server.ask(CHAT, method="GET")
    await server.ask("/api/conversation/human", b"{}")
    await server.ask(CHAT + "/", b"{}")

    assert server.passed_on == [
        ("GET", CHAT),
        ("POST", "/api/conversation/human"),
        ("POST", CHAT + "/"),
    ]


async def test_another_host_is_refused(server: Server, customer: str):
    answer = await server.post(
        CHAT, {"text": "好"}, customer, host="elsewhere.example", accept_language="en"
    )

    assert (answer.status, answer.body["code"]) == (400, "bad_host")
    assert answer.headers["content-language"] == "en"


async def test_requests_are_counted_where_djangos_are(server: Server):
    def counted() -> float:
        labels = {"status": "401", "view": "api-chat", "method": "POST"}
        name = "django_http_responses_total_by_status_view_method_total"
        return REGISTRY.get_sample_value(name, labels) or 0.0

    # On a thread: other figures of the registry are counted in the database.
    before = await in_thread(counted)()
    await server.post(CHAT, {"text": "好"})

    assert await in_thread(counted)() - before == 1


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RuntimeError("a secret"), 500, "failed"),
        (OperationalError("a secret"), 503, "unavailable"),  # the database is away
        (InterfaceError("a secret"), 503, "unavailable"),
    ],
)
async def test_a_failure_is_logged_and_says_nothing_of_its_reason(
    server: Server,
    customer: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: Any,
    error: Exception,
    status: int,
    code: str,
):
    class Failing(HotView):
        roles = CUSTOMERS
        most_bytes = 100

        async def post(self, request: HttpRequest, bearer: tokens.Bearer) -> HttpResponse:
            raise error

    path = HotPath([], server.others)
    path._hot[CHAT] = "api-chat", Failing
    monkeypatch.setattr("tests.platform.test_hot.HotPath", lambda *_: path)
    answer = await server.post(CHAT, {}, customer, accept_language="en")

    assert (answer.status, answer.body["code"]) == (status, code)
    assert answer.headers["content-language"] == "en"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert b"secret" not in answer.content
    assert "a secret" in caplog.text


# --- Bodies ---------------------------------------------------------------------------------


async def test_a_body_that_is_announced_as_too_long_is_not_read(server: Server, customer: str):
    bearer = f"Bearer {customer}"
    answer = await server.ask(CHAT, b"{}", content_length="10000000", authorization=bearer)

    assert answer is not None
    assert (answer.status, answer.body["code"]) == (413, "too_long")
    assert server.read == 0


@pytest.mark.parametrize(
    ("path", "who"), [(CHAT, ""), (CHAT, "broken"), (CLASSIFY, "customer"), (CLASSIFY, "svc_x")]
)
async def test_of_those_who_may_not_ask_nothing_is_read(
    server: Server, customer: str, path: str, who: str
):
    """A body of /api/classify may have 30 MB: strangers would fill the memory with them."""
    token = customer if who == "customer" else who
    headers = {"authorization": f"Bearer {token}"} if token else {}
    answer = await server.ask(path, b"x" * 50_000, **headers)

    assert answer is not None
    assert answer.status in (401, 403)
    assert server.read == 0


async def test_half_a_character_is_quoted_in_the_refusal(server: Server, customer: str):
    answer = await server.post(CHAT, b'{"text": "a", "channel": "\\ud800"}', customer)

    assert (answer.status, answer.body["code"]) == (400, "invalid")
    assert "\ud800" in answer.body["fields"]["channel"][0]


async def test_bodies_that_are_too_large_count_as_requests(
    server: Server, customer: str, settings: Any
):
    settings.RATES = {"chat": (1, 3600)}
    answers = [await server.post(CHAT, b"x" * 200_000, customer) for _ in range(2)]

    assert [answer.body["code"] for answer in answers] == ["too_long", "too_fast"]


async def test_a_body_of_unstated_length_is_read_no_further_than_it_may_go(
    server: Server, customer: str
):
    chunks = [b"x" * 50_000] * 10
    answer = await server.ask(CHAT, *chunks, authorization=f"Bearer {customer}")

    assert answer is not None
    assert (answer.status, answer.body["code"]) == (413, "too_long")
    assert server.read == 3  # 124,096 bytes may come


async def test_a_body_in_pieces_is_one(server: Server, engine: ScriptedEngine, customer: str):
    content = json.dumps({"text": "我的快递到哪了"}).encode()
    answer = await server.ask(
        CHAT, content[:9], b"", content[9:], authorization=f"Bearer {customer}"
    )

    assert answer is not None
    assert (answer.status, answer.body["intent"]) == (200, "logistics")


async def test_a_large_body_is_checked_on_a_thread_and_answered(
    server: Server, engine: ScriptedEngine, program: str
):
    texts = ["快" * 300] * 30
    assert len(json.dumps({"texts": texts})) > hot._BYTES_ON_THE_LOOP

    answer = await server.post(CLASSIFY, {"texts": texts}, program)

    assert len(answer.body["results"]) == 30


async def test_nobody_answers_a_client_that_went_before_it_had_asked(
    server: Server, engine: ScriptedEngine, customer: str
):
    answer = await server.ask(CHAT, b'{"te', gone=True, authorization=f"Bearer {customer}")

    assert answer is None
    assert engine.asked == []


# --- Nobody waits for somebody else -----------------------------------------------------------


async def test_while_the_model_thinks_others_are_answered(
    server: Server, engine: ScriptedEngine, customer: str
):
    engine.go.clear()
    asked = asyncio.create_task(server.post(CHAT, {"text": "我的快递到哪了"}, customer))
    assert await asyncio.to_thread(engine.thinking.wait, PATIENCE_S)

    refused = await Server().post(CHAT, {"text": " "}, customer)

    assert (refused.status, asked.done()) == (400, False)
    engine.go.set()
    assert (await asked).status == 200


async def test_while_the_database_is_locked_others_are_answered(
    server: Server, engine: ScriptedEngine, customer: str
):
    lock = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        asked = asyncio.create_task(server.post(CHAT, {"text": "我的快递到哪了"}, customer))
        await asyncio.sleep(0.05)
        refused = await Server().post(CHAT, {"text": "好"}, "broken")
        assert (refused.status, asked.done()) == (401, False)
    finally:
        lock.close()

    assert (await asked).status == 200


def test_customers_who_write_at_once_are_all_answered_in_order(
    both_databases: str, monkeypatch: pytest.MonkeyPatch
):
    write_content()
    monkeypatch.setattr(inference, "_engine", ThinkingEngine())
    people = {
        uid: tokens.issue(subject=uid, kind=tokens.CUSTOMER)["token"] for uid in ("A", "B", "C")
    }

    async def all_at_once() -> list[Answer]:
        return await asyncio.gather(
            *(
                Server().post(CHAT, {"text": f"我的快递到哪了 第{number}次"}, token)
                for number in range(8)
                for token in people.values()
            )
        )

    answers = asyncio.run(all_at_once())

    assert {answer.status for answer in answers} == {200}
    for conversation in Conversation.objects.all():
        lines = list(conversation.messages.order_by("seq"))
        assert [line.seq for line in lines] == list(range(1, len(lines) + 1))
        assert sum(line.sender == Message.Sender.CUSTOMER for line in lines) == 8
        # An answer is to all that was said up to then: the last line is one, and owes nothing.
        asked = [line.pk for line in lines if line.sender == Message.Sender.CUSTOMER]
        assert lines[-1].answers_id == asked[-1]
        assert not any(line.awaits_answer for line in lines)
    assert Conversation.objects.count() == 3


def test_the_address_of_every_hot_view_is_hot():
    from csplatform import asgi

    router = asgi._router.application_mapping["http"]
    assert {view for _name, view in router._hot.values()} == set(HotView.__subclasses__()) - {
        view for view in HotView.__subclasses__() if view.__module__.startswith("tests.")
    }
    assert services.TooLong in {view.too_large for _name, view in router._hot.values()}

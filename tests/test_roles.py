"""Every address and every socket lets in whom docs/roles.md names, and nobody else."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from rest_framework.views import APIView

from chat.models import (
    AgentProfile,
    CannedReply,
    Conversation,
    Disposition,
    Label,
    LeftAddress,
    Message,
    MessageFeedback,
    Queue,
    Rating,
    SpecialDay,
    Team,
    Watch,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)
from chat.routing import websocket_urlpatterns
from csplatform import tokens
from csplatform.models import ServiceToken, digest
from csplatform.roles import STAFF, Role
from intents.models import (
    AllowedPhrase,
    Draft,
    DraftEdit,
    ImportJob,
    Intent,
    Phrase,
    PredictionRecord,
    Reply,
    ReviewCandidate,
    ReviewDecision,
    SensitiveWord,
    SuggestedQuestion,
    Utterance,
)
from knowledge.models import Customer, Order, Product, Rule
from tests.factories import StaffFactory
from training.models import (
    Comparison,
    ModelVersion,
    RegressionCase,
    TextAnalysis,
    TrainingRun,
)

EVERYBODY = list(Role)
DOCUMENT = (Path(__file__).resolve().parents[1] / "docs" / "roles.md").read_text(encoding="utf-8")
NO_ROW = "7b0f2a3e-0000-4000-8000-000000000000"
BACKEND = "django.contrib.auth.backends.ModelBackend"

# What a word of the third table allows, by the end of the URL's name. POST tells "change"
# from "read": the page of a row is there for both.
READ = {"changelist", "history", "simple_history", "export", "page"}
ADD = READ | {"add"}
WRITE = ADD | {"change", "import", "process_import", "password_change", "restore"}
ALLOWED = {"": set(), "read": READ, "add": ADD, "write": WRITE, "edit": WRITE | {"delete"}}
# Open by design, or they ask for the permission of the row they are called for.
ADMIN_WITHOUT_ROLES = {"login", "logout", "jsi18n", "autocomplete", "view_on_site"}


def table(heading: str) -> dict[str, dict[str, str]]:
    """Return a table of the document: {first column: {heading of the column: cell}}."""
    section = DOCUMENT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith("|")
    ]
    head, _rule, *body = rows
    return {row[0].strip("`"): dict(zip(head[1:], row[1:], strict=True)) for row in body}


def patterns(resolver: URLResolver, prefix: str = "/") -> Iterator[tuple[str, URLPattern]]:
    """Yield every URL pattern with its address."""
    for entry in resolver.url_patterns:
        address = prefix + str(entry.pattern).removeprefix("^")
        if isinstance(entry, URLResolver):
            yield from patterns(entry, address)
        else:
            yield address, entry


ADDRESSES = [one for one in patterns(get_resolver()) if not one[0].startswith("/admin/")]
ADMIN = [one for one in patterns(get_resolver()) if one[0].startswith("/admin/")]


@dataclass
class Person:
    """One of those who may come, with all that he can show."""

    role: Role
    client: Client
    token: str = ""

    @classmethod
    def of(cls, role: Role) -> "Person":
        client, token = Client(), ""
        if role in STAFF:
            user = StaffFactory(role=str(role), is_staff=role != Role.AGENT)
            client.force_login(user, backend=BACKEND)
            token = tokens.issue(subject=str(user.pk), kind=tokens.STAFF)["token"]
        elif role == Role.CUSTOMER:
            token = tokens.issue(subject="C1001", kind=tokens.CUSTOMER)["token"]
        elif role == Role.SERVICE:
            token = ServiceToken.new_secret()
            ServiceToken.objects.create(name="program", digest=digest(token))
        return cls(role, client, token)

    def ask(self, address: str, method: str = "GET") -> HttpResponseBase:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        address = re.sub(r"<int:\w+>", "0", address)
        address = re.sub(r"<uuid:\w+>", NO_ROW, address)  # what it asks for need not exist
        # From elsewhere: /metrics is open to whoever asks from this machine.
        return self.client.generic(method, address, headers=headers, REMOTE_ADDR="203.0.113.7")


def gets_in(response: HttpResponseBase) -> bool:
    """Whether the answer comes from the page itself, not from the door."""
    if response.status_code in (401, 403):
        return False
    return not (response.status_code == 302 and "/login/?next=" in response["Location"])


def stated_roles(pattern: URLPattern) -> frozenset[Role]:
    view = getattr(pattern.callback, "cls", None) or getattr(pattern.callback, "view_class", None)
    return frozenset(
        getattr(view if view and issubclass(view, APIView) else pattern.callback, "roles", ())
    )


@pytest.mark.parametrize(("address", "pattern"), ADDRESSES, ids=[one[0] for one in ADDRESSES])
def test_every_view_states_the_roles_that_the_document_names(
    address: str, pattern: URLPattern
) -> None:
    documented = table("Pages and programs' interfaces")
    assert address in documented, "add it to docs/roles.md"
    stated = stated_roles(pattern)
    assert stated, "the view states no roles"
    named = {role for role in EVERYBODY if documented[address][str(role)]}
    assert named == (set(EVERYBODY) if Role.ANYONE in stated else set(stated))


def test_the_document_names_no_address_that_is_gone() -> None:
    documented = set(table("Pages and programs' interfaces"))
    assert documented == {address for address, _ in ADDRESSES}


@pytest.mark.django_db(transaction=True)  # the hot path asks on threads of its own
@pytest.mark.parametrize("role", EVERYBODY)
def test_pages_and_interfaces_let_in_whom_they_state(role: Role) -> None:
    person = Person.of(role)
    wrong = []
    for address, columns in table("Pages and programs' interfaces").items():
        if address == "/logout/":
            continue  # it would end the session of this test
        # A wrong method is refused behind the door, so both are asked.
        got_in = gets_in(person.ask(address)) and gets_in(person.ask(address, "POST"))
        if address == "/api/login/refresh":
            got_in = gets_in(person.ask(address))  # a POST without a token to refresh is 401
        if got_in != bool(columns[str(role)]):
            wrong.append((address, got_in))
    assert wrong == []


@pytest.fixture
def rows(db: None) -> dict[str, Model]:
    """One row of everything that the admin shows."""
    now = timezone.now()
    intent = Intent.objects.create(code="logistics", name_zh="物流", name_en="Delivery")
    customer = Customer.objects.create(
        uid="C1001", name="王", language="zh", country="CN", joined_on=now.date()
    )
    made: list[Model] = [
        intent,
        customer,
        Reply.objects.create(intent=intent, language="zh", text="在路上"),
        Utterance.objects.create(intent=intent, language="zh", text="到哪了", key="到哪了"),
        Phrase.objects.create(purpose="greeting", language="zh", text="您好"),
        SuggestedQuestion.objects.create(language="zh", text="到哪了"),
        SensitiveWord.objects.create(word="坏"),
        AllowedPhrase.objects.create(text="坏人"),
        PredictionRecord.objects.create(
            text="到哪了", decision="ANSWER", source="model", elapsed_ms=1
        ),
        ReviewCandidate.objects.create(
            message=1, text="到哪了", verdict="CONFIRMED", decided_at=now
        ),
        ReviewDecision.objects.create(kind="IGNORED", by=StaffFactory(), at=now),
        TrainingRun.objects.create(status="FAILED"),
        ModelVersion.objects.create(name="v1"),
        RegressionCase.objects.create(
            text="到哪了", key="到哪了", language="zh", intent="logistics"
        ),
        TextAnalysis.objects.create(message=1, characters=600, said_at=now),
        Comparison.objects.create(kind="REPLAY", before="active", after="version:v1"),
        Product.objects.create(
            sku="P1", name_zh="衣", name_en="coat", category="c", price=1, origin="CN"
        ),
        Rule.objects.create(code="r", kind="returns", text_zh="退", text_en="return"),
        Order.objects.create(number="1", customer=customer, status="PAID", placed_at=now, total=1),
        Conversation.objects.create(uid="C1001"),
        StaffFactory(username="somebody"),
        Group.objects.get(name="reviewer"),
        ServiceToken.objects.create(name="one", digest=digest("one")),
        *webhook_rows(),
        Team.objects.create(name="售后"),
        CannedReply.objects.create(shortcut="hello", title="你好", text_zh="您好"),
        Disposition.objects.create(name="已解决"),
        AgentProfile.objects.create(user=StaffFactory()),
        Queue.objects.get(),
        SpecialDay.objects.create(date=now.date(), kind="HOLIDAY"),
        Label.objects.create(name="退款"),
        a_watch(),
        *what_customers_thought(),
        a_draft(),
    ]
    return {row._meta.label_lower: row for row in made}


def a_watch() -> Model:
    now = timezone.now()
    return Watch.objects.create(
        conversation=Conversation.objects.get(uid="C1001"),
        watcher=StaffFactory(),
        began_at=now,
        seen_at=now,
    )


def what_customers_thought() -> list[Model]:
    now = timezone.now()
    conversation = Conversation.objects.get(uid="C1001")
    line = Message.objects.create(
        conversation=conversation, seq=1, sender=Message.Sender.BOT, text="好的", sent_at=now
    )
    return [
        Rating.objects.create(conversation=conversation, score=2, rated_at=now, changed_at=now),
        MessageFeedback.objects.create(message=line, is_up=False, given_at=now),
        LeftAddress.objects.create(conversation=conversation, email="a@example.com", left_at=now),
    ]


def a_draft() -> Model:
    draft = Draft.objects.create(title="双十一")
    DraftEdit.objects.create(draft=draft, key="reply:+1", kind="reply", values={"text": "好"})
    return draft


def webhook_rows() -> list[Model]:
    endpoint = WebhookEndpoint.objects.create(name="erp", url="https://shop.example/")
    event = WebhookEvent.objects.create(kind="ping", payload="{}")
    return [endpoint, WebhookDelivery.objects.create(endpoint=endpoint, event=event)]


def import_of(rows: dict[str, Model]) -> ImportJob:
    return ImportJob.objects.create(name="a.csv", format="table", created_at=timezone.now())


def split_name(name: str, models: Any) -> tuple[str, str]:
    """Split "intents_intent_change" into the model's label and what is done with it."""
    for label in models:
        prefix = label.replace(".", "_") + "_"
        if name.startswith(prefix):
            return label, name.removeprefix(prefix)
    return "", name


def test_everything_in_the_admin_is_documented() -> None:
    registered = {model._meta.label_lower for model in admin.site._registry}
    assert registered == set(table("The admin, by what is in it"))
    standard = WRITE | {"delete"}
    named = {str(pattern.name) for _, pattern in ADMIN if pattern.name}
    own = {
        name
        for name in named
        if (parts := split_name(name, registered)) and not (parts[0] and parts[1] in standard)
    }
    assert own - ADMIN_WITHOUT_ROLES == set(table("The admin's other pages"))


@pytest.mark.parametrize("role", EVERYBODY)
def test_the_admin_lets_everybody_do_what_is_documented(role: Role, rows: dict[str, Model]) -> None:
    person = Person.of(role)
    documented = table("The admin, by what is in it")
    wrong = []

    def check(what: str, address: str, method: str = "GET") -> None:
        word = documented[label].get(str(role), "")
        got_in = gets_in(person.ask(address, method))
        if got_in != (what in ALLOWED[word]):
            wrong.append((label, what, got_in))

    for _, pattern in ADMIN:
        label, action = split_name(str(pattern.name), documented)
        if not label:
            continue
        row, name = rows[label], f"admin:{pattern.name}"
        match action:
            case "changelist" | "add" | "import" | "export":
                check(action, reverse(name))
            case "process_import":
                check(action, reverse(name), "POST")
            case "change":
                check("page", reverse(name, args=[row.pk]))
                # An empty form saves nothing; whoever may not change it is told so before.
                check("change", reverse(name, args=[row.pk]), "POST")
            case "history" | "delete" | "password_change":
                check(action, reverse(name, args=[row.pk]))
            case "simple_history":
                record = row.history.model(
                    **{field.attname: getattr(row, field.attname) for field in row._meta.fields},
                    history_type="~",
                    history_date=timezone.now(),
                )
                record.save()
                check(action, reverse(name, args=[row.pk, record.pk]))
    # Those whom Django's "change" refuses are those whom the table gives no more than "read".
    assert wrong == []


@pytest.mark.parametrize("role", EVERYBODY)
def test_the_admins_other_pages_let_in_whom_they_state(role: Role, rows: dict[str, Model]) -> None:
    person = Person.of(role)
    arguments = {
        "app_list": {"app_label": "intents"},
        "training_trainingrun_progress": {"pk": rows["training.trainingrun"].pk},
        "training_trainingrun_cancel": {"pk": rows["training.trainingrun"].pk},
        "training_modelversion_content": {"pk": rows["training.modelversion"].pk},
        "training_modelversion_activate": {"pk": rows["training.modelversion"].pk},
        "training_modelversion_override": {"pk": rows["training.modelversion"].pk},
        "intents_intent_lineage": {"pk": rows["intents.intent"].pk},
        "comparison_progress": {"pk": rows["training.comparison"].pk},
        "comparison_csv": {"pk": rows["training.comparison"].pk},
        "comparison_cancel": {"pk": rows["training.comparison"].pk},
        "judge_answer": {"pk": 0},
        "intents_draft_step": {"pk": rows["intents.draft"].pk},
        "intents_draft_edit": {
            "pk": rows["intents.draft"].pk,
            "edit": DraftEdit.objects.get().pk,
        },
        "review_cluster": {"pk": 0},
        "review_hints": {"pk": 0},
        "import_job": {"pk": import_of(rows).pk},
        "export_everything": {"kind": "rasa"},
        "decide_suspect": {"pk": 0},
        "csplatform_servicetoken_revoke": {"pk": rows["csplatform.servicetoken"].pk},
        "chat_webhookendpoint_ping": {"pk": rows["chat.webhookendpoint"].pk},
        "chat_webhookendpoint_rotate": {"pk": rows["chat.webhookendpoint"].pk},
        "chat_webhookendpoint_switch": {"pk": rows["chat.webhookendpoint"].pk},
        "chat_webhookdelivery_redeliver": {"pk": rows["chat.webhookdelivery"].pk},
    }
    wrong = []
    for name, columns in table("The admin's other pages").items():
        address = reverse(f"admin:{name}", kwargs=arguments.get(name, {}))
        method = "POST" if name == "preview_reply" else "GET"
        got_in = gets_in(person.ask(address, method))
        if got_in != bool(columns.get(str(role), "")):
            wrong.append((name, got_in))
    assert wrong == []
    assert ServiceToken.objects.get(name="one").revoked_at is None, "a GET changes nothing"


# --- Sockets --------------------------------------------------------------------------------

SOCKETS = {f"/{pattern.pattern}": pattern.callback for pattern in websocket_urlpatterns}
SIGN_IN_AGAIN, WRONG_ROLE = 4401, 4403


def test_every_socket_states_the_roles_that_the_document_names() -> None:
    documented = table("Sockets")
    assert set(documented) == set(SOCKETS)
    for address, callback in SOCKETS.items():
        named = {role for role in EVERYBODY if documented[address][str(role)]}
        assert callback.consumer_class.roles == named


async def opened(address: str) -> WebsocketCommunicator:
    socket = WebsocketCommunicator(URLRouter(websocket_urlpatterns), address)
    connected, _ = await socket.connect(20)
    assert connected
    return socket


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("role", EVERYBODY)
async def test_sockets_let_in_whom_they_state(role: Role) -> None:
    person = await sync_to_async(Person.of)(role)
    for address, columns in table("Sockets").items():
        socket = await opened(address)
        await socket.send_json_to({"type": "hello", "token": person.token or "none"})
        answer = await socket.receive_output(20)
        if columns[str(role)]:
            assert '"welcome"' in answer["text"]
        else:
            refused_with = SIGN_IN_AGAIN if role == Role.ANYONE else WRONG_ROLE
            assert (answer["type"], answer["code"]) == ("websocket.close", refused_with)
        await socket.disconnect()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("address", "frame"),
    [
        (address, frame)
        for address, callback in SOCKETS.items()
        for frame in callback.consumer_class.frames
        if frame != "hello"
    ],
)
async def test_no_frame_is_taken_from_somebody_who_has_not_signed_in(
    address: str, frame: str
) -> None:
    socket = await opened(address)
    conversation = {"conversation": "7b0f2a3e-0000-4000-8000-000000000000", "after": 0}
    message = {"client_id": "7b0f2a3e-0000-4000-8000-000000000001", "text": "你好"}
    await socket.send_json_to({"type": frame, **conversation, **message})
    answer = await socket.receive_output(5)
    assert (answer["type"], answer["code"]) == ("websocket.close", SIGN_IN_AGAIN)


# --- Groups and demo people -----------------------------------------------------------------


@pytest.mark.django_db
def test_the_five_groups_are_made_by_migration() -> None:
    assert set(Group.objects.values_list("name", flat=True)) == {str(role) for role in STAFF}


@pytest.mark.django_db
def test_an_administrator_cannot_lock_himself_out_nor_become_superuser(
    rows: dict[str, Model],
) -> None:
    person = Person.of(Role.ADMINISTRATOR)
    own = User.objects.get(groups__name=str(Role.ADMINISTRATOR))
    url = reverse("admin:auth_user_change", args=[own.pk])
    form = {"username": own.username, "is_superuser": "on", "first_name": "王"}
    refused = person.client.post(url, {**form, "is_active": "on"})
    assert "groups" in refused.context["adminform"].form.errors
    groups = [Group.objects.get(name=str(Role.ADMINISTRATOR)).pk]
    refused = person.client.post(url, {**form, "groups": groups})
    assert "is_active" in refused.context["adminform"].form.errors
    person.client.post(url, {**form, "is_active": "on", "groups": groups})
    own.refresh_from_db()
    assert (own.first_name, own.is_active, own.is_superuser) == ("王", True, False)

    boss = User.objects.create_superuser("boss", password="secret")
    password = reverse("admin:auth_user_password_change", args=[boss.pk])
    assert person.client.get(password).status_code == 403


@pytest.mark.django_db
def test_a_role_given_in_the_admin_opens_the_admin_and_taken_away_shuts_it(
    rows: dict[str, Model],
) -> None:
    person = Person.of(Role.ADMINISTRATOR)
    somebody = rows["auth.user"]
    url = reverse("admin:auth_user_change", args=[somebody.pk])
    for role, may_enter in ((Role.EDITOR, True), (Role.AGENT, False)):
        group = Group.objects.get(name=str(role))
        form = {"username": "somebody", "is_active": "on", "groups": [group.pk]}
        assert person.client.post(url, form).status_code == 302
        somebody.refresh_from_db()
        client = Client()
        client.force_login(somebody, backend=BACKEND)
        assert gets_in(client.get(reverse("admin:index"))) is may_enter


@pytest.mark.django_db
def test_a_service_token_is_shown_once_works_and_is_revoked() -> None:
    person = Person.of(Role.ADMINISTRATOR)
    response = person.client.post(reverse("admin:csplatform_servicetoken_add"), {"name": "erp"})
    page = response.content.decode()
    [secret] = set(re.findall(r"svc_[\w-]{43}", page))
    assert "no-store" in response["Cache-Control"]
    assert tokens.bearer_of(secret).roles == {Role.SERVICE}
    token = ServiceToken.objects.get(name="erp")
    assert secret not in str(token.__dict__), "only its hash is kept"
    change = reverse("admin:csplatform_servicetoken_change", args=[token.pk])
    assert secret not in person.client.get(change).content.decode()
    person.client.post(reverse("admin:csplatform_servicetoken_revoke", args=[token.pk]))
    assert (
        person.client.get(
            "/api/classify", headers={"Authorization": f"Bearer {secret}"}
        ).status_code
        == 401
    )

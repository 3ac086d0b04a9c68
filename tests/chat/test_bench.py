"""The test bench: a sentence is answered by several at once, and nothing is stored."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from intents import services
from intents.decisions import Costs
from intents.models import Intent, PredictionRecord, Reply, SensitiveWord
from intents.services import content_changed
from knowledge.models import Customer, Order
from tests.factories import StaffFactory
from tests.intents.models_of_tests import Shelf, write_content
from tests.intents.trials_of_tests import a_draft, put_trained, trials_with
from training import registry
from training.models import ActiveModel, ModelVersion, RegressionCase

pytestmark = pytest.mark.django_db

BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    made = Shelf()
    write_content()
    for number in (1, 2):
        Reply.objects.create(
            intent=Intent.objects.get(code="logistics"), language="zh", text=f"物流答复{number}"
        )
    SensitiveWord.objects.create(word="坏蛋")
    content_changed(understanding=False)
    put_trained(made, "v1", "logistics", "invoice", "coupon")
    put_trained(made, "v2", "invoice", "logistics", "coupon")
    made.active = "v1"
    for name in ("v1", "v2"):
        ModelVersion.objects.create(name=name)
    ActiveModel.objects.create(pk=registry.ACTIVE, version=ModelVersion.objects.get(name="v1"))
    with trials_with(made, monkeypatch):
        yield made
    made.stop()


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(StaffFactory(role="business editor"), backend=BACKEND)
    return client


def attempt(client: Client, text: str, **more: Any) -> Any:
    response = client.post(reverse("admin:bench"), {"text": text, "customer": "", **more})
    assert response.status_code == 200
    return response.context["trial"]


def test_what_the_bot_would_do_is_shown_and_nothing_is_stored(editor: Client, shelf: Shelf) -> None:
    trial = attempt(editor, "包裹在哪里呀")
    [column] = trial.columns
    assert [name for name, _ in column.ranked] == ["logistics", "invoice", "coupon"]
    assert (column.answer.text, len(column.variants)) == ("物流答复1", 2)
    assert column.near[0].intent == "logistics"
    assert [cost.is_least for cost in column.costs] == [True, False, False]
    assert not PredictionRecord.objects.exists()
    assert not RegressionCase.objects.exists()


def test_model_and_draft_stand_beside_what_is_in_service(editor: Client, shelf: Shelf) -> None:
    draft = a_draft()
    trial = attempt(editor, "有没有礼品包装呀", version="version:v2", draft=f"draft:{draft.pk}")
    assert [column.answered.intent for column in trial.columns] == ["logistics", "invoice", "gift"]
    assert [column.differs for column in trial.columns] == [False, True, True]
    assert trial.columns[2].answer.text == "可以包"


def test_what_is_masked_is_shown_as_models_read_it(editor: Client, shelf: Shelf) -> None:
    trial = attempt(editor, "你们坏蛋，打13800138000给我")
    assert trial.masked.text == "你们**，打13800138000给我"
    assert trial.redacted == "你们**,打<phone>给我"


def test_facts_are_those_of_the_customer_who_asks(editor: Client, shelf: Shelf, now: Any) -> None:
    customer = Customer.objects.create(
        uid="C1001", name="王小明", language="zh", country="CN", joined_on=now.date()
    )
    Order.objects.create(
        number="SO1", customer=customer, status="SHIPPED", placed_at=now, total=10, carrier="顺丰"
    )
    Reply.objects.create(
        intent=Intent.objects.get(code="logistics"), language="zh", text="订单{order_number}在路上"
    )
    content_changed(understanding=False)
    from intents import content

    content.look_again()
    known = attempt(editor, "包裹在哪里呀", customer="C1001").columns[0]
    assert known.answer.text == "订单SO1在路上"
    assert known.facts == [("order_number", "SO1")]
    visitor = attempt(editor, "包裹在哪里呀").columns[0]
    assert visitor.answer.text == "物流答复1"
    assert [variant.missing for variant in visitor.variants] == [(), (), ("order_number",)]


def test_a_question_back_counts_no_replies(editor: Client, shelf: Shelf) -> None:
    services.save_costs(Costs(wrong_answer=20.0), {})
    [column] = attempt(editor, "包裹在哪里呀").columns
    assert "物流答复" not in column.answer.text
    assert list(column.variants) == []


def test_an_attack_is_refused_before_any_model(editor: Client, shelf: Shelf) -> None:
    trial = attempt(editor, "' OR 1=1 UNION SELECT password FROM users --")
    assert trial.refused
    assert list(trial.columns) == []


def test_neither_language_is_guessed(editor: Client, shelf: Shelf) -> None:
    trial = attempt(editor, "Wo ist mein Paket geblieben, bitte schön?")
    assert trial.language == ""
    assert list(trial.columns[0].ranked) == []


def test_a_model_that_is_gone_leaves_the_others(editor: Client, shelf: Shelf) -> None:
    del shelf.models["v2"]
    trial = attempt(editor, "包裹在哪里呀", version="version:v2")
    assert trial.columns[0].answered.intent == "logistics"
    assert trial.columns[1].problem


def test_the_former_address_leads_here(editor: Client) -> None:
    response = editor.get(reverse("admin:try_question"))
    assert response["Location"] == reverse("admin:bench")


class TestKeep:
    ASKED = {"text": "包裹给13800138000", "intent": "logistics", "decision": "ANSWER"}

    def test_makes_a_regression_sentence_without_personal_data(
        self, editor: Client, shelf: Shelf
    ) -> None:
        editor.post(reverse("admin:bench_keep"), self.ASKED)
        case = RegressionCase.objects.get()
        assert (case.text, case.intent, case.decision, case.origin) == (
            *("包裹给<phone>", "logistics"),
            *("ANSWER", "BENCH"),
        )

    def test_says_what_is_wrong(self, editor: Client, shelf: Shelf) -> None:
        asked = {**self.ASKED, "intent": "nothing"}
        response = editor.post(reverse("admin:bench_keep"), asked, headers={"HX-Request": "true"})
        assert 'role="alert"' in response.content.decode()
        assert not RegressionCase.objects.exists()

    def test_is_not_for_supervisors(self, client: Client, shelf: Shelf) -> None:
        client.force_login(StaffFactory(role="supervisor"), backend=BACKEND)
        assert client.post(reverse("admin:bench_keep"), self.ASKED).status_code == 403
        assert not RegressionCase.objects.exists()

"""POST /api/classify: for staff and programs, ranked, nothing stored."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from csplatform import tokens
from csplatform.models import ServiceToken, digest
from intents import inference, records
from intents.inference import Sources
from intents.models import PredictionRecord
from tests.factories import StaffFactory
from tests.intents.models_of_tests import (
    SENTENCES,
    FixedClassifier,
    Shelf,
    eventually,
    write_content,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _engine(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An engine with a model that always says coupon."""
    shelf = Shelf()
    classifier = FixedClassifier(("coupon", "invoice", "logistics"))
    shelf.put("v1", classifier, [text for texts in SENTENCES.values() for text in texts])
    shelf.active = "v1"
    monkeypatch.setattr(
        inference, "_sources", lambda: Sources(shelf._encoder, lambda: shelf.active, shelf._model)
    )
    write_content()
    inference.start()
    eventually(lambda: inference.status().state == "ready" and inference.status().intents)
    yield
    inference.stop()


@pytest.fixture
def program() -> str:
    token = ServiceToken.new_secret()
    ServiceToken.objects.create(name="load test", digest=digest(token))
    return token


def post(token: str, body: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Client().post("/api/classify", body, content_type="application/json", headers=headers)


def test_texts_come_back_ranked_in_their_order(program: str):
    response = post(program, {"texts": ["随便说说", "怎么开发票"]})

    assert response.status_code == 200
    first, second = response.json()["results"]
    assert first == {
        "intent": "coupon",
        "prob": 0.9,
        "ranked": [
            {"intent": "coupon", "prob": 0.9},
            {"intent": "invoice", "prob": 0.05},
            {"intent": "logistics", "prob": 0.05},
        ],
        "out_of_scope": 0.0,
        "source": "model",
        "model": "v1",
    }
    assert (second["intent"], second["prob"]) == ("invoice", 0.97)
    assert response.json()["elapsed_ms"] > 0


def test_each_text_leaves_a_record(program: str):
    post(program, {"texts": ["我的电话13812345678", "怎么开发票"]})

    records.flush()
    logged = PredictionRecord.objects.order_by("pk").values_list("text", "origin", "cached")
    assert list(logged) == [("我的电话<phone>", "API", False), ("怎么开发票", "API", False)]


@pytest.mark.parametrize(("asked", "inferred"), [({}, 2), ({"cache": True}, 1)])
def test_the_cache_is_used_where_it_is_asked_for(
    program: str, asked: dict[str, bool], inferred: int
):
    before = inference.status().counters.get("model", 0)

    results = [post(program, {"texts": ["随便说说"], **asked}).json()["results"] for _ in range(2)]

    assert results[0] == results[1]
    assert inference.status().counters["model"] - before == inferred


def test_staff_may_classify(client: Client):
    person = StaffFactory(role="reviewer")
    token = tokens.issue(subject=str(person.pk), kind=tokens.STAFF)["token"]

    assert post(token, {"texts": ["你好"]}).status_code == 200


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        ("", 401, "not_authenticated"),
        ("broken", 401, "token_expired"),
        ("svc_unknown", 401, "token_revoked"),
    ],
)
def test_without_a_valid_token_nobody_may(token: str, status: int, code: str):
    response = post(token, {"texts": ["你好"]})

    assert (response.status_code, response.json()["code"]) == (status, code)


def test_a_revoked_program_may_not(program: str):
    ServiceToken.objects.update(revoked_at=timezone.now())

    assert post(program, {"texts": ["你好"]}).status_code == 401


def test_customers_may_not():
    token = tokens.issue(subject="C1001", kind=tokens.CUSTOMER)["token"]

    response = post(token, {"texts": ["你好"]})

    assert (response.status_code, response.json()["code"]) == (403, "permission_denied")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"texts": []},
        {"texts": "你好"},
        {"texts": [""]},
        {"texts": [None]},
        {"texts": [{"text": "你好"}]},
        {"texts": ["a"] * 257},
        {"texts": ["a" * 10_001]},
        ["你好"],
    ],
)
def test_what_is_not_a_list_of_texts_is_refused(program: str, body: Any):
    response = post(program, body)

    assert (response.status_code, response.json()["code"]) == (400, "invalid")


def test_the_longest_list_is_answered_by_the_model(program: str):
    response = post(program, {"texts": ["快" * 300] * 256})

    assert {one["source"] for one in response.json()["results"]} == {"model"}

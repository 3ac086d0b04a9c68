"""What probes and scrapers see."""

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.db.utils import OperationalError
from django.test import Client

from csplatform import tokens
from intents import inference
from tests.factories import StaffFactory

AWAY = "redis://127.0.0.1:1/0"


def ready() -> Any:
    return Client().get("/readyz")


def test_alive_asks_nobody(django_assert_num_queries: Any, db: None):
    with django_assert_num_queries(0):
        assert Client().get("/healthz").json() == {"status": "alive"}


def test_a_process_whose_model_hung_twice_says_that_it_is_to_be_replaced(
    monkeypatch: pytest.MonkeyPatch,
):
    unfit = inference.Status(state="broken", source="keywords", is_fit=False)
    monkeypatch.setattr(inference, "status", lambda: unfit)

    answer = Client().get("/healthz")

    assert (answer.status_code, answer.json()) == (503, {"status": "unfit"})


@pytest.mark.django_db
class TestReady:
    def test_names_each_dependency_and_the_model(
        self, monkeypatch: pytest.MonkeyPatch, now: datetime
    ):
        fine = inference.Status(
            state="ready",
            source="model",
            model_version="v1",
            since=now,
            warm_up_ms=83.7,
            runtime="onnxruntime",
        )
        monkeypatch.setattr(inference, "status", lambda: fine)

        answer = ready()

        assert (answer.status_code, answer.json()["status"]) == (200, "ready")
        checks = answer.json()["checks"]
        assert set(checks) == {
            "database",
            "cache",
            "broker",
            "results",
            "channel_layer",
            "model",
        }
        assert checks["model"] == {
            "ok": True,
            "state": "ready",
            "since": "2026-11-22T10:00:00+00:00",
            "source": "model",
            "version": "v1",
            "runtime": "onnxruntime",
            "queue_length": 0,
            "warm_up_ms": 84,
        }

    def test_without_valkey_or_model_it_still_answers(self, settings: Any):
        settings.CACHE_URL = AWAY

        answer = ready()

        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
        assert answer.json()["checks"]["cache"] == {"ok": False, "detail": "ConnectionError"}
        assert answer.json()["checks"]["broker"] == {"ok": True}

    def test_without_the_database_it_does_not(self):
        def away(*args: Any) -> None:
            raise OperationalError("password of postgres://user:secret@host")

        with connection.execute_wrapper(away):
            answer = ready()

        assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
        assert "secret" not in answer.content.decode()


@pytest.mark.django_db
class TestMetrics:
    def test_is_open_on_this_machine(self):
        answer = Client().get("/metrics")

        assert answer.status_code == 200
        assert b"django_http_requests_total" in answer.content

    @pytest.mark.parametrize(
        "elsewhere", [{"REMOTE_ADDR": "10.0.0.9"}, {"HTTP_X_FORWARDED_FOR": "10.0.0.9"}]
    )
    def test_elsewhere_it_asks_for_a_role(self, elsewhere: dict[str, str]):
        def status(role: str) -> int:
            person = StaffFactory(role=role)
            token = tokens.issue(subject=str(person.pk), kind=tokens.STAFF)["token"]
            return (
                Client()
                .get("/metrics", HTTP_AUTHORIZATION=f"Bearer {token}", **elsewhere)  # type: ignore[arg-type]
                .status_code
            )

        assert Client().get("/metrics", **elsewhere).status_code == 401  # type: ignore[arg-type]
        assert status("agent") == 403
        assert status("administrator") == 200


def test_the_schema_is_whole_and_its_page_opens():
    schema = Client().get("/api/schema/")
    page = Client().get("/api/docs/")

    assert schema.status_code == page.status_code == 200
    for address in ("/api/login", "/api/chat", "/api/classify", "/api/conversation/messages"):
        assert f"{address}:" in schema.content.decode()
    assert b"cdn" not in page.content

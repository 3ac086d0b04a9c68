"""Real servers for all tests, the people of the tests, and the reference data where present."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings

from chat.webhooks import endpoints
from csplatform import embedded
from intents import content, records
from tests.databases import (  # noqa: F401  (fixtures for every test)
    both_databases,
    django_db_setup,
    monkeypatch_session,
    postgres_server,
)
from tests.live_site import live_site, prepared_site  # noqa: F401

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def valkey() -> Iterator[embedded.Valkey]:
    """One real Valkey for the whole run; cache, broker, results and layer have a database each."""
    server = embedded.Valkey(
        socket=settings.VALKEY_SOCKET, directory=settings.VAR_DIR / "valkey", durable=False
    )
    server.start()
    yield server
    server.stop()
    shutil.rmtree(settings.VAR_DIR, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Keep SQLite in a file: the tests use several threads and processes."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        name = str(settings.VAR_DIR / f"test-{os.getpid()}.sqlite3")
        database.setdefault("TEST", {})["NAME"] = name


@pytest.fixture(autouse=True)
def _empty_cache(valkey: embedded.Valkey) -> None:
    with redis.Redis.from_url(settings.CACHE_URL) as server:
        server.flushdb()


@pytest.fixture(autouse=True)
def _forget_content() -> None:
    """Factories write rows that no version tells of; no test sees another's snapshot."""
    content.forget()


@pytest.fixture(autouse=True)
def _forget_webhook_endpoints() -> None:
    """What a test rolled back is in no table, but was seen."""
    endpoints.forget()


@pytest.fixture(autouse=True)
def _log_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Predictions are logged by `records.flush`, in the test's own transaction."""
    monkeypatch.setattr(records, "_log", records._writer(threaded=False))


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@pytest.fixture
def reference_data() -> Any:
    """A function that returns the folder of a public data set, or skips the test with the reason."""

    def folder(name: str) -> Path:
        path = DATA / name
        if not path.is_dir():
            pytest.skip(f"public data set {name} is not beside this checkout")
        return path

    return folder

"""Databases for tests of races: SQLite and PostgreSQL, threads, and forced interleavings.

A test of a lock, a unique key or a race asks for `both_databases` and runs twice::

    def test_two_agents_one_gets_it(both_databases):
        first, second = interleave(
            lambda: services.take_over(conversation_id=..., agent_id=1, now=now),
            lambda: services.take_over(conversation_id=..., agent_id=2, now=now),
            at='UPDATE "chat_conversation"',
        )
        assert [first.refusal, second.refusal] == ["", "already_taken"]

Data made by migrations is there at the beginning of each test; Django's own flush loses it.
"""

import itertools
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from asgiref.local import Local
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.test import TransactionTestCase

from csplatform import embedded
from csplatform.errors import Refusal

LOCK_WAIT_S = 0.3  # a thread that is not done by then stands at a lock
DEADLINE_S = 30.0

_TEMPLATE = "migrated"
_numbers = itertools.count(1)


# --- Which database -----------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_blocker: Any, monkeypatch_session: pytest.MonkeyPatch
) -> Iterator[None]:
    """Put SQLite back as it was migrated after each transactional test, instead of emptying it.

    Takes 5 ms where flush takes 150, and keeps the rows that migrations made.
    """
    path = settings.DATABASES["default"]["NAME"]
    migrated = sqlite3.connect(":memory:", check_same_thread=False)
    with sqlite3.connect(path) as file:
        file.backup(migrated)
    file.close()

    def restore(self: TransactionTestCase) -> None:
        target = sqlite3.connect(path, timeout=20)
        migrated.backup(target)
        target.close()

    monkeypatch_session.setattr(TransactionTestCase, "_fixture_teardown", restore)
    yield
    migrated.close()


@pytest.fixture(scope="session")
def monkeypatch_session() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="session")
def postgres_server(django_db_blocker: Any) -> Iterator[embedded.Postgres]:
    """One PostgreSQL for the run, with a migrated database that tests get copies of."""
    server = embedded.Postgres(Path(settings.VAR_DIR) / "pg")
    try:
        server.start()
    except embedded.ServerFailed as failure:
        pytest.skip(f"PostgreSQL cannot run here: {failure}")
    _execute(server, f"CREATE DATABASE {_TEMPLATE}")
    with django_db_blocker.unblock(), _default_is({**server.settings, "NAME": _TEMPLATE}):
        call_command("migrate", verbosity=0)
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def both_databases(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[str]:
    """Run the test on SQLite and on PostgreSQL, for all threads; gives the vendor's name.

    On PostgreSQL each test has a fresh copy of a migrated database (40 ms).
    """
    if request.param == "sqlite":
        yield request.param
        return
    server: embedded.Postgres = request.getfixturevalue("postgres_server")
    name = f"test_{next(_numbers)}"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY")
    with _default_is({**server.settings, "NAME": name}):
        yield request.param
    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")  # whoever still holds a connection


@contextmanager
def _default_is(database: dict[str, Any]) -> Iterator[None]:
    """Point `default` elsewhere, in every thread: also those that had a connection before."""
    before, before_threads = connections.settings["default"], connections._connections
    connections.settings["default"] = {**before, "OPTIONS": {}, **database}
    connections._connections = Local(connections.thread_critical)
    try:
        yield
    finally:
        connections.close_all()
        connections.settings["default"], connections._connections = before, before_threads


def _execute(server: embedded.Postgres, statement: str) -> None:
    with psycopg.connect(
        host=str(server.directory), user=server.USER, dbname="postgres", autocommit=True
    ) as session:
        session.execute(statement)


# --- Who runs when --------------------------------------------------------------------------


@dataclass
class Outcome:
    """What a call in a thread came to. `result` raises what the call raised."""

    value: Any = None
    error: BaseException | None = None

    @property
    def result(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value

    @property
    def refusal(self) -> str:
        """The code of the refusal, "" when it went through; any other error is raised."""
        if isinstance(self.error, Refusal):
            return self.error.code
        _ = self.result
        return ""


class Running:
    """A call on a thread of its own, with its own connections, which it closes."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call, self._outcome = call, Outcome()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._outcome.value = self._call()
        except BaseException as error:
            self._outcome.error = error
        finally:
            connections.close_all()

    def is_done_within(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def outcome(self) -> Outcome:
        assert self.is_done_within(DEADLINE_S), "the thread still waits: a deadlock"
        return self._outcome


class Gate:
    """Stops a thread right before (or after) its first statement that contains a text.

    The text is looked for in the SQL as Django sends it: 'INSERT INTO "chat_message"'. Rows
    that the statement touched are then locked, or not yet, as in the race under test.
    """

    def __init__(self, at: str, *, after: bool = False) -> None:
        self._at, self._after = at, after
        self._reached, self._open = threading.Event(), threading.Event()

    def guard(self, call: Callable[[], Any]) -> Callable[[], Any]:
        """Return the call with this gate in its way."""

        def guarded() -> Any:
            with connection.execute_wrapper(self._execute):
                return call()

        return guarded

    def _execute(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if self._at not in sql or self._reached.is_set():
            return execute(sql, params, many, context)
        result = execute(sql, params, many, context) if self._after else None
        self._reached.set()
        assert self._open.wait(DEADLINE_S), f"nobody opened the gate at {self._at}"
        return result if self._after else execute(sql, params, many, context)

    def wait(self, running: Running) -> None:
        """Wait until the thread stands at the gate; a thread that ends without is an error."""
        deadline = time.monotonic() + DEADLINE_S
        while not self._reached.wait(0.01):
            if running.is_done_within(0):
                _ = running.outcome().result
                raise AssertionError(f"it ended without a statement with {self._at}")
            assert time.monotonic() < deadline, f"no statement with {self._at}"

    def open(self) -> None:
        self._open.set()


def interleave(
    first: Callable[[], Any], second: Callable[[], Any], *, at: str, after: bool = False
) -> tuple[Outcome, Outcome]:
    """Stop `first` at a statement, let `second` run as far as locks let it, then finish both.

    Args:
        at: A part of the SQL at which `first` stops, see Gate.
        after: Stop after the statement instead of before it.
    """
    gate = Gate(at, after=after)
    one = Running(gate.guard(first))
    try:
        gate.wait(one)
        two = Running(second)
        two.is_done_within(LOCK_WAIT_S)
    finally:
        gate.open()
    return one.outcome(), two.outcome()


def at_once(*calls: Callable[[], Any]) -> list[Outcome]:
    """Run the calls on threads that all begin at the same moment; outcomes in their order."""
    barrier = threading.Barrier(len(calls))

    def begin(call: Callable[[], Any]) -> Callable[[], Any]:
        def run() -> Any:
            connection.ensure_connection()
            barrier.wait(DEADLINE_S)
            return call()

        return run

    threads = [Running(begin(call)) for call in calls]
    return [thread.outcome() for thread in threads]

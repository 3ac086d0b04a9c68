"""SQLite's writers of one process wait for each other in a queue, and never for ever."""

import os
import sqlite3
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from csplatform.models import ServiceToken
from csplatform.sqlite3 import base
from tests.databases import DEADLINE_S, Running, at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _on_sqlite() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("the tests run on another database")


def write(name: str) -> None:
    with transaction.atomic():
        ServiceToken.objects.create(name=name, digest=name)


def test_a_crowd_of_writers_all_write():
    def crowd(number: int) -> None:
        for turn in range(10):
            write(f"{number}-{turn}")

    outcomes = at_once(*(lambda number=number: crowd(number) for number in range(16)))

    assert [outcome.error for outcome in outcomes] == [None] * 16
    assert ServiceToken.objects.count() == 160


def test_who_waits_for_a_writer_does_not_ask_sqlite(monkeypatch: pytest.MonkeyPatch):
    """SQLite would let him sleep, and let others that come later go before him."""
    begun: list[str] = []

    def second() -> None:
        with connection.execute_wrapper(
            lambda execute, sql, *rest: (begun.append(sql), execute(sql, *rest))[1]
        ):
            write("second")

    with transaction.atomic():
        ServiceToken.objects.create(name="first", digest="first")
        waiting = Running(second)
        assert not waiting.is_done_within(0.2)
        assert begun == []
    assert waiting.outcome().error is None
    assert begun[0] == "BEGIN IMMEDIATE"


def _fails() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        raise ZeroDivisionError


def _closes() -> None:
    with transaction.atomic():
        connection.close()


def _nests() -> None:
    with transaction.atomic():
        _fails()


@pytest.mark.parametrize("ends", [_fails, _closes, _nests])
def test_however_a_transaction_ends_the_next_one_has_the_turn(ends: Any):
    assert Running(ends).outcome().error is None

    assert base._turn.acquire(timeout=DEADLINE_S)
    base._turn.release()


def test_who_finds_the_database_locked_by_another_process_gives_his_turn_back(
    monkeypatch: pytest.MonkeyPatch,
):
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    connection.ensure_connection()
    connection.connection.execute("PRAGMA busy_timeout=10")
    try:
        with pytest.raises(OperationalError, match="locked"):
            write("in vain")
    finally:
        other.close()
        connection.close()

    assert Running(lambda: write("in time")).outcome().error is None


def test_a_turn_that_never_ends_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(base, "PATIENCE_S", 0.05)
    with base._turn:
        write("anyway")

    assert ServiceToken.objects.get().name == "anyway"


def test_a_child_does_not_wait_for_its_parents_writers():
    with base._turn:
        child = os.fork()
        if not child:
            os._exit(0 if base._turn.acquire(blocking=False) else 1)
        assert os.waitpid(child, 0)[1] == 0

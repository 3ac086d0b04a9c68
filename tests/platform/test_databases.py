"""The stage of the race tests: both databases, every thread, interleavings that really happen."""

import threading

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, connection, transaction

from csplatform.models import ServiceToken
from tests.databases import Gate, Running, at_once, interleave


def make(name: str, digest: str | None = None) -> ServiceToken:
    return ServiceToken.objects.create(name=name, digest=digest or name)


def test_every_thread_is_on_the_database_of_the_test(both_databases):
    vendors = at_once(*[lambda: connection.vendor] * 3)

    assert [outcome.result for outcome in vendors] == [both_databases] * 3
    assert connection.vendor == both_databases


def test_a_thread_that_lives_longer_than_a_test_follows(request, transactional_db):
    """It had a connection to SQLite before PostgreSQL became the default."""
    ask, answer = threading.Semaphore(0), []

    def live() -> None:
        for _ in range(2):
            ask.acquire()
            answer.append((connection.vendor, ServiceToken.objects.count()))

    thread = Running(live)
    make("before")
    ask.release()
    while len(answer) < 1:
        thread.is_done_within(0.01)
    request.getfixturevalue("postgres_server")
    from tests import databases

    server = request.getfixturevalue("postgres_server")
    with databases._default_is({**server.settings, "NAME": "migrated"}):
        ask.release()
        _ = thread.outcome().result

    assert answer == [("sqlite", 1), ("postgresql", 0)]
    assert connection.vendor == "sqlite"


@pytest.mark.parametrize("round_", ["one", "another"])
def test_rows_of_migrations_stay_and_rows_of_tests_go(both_databases, round_):
    assert Permission.objects.exists()
    assert ServiceToken.objects.count() == 0
    assert make(round_).pk == 1


def test_of_two_inserts_of_one_key_one_wins(both_databases):
    outcomes = at_once(lambda: make("a", "same"), lambda: make("b", "same"))

    errors = [outcome.error for outcome in outcomes if outcome.error]
    assert [type(error) for error in errors] == [IntegrityError]
    assert ServiceToken.objects.count() == 1


def test_the_second_runs_while_the_first_stands_at_the_gate(both_databases):
    """Without a lock the later read wins: the interleaving is forced, on both databases."""
    make("token")
    order: list[str] = []

    def slow() -> None:
        token = ServiceToken.objects.get()
        ServiceToken.objects.filter(pk=token.pk).update(digest="slow")
        order.append("slow")

    def quick() -> None:
        ServiceToken.objects.update(digest="quick")
        order.append("quick")

    interleave(slow, quick, at='UPDATE "csplatform_servicetoken"')

    assert order == ["quick", "slow"]
    assert ServiceToken.objects.get().digest == "slow"


def test_the_second_waits_for_the_lock_of_the_first(both_databases):
    make("token")

    def add(text: str) -> None:
        with transaction.atomic():
            token = ServiceToken.objects.select_for_update().get()
            token.digest += text
            token.save()

    first, second = interleave(
        lambda: add("1"), lambda: add("2"), at='UPDATE "csplatform_servicetoken"'
    )

    assert first.error is None
    assert second.error is None
    assert ServiceToken.objects.get().digest == "token12"


def test_a_gate_that_nobody_reaches_fails_the_test(transactional_db):
    gate = Gate("UPDATE nothing")
    running = Running(gate.guard(ServiceToken.objects.count))

    with pytest.raises(AssertionError, match="without a statement"):
        gate.wait(running)

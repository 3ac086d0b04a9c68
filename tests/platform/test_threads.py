"""The threads of a serving process: connections are kept, and found again when they were lost."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.utils import translation

from csplatform.models import ServiceToken
from csplatform.threads import in_thread, pool
from tests import databases

pytestmark = pytest.mark.django_db(transaction=True)


def _connected() -> Any:
    connection.ensure_connection()
    return connection.connection


def _serving(*works: Callable[[], Any]) -> list[Any]:
    """What the works return or raise, one after the other, on the one thread of a process."""

    async def serve() -> list[Any]:
        asyncio.get_running_loop().set_default_executor(pool())
        outcomes: list[Any] = []
        for work in works:
            try:
                outcomes.append(await in_thread(work)())
            except Exception as error:
                outcomes.append(error)
        await in_thread(connections.close_all)()
        return outcomes

    return asyncio.run(serve())


@pytest.fixture(autouse=True)
def _one_thread(settings: Any) -> None:
    settings.WEB_THREADS = 1


def test_a_connection_is_kept(both_databases: str):
    first, second = _serving(_connected, _connected)

    assert first is second


def test_a_connection_that_the_server_closed_costs_nobody_his_request(
    postgres_server: Any, transactional_db: None
):

    def cut() -> None:
        other = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        databases._execute(postgres_server, other)

    def write() -> int:
        with transaction.atomic():
            ServiceToken.objects.create(name="a", digest="a")
        return ServiceToken.objects.count()

    name = "test_cut"
    databases._execute(postgres_server, f"CREATE DATABASE {name} TEMPLATE {databases._TEMPLATE}")
    with databases._default_is({**postgres_server.settings, "NAME": name}):
        _first, _cut, written = _serving(_connected, cut, write)
        assert written == 1
        _first, _cut, read = _serving(_connected, cut, ServiceToken.objects.count)
        assert read == 1
    databases._execute(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


def test_after_a_failure_in_a_transaction_the_thread_goes_on(both_databases: str):
    def fail() -> None:
        with transaction.atomic():
            ServiceToken.objects.create(name="a", digest="a")
            with connection.cursor() as cursor:
                cursor.execute("SELECT nonsense FROM nowhere")

    failure, count, is_open = _serving(
        fail, ServiceToken.objects.count, lambda: connection.in_atomic_block
    )

    assert isinstance(failure, DatabaseError)
    assert (count, is_open) == (0, False)


def test_a_language_stays_with_its_request():
    def speak() -> None:
        translation.activate("en")

    with translation.override("zh-hans"):
        _none, language = _serving(speak, translation.get_language)

    assert language == "zh-hans"


def test_a_request_that_is_given_up_still_ends_its_transaction(both_databases: str):
    async def give_up() -> None:
        asyncio.get_running_loop().set_default_executor(pool())
        begun, go_on = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def write() -> None:
            with transaction.atomic():
                ServiceToken.objects.create(name="a", digest="a")
                loop.call_soon_threadsafe(begun.set)
                go_on.wait(20)

        writing = asyncio.create_task(in_thread(write)())
        await begun.wait()
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        go_on.set()
        assert await in_thread(ServiceToken.objects.count)() == 1
        await in_thread(connections.close_all)()

    asyncio.run(give_up())

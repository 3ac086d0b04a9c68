"""The cache server, when it is killed and when it accepts and never answers."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from csplatform import embedded
from csplatform.cache_server import Away, Breaker, Server


@pytest.fixture
def own(tmp_path: Path) -> Iterator[embedded.Valkey]:
    server = embedded.Valkey(socket=tmp_path / "v.sock", directory=tmp_path / "v", durable=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def silent(settings: Any) -> Iterator[str]:
    """A server that accepts and never says a word; gives its URL."""
    settings.CACHE_TIMEOUT_S = 0.02
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}/0"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class TestTheBreaker:
    def test_after_a_failure_nobody_asks_until_one_has_found_it_working(self):
        clock = Clock()
        breaker = Breaker(3.0, clock)
        assert breaker.may_try()

        assert breaker.failed()
        assert not breaker.failed()  # no news
        clock.now = 2.9
        assert not breaker.may_try()
        clock.now = 3.1
        assert [breaker.may_try() for _ in range(3)] == [True, False, False]
        assert breaker.worked()

        assert breaker.may_try()
        assert not breaker.worked()

    def test_who_tries_and_dies_does_not_close_it_for_ever(self):
        clock = Clock()
        breaker = Breaker(3.0, clock)
        breaker.failed()
        clock.now = 3.1
        assert breaker.may_try()

        clock.now = 6.2

        assert breaker.may_try()


def ping(server: Server) -> bool:
    return bool(server.ask(lambda client: client.ping()))


async def aping(server: Server) -> bool:
    return bool(await server.aask(lambda client: client.ping()))


async def test_killed_it_is_away_and_found_again(own: embedded.Valkey):
    server = Server(f"unix://{own.socket}", left_alone_s=0.05)
    assert await asyncio.to_thread(ping, server)
    assert await aping(server)

    own.process.kill()
    own.process.wait()
    for _ in range(2):
        with pytest.raises(Away):
            ping(server)
        with pytest.raises(Away):
            await aping(server)
    own.start()
    await asyncio.sleep(0.1)

    assert await asyncio.to_thread(ping, server)
    assert await aping(server)


async def test_that_never_answers_is_given_up_and_left_alone(silent: str):
    server = Server(silent, left_alone_s=60.0)
    asked: list[object] = []

    with pytest.raises(Away):
        ping(server)
    with pytest.raises(Away):
        server.ask(asked.append)
    with pytest.raises(Away):
        await aping(server)

    assert asked == []


async def test_that_never_answers_a_coroutine_does_not_hold_up_the_loop(silent: str):
    server = Server(silent)
    turns = 0

    async def live() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    living = asyncio.ensure_future(live())
    with pytest.raises(Away):
        await aping(server)
    living.cancel()

    assert turns > 10


async def test_a_busy_loop_is_not_mistaken_for_a_server_that_is_away(
    own: embedded.Valkey, settings: Any
):
    settings.CACHE_TIMEOUT_S = 0.1
    server = Server(f"unix://{own.socket}")
    assert await aping(server)

    asking = asyncio.ensure_future(aping(server))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    threading.Event().wait(0.4)  # the loop does something else meanwhile

    assert await asking


async def test_a_caller_that_goes_leaves_the_connection_usable(own: embedded.Valkey):
    server = Server(f"unix://{own.socket}")
    await aping(server)

    for value in (b"one", b"two"):
        gone = asyncio.ensure_future(server.aask(lambda client: client.get("nothing")))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        await server.aask(lambda client, value=value: client.set("key", value))
        assert await server.aask(lambda client: client.get("key")) == value

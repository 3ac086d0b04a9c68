"""The network of the fault matrix: it passes on what it should, and misbehaves on demand."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.faults import proxy as proxies
from tests.faults.proxy import Proxy

LONG = "长" * 30_000  # a length of 64 bits


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    async def echo(socket: ServerConnection) -> None:
        async for message in socket:
            await socket.send(message)

    async with serve(echo, "127.0.0.1", 0) as server:
        made = Proxy(next(iter(server.sockets)).getsockname()[1], random.Random(1))
        await made.start()
        yield made
        await made.stop()


def through(proxy: Proxy) -> connect:
    return connect(f"ws://127.0.0.1:{proxy.port}/", close_timeout=0.1)


async def hears(socket: ClientConnection, within_s: float = 0.3) -> list[str]:
    heard = []
    while True:
        try:
            async with asyncio.timeout(within_s):
                heard.append(str(await socket.recv()))
        except TimeoutError:
            return heard


async def test_a_network_without_faults_passes_everything_on_once(proxy: Proxy):
    async with through(proxy) as socket:
        for text in ("a", "b" * 200, LONG):
            await socket.send(text)

        assert await hears(socket) == ["a", "b" * 200, LONG]


async def test_frames_are_doubled(proxy: Proxy, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(proxies, "DUPLICATED", 1.0)
    proxy.is_faulty = True
    async with through(proxy) as socket:
        await socket.send("a")

        assert (await hears(socket))[:4] == ["a"] * 4  # on the way there and back
    assert proxy.faults["frames duplicated"] >= 3


async def test_a_frame_that_is_cut_ends_the_connection(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(proxies, "CUT", 1.0)
    proxy.is_faulty = True
    async with through(proxy) as socket:
        await socket.send("a")
        with pytest.raises(ConnectionClosed):
            await socket.recv()


async def test_a_half_open_link_is_silent_and_stays_open(proxy: Proxy):
    async with through(proxy) as socket:
        assert proxy.half_open(1) == 1
        await socket.send("a")

        assert await hears(socket) == []
        assert len(proxy.links) == 1


async def test_all_links_are_cut_at_once(proxy: Proxy):
    async with through(proxy) as one, through(proxy) as other:
        assert proxy.cut_all() == 2
        for socket in (one, other):
            with pytest.raises(ConnectionClosed):
                await socket.recv()

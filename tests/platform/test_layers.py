"""Hints fail open: with the server away nothing waits for them, and they come back with it."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.conf import settings as configured

from csplatform import embedded, layers


@pytest.fixture
def own_valkey(tmp_path: Path, settings: Any) -> Iterator[embedded.Valkey]:
    """A Valkey that this test may stop, as the channel layer."""
    server = embedded.Valkey(
        socket=configured.VALKEY_SOCKET.parent / "layer.sock", directory=tmp_path, durable=False
    )
    server.start()
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "csplatform.layers.HintLayer",
            "CONFIG": {"hosts": [{"address": f"unix://{server.socket}", "socket_timeout": None}]},
        }
    }
    yield server
    server.stop()


async def arrives(channel: str) -> bool:
    """Whether a hint sent now reaches the channel."""
    layers.send_soon("room", {"type": "hint"})
    try:
        async with asyncio.timeout(2):
            return bool(await get_channel_layer().receive(channel))
    except TimeoutError:
        return False


async def joined() -> str:
    channel = await get_channel_layer().new_channel()
    await get_channel_layer().group_add("room", channel)
    return str(channel)


async def test_a_hint_reaches_the_group(own_valkey: embedded.Valkey):
    channel = await joined()

    assert await arrives(channel)


async def test_of_hints_at_once_only_what_another_says_as_well_is_left_out(
    own_valkey: embedded.Valkey,
):
    channel = await joined()

    for conversation in ("a", "b", "a"):
        layers.send_soon("room", {"type": "inbox", "conversation": conversation})
    for seq in (3, 4):
        layers.send_soon("room", {"type": "line", "conversation": "a", "seq": seq})
    for seq in (5, 6):
        layers.send_soon("room", {"type": "hint", "conversation": "a", "seq": seq}, rising="seq")

    arrived = [await asyncio.wait_for(get_channel_layer().receive(channel), 5) for _ in range(5)]
    told = {(one["type"], one["conversation"], one.get("seq")) for one in arrived}
    assert told == {
        *(("inbox", "a", None), ("inbox", "b", None)),
        *(("line", "a", 3), ("line", "a", 4), ("hint", "a", 6)),
    }


async def test_with_the_server_away_sockets_open_and_nobody_waits(own_valkey: embedded.Valkey):
    own_valkey.stop()

    began = time.monotonic()
    channel = await get_channel_layer().new_channel()
    layers.send_soon("room", {"type": "hint"})

    assert channel
    assert time.monotonic() - began < layers.TIMEOUT_S


async def test_hints_resume_when_it_is_back(own_valkey: embedded.Valkey):
    channel = await joined()
    own_valkey.stop()
    layers.send_soon("room", {"type": "hint"})
    await asyncio.sleep(0.2)
    own_valkey.start()

    async with asyncio.timeout(15):
        while not await arrives(channel):
            # A receive that is cancelled lets go of its channel, as a closing socket does.
            channel = await joined()

"""Reads that many sockets ask for at one moment are done once."""

import asyncio
from collections.abc import Iterable

import pytest
from django.db import OperationalError

from chat.consumers.gathering import Gathering


async def test_what_is_asked_for_in_a_moment_is_read_once():
    reads: list[set[int]] = []

    def read(keys: Iterable[int]) -> dict[int, str]:
        reads.append(set(keys))
        return {key: str(key) for key in keys if key != 3}

    gathering = Gathering(read, open_s=0.05)

    found = await asyncio.gather(*map(gathering.of, (1, 2, 3, 1)))

    assert found == ["1", "2", None, "1"]
    assert reads == [{1, 2, 3}]


async def test_what_is_asked_for_while_it_is_read_is_read_afterwards():
    values = iter(("before", "after"))
    gathering = Gathering(lambda keys: dict.fromkeys(keys, next(values)), open_s=0.0)

    first = asyncio.create_task(gathering.of(1))
    assert await first == "before"
    assert await gathering.of(1) == "after"


async def test_who_gives_up_does_not_take_the_answer_from_the_others():
    gathering = Gathering(lambda keys: dict.fromkeys(keys, "found"), open_s=0.05)

    gone = asyncio.create_task(gathering.of(1))
    stays = asyncio.create_task(gathering.of(1))
    await asyncio.sleep(0)
    gone.cancel()

    assert await stays == "found"


async def test_everybody_hears_that_the_database_is_away():
    def read(keys: Iterable[int]) -> dict[int, str]:
        raise OperationalError("away")

    gathering = Gathering(read, open_s=0.0)

    for answer in await asyncio.gather(gathering.of(1), gathering.of(2), return_exceptions=True):
        assert isinstance(answer, OperationalError)
    with pytest.raises(OperationalError):
        await gathering.of(1)

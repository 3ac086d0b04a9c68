"""Who asks at the same time shares a look, and nobody gets what was true before he asked."""

import asyncio

import pytest

from csplatform.lookups import Lookups


class Source:
    """Something that changes; each look waits until it is let go."""

    def __init__(self) -> None:
        self.value = 0
        self.looks: list[asyncio.Event] = []

    async def look(self, key: str) -> int:
        found, let_go = self.value, asyncio.Event()
        self.looks.append(let_go)
        await let_go.wait()
        if found < 0:
            raise ValueError(key)
        return found

    async def begun(self, number: int) -> None:
        while len(self.looks) < number:  # noqa: ASYNC110  (a test of scheduling itself)
            await asyncio.sleep(0)


def test_questions_of_one_moment_are_one_look() -> None:
    async def ask() -> list[int]:
        source = Source()
        lookups = Lookups(source.look)
        asked = asyncio.gather(*(lookups.of("a") for _ in range(50)))
        await source.begun(1)
        source.looks[0].set()
        answers = await asked
        assert len(source.looks) == 1
        assert not lookups._running
        assert not lookups._next
        return answers

    assert asyncio.run(ask()) == [0] * 50


def test_a_question_during_a_look_gets_what_is_true_then() -> None:
    async def ask() -> None:
        source = Source()
        lookups = Lookups(source.look)
        first = asyncio.create_task(lookups.of("a"))
        await source.begun(1)
        source.value = 1
        later = [asyncio.create_task(lookups.of("a")) for _ in range(3)]
        await asyncio.sleep(0)
        source.looks[0].set()
        await source.begun(2)
        source.looks[1].set()
        assert await first == 0
        assert await asyncio.gather(*later) == [1, 1, 1]
        assert len(source.looks) == 2

    asyncio.run(ask())


def test_different_keys_do_not_wait_for_each_other() -> None:
    async def ask() -> None:
        source = Source()
        lookups = Lookups(source.look)
        asked = [asyncio.create_task(lookups.of(key)) for key in "ab"]
        await source.begun(2)
        for look in source.looks:
            look.set()
        await asyncio.gather(*asked)

    asyncio.run(ask())


def test_a_failed_look_fails_for_all_and_the_next_is_a_new_one() -> None:
    async def ask() -> None:
        source = Source()
        source.value = -1
        lookups = Lookups(source.look)
        asked = asyncio.gather(*(lookups.of("a") for _ in range(2)), return_exceptions=True)
        await source.begun(1)
        source.looks[0].set()
        assert [type(answer) for answer in await asked] == [ValueError, ValueError]
        source.value = 2
        again = asyncio.create_task(lookups.of("a"))
        await source.begun(2)
        source.looks[1].set()
        assert await again == 2

    asyncio.run(ask())


def test_who_goes_away_takes_nothing_from_the_others() -> None:
    async def ask() -> None:
        source = Source()
        lookups = Lookups(source.look)
        gone, stays = (asyncio.create_task(lookups.of("a")) for _ in range(2))
        await source.begun(1)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        source.looks[0].set()
        assert await stays == 0

    asyncio.run(ask())

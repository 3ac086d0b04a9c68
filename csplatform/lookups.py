"""One look for all who ask the same at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Found = TypeVar("Found")


class Lookups(Generic[Key, Found]):
    """Looks things up for coroutines; those that ask while a look is under way share the next one.

    What is found was true at the time of the question or later, as if each had looked itself;
    nothing is kept for whoever asks afterwards.

    Args:
        look: Finds what belongs to a key.
    """

    def __init__(self, look: Callable[[Key], Awaitable[Found]]) -> None:
        self._look = look
        # By event loop and key.
        self._running: dict[tuple[object, Key], asyncio.Task[Found]] = {}
        self._next: dict[tuple[object, Key], asyncio.Task[Found]] = {}

    async def of(self, key: Key) -> Found:
        """Return what is found of a key.

        Raises:
            Exception: Whatever `look` raises, for all who share it.
        """
        place = (asyncio.get_running_loop(), key)
        task = self._next.get(place)
        if task is None:
            task = self._next[place] = asyncio.create_task(self._shared(place, key))
        # Whoever goes away takes nothing from the others.
        return await asyncio.shield(task)

    async def _shared(self, place: tuple[object, Key], key: Key) -> Found:
        mine = self._next[place]
        try:
            if (before := self._running.get(place)) is not None:
                await asyncio.wait([before])
        finally:
            del self._next[place]  # from here on others would get what may be old
        self._running[place] = mine
        try:
            return await self._look(key)
        finally:
            if self._running[place] is mine:
                del self._running[place]

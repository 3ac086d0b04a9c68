"""Reads of many sockets at one moment, done together: one query instead of one each."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from chat.consumers.running import keep
from csplatform.threads import in_thread

Key = TypeVar("Key")
Value = TypeVar("Value")


class _Moment(Generic[Key, Value]):
    """What the sockets of one event loop ask for until it is read."""

    def __init__(self) -> None:
        self.keys: set[Key] = set()
        self.found: asyncio.Future[Mapping[Key, Value]] | None = None


class Gathering(Generic[Key, Value]):
    """Asks the database once for what many sockets want to know within a moment."""

    def __init__(self, read: Callable[[Iterable[Key]], Mapping[Key, Value]], open_s: float) -> None:
        """Args:
        read: From keys to what is found of them; runs on a thread.
        open_s: So long it waits for others to ask, in seconds.
        """
        self._read, self._open_s = read, open_s
        self._moments: WeakKeyDictionary[asyncio.AbstractEventLoop, _Moment[Key, Value]] = (
            WeakKeyDictionary()
        )

    async def of(self, key: Key) -> Value | None:
        """Return what is found of a key, read after this call; None where there is nothing.

        Raises:
            DatabaseError: It is away.
        """
        loop = asyncio.get_running_loop()
        moment = self._moments.setdefault(loop, _Moment())
        moment.keys.add(key)
        if moment.found is None:
            moment.found = loop.create_future()
            keep(self._read_soon(moment, moment.found))
        found = await asyncio.shield(moment.found)  # other sockets wait for it, too
        return found.get(key)

    async def _read_soon(
        self, moment: _Moment[Key, Value], found: "asyncio.Future[Mapping[Key, Value]]"
    ) -> None:
        await asyncio.sleep(self._open_s)
        keys, moment.keys, moment.found = moment.keys, set(), None
        try:
            found.set_result(await in_thread(self._read)(keys))
        except Exception as error:  # each of those who wait has to hear of it
            found.set_exception(error)

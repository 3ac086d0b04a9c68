"""One long text at a time: who pastes pages makes others wait for one of them, and not for all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

from chat.longtexts.telling import is_long

_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


@asynccontextmanager
async def in_turn(text: str) -> AsyncIterator[None]:
    """Wait until no other long text is at work on this event loop; a short one never waits."""
    if not is_long(text):
        yield
        return
    turn = _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(1))
    async with turn:
        yield

"""Who goes first on an event loop: short messages, and of the long ones one at a time.

Who pastes pages makes others wait for a part of one of them, and not for all: a long text takes
its steps (storing, understanding, answering) while no short message is being answered, but waits
for that no longer than `_PATIENCE_S` a step. Alone, it never waits.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

_PATIENCE_S = 0.1


@dataclass(slots=True)
class _Loop:
    """What is at work on one event loop."""

    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    short: int = 0  # messages that are being answered
    is_free: asyncio.Event = field(default_factory=asyncio.Event)  # of them; meaningless at 0


_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _Loop] = WeakKeyDictionary()


def _here() -> _Loop:
    loop = asyncio.get_running_loop()
    found = _loops.get(loop)
    if found is None:
        found = _loops[loop] = _Loop()
    return found


@contextmanager
def short_one() -> Iterator[None]:
    """Go first: a short message is being answered. Waits for nobody."""
    here = _here()
    here.short += 1
    here.is_free.clear()
    try:
        yield
    finally:
        here.short -= 1
        if not here.short:
            here.is_free.set()


@asynccontextmanager
async def long_one() -> AsyncIterator[None]:
    """Wait until no other long text is being answered."""
    async with _here().turn:
        yield


async def give_way() -> None:
    """Let short messages go first, before a step of a long one."""
    here = _here()
    if here.short:
        with suppress(TimeoutError):
            # Not wait_for, which swallows a cancellation that comes with the event (Python 3.11).
            async with asyncio.timeout(_PATIENCE_S):
                await here.is_free.wait()

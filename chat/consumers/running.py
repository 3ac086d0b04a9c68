"""Work of sockets that goes on when its handler, or its socket, has ended."""

import asyncio
from collections.abc import Coroutine
from typing import Any

# A task that nobody refers to may be collected while it runs.
_running: set[asyncio.Task[None]] = set()


def keep(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    task = asyncio.get_running_loop().create_task(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
    return task


async def finish(within_s: float) -> None:
    """Let what is being answered be answered, before the process ends; the sweep has the rest."""
    if _running:
        await asyncio.wait(set(_running), timeout=within_s)

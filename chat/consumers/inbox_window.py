"""One look at the database for all workspaces of a process, whatever their number.

A message changes one line of everybody's list. Hints that come within a moment of each other
are read together, once, and each socket then says what its agent may see of it.
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import Error as DatabaseError

from chat import inbox
from chat.consumers.running import keep
from csplatform.threads import in_thread

logger = logging.getLogger(__name__)

# Long enough to gather what one turn changes, too short to be noticed.
OPEN_S = 0.2


@dataclass(frozen=True, slots=True)
class Look:
    """What was found of the conversations that were hinted at."""

    ids: Sequence[UUID]
    found: Mapping[UUID, inbox.Listed]  # without those that are no more
    began_at: float  # of the read, time.monotonic()


class _Gathering:
    """The hints of one event loop; read one after the other, so that none overtakes a later one."""

    def __init__(self) -> None:
        self.ids: set[UUID] = set()
        self.look: asyncio.Future[Look | None] | None = None  # None: nothing is gathered
        self.reading = asyncio.Lock()


_gatherings: WeakKeyDictionary[asyncio.AbstractEventLoop, _Gathering] = WeakKeyDictionary()


def look_at(conversation_id: UUID) -> "asyncio.Future[Look | None]":
    """Have a conversation read with the others of this moment; the same future for all who ask.

    It is shared: await it through asyncio.shield. Its result is None while the database is away.
    """
    loop = asyncio.get_running_loop()
    gathering = _gatherings.setdefault(loop, _Gathering())
    gathering.ids.add(conversation_id)
    if gathering.look is None:
        gathering.look = loop.create_future()
        keep(_read_soon(gathering, gathering.look))
    return gathering.look


async def _read_soon(gathering: _Gathering, look: "asyncio.Future[Look | None]") -> None:
    await asyncio.sleep(OPEN_S)
    async with gathering.reading:
        ids, gathering.ids, gathering.look = list(gathering.ids), set(), None
        began_at = time.monotonic()
        try:
            found = await in_thread(inbox.read)(ids)
        except DatabaseError:
            logger.exception("The inbox could not be read")
            look.set_result(None)
            return
        look.set_result(Look(ids, {one.conversation.pk: one for one in found}, began_at))

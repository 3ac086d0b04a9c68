"""Rows that may be written a moment later: collected from all threads, written together."""

import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakSet

from django.db import InterfaceError, OperationalError, close_old_connections

logger = logging.getLogger(__name__)

_STOP_S = 5.0

Item = TypeVar("Item")
_all: "WeakSet[BufferedWriter]" = WeakSet()


class BufferedWriter(Generic[Item]):
    """Takes items at once and writes them on a thread of its own, every `every_s` seconds.

    Bounded: while the database is away or slow the oldest are dropped. A process that is
    killed loses what it holds. The thread begins with the first item, so that none exists
    before a fork; a forked child begins empty, for its parent writes what it held.

    Args:
        write: Writes items in their order. An OperationalError or InterfaceError means "all of
            them again, later"; any other error is logged and the items are lost.
        most: Items held.
        together: Items of one call of `write`, at most.
        every_s: Seconds from an item to its writing.
        dropped: Told how many items were lost.
        threaded: False writes in `flush` only, for tests.
    """

    def __init__(
        self,
        write: Callable[[list[Item]], None],
        *,
        most: int,
        together: int,
        every_s: float,
        dropped: Callable[[int], None],
        threaded: bool = True,
    ) -> None:
        self._write, self._dropped = write, dropped
        self._most, self._together = most, together
        self._every_s, self._threaded = every_s, threaded
        self._begin()
        _all.add(self)

    def _begin(self) -> None:
        self._items: deque[Item] = deque()
        self._lock = threading.Lock()  # of the items
        self._writing = threading.Lock()  # one writes at a time, so that the order stays
        self._filled, self._stopping = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._is_failing = False

    def add(self, item: Item) -> None:
        """Take an item, from any thread or coroutine; never waits for the database."""
        with self._lock:
            self._items.append(item)
            overflow = len(self._items) > self._most
            if overflow:
                self._items.popleft()
            if self._threaded and not self._is_running() and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._run, name="buffer", daemon=True)
                self._thread.start()
        self._filled.set()
        if overflow:
            self._dropped(1)

    def _is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def flush(self) -> None:
        """Write what is held, on this thread; what cannot be written now stays held."""
        with self._writing:
            while items := self._taken():
                try:
                    self._write(items)
                except (OperationalError, InterfaceError) as error:
                    self._keep(items, error)
                    return
                except Exception:
                    logger.exception("%d rows cannot be written and are lost", len(items))
                    self._dropped(len(items))
                self._is_failing = False

    def stop(self) -> None:
        """End the thread and write what is held; later items wait for a `flush`.

        A thread that the database holds up for longer than five seconds is left to itself.
        """
        self._stopping.set()
        self._filled.set()
        if (thread := self._thread) is not None:
            thread.join(_STOP_S)
        if self._is_running():
            logger.warning("The database is too slow: %d rows may be lost", len(self._items))
        else:
            self.flush()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._filled.wait()
            self._filled.clear()
            self._stopping.wait(self._every_s)
            close_old_connections()
            try:
                self.flush()
            finally:
                close_old_connections()

    def _taken(self) -> list[Item]:
        with self._lock:
            return [self._items.popleft() for _ in range(min(self._together, len(self._items)))]

    def _keep(self, items: list[Item], error: Exception) -> None:
        """Hold items for the next attempt, before what came since."""
        if not self._is_failing:  # once an outage
            logger.warning("%d rows are written later: %r", len(items), error)
        self._is_failing = True
        with self._lock:
            room = max(self._most - len(self._items), 0)
            lost = max(len(items) - room, 0)
            self._items.extendleft(reversed(items[lost:]))
        if lost:
            self._dropped(lost)
        self._filled.set()


def _begin_anew_in_child() -> None:
    for writer in list(_all):
        writer._begin()


os.register_at_fork(after_in_child=_begin_anew_in_child)

"""Django's SQLite engine, in which the threads of one process take turns to write.

SQLite has one writer at a time and no queue: whoever finds the database locked sleeps and
tries again, up to a tenth of a second each time (sqlite3_busy_timeout), and may find it
locked for ever. With 100 clients some waited 20 seconds and then failed. A lock in the
process wakes the next one at once. Other processes still meet at SQLite's own lock.
"""

import os
import threading

from django.db.backends.sqlite3 import base

# Then SQLite's own lock decides, which gives up after OPTIONS["timeout"].
PATIENCE_S = 20.0

_turn = threading.Lock()


def _forget_turn_of_parent() -> None:
    global _turn
    _turn = threading.Lock()


os.register_at_fork(after_in_child=_forget_turn_of_parent)


class DatabaseWrapper(base.DatabaseWrapper):
    """A transaction has the turn from BEGIN IMMEDIATE to its end.

    A statement outside a transaction takes SQLite's lock for microseconds, and no turn.
    """

    _has_turn: "threading.Lock | None" = None

    def _start_transaction_under_autocommit(self) -> None:
        turn = _turn
        if turn.acquire(timeout=PATIENCE_S):
            self._has_turn = turn
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._end_turn()
            raise

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]  # where it fails, a rollback follows
        self._end_turn()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _end_turn(self) -> None:
        turn, self._has_turn = self._has_turn, None
        if turn is not None:
            turn.release()

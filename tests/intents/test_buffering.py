"""Rows that are written a moment later: bounded, in order, also after a fork."""

import multiprocessing
import threading
from typing import Any

import pytest
from django.db import OperationalError

from intents import buffering
from intents.buffering import BufferedWriter

MOMENT_S = 0.01


class Table:
    """Takes what is written, unless it is away or refuses an item."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.times = 0
        self.is_away = False
        self.lost = 0
        self.threads: set[str] = set()

    def write(self, items: list[int]) -> None:
        if self.is_away:
            raise OperationalError("away")
        if -1 in items:
            raise ValueError("a negative number")
        self.times += 1
        self.threads.add(threading.current_thread().name)
        self.rows += items

    def lose(self, number: int) -> None:
        self.lost += number


@pytest.fixture
def table() -> Table:
    return Table()


def writer(table: Table, **options: Any) -> BufferedWriter[int]:
    options = {"most": 1000, "together": 100, "every_s": MOMENT_S, "threaded": False, **options}
    return BufferedWriter(table.write, dropped=table.lose, **options)


def eventually(condition: Any) -> None:
    for _ in range(2000):
        if condition():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it never came about")


def test_items_are_written_together_in_their_order_on_another_thread(table: Table):
    writing = writer(table, threaded=True, every_s=0.2)

    for number in range(50):
        writing.add(number)
    eventually(lambda: len(table.rows) == 50)

    assert table.rows == list(range(50))
    assert (table.times, table.threads) == (1, {"buffer"})
    writing.stop()


def test_many_threads_lose_nothing(table: Table):
    writing = writer(table, threaded=True)
    adding = [
        threading.Thread(target=lambda n=n: [writing.add(n * 100 + i) for i in range(20, 90)])
        for n in range(8)
    ]
    for thread in adding:
        thread.start()
    for thread in adding:
        thread.join()

    writing.stop()

    assert sorted(table.rows) == sorted(n * 100 + i for n in range(8) for i in range(20, 90))


def test_no_thread_exists_before_the_first_item(table: Table):
    before = threading.active_count()

    writing = writer(table, threaded=True)

    assert threading.active_count() == before
    writing.stop()


def test_the_oldest_go_when_there_are_too_many(table: Table):
    writing = writer(table, most=3)

    for number in range(5):
        writing.add(number)
    writing.flush()

    assert (table.rows, table.lost) == ([2, 3, 4], 2)


def test_while_the_database_is_away_they_wait(table: Table):
    writing = writer(table, most=3)
    table.is_away = True
    for number in range(3):
        writing.add(number)
        writing.flush()
    table.is_away = False
    writing.add(3)

    writing.flush()

    assert (table.rows, table.lost) == ([1, 2, 3], 1)


def test_the_thread_goes_on_after_an_outage(table: Table):
    writing = writer(table, threaded=True)
    table.is_away = True
    writing.add(1)
    threading.Event().wait(5 * MOMENT_S)
    table.is_away = False

    eventually(lambda: table.rows == [1])

    writing.stop()


def test_what_is_refused_for_good_is_lost_and_counted(table: Table):
    writing = writer(table)

    writing.add(-1)
    writing.flush()
    writing.add(14)
    writing.flush()

    assert (table.rows, table.lost) == ([14], 1)


def test_stopping_does_not_wait_for_a_database_that_hangs(
    table: Table, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(buffering, "_STOP_S", 0.05)
    begun, go_on = threading.Event(), threading.Event()

    def hang(items: list[int]) -> None:
        begun.set()
        go_on.wait(20)
        table.write(items)

    writing = BufferedWriter(hang, most=9, together=9, every_s=MOMENT_S, dropped=table.lose)
    writing.add(1)
    assert begun.wait(20)

    stopping = threading.Thread(target=writing.stop, daemon=True)
    stopping.start()
    stopping.join(20)

    assert not stopping.is_alive()
    go_on.set()
    eventually(lambda: table.rows == [1])


def test_a_thread_that_died_is_followed_by_another(table: Table, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(threading, "excepthook", lambda _: None)

    def die() -> None:
        raise OSError

    monkeypatch.setattr(buffering, "close_old_connections", die)
    writing = writer(table, threaded=True)
    writing.add(1)
    eventually(lambda: not writing._is_running())
    monkeypatch.undo()
    writing.add(2)

    eventually(lambda: table.rows == [1, 2])

    writing.stop()


def test_stopping_writes_the_rest(table: Table):
    writing = writer(table, threaded=True, every_s=60.0)
    writing.add(1)

    writing.stop()

    assert table.rows == [1]


def _in_child(writing: BufferedWriter[int], table: Table, said: Any) -> None:
    held_at_first = len(writing._items)
    writing.add(2)
    eventually(lambda: table.rows == [2])
    said.send((held_at_first, table.rows))


def test_a_forked_child_writes_its_own_and_leaves_the_parents_to_the_parent(table: Table):
    writing = writer(table, threaded=True, every_s=0.3)
    writing.add(1)
    ours, theirs = multiprocessing.Pipe()

    child = multiprocessing.get_context("fork").Process(
        target=_in_child, args=(writing, table, theirs)
    )
    child.start()

    assert ours.poll(20)
    assert ours.recv() == (0, [2])
    child.join()
    eventually(lambda: table.rows == [1])
    writing.stop()

"""Reference cycles in a serving process: freed, though nothing is looked at twice in a row."""

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest

from csplatform import garbage


class Knot:
    """Holds itself: only the collector frees it."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_new_garbage_is_freed_by_any_look():
    knot = weakref.ref(Knot())

    garbage.look(is_deep=False)

    assert knot() is None


def test_what_was_alive_at_a_look_is_freed_by_a_deep_one_and_not_before():
    held = Knot()
    knot = weakref.ref(held)
    garbage.look(is_deep=False)
    del held

    garbage.look(is_deep=False)
    assert knot() is not None
    garbage.look(is_deep=True)

    assert knot() is None


def test_looks_come_by_the_clock_and_not_when_something_is_allocated(monkeypatch):
    monkeypatch.setattr(garbage, "EVERY_S", 0.05)
    looks = threading.Semaphore(0)

    def tell(phase: str, info: dict[str, int]) -> None:
        if (phase, info["generation"]) == ("stop", 2):
            looks.release()

    over = garbage.start()
    gc.callbacks.append(tell)
    try:
        kept = [[number] for number in range(300_000)]
        assert gc.get_threshold()[2] > len(kept)
        assert looks.acquire(timeout=20)
    finally:
        gc.callbacks.remove(tell)
        over.set()

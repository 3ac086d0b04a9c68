"""When a serving process looks for reference cycles: by the clock, not whenever it has allocated.

Python looks through everything that is alive each time a quarter has been added: with 2,000
sockets for 270 ms every three to six seconds, while everybody waits. Here what has survived a
look is not looked at again (`gc.freeze`), so that looks are short, and only now and then
everything is, for what has become garbage since. Young objects are looked at as ever. What a
look, or a burst of requests, has left free goes back to the system.
"""

import gc
import threading

from csplatform import memory

EVERY_S = 20.0
# So many looks at what is new, and then one at everything: every ten minutes.
DEEP_EVERY = 30
_NEVER = 1_000_000_000


def start() -> threading.Event:
    """Look from now on, in a thread of its own, until the returned event is set."""
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _NEVER)
    look(is_deep=True)
    over = threading.Event()
    threading.Thread(target=_look_until, args=[over], name="garbage", daemon=True).start()
    return over


def look(*, is_deep: bool) -> None:
    """Free the cycles among what is new, or among everything."""
    if is_deep:
        gc.unfreeze()
    gc.collect()
    gc.freeze()


def _look_until(over: threading.Event) -> None:
    looks = 0
    while not over.wait(EVERY_S):
        looks += 1
        look(is_deep=looks % DEEP_EVERY == 0)
        memory.give_back()

"""Memory that the C library keeps for later, given back. Does nothing where it is not glibc."""

import contextlib
import ctypes
from functools import cache

_M_ARENA_MAX = -8  # malloc.h


@cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def few_arenas() -> None:
    """Have all threads share two heaps: with eight a core, each keeps what others could use.

    12 MB less of a web process. What allocates most (models, arrays) is mapped apart from them.
    """
    with contextlib.suppress(OSError, AttributeError):
        _library().mallopt(_M_ARENA_MAX, 2)


def give_back() -> None:
    """Return to the system what has been freed: after loading a model or content, tens of MB."""
    with contextlib.suppress(OSError, AttributeError):
        _library().malloc_trim(0)

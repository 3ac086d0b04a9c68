"""The cache server, for what may be lost: asked in bounded time, and left alone after a failure.

A server that is away costs one turn `2 * settings.CACHE_TIMEOUT_S` in every `LEFT_ALONE_S`, and
the others nothing. What it holds is a convenience: callers catch `Away` and do without.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from functools import cache
from typing import TypeVar
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)

# After a failure nobody asks for this long; then one caller tries.
LEFT_ALONE_S = 3.0
# A coroutine waits in so many parts: it may be its loop that is late, and what has arrived
# meanwhile is read in the next part.
_PARTS = 4

Result = TypeVar("Result")
_FAILURES = (redis.RedisError, OSError)


class Away(Exception):
    """The server failed, or did a moment ago and is left alone."""


class Breaker:
    """Remembers that something failed, so that the next callers need not find out.

    Opens with a failure. After `left_alone_s` it lets one caller try, and the others go on
    doing without until he has found it working.
    """

    def __init__(self, left_alone_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._left_alone_s, self._clock = left_alone_s, clock
        self._lock = threading.Lock()
        self._closed_until: float | None = None  # None while all is well

    def may_try(self) -> bool:
        """Whether this caller may ask."""
        if self._closed_until is None:  # the usual case, without the lock
            return True
        with self._lock:
            if self._closed_until is None:
                return True
            if self._clock() < self._closed_until:
                return False
            self._closed_until = self._clock() + self._left_alone_s  # this one tries
            return True

    def worked(self) -> bool:
        """Note that it works; return whether that is news."""
        if self._closed_until is None:
            return False
        with self._lock:
            was_open, self._closed_until = self._closed_until is not None, None
            return was_open

    def failed(self) -> bool:
        """Note that it does not; return whether that is news."""
        with self._lock:
            was_open = self._closed_until is not None
            self._closed_until = self._clock() + self._left_alone_s
            return not was_open


class Server:
    """One server by its URL, for threads and for coroutines of any loop."""

    def __init__(
        self, url: str, *, left_alone_s: float = LEFT_ALONE_S, timeout_s: float | None = None
    ) -> None:
        self._url, self._timeout_s = url, timeout_s or settings.CACHE_TIMEOUT_S
        self._breaker = Breaker(left_alone_s)
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=self._timeout_s,
            socket_connect_timeout=self._timeout_s,
            retry=Retry(NoBackoff(), 0),
            driver_info=None,  # or each new connection reads redis-py's version from the disk
        )
        self._async_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, redis.asyncio.Redis] = (
            WeakKeyDictionary()
        )

    def ask(self, work: Callable[[redis.Redis], Result]) -> Result:
        """Do something with the server, from a thread.

        Raises:
            Away: It failed, or is left alone.
        """
        self._check()
        try:
            result = work(self._client)
        except _FAILURES as error:
            raise self._failed(error) from error
        self._worked()
        return result

    async def aask(self, work: Callable[[redis.asyncio.Redis], Awaitable[Result]]) -> Result:
        """Do something with the server, from a coroutine; raises as `ask`."""
        self._check()
        asking = asyncio.ensure_future(_awaited(work(self._async_client())))
        try:
            for _part in range(_PARTS):
                if not asking.done():
                    await asyncio.wait({asking}, timeout=2 * self._timeout_s / _PARTS)
        finally:
            asking.cancel()  # too late, or the caller has gone; nothing where it is done
        if not asking.done():
            raise self._failed(TimeoutError("no answer in time"))
        try:
            result = asking.result()
        except _FAILURES as error:
            raise self._failed(error) from error
        self._worked()
        return result

    def _async_client(self) -> redis.asyncio.Redis:
        loop = asyncio.get_running_loop()
        if (client := self._async_clients.get(loop)) is None:
            # Its time is limited in `aask`, which can tell a late loop from a late server.
            client = redis.asyncio.Redis.from_url(
                self._url, retry=Retry(NoBackoff(), 0), driver_info=None
            )
            self._async_clients[loop] = client
        return client

    def _check(self) -> None:
        if not self._breaker.may_try():
            raise Away

    def _worked(self) -> None:
        if self._breaker.worked():
            logger.info("The cache server is back")

    def _failed(self, error: Exception) -> Away:
        # Once an outage: a busy site would otherwise fill the log with it.
        if self._breaker.failed():
            logger.warning("The cache server is away, and done without: %r", error)
        return Away()


async def _awaited(doing: Awaitable[Result]) -> Result:
    return await doing


@cache
def _server(url: str) -> Server:
    return Server(url)


def ask(work: Callable[[redis.Redis], Result]) -> Result:
    """Do something with the server at settings.CACHE_URL; see `Server.ask`."""
    return _server(settings.CACHE_URL).ask(work)


async def aask(work: Callable[[redis.asyncio.Redis], Awaitable[Result]]) -> Result:
    """Do something with the server at settings.CACHE_URL; see `Server.aask`."""
    return await _server(settings.CACHE_URL).aask(work)

"""Which agents are there: leases on the cache server that end by themselves.

Each tab of a workspace has a lease, renewed by its heartbeat, on the server's clock. What was
not there to be renewed says nothing: after the server was away, lost its memory or was
restarted, presence is unknown until one whole lease has passed, in which whoever is there
has been heard of. Unknown is not absent: nobody loses a chat by it.
"""

import threading
from functools import cache
from typing import Any

import redis
from django.conf import settings

from csplatform.cache_server import Away, Server

# KEYS: leases, since. ARGV: lease (ms), whether somebody could not be heard, tab to renew or "",
# tab to end or "". Returns the tabs that are there, or false while that is unknown.
# `since` is "run id of the server, time": all tabs have been able to renew since then.
_SCRIPT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local lease = tonumber(ARGV[1])
local known = redis.call('GET', KEYS[2])
local since = known and string.match(known, '^' .. run .. ' (%d+)$')
if not since or ARGV[2] == '1' then
  since = now
  redis.call('SET', KEYS[2], run .. ' ' .. string.format('%d', now))
end
if ARGV[3] ~= '' then redis.call('ZADD', KEYS[1], now + lease, ARGV[3]) end
if ARGV[4] ~= '' then redis.call('ZREM', KEYS[1], ARGV[4]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if now - tonumber(since) < lease then return false end
return redis.call('ZRANGE', KEYS[1], 0, -1)
"""
_LEASES, _SINCE = "presence:tabs", "presence:since"
# Longer than for the cache: nobody's answer waits for it, and a slow moment is no outage.
_TIMEOUT_S = 1.0


class Presence:
    """The leases on one server.

    Args:
        url: Of a Redis or Valkey that evicts nothing.
        lease_s: Seconds that a tab is there without a word.
    """

    def __init__(self, url: str, lease_s: float) -> None:
        self._server = Server(url, timeout_s=_TIMEOUT_S)
        self._lease_ms = round(lease_s * 1000)
        self._lock = threading.Lock()
        self._was_away = False

    def renew(self, agent_id: int, tab_id: str) -> bool:
        """Say that an agent is there; False where the server is away and nobody heard it."""
        return self._ask(renew=_member(agent_id, tab_id))[0]

    def leave(self, agent_id: int, tab_id: str) -> None:
        """Say that an agent has closed a tab. Not heard, the lease ends by itself."""
        self._ask(end=_member(agent_id, tab_id))

    def present(self) -> frozenset[int] | None:
        """Return the primary keys of the users who are there; None: unknown."""
        is_heard, tabs = self._ask()
        if not is_heard or tabs is None:
            return None
        return frozenset(int(tab.decode().partition(":")[0]) for tab in tabs)

    def _ask(self, *, renew: str = "", end: str = "") -> tuple[bool, list[bytes] | None]:
        with self._lock:
            was_away, self._was_away = self._was_away, False

        def run(server: redis.Redis) -> Any:
            return server.eval(
                _SCRIPT, 2, _LEASES, _SINCE, self._lease_ms, int(was_away), renew, end
            )

        try:
            return True, self._server.ask(run)
        except Away:
            with self._lock:
                self._was_away = True
            return False, None


def _member(agent_id: int, tab_id: str) -> str:
    return f"{agent_id}:{tab_id}"


@cache
def _presence(url: str, lease_s: float) -> Presence:
    return Presence(url, lease_s)


def _ours() -> Presence:
    return _presence(settings.PRESENCE_URL, settings.PRESENCE_LEASE_S)


def renew(agent_id: int, tab_id: str) -> bool:
    """Say that an agent is there, from a thread; see `Presence.renew`."""
    return _ours().renew(agent_id, tab_id)


def leave(agent_id: int, tab_id: str) -> None:
    """Say that an agent has closed a tab, from a thread."""
    _ours().leave(agent_id, tab_id)


def present() -> frozenset[int] | None:
    """Return the primary keys of the users who are there; None: unknown. From a thread."""
    return _ours().present()

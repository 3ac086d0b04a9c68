"""System checks of the platform as a whole. docs/operations.md lists them; each has its test."""

from collections import defaultdict
from typing import Any
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register

# Asked of running servers: `manage.py check --tag servers`, and by `run` before it serves.
SERVERS = "servers"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@register(SERVERS)
def only_the_cache_may_evict(**kwargs: Any) -> list[CheckMessage]:
    """E001: a server that evicts under memory pressure throws away tasks, results and hints."""
    found: list[CheckMessage] = []
    for url, names in _servers().items():
        policy = eviction_policy(url)
        if policy not in ("noeviction", None):
            found.append(
                Error(
                    f"The server of {' and '.join(names)} may evict ({policy}), and would throw "
                    "away waiting tasks when its memory is full.",
                    hint=f"redis-cli -u {_public(url)} CONFIG SET maxmemory-policy noeviction, and give the "
                    "cache a server of its own by CACHE_URL if it shall evict.",
                    id="csplatform.E001",
                )
            )
    return found


@register(SERVERS)
def servers_answer(**kwargs: Any) -> list[CheckMessage]:
    """W001: a server that we did not start ourselves is away."""
    if settings.REDIS_IS_EMBEDDED:
        return []
    return [
        checks.Warning(
            f"The server of {' and '.join(names)} does not answer at {_public(url)}.",
            hint="Start it, or correct the URL. Until then messages are stored and answered, "
            "but hints, sweeps and training wait.",
            id="csplatform.W001",
        )
        for url, names in _servers().items()
        if eviction_policy(url) is None
    ]


def eviction_policy(url: str) -> str | None:
    """Return a server's maxmemory-policy, or None when it does not answer within a second."""
    try:
        with redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1) as client:
            # INFO and not CONFIG GET, which hosted servers forbid.
            return str(client.info("memory")["maxmemory_policy"])
    except redis.RedisError:
        return None


def _servers() -> dict[str, list[str]]:
    """Return the servers that must not evict, each once, with the settings that name it."""
    servers = defaultdict(list)
    for name in ("BROKER_URL", "RESULT_URL", "CHANNEL_LAYER_URL"):
        url = urlsplit(getattr(settings, name))
        if url.scheme in ("redis", "rediss"):
            servers[url._replace(path="", query="").geturl()].append(name)
        elif url.scheme == "unix":
            servers[f"unix://{url.path}"].append(name)
    return dict(servers)


def _public(url: str) -> str:
    """Return the URL without user and password: messages end up in logs."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@register()
def demo_stays_at_home(**kwargs: Any) -> list[CheckMessage]:
    """W002: the passwords of the demo's people stand in the README."""
    if settings.HOST in LOOPBACK or not settings.DEMO_SHOP:
        return []
    return [
        checks.Warning(
            f"HOST={settings.HOST!r} lets other machines in, and DEMO_SHOP has people whose "
            "passwords everybody knows.",
            hint="Set DEMO_SHOP=False and make people of your own: manage.py createsuperuser",
            id="csplatform.W002",
        )
    ]

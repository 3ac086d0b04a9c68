"""Read settings from the environment (and `.env`), and refuse to start on a bad value.

A thin typed layer over django-environ: each reader names the variable, what it
got and what it wants, and `<NAME>_FILE` wins over `<NAME>`, which is how
container platforms hand over secrets.
"""

import ipaddress
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:]+\]|[a-z0-9][a-z0-9.-]*)(:(?P<port>[0-9]{1,5}))?"
)


def load(path: Path) -> None:
    """Add the variables of a `.env` file; what the process already has wins."""
    if path.is_file():
        environ.Env.read_env(str(path), overwrite=False)


def text(name: str, default: str | None = None) -> str:
    """Return the variable, or `default`.

    Raises:
        ImproperlyConfigured: It is not set and has no default, or its file cannot be read.
    """
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE={path!r} cannot be read: {error}") from None
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"Set {name} (or {name}_FILE).")
    return value


def choice(name: str, default: str, choices: Sequence[str]) -> str:
    """Return the variable if it is one of `choices`."""
    value = text(name, default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name}={value!r}: use one of {', '.join(choices)}.")
    return value


def flag(name: str, *, default: bool) -> bool:
    """Return True for "True" and False for "False"; anything else stops the start."""
    return choice(name, str(default), ("True", "False")) == "True"


def number(name: str, default: float, *, least: float = 0.0, most: float = float("inf")) -> float:
    """Return a number within [least, most]."""
    value = text(name, str(default))
    try:
        result = float(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={value!r}: use a number.") from None
    if not least <= result <= most:
        raise ImproperlyConfigured(f"{name}={value!r}: use a number from {least} to {most}.")
    return result


def count(name: str, default: int, *, least: int = 0, most: int = 2**31) -> int:
    """Return a whole number within [least, most]."""
    result = number(name, default, least=least, most=most)
    if result != int(result):
        raise ImproperlyConfigured(f"{name}={result!r}: use a whole number.")
    return int(result)


def rate(name: str, default: str) -> tuple[int, int]:
    """Return how many and in how many seconds: "600/min" is (600, 60)."""
    value = text(name, default)
    most, _, unit = value.partition("/")
    seconds = {"s": 1, "min": 60, "hour": 3600}.get(unit)
    if not most.isdecimal() or int(most) < 1 or seconds is None:
        raise ImproperlyConfigured(f"{name}={value!r}: use a number and s, min or hour: 600/min.")
    return int(most), seconds


def names(name: str, default: str) -> list[str]:
    """Return a comma-separated list without empty entries."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def choices(name: str, default: str, possible: Sequence[str]) -> list[str]:
    """Return a comma-separated list of some of `possible`."""
    found = names(name, default)
    for value in found:
        if value not in possible:
            raise ImproperlyConfigured(f"{name}={value!r}: use some of {', '.join(possible)}.")
    return found


def networks(name: str, default: str) -> list[str]:
    """Return a comma-separated list of networks, as CIDR: 10.1.2.0/24."""
    found = names(name, default)
    for network in found:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{name}={network!r}: use networks such as 10.1.2.0/24 ({error})."
            ) from None
    return found


def origins(name: str, default: str) -> list[str]:
    """Return a comma-separated list of web origins, as a browser writes them: https://shop.example."""
    found = []
    for value in names(name, default):
        match = _ORIGIN.fullmatch(value.lower().removesuffix("/"))
        if match is None or int(match["port"] or 0) > 65535:
            raise ImproperlyConfigured(
                f"{name}={value!r}: use origins such as https://shop.example, each by itself: "
                "scheme, host (international ones as xn--…) and port, no path, no *."
            )
        usual = {"https": "443", "http": "80"}[match["scheme"]]
        port = "" if match["port"] in (None, usual) else f":{match['port']}"
        found.append(f"{match['scheme']}://{match['host']}{port}")
    return found


def url(name: str, default: str, schemes: Sequence[str]) -> str:
    """Return a URL whose scheme is one of `schemes`."""
    value = text(name, default)
    if urlsplit(value).scheme not in schemes:
        wanted = ", ".join(f"{scheme}://" for scheme in schemes)
        raise ImproperlyConfigured(f"{name}={value!r}: it must begin with one of {wanted}.")
    return value


def database(name: str, default: str) -> dict[str, Any]:
    """Return a Django DATABASES entry for a URL (sqlite, postgres, mysql)."""
    value = url(name, default, ("sqlite", "postgres", "postgresql", "mysql"))
    return dict(environ.Env.db_url_config(value))


def email(value: str) -> dict[str, Any]:
    """Return Django's EMAIL_… settings for a URL; for "" those of no mail at all."""
    try:
        found: dict[str, Any] = environ.Env.email_url_config(value or "dummymail://")
    except KeyError:
        raise ImproperlyConfigured(
            f"EMAIL_URL={value!r}: use smtp+tls://user:password@host:587 or smtp+ssl://…"
        ) from None
    return {key: setting for key, setting in found.items() if key != "OPTIONS"}


def options(name: str, default: str) -> dict[str, Any]:
    """Read keyword arguments: an object of JSON."""
    value = text(name, default)
    try:
        read = json.loads(value)
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise ImproperlyConfigured(
            f'{name} is no JSON object. Write something like {{"key": "value"}}.'
        )
    return read


def redis_database(server: str, number: int) -> str:
    """Return `server` with database `number`: redis://host:6379/2 or unix:///path?db=2."""
    parts: SplitResult = urlsplit(server)
    if parts.scheme == "unix":
        return f"unix://{parts.path}?db={number}"
    return parts._replace(path=f"/{number}").geturl()


def celery_url(redis_url: str) -> str:
    """Return the spelling of a Redis URL that Celery wants (it knows no unix://)."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    number = parts.query.removeprefix("db=") or "0"
    return f"redis+socket://{parts.path}?virtual_host={number}"


def has_gpu() -> bool:
    """Return whether this machine has an NVIDIA GPU that this process may use.

    By the driver's device files: asking CUDA would load half a gigabyte into each process.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return visible not in ("", "-1") and any(Path("/dev").glob("nvidia[0-9]*"))

"""Each system check finds what it is there for, and nothing in a sound installation."""

from collections.abc import Iterator

import pytest
import redis
from django.core.checks import run_checks

from csplatform import embedded


def found(*tags: str) -> list[str]:
    messages = run_checks(tags=tags or None)
    return [message.id for message in messages if message.id.startswith("csplatform.")]


@pytest.fixture
def evicting(valkey: embedded.Valkey) -> Iterator[str]:
    with redis.Redis(unix_socket_path=str(valkey.socket)) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        yield f"unix://{valkey.socket}"
        client.config_set("maxmemory-policy", "noeviction")


def test_a_sound_installation_is_clean(settings):
    assert found() == []


def test_e001_a_server_with_tasks_must_not_evict(evicting, settings):
    assert found("servers") == ["csplatform.E001"]


def test_e001_leaves_a_cache_of_its_own_alone(evicting, settings, tmp_path):
    other = embedded.Valkey(socket=tmp_path / "v.sock", directory=tmp_path, durable=False)
    other.start()
    for number, name in enumerate(("BROKER_URL", "RESULT_URL", "CHANNEL_LAYER_URL"), 1):
        setattr(settings, name, f"unix://{other.socket}?db={number}")
    try:
        assert found("servers") == []
    finally:
        other.stop()


def test_w001_names_a_server_that_is_away(settings):
    settings.REDIS_IS_EMBEDDED = False
    settings.BROKER_URL = "redis://user:secret@127.0.0.1:1/1"

    messages = run_checks(tags=["servers"])

    assert [message.id for message in messages] == ["csplatform.W001"]
    assert "BROKER_URL" in messages[0].msg
    assert "secret" not in messages[0].msg


@pytest.mark.parametrize(
    ("host", "demo", "ids"),
    [
        ("127.0.0.1", True, []),
        ("0.0.0.0", False, []),
        ("0.0.0.0", True, ["csplatform.W002"]),
    ],
)
def test_w002_known_passwords_stay_on_this_machine(settings, host, demo, ids):
    settings.HOST, settings.DEMO_SHOP = host, demo

    assert found() == ids

"""Presence is true: who is there, who is not, and when nobody can tell."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from chat.presence import Presence
from csplatform import embedded

LEASE_S = 1.0


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Valkey]:
    directory = Path("/tmp") / tmp_path_factory.mktemp("p").name  # short: a socket
    directory.mkdir(exist_ok=True)
    server = embedded.Valkey(socket=directory / "v.sock", directory=directory, durable=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def presence(server: embedded.Valkey) -> Presence:
    return Presence(f"unix://{server.socket}", LEASE_S)


def known(presence: Presence, *there: int) -> frozenset[int]:
    """Wait until presence is known, while these agents go on renewing."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        for agent in there:
            presence.renew(agent, "tab")
        if (found := presence.present()) is not None:
            return found
        time.sleep(0.05)
    raise AssertionError("presence stays unknown")


def test_nobody_knows_until_one_lease_has_passed(presence: Presence):
    presence.renew(7, "tab")
    assert presence.present() is None

    began = time.monotonic()
    assert known(presence, 7) == {7}
    assert time.monotonic() - began > LEASE_S * 0.8


def test_a_lease_ends_by_itself_and_with_the_last_tab(presence: Presence):
    known(presence)
    presence.renew(7, "one")
    presence.renew(7, "two")
    presence.renew(8, "one")
    assert presence.present() == {7, 8}

    presence.leave(7, "one")
    presence.leave(8, "one")
    assert presence.present() == {7}

    time.sleep(LEASE_S * 1.1)
    assert presence.present() == frozenset()


def test_a_server_that_was_away_says_nothing_for_one_lease(
    server: embedded.Valkey, presence: Presence
):
    assert known(presence, 7) == {7}
    assert server.process is not None
    server.process.kill()
    server.process.wait()

    assert presence.present() is None
    assert not presence.renew(7, "tab")

    server.start()  # with what it had written: the leases have ended meanwhile
    other = Presence(f"unix://{server.socket}", LEASE_S)  # a process that saw nothing of it
    assert other.present() is None
    assert known(other, 7) == {7}


def test_who_could_not_be_heard_makes_it_unknown_for_everybody(
    server: embedded.Valkey, presence: Presence
):
    assert known(presence, 7) == {7}
    web = Presence(f"unix://{server.socket}", LEASE_S)
    web._was_away = True  # its heartbeats did not come through

    web.renew(8, "tab")

    assert presence.present() is None
    assert known(presence, 7, 8) == {7, 8}


def test_leases_that_ended_are_forgotten(server: embedded.Valkey, presence: Presence):
    known(presence)
    for tab in range(50):
        presence.renew(7, f"tab{tab}")
    time.sleep(LEASE_S * 1.1)
    presence.present()

    assert redis.Redis(unix_socket_path=str(server.socket)).zcard("presence:tabs") == 0

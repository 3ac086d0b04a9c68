"""`manage.py run` as a whole, with its real parts: how it starts, what it survives, how it ends."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import redis

from tests.live_site import ROOT, Site, copy_content, free_port, status_of
from tests.platform.processes import Marked, eventually

PARTS = {"valkey", "web", "worker", "analyst", "trainer", "beat"}


class Platform(Marked):
    """One `manage.py run` with a VAR_DIR and a port of its own."""

    def __init__(self, directory: Path, port: int, **environment: str) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        super().__init__(
            [sys.executable, "manage.py", "run", "--no-training"],
            directory=directory,
            output=directory / f"output-{uuid4().hex}",
            VAR_DIR=str(directory / "var"),
            PORT=str(port),
            LANG="C.UTF-8",
            LC_ALL="",
            **environment,
        )

    def is_ready(self) -> bool:
        return self.says("Ctrl-C stops everything.", timeout_s=120)

    def part(self, name: str) -> int:
        """Return the process id of a part, 0 when it does not run."""
        signs = {
            "valkey": "valkey",
            "web": "csplatform.web",
            "worker": "--queues sweeps",
            "analyst": "--queues analysis",
            "trainer": "--queues training",
            "beat": "celery --app csplatform --quiet beat",
        }
        return next((pid for pid, line in self.living().items() if signs[name] in line), 0)

    @property
    def web_processes(self) -> set[int]:
        return {pid for pid, line in self.living().items() if "csplatform.web" in line}

    @property
    def parts(self) -> set[str]:
        return {name for name in PARTS if self.part(name)}


@pytest.fixture
def platform() -> Iterator[Platform]:
    with tempfile.TemporaryDirectory(prefix="csplatform-run-") as directory:
        made = Platform(Path(directory), free_port())
        yield made
        made.end()


@pytest.fixture
def platform_with_content(prepared_site: Site) -> Iterator[Platform]:
    """One that has been started before: nothing has to be made."""
    with tempfile.TemporaryDirectory(prefix="csplatform-run-") as directory:
        copy_content(prepared_site, Path(directory) / "var")
        made = Platform(Path(directory), free_port())
        yield made
        made.end()


def test_it_starts_survives_crashes_and_stops_without_a_trace(platform):
    assert platform.is_ready(), platform.text

    # The addresses that it prints work.
    for path in ("/", "/workspace/", "/admin/", "/api/docs/", "/demo-shop/"):
        assert f"{platform.url}{path}" in platform.text
        assert status_of(platform.url + path) == 200
    for person in ("editor", "reviewer", "agent", "agent2", "supervisor", "admin"):
        assert f"demo-{person} " in platform.text
    assert eventually(lambda: platform.parts == PARTS), platform.living()

    # A second copy is refused and leaves the first alone.
    second = Platform(platform.directory, free_port())
    assert second.process.wait(30) == 1
    assert f"runs already, at {platform.url} (process {platform.process.pid})" in second.text
    assert "Traceback" not in second.text
    assert status_of(f"{platform.url}/healthz") == 200

    # kill -9 of the web process: it is back, and is named.
    os.kill(platform.part("web"), signal.SIGKILL)
    assert platform.says("web crashed (killed by SIGKILL) and is started again.")
    assert eventually(lambda: status_of(f"{platform.url}/healthz") == 200)

    # kill -9 of Valkey: what it had been told is still there, and the sweeps go on.
    socket = next(platform.directory.rglob("valkey.sock"))
    with redis.Redis(unix_socket_path=str(socket), db=15) as client:
        client.set("told", "before the crash")
        os.kill(platform.part("valkey"), signal.SIGKILL)
        assert platform.says("valkey crashed (killed by SIGKILL) and is started again.")
        assert eventually(lambda: _is_there(client))
        assert client.get("told") == b"before the crash"
    with redis.Redis(unix_socket_path=str(socket), db=1) as broker:
        broker.delete("sweeps")
        assert eventually(lambda: "cmdstat_lpush" in broker.info("commandstats"))
        assert eventually(lambda: broker.llen("sweeps") == 0)
    assert eventually(lambda: platform.parts == PARTS), platform.living()

    platform.process.send_signal(signal.SIGTERM)
    assert platform.process.wait(20) == 0
    assert platform.text.rstrip().endswith("Stopped.")
    assert platform.living() == {}
    assert not socket.exists()


def _is_there(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


def test_after_kill_9_nobody_is_left_and_the_next_start_works(platform_with_content):
    platform = platform_with_content
    assert platform.is_ready(), platform.text
    assert eventually(lambda: platform.parts == PARTS), platform.living()

    platform.process.kill()
    again = Platform(platform.directory, platform.port)  # at once: it waits for the rest to end

    assert eventually(lambda: platform.living() == {}, 10)
    try:
        assert again.is_ready(), again.text
        assert status_of(f"{again.url}/healthz") == 200
        again.process.send_signal(signal.SIGINT)
        assert again.process.wait(20) == 0
        assert again.living() == {}
    finally:
        again.end()


def test_a_setting_that_cannot_be_meant_is_one_sentence(tmp_path):
    done = subprocess.run(
        [sys.executable, "manage.py", "run"],
        cwd=ROOT,
        env={**os.environ, "VAR_DIR": str(tmp_path), "PORT": "99999"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr == "Settings: PORT='99999': use a number from 1 to 65535.\n"


def test_two_web_processes_share_the_port_and_one_alone_is_started_again(
    tmp_path, prepared_site: Site
):
    copy_content(prepared_site, tmp_path / "var")
    platform = Platform(tmp_path, free_port(), WEB_PROCESSES="2")
    try:
        assert platform.is_ready(), platform.text
        assert eventually(lambda: len(platform.web_processes) == 2), platform.living()
        first, second = sorted(platform.web_processes)
        os.kill(second, signal.SIGSTOP)  # hangs: the other one answers all
        assert [status_of(f"{platform.url}/healthz") for _ in range(5)] == [200] * 5

        os.kill(second, signal.SIGKILL)

        assert platform.says("web-2 crashed (killed by SIGKILL) and is started again.")
        assert [status_of(f"{platform.url}/healthz") for _ in range(5)] == [200] * 5
        assert eventually(lambda: len(platform.web_processes) == 2)
        assert first in platform.web_processes
        platform.process.send_signal(signal.SIGTERM)
        assert platform.process.wait(20) == 0
        assert platform.living() == {}
    finally:
        platform.end()

"""A whole platform of real processes on a free port, for tests from the outside.

`live_site` is one for the run: web process, Valkey, a database of its own with the starter
content and the demo shop. A worker, a trainer and the clock start where a test asks for them.
Who needs another one takes a `copy_of(prepared_site)`, which costs a twentieth of a new one::

    def test_a_lost_message_is_answered(live_site):
        with live_site.running("worker", "beat"):
            ...

The site's database is not the test's: look at it through pages, the API, or `live_site.manage`.
"""

import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from csplatform import embedded, parts

ROOT = Path(__file__).resolve().parents[1]
READY_S = 120.0


def free_port() -> int:
    """Return a port that nobody listens on.

    Below those that systems give to outgoing connections: one of these may take a port before the
    process that it is for.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def status_of(url: str, timeout_s: float = 2.0) -> int:
    """Return the status of a GET, 0 when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=timeout_s) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as answer:
        return answer.code
    except OSError:
        return 0


class Site:
    """One installation. `start` and `kill` its parts: web, worker, trainer, beat."""

    def __init__(self, directory: Path, **environment: str) -> None:
        self.directory, self.port = directory, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        # A shop on this port may embed the chat: on another origin of this site, and on another site.
        self.shop_port = free_port()
        self.environment = {
            **os.environ,
            "VAR_DIR": str(directory),
            "PORT": str(self.port),
            "CONTENT_POLL_S": "0.5",
            "LOGIN_RATE": "6000/min",
            "CHAT_RATE": "6000/min",
            "OMP_NUM_THREADS": "1",
            "WIDGET_ORIGINS": f"http://127.0.0.1:{self.shop_port},http://localhost:{self.shop_port}",
            **environment,
        }
        # Below /tmp: the kernel allows 107 bytes for the path of a socket.
        self._sockets = Path(tempfile.mkdtemp(prefix="csplatform-sockets-"))
        self.environment["REDIS_URL"] = f"unix://{self._sockets / 'valkey.sock'}"
        self.valkey = embedded.Valkey(
            socket=self._sockets / "valkey.sock", directory=directory / "valkey", durable=False
        )
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def manage(self, *arguments: str, stdin: str = "", timeout_s: float = 300) -> str:
        """Run a management command there and return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )
        assert done.returncode == 0, f"manage.py {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def ask(self, code: str) -> str:
        """Run Python in the site's Django shell and return what it printed."""
        return self.manage("shell", "--no-imports", stdin=code).strip()

    def start(self, part: str) -> None:
        """Start a part; the web process is waited for until it answers."""
        commands = {
            "web": lambda: parts.web(host="127.0.0.1", port=self.port),
            "worker": parts.worker,
            "analyst": lambda: parts.analyst(threads=2, niceness=0),
            "trainer": parts.trainer,
            "beat": lambda: parts.beat(directory=self.directory),
        }
        self._processes[part] = embedded.spawn(
            commands[part](),
            log=self.log(part),
            cwd=ROOT,
            env=self.environment,
            die_with=signal.SIGKILL,
        )
        if part == "web":
            self._await_web()

    def log(self, part: str) -> Path:
        return self.directory / "log" / f"{part}.log"

    def _await_web(self) -> None:
        deadline = time.monotonic() + READY_S
        while status_of(f"{self.url}/healthz") != 200:
            if self._processes["web"].poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"no web process:\n{embedded.tail(self.log('web'), 40)}")
            time.sleep(0.05)

    def await_understanding(self) -> None:
        """Wait until the web process has compared what customers ask with every utterance."""
        deadline = time.monotonic() + 4 * READY_S
        while '"prototypes"' not in self._health():
            if time.monotonic() > deadline:
                pytest.fail(f"utterances are not embedded:\n{embedded.tail(self.log('web'), 40)}")
            time.sleep(0.2)

    def _health(self) -> str:
        with urllib.request.urlopen(f"{self.url}/readyz", timeout=30) as answer:
            return str(answer.read().decode())

    def kill(self, part: str) -> None:
        """kill -9: no clean-up, no good-bye."""
        embedded.stop(self._processes.pop(part), first=signal.SIGKILL)

    def stop(self, part: str) -> None:
        embedded.stop(self._processes.pop(part))

    @contextmanager
    def running(self, *names: str) -> Iterator[None]:
        """Have more parts running for a while."""
        try:
            for name in names:
                self.start(name)
            yield
        finally:
            for name in names:
                if name in self._processes:
                    self.stop(name)

    def close(self) -> None:
        for name in list(self._processes):
            self.stop(name)
        self.valkey.stop()
        shutil.rmtree(self._sockets, ignore_errors=True)


@contextmanager
def site(**environment: str) -> Iterator[Site]:
    """A prepared site whose web process answers. Settings that differ come as keywords."""
    directory = Path(tempfile.mkdtemp(prefix="csplatform-site-"))
    made = Site(directory, **environment)
    try:
        made.valkey.start()
        made.manage("prepare")
        made.start("web")
        yield made
    finally:
        made.close()
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def copy_of(original: Site, **environment: str) -> Iterator[Site]:
    """A second site with the content and the people of another; no part of it runs yet.

    For tests that change what others would meet, the model in service for one.
    """
    directory = Path(tempfile.mkdtemp(prefix="csplatform-site-"))
    made = Site(directory, **environment)
    try:
        copy_content(original, directory)
        made.valkey.start()
        yield made
    finally:
        made.close()
        shutil.rmtree(directory, ignore_errors=True)


def copy_content(original: Site, directory: Path) -> None:
    """Make a directory a VAR_DIR with the database and the secrets of a site."""
    directory.mkdir(exist_ok=True)
    shutil.copytree(original.directory / "secrets", directory / "secrets")
    with (
        closing(sqlite3.connect(original.directory / "db.sqlite3")) as source,
        closing(sqlite3.connect(directory / "db.sqlite3")) as target,
    ):
        source.backup(target)


@pytest.fixture(scope="session")
def prepared_site() -> Iterator[Site]:
    """A site with all utterances embedded, to be copied: no part of it runs, nobody writes to it."""
    with site() as made:
        made.await_understanding()
        made.stop("web")
        yield made


@pytest.fixture(scope="session")
def live_site(prepared_site: Site) -> Iterator[Site]:
    """One site for the whole run; tests share its database and must not count on its rows."""
    with copy_of(prepared_site) as made:
        made.start("web")
        yield made

"""A real product to be hurt: `manage.py run` with everything that belongs to it, and its database."""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from csplatform import embedded, supervisor
from tests.faults.inside.apps import clock_file
from tests.live_site import ROOT, free_port, status_of

READY_S = 180.0
# What the parts' command lines contain.
PARTS = {
    "web": "csplatform.web",
    "worker": "--queues sweeps",
    "beat": "celery --app csplatform --quiet beat",
    "valkey": "valkey",
}
# A third crash within the supervisor's minute would stop everything. Twice as long, since a busy
# supervisor sees one crash later than the other.
_NEVER_TWICE_WITHIN_S = 2 * supervisor.WITHIN_S


class Product:
    """One installation of its own, under its own supervisor.

    Args:
        postgres: On PostgreSQL, which can then be restarted; else on SQLite.
        broken: A key of tests.faults.inside.sabotage.BREAK, or "".
    """

    def __init__(self, *, postgres: bool, broken: str, web_processes: int) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="csplatform-faults-"))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._broken = broken
        # Its socket's path is limited to 107 bytes; and it runs as another user.
        self.postgres = embedded.Postgres(self.directory / "pg", durable=True) if postgres else None
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
            "PYTHONPATH": str(ROOT),
            "VAR_DIR": str(self.directory),
            "PORT": str(self.port),
            "WEB_PROCESSES": str(web_processes),
            "LOGIN_RATE": "100000/min",
            "CHAT_RATE": "100000/min",
            # People who write every few seconds get some answers of their own and share some.
            "CHAT_BURST_S": "0.3",
            "FAULTS_BROKEN": broken,
            "OMP_NUM_THREADS": "1",
            "INFERENCE_SERVER": "off",
            "LANG": "en_US.UTF-8",
        }
        for name in ("DATABASE_URL", "REDIS_URL", "CACHE_URL", "BROKER_URL", "MAKELEVEL"):
            self.environment.pop(name, None)
        if self.postgres is not None:
            self.environment["FAULTS_POSTGRES"] = str(self.postgres.directory)
        self._running: subprocess.Popen[bytes] | None = None
        self._killed: dict[str, deque[float]] = {}

    # --- Start and stop ---

    def start(self) -> None:
        """Prepare it, and start it; returns when it answers."""
        if self.postgres is not None:
            self.postgres.start()
        self._manage("prepare")
        if self._broken == "keys":
            code = "from tests.faults.inside.sabotage import drop_keys; drop_keys()"
            self._manage("shell", "--no-imports", "--command", code)
        self._running = embedded.spawn(
            [sys.executable, "manage.py", "run", "--no-training"],
            log=self.log,
            cwd=ROOT,
            env=self.environment,
        )
        deadline = time.monotonic() + READY_S
        while status_of(f"{self.url}/readyz") != 200:
            if self._running.poll() is not None or time.monotonic() > deadline:
                raise embedded.ServerFailed(f"no product:\n{embedded.tail(self.log, 40)}")
            time.sleep(0.1)

    @property
    def log(self) -> Path:
        return self.directory / "run.log"

    @property
    def is_running(self) -> bool:
        return self._running is not None and self._running.poll() is None

    def stop(self, *, keep: bool = False) -> None:
        if self._running is not None:
            embedded.stop(self._running, grace_s=30)
        if self.postgres is not None:
            self.postgres.stop()
        if not keep:
            shutil.rmtree(self.directory, ignore_errors=True)

    def _manage(self, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise embedded.ServerFailed(f"manage.py {arguments}:\n{done.stdout}{done.stderr}")

    # --- Faults ---

    def pids(self, part: str) -> list[int]:
        """Return the processes of a part, the oldest first."""
        assert self._running is not None
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, UnicodeDecodeError):
                continue  # it ended meanwhile
            if parent == self._running.pid and PARTS[part] in command:
                found.append(int(process.name))
        return sorted(found)

    def kill(self, part: str, number: signal.Signals, *, lot: float) -> bool:
        """Send a signal to one process of a part.

        The supervisor stops everything when a part crashes three times in a minute, as it
        should. Which of several processes is whose successor is not seen from here, so at
        most two of a kind are killed within two minutes.

        Args:
            lot: 0 to 1, which of several.

        Returns:
            False where that would be too much, or there is none.
        """
        pids = self.pids(part)
        kills = self._killed.setdefault(part, deque(maxlen=2))
        is_crash = number == signal.SIGKILL
        if not pids or (
            is_crash and len(kills) == 2 and time.monotonic() - kills[0] < _NEVER_TWICE_WITHIN_S
        ):
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pids[int(lot * len(pids))], number)
        if is_crash:
            kills.append(time.monotonic())
        return True

    def freeze(self, part: str, *, lot: float) -> int | None:
        """Stop a process where it stands; returns which, for `thaw`."""
        pids = self.pids(part)
        if not pids:
            return None
        pid = pids[int(lot * len(pids))]
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
        return pid

    @staticmethod
    def thaw(pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def restart_database(self, how: signal.Signals, *, away_s: float) -> None:
        """Stop the database, wait, and start it again (blocking)."""
        assert self.postgres is not None
        self.postgres.stop(how)
        time.sleep(away_s)
        (self.postgres.data / "postmaster.pid").unlink(missing_ok=True)
        self.postgres.start()

    def move_clock(self, seconds: float) -> None:
        """Have the product's clock be wrong by so much, in all its processes at once."""
        clock_file(self.directory).write_text(str(seconds))

    # --- What it holds ---

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Read from the database, past the product."""
        if self.postgres is not None:
            with psycopg.connect(
                host=str(self.postgres.directory), user="postgres", dbname="postgres"
            ) as session:
                return session.execute(query, parameters).fetchall()  # type: ignore[call-overload]
        path = self.directory / "db.sqlite3"
        with contextlib.closing(sqlite3.connect(path, timeout=20)) as session:
            return session.execute(query, parameters).fetchall()

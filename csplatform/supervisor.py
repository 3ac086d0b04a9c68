"""Keeps the processes of one machine running, and stops them in order.

A part that ends is started again at once and named in the log; one that ends three times
within a minute stops everything, with the reason. One that ended by SIGTERM, which nobody here
had sent, was meant to end: it asked to be replaced (csplatform.replacement), or an operator
wanted it to start afresh. That is no crash and is not counted. Every part dies with this
process (csplatform.embedded.spawn), so even SIGKILL leaves nothing behind.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from django.utils.translation import gettext as _

from csplatform import embedded

CRASHES = 3
WITHIN_S = 60.0
LOG_BYTES = 10_000_000  # per part, and as much again in <name>.log.1
_TICK_S = 0.1
_READ_BYTES = 1_000_000


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Part:
    """A process that is meant to run for ever."""

    name: str
    command: Sequence[str]
    stops: int  # parts with the lowest number stop first, those with the same together
    before_start: Callable[[], None] = _nothing
    is_ready: Callable[[], bool] | None = None  # awaited before the next part starts
    ready_s: float = 120.0
    grace_s: float = 5.0  # from SIGTERM to SIGKILL
    is_shown: bool = True  # its log on the terminal, too
    inherits: Sequence[int] = ()  # file descriptors
    # What the kernel sends it when the supervisor is killed. SIGKILL for whatever would
    # finish its work first: by then a new supervisor may want the port.
    die_with: signal.Signals = signal.SIGKILL


class Stopped(Exception):
    """Somebody asked us to stop while parts were starting."""


class Supervisor:
    """Runs parts until SIGINT, SIGTERM, SIGHUP, or until one of them keeps crashing.

    Args:
        parts: In the order in which they start.
        log_dir: Gets a file per part, and supervisor.log.
        show: Prints one line for whoever watches.
        keep_open: A file descriptor that the parts inherit. A lock on it is held as long as
            one of them lives.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        log_dir: Path,
        show: Callable[[str], None],
        keep_open: int | None = None,
    ) -> None:
        self._parts = parts
        self._log_dir, self._show = log_dir, show
        self._keep_open = keep_open
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._crashes = {part.name: deque[float](maxlen=CRASHES) for part in self._parts}
        # How much of each log has been shown; what earlier runs wrote counts as shown.
        self._read = {part.name: _size(self._log(part.name)) for part in self._parts}
        self._asked = threading.Event()  # to stop
        self._insists = False

    def run(self, on_ready: Callable[[], None]) -> int:
        """Start everything, call `on_ready`, keep it running, stop everything.

        Returns:
            0 when it was asked to stop, 1 when a part kept crashing or never got ready.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        self._log_dir.mkdir(parents=True, exist_ok=True)
        failure = ""
        try:
            self._start_all()
            on_ready()
            while not self._asked.wait(_TICK_S):
                self._tick()
        except Stopped:
            pass
        except embedded.ServerFailed as error:
            failure = str(error)
        finally:
            self._stop_all()
        if failure:
            self._say(failure)
        return 1 if failure else 0

    # --- start ------------------------------------------------------------------------------

    def _start_all(self) -> None:
        for part in self._parts:
            self._start(part)
            if part.is_ready is not None:
                self._await(part, part.is_ready)

    def _start(self, part: Part) -> None:
        part.before_start()
        self._processes[part.name] = embedded.spawn(
            part.command,
            log=self._log(part.name),
            die_with=part.die_with,
            keep_open=[*part.inherits, *([self._keep_open] if self._keep_open is not None else [])],
        )

    def _await(self, part: Part, is_ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + part.ready_s
        while not is_ready():
            self._tick()
            if self._asked.wait(_TICK_S / 4):
                raise Stopped
            if time.monotonic() > deadline:
                raise embedded.ServerFailed(
                    _("%(part)s did not answer within %(seconds)d s. Its log: %(log)s")
                    % {"part": part.name, "seconds": part.ready_s, "log": self._log(part.name)}
                )

    # --- run --------------------------------------------------------------------------------

    def _tick(self) -> None:
        for part in self._parts:
            if part.name not in self._processes:
                continue
            self._follow(part)
            code = self._processes[part.name].poll()
            if code is not None and not self._asked.is_set():
                self._start_again(part, code)

    def _start_again(self, part: Part, code: int) -> None:
        embedded.stop(self._processes[part.name])  # what it left behind
        if code == -signal.SIGTERM:
            self._say(_("%(part)s made room and is started again.") % {"part": part.name})
            self._start(part)
            return
        crashes, now = self._crashes[part.name], time.monotonic()
        crashes.append(now)
        if len(crashes) == CRASHES and now - crashes[0] <= WITHIN_S:
            last = embedded.tail(self._log(part.name))
            raise embedded.ServerFailed(
                _(
                    "%(part)s crashed %(times)d times within a minute (%(how)s), so everything was "
                    "stopped. Its last lines, from %(log)s:\n%(lines)s"
                )
                % {
                    "part": part.name,
                    "times": CRASHES,
                    "how": how_it_ended(code),
                    "log": self._log(part.name),
                    "lines": last,
                }
            )
        self._say(
            _("%(part)s crashed (%(how)s) and is started again.")
            % {"part": part.name, "how": how_it_ended(code)}
        )
        self._start(part)

    def _follow(self, part: Part) -> None:
        """Show what a part has written since the last look; keep its file from growing for ever."""
        name, log = part.name, self._log(part.name)
        size = _size(log)
        if size < self._read[name]:
            self._read[name] = 0
        if size == self._read[name]:
            return
        with log.open("rb") as file:
            file.seek(self._read[name])
            text = file.read(_READ_BYTES)
        whole = text.rfind(b"\n") + 1
        if not whole and len(text) == _READ_BYTES:
            whole = _READ_BYTES  # one line longer than anybody reads
        self._read[name] += whole
        for line in text[:whole].decode("utf-8", "replace").splitlines() if part.is_shown else ():
            self._print(f"{name:<9}│ {line}")
        if self._read[name] > LOG_BYTES:
            rotate(log)
            self._read[name] = 0

    # --- stop -------------------------------------------------------------------------------

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        # The second Ctrl-C means: now.
        self._insists = self._asked.is_set()
        self._asked.set()

    def _stop_all(self) -> None:
        """Stop in order, so that nobody loses what he still talks to."""
        self._asked.set()
        for rank in sorted({part.stops for part in self._parts}):
            running = [
                (part, self._processes[part.name])
                for part in self._parts
                if part.stops == rank and part.name in self._processes
            ]
            for _part, process in running:
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
            deadline = time.monotonic() + max(
                (part.grace_s for part, _process in running), default=0
            )
            while any(process.poll() is None for _part, process in running):
                if self._insists or time.monotonic() > deadline:
                    break
                time.sleep(_TICK_S / 4)
            for part, process in running:
                embedded.stop(process, first=signal.SIGKILL)
                self._follow(part)

    # --- words ------------------------------------------------------------------------------

    def _log(self, name: str) -> Path:
        return self._log_dir / f"{name}.log"

    def _print(self, text: str) -> None:
        try:
            self._show(text)
        except OSError:  # the terminal is gone, and nobody could stop us there
            self._asked.set()

    def _say(self, text: str) -> None:
        self._print(text)
        # A full disk is no reason to stop who still answers.
        with (
            contextlib.suppress(OSError),
            (self._log_dir / "supervisor.log").open("a", encoding="utf-8") as file,
        ):
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def rotate(log: Path) -> None:
    """Copy the file to <name>.1 and empty it; its writer goes on appending to it."""
    with contextlib.suppress(OSError):  # on a full disk the room counts more than old lines
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    os.truncate(log, 0)


def how_it_ended(code: int) -> str:
    """Say what an exit code means."""
    if code >= 0:
        return _("exit code %(code)d") % {"code": code}
    with contextlib.suppress(ValueError):
        return _("killed by %(signal)s") % {"signal": signal.Signals(-code).name}
    return _("killed by signal %(signal)d") % {"signal": -code}

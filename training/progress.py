"""How far a running training is: kept in memory, written to its row by a thread."""

import logging
import threading
import time
from types import TracebackType

from django.db import DatabaseError, connections
from django.utils import timezone
from django.utils.translation import gettext as _

from training import live
from training.failures import RunLost
from training.models import TrainingRun
from training.reports import Epoch

logger = logging.getLogger(__name__)

WRITE_EVERY_S = 1.0
HEARTBEAT_S = 10.0

# What share of the whole run each step takes, from and to, by mode. Measured with the shipped
# encoder on the starter content; a bar that is roughly right is enough.
SHARES = {
    TrainingRun.Mode.QUICK: {
        "read": (0.0, 0.02),
        "encoder": (0.02, 0.05),
        "fit": (0.05, 0.65),
        "export": (0.65, 0.70),
        "evaluate": (0.70, 0.90),
        "judge": (0.90, 0.99),
    },
    TrainingRun.Mode.THOROUGH: {
        "read": (0.0, 0.01),
        "encoder": (0.01, 0.05),
        "fit": (0.05, 0.80),
        "export": (0.80, 0.87),
        "evaluate": (0.87, 0.95),
        "judge": (0.95, 0.99),
    },
}


class Reporter:
    """Takes the progress of one run and writes it down, at most once a second.

    A context manager: its thread also renews the heartbeat, however long a step is
    quiet. Nothing here waits for the database, so training never does.
    """

    def __init__(self, run_id: int, mode: str = TrainingRun.Mode.THOROUGH) -> None:
        self._run_id = run_id
        self._shares = SHARES[TrainingRun.Mode(mode)]
        self._curve: list[list[float]] = []
        self._step, self._progress = "", 0.0
        self._log: list[str] = []
        self._changed, self._lost = False, False
        self._lock, self._end = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="training-progress", daemon=True)

    def __enter__(self) -> "Reporter":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Write what is left; after this nothing of this object touches the row."""
        self._end.set()
        self._thread.join()

    def __call__(self, step: str, fraction: float) -> None:
        """Note that a step has come so far, from 0 to 1; the bar never goes back.

        Raises:
            RunLost: The run has been given up in the meantime.
        """
        if self._lost:
            raise RunLost
        since, until = self._shares.get(step, (self._progress, self._progress))
        with self._lock:
            self._step = step
            done = since + (until - since) * min(max(fraction, 0.0), 1.0)
            self._progress = max(self._progress, done)
            self._changed = True

    def epoch(self, epoch: Epoch) -> None:
        """Add a point to the run's curve, and a line to its log."""
        with self._lock:
            self._curve.append([round(epoch.loss, 4), round(epoch.dev_accuracy, 4)])
            number = len(self._curve)
        self.note(
            _("Epoch {number}: loss {loss:.3f}, right in {accuracy:.1%} of held-back texts").format(
                number=number, loss=epoch.loss, accuracy=epoch.dev_accuracy
            )
        )

    def note(self, line: str) -> None:
        """Add a line to the log of the run, with the time."""
        with self._lock:
            self._log.append(f"{timezone.localtime():%H:%M:%S} {line}\n")
            self._changed = True

    def _run(self) -> None:
        beat_at = 0.0
        try:
            while True:
                ending = self._end.wait(WRITE_EVERY_S)
                is_due = self._changed or time.monotonic() - beat_at >= HEARTBEAT_S
                if is_due and self._write():
                    beat_at = time.monotonic()
                if ending:
                    return
        finally:
            connections.close_all()

    def _write(self) -> bool:
        """Write everything; return False when the database is away, to be tried again."""
        with self._lock:
            step, progress, log = self._step, self._progress, "".join(self._log)
            curve = list(self._curve)
            self._changed = False
        running = TrainingRun.objects.filter(pk=self._run_id, status=TrainingRun.Status.RUNNING)
        try:
            written = running.update(
                step=step[:20],
                progress=progress,
                log=log,
                curve=curve,
                heartbeat_at=timezone.now(),
            )
        except DatabaseError:
            logger.warning("The progress of run %s was not written", self._run_id, exc_info=True)
            self._changed = True
            return False
        self._lost = not written
        live.hint(self._run_id)
        return True

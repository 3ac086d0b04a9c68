"""Everything that changes a training run, seen from outside the process that trains."""

import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, IntegrityError, close_old_connections, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from csplatform import embedded
from csplatform.errors import Refusal
from training import failures, live, readiness, registry
from training.memory import Memory
from training.models import TrainingRun
from training.utterances import NotEnoughUtterances

__all__ = [
    "AlreadyRunning",
    "NotEnoughUtterances",
    "NothingToCancel",
    "cancel",
    "end_training",
    "execute",
    "recover",
    "request_run",
]

logger = logging.getLogger(__name__)

Status = TrainingRun.Status

# What whoever asks for a run may choose.
PARAMETERS = (
    *("mode", "batch_size", "epochs", "learning_rate", "max_tokens", "patience", "seed", "device"),
)
# A run is dead when its heartbeat (every 10 s) stopped for this long; a queued one has
# lost its task when nobody claimed it for this long.
SILENCE_MAX = timedelta(seconds=60)
WATCH_EVERY_S = 0.5
STOP_GRACE_S = 15.0
_WORK_PREFIX = ".run-"
# The step in which a run's model begins to answer: from here on it is not cancelled.
TAKING_OVER = "activate"
# Set when this process is told to end: it then ends its training instead of waiting for it.
_ending = threading.Event()


class AlreadyRunning(Refusal):
    """Another training is queued or running."""

    code = "already_running"
    detail = _("A training is queued or running already. Wait until it is done.")


class NothingToCancel(Refusal):
    """The run has ended, or its model is just taking over."""

    code = "nothing_to_cancel"
    detail = _("The training has ended already, or its model is just taking over.")


def request_run(
    *,
    requested_by: Any = None,
    now: datetime,
    queue: bool = True,
    cause: str = TrainingRun.Cause.ASKED,
    **parameters: Any,
) -> TrainingRun:
    """Store a run and have a worker train it after the commit.

    With the broker away the run is stored all the same; `recover` queues it later.

    Args:
        requested_by: A user, or None for the platform itself.
        queue: False for a caller that calls `execute` itself.
        cause: A TrainingRun.Cause.
        parameters: Of `PARAMETERS`; what is missing takes the model's defaults.

    Raises:
        ValidationError: A parameter is out of its range; says which.
        NotEnoughUtterances: There is too little to learn from; names the intents.
        EncoderMissing, NotEnoughRoom, NotEnoughMemory: It would fail after minutes.
        AlreadyRunning: One at a time.
    """
    if unknown := set(parameters) - set(PARAMETERS):
        raise TypeError(f"no parameters of a training: {', '.join(sorted(unknown))}")
    run = TrainingRun(requested_by=requested_by, created_at=now, slot=1, cause=cause, **parameters)
    run.full_clean(exclude=["slot"])
    readiness.check(mode=run.mode, seed=run.seed)
    try:
        with transaction.atomic():
            run.save(force_insert=True)
            transaction.on_commit(partial(live.hint, run.pk), robust=True)
            if queue:
                transaction.on_commit(partial(_queue, run.pk))
    except IntegrityError:
        # The slot: another request was here first. Nobody has to look before.
        raise AlreadyRunning from None
    return run


def _queue(run_id: int) -> None:
    from training.tasks import run_training  # tasks call this module

    try:
        # A task that nobody took within the silence is replaced by the next recover().
        run_training.apply_async(
            kwargs={"run_id": run_id}, retry=False, expires=SILENCE_MAX.total_seconds()
        )
    except run_training.OperationalError as away:
        logger.warning("Run %s is not queued yet: %s", run_id, away)


def execute(*, run_id: int, watch: Callable[[], None] = lambda: None) -> None:
    """Train a queued run in a process of its own, and wait for it.

    A task may be delivered twice: one UPDATE lets one worker in, to the other the run is
    no longer queued. The process ends with this thread, however that ends.

    Args:
        watch: Called about every half second meanwhile; what it raises ends the training.
    """
    now = timezone.now()
    claimed = TrainingRun.objects.filter(pk=run_id, status=Status.QUEUED).update(
        status=Status.RUNNING, started_at=now, heartbeat_at=now
    )
    if not claimed:
        logger.info("Run %s is not queued: another worker has it, or it is done", run_id)
        return
    directory = work_directory(run_id)
    output = directory / "output.log"
    reason = failures.died()
    memory: Memory | None = None
    live.hint(run_id)
    try:
        child = _spawn_worker(run_id, output)
        memory = Memory(child.pid, most_mb=settings.TRAINING_MEMORY_MB)
        try:
            status = _wait(run_id, child, memory, watch)
        finally:
            embedded.stop(child, grace_s=STOP_GRACE_S)
        reason = failures.explain_exit(status)
        if memory.is_too_much:
            reason = failures.too_much_memory(settings.TRAINING_MEMORY_MB)
    except OSError as error:
        reason = failures.explain(error)
    finally:
        # Does nothing to a run that its process finished or failed itself.
        fail(run_id, reason=reason, detail=embedded.tail(output, 40), now=timezone.now())
        shutil.rmtree(directory, ignore_errors=True)
        TrainingRun.objects.filter(pk=run_id).update(memory_mb=memory.peak_mb if memory else None)
        live.hint(run_id)


def _spawn_worker(run_id: int, output: Path) -> "subprocess.Popen[bytes]":
    threads = str(settings.TRAINING_THREADS)
    return embedded.spawn(
        [sys.executable, "-m", "training.worker", str(run_id)],
        log=output,
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "OMP_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads,
            "TOKENIZERS_PARALLELISM": "false",
        },
    )


def _wait(
    run_id: int, child: "subprocess.Popen[bytes]", memory: Memory, watch: Callable[[], None]
) -> int:
    while True:
        # The wait may take an hour; a connection that the server drops meanwhile is no error.
        close_old_connections()
        watch()
        if _ending.is_set() or not _is_wanted(run_id):
            return embedded.stop(child, grace_s=STOP_GRACE_S)
        memory.look()
        if memory.is_too_much:
            return embedded.stop(child, first=signal.SIGKILL)
        try:
            return child.wait(WATCH_EVERY_S)
        except subprocess.TimeoutExpired:
            continue


def _is_wanted(run_id: int) -> bool:
    """Whether the run is still going on; with the database away it is taken to be."""
    try:
        return TrainingRun.objects.filter(pk=run_id).exclude(status=Status.CANCELLED).exists()
    except DatabaseError:
        return True


def cancel(*, run_id: int, by: Any = None, now: datetime) -> None:
    """Give up a run that somebody no longer wants. Its process ends within seconds.

    One UPDATE decides between this and the model that takes over.

    Raises:
        NothingToCancel: It is too late.
    """
    wanted = TrainingRun.objects.filter(pk=run_id, status__in=[Status.QUEUED, Status.RUNNING])
    cancelled = wanted.exclude(step=TAKING_OVER).update(
        status=Status.CANCELLED, cancelled_by=by, slot=None, finished_at=now
    )
    if not cancelled:
        raise NothingToCancel
    logger.info("Training run %s was cancelled", run_id)
    live.hint(run_id)


def begin_takeover(run_id: int) -> None:
    """Note that the run's model is about to answer customers: it can no longer be cancelled.

    Raises:
        RunLost: It was cancelled or given up in the meantime.
    """
    running = TrainingRun.objects.filter(pk=run_id, status=Status.RUNNING)
    if not running.update(step=TAKING_OVER):
        raise failures.RunLost


def end_training() -> None:
    """End the training that this process waits for, within seconds; its run fails and says so."""
    _ending.set()


def succeed(run_id: int, *, now: datetime) -> None:
    """End a running run whose model is registered, and free its slot.

    Raises:
        RunLost: It was given up in the meantime.
    """
    ended = TrainingRun.objects.filter(pk=run_id, status=Status.RUNNING).update(
        status=Status.SUCCEEDED, progress=1.0, step="", slot=None, finished_at=now
    )
    if not ended:
        raise failures.RunLost
    live.hint(run_id)


def fail(
    run_id: int,
    *,
    reason: str,
    detail: str,
    now: datetime,
    silent_since: datetime | None = None,
) -> bool:
    """Give up a running run and free its slot; False when there is nothing to give up.

    Args:
        reason: For a business person.
        detail: For the log.
        silent_since: Leave a run alone whose heartbeat is newer.
    """
    running = TrainingRun.objects.filter(pk=run_id, status=Status.RUNNING)
    if silent_since is not None:
        running = running.filter(heartbeat_at__lt=silent_since)
    failed = running.update(
        status=Status.FAILED,
        failure=reason,
        log=Concat(F("log"), Value(f"{detail}\n" if detail else "")),
        slot=None,
        finished_at=now,
    )
    if failed:
        logger.error("Training run %s failed: %s", run_id, reason)
        live.hint(run_id)
    return bool(failed)


def recover(*, now: datetime) -> None:
    """Put right what crashes left: dead runs, lost tasks, a pointer that lags behind its row.

    Safe to call at any time, by several processes at once.
    """
    silent_since = now - SILENCE_MAX
    silent = TrainingRun.objects.filter(status=Status.RUNNING, heartbeat_at__lt=silent_since)
    for run_id in silent.values_list("pk", flat=True):
        # Asked again in the UPDATE: it may have woken up since.
        fail(run_id, reason=failures.died(), detail="", now=now, silent_since=silent_since)
    lost = TrainingRun.objects.filter(status=Status.QUEUED, created_at__lt=silent_since)
    for run_id in lost.values_list("pk", flat=True):
        _queue(run_id)
    _sweep()
    registry.sync_pointer()
    registry.archive_old(now=now)


def _sweep() -> None:
    """Remove work directories of this machine whose run is over."""
    left_over = list(Path(settings.MODEL_DIR).glob(f"{_WORK_PREFIX}*"))
    if not left_over:
        return
    # Asked after looking: a directory is made only by a run that is running by then.
    running = TrainingRun.objects.filter(status=Status.RUNNING).values_list("pk", flat=True)
    in_use = {work_directory(run_id) for run_id in running}
    for directory in set(left_over) - in_use:
        shutil.rmtree(directory, ignore_errors=True)


def work_directory(run_id: int) -> Path:
    """Where a run keeps what is not finished: beside the models, so that a rename finishes it."""
    return Path(settings.MODEL_DIR) / f"{_WORK_PREFIX}{run_id}"

"""Celery workers that fork, real ones: before the engine is started, and after."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from celery import Celery
from django.conf import settings

from csplatform import embedded

QUEUE = "prefork-of-a-test"
ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def worker(tmp_path: Path, **environment: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Have a worker running that forks one child."""
    running = embedded.spawn(
        [
            *(sys.executable, "-W", "ignore", "-m", "celery", "--app", "tests.intents.prefork"),
            *("worker", "--pool", "prefork", "--concurrency", "1", "--queues", QUEUE),
            *("--without-mingle", "--without-gossip", "-n", f"prefork-{os.getpid()}@%h"),
        ],
        log=tmp_path / "worker.log",
        cwd=ROOT,
        env={**os.environ, "RESULT_URL": settings.BROKER_URL, **environment},
        die_with=signal.SIGKILL,
    )
    try:
        yield running
    finally:
        embedded.stop(running)


def asked(worker: "subprocess.Popen[bytes]") -> str:
    """Have the child understand something; return what it says about its engine."""
    # Results by way of the broker's server: both processes see it, and no database is needed.
    app = Celery(broker=settings.CELERY_BROKER_URL, backend=settings.CELERY_BROKER_URL)
    pid, said = app.send_task("tests.understand", queue=QUEUE).get(timeout=120)
    assert pid != worker.pid
    return str(said)


def test_a_child_of_a_worker_without_an_engine_starts_its_own(tmp_path: Path):
    with worker(tmp_path) as running:
        assert asked(running) == "ready"


def test_a_child_of_a_worker_with_a_live_engine_refuses(tmp_path: Path):
    with worker(tmp_path, ENGINE_BEFORE_FORK="1") as running:
        said = asked(running)

        assert said.startswith(f"EngineInherited: The engine of process {running.pid} was running")
        assert said.endswith("start the engine after forking, not before.")

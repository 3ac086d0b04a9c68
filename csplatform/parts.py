"""The processes that make up the platform: their command lines, as `manage.py run` starts them.

Whoever runs them under another supervisor (systemd, containers) uses the same lines;
docs/operations.md has them.
"""

import shutil
import sys
from pathlib import Path

# In a container everybody is root; Celery would warn at each start.
_CELERY = [
    *(sys.executable, "-W", "ignore:You're running the worker with superuser"),
    *("-m", "celery", "--app", "csplatform", "--quiet"),
]
# Threads: the work waits for the database and for models, which let the others run; and a
# forked pool would copy a process that may hold threads already.
_WORKER = ["worker", "--pool", "threads", "--loglevel", "INFO", "--without-mingle"]

_LEAST = 19  # the niceness of what runs when nothing else does


def web(*, host: str, port: int) -> list[str]:
    """Pages, REST and sockets. After SIGTERM, open requests have five seconds."""
    return [sys.executable, "-m", "csplatform.web", "--host", host, "--port", str(port)]


def web_on(descriptor: int) -> list[str]:
    """The same on a bound socket that it inherits; any number of them share one."""
    return [sys.executable, "-m", "csplatform.web", "--fd", str(descriptor)]


def inference(*, socket: Path) -> list[str]:
    """The one process that owns the models, where there is a GPU and more than one web process."""
    manage = str(Path(__file__).resolve().parent.parent / "manage.py")
    return [sys.executable, manage, "serve_inference", "--socket", str(socket)]


def worker() -> list[str]:
    """Sweeps and everything else that is quick."""
    return [*_CELERY, *_WORKER, "--queues", "sweeps", "--concurrency", "4", "-n", "worker@%h"]


def analyst(*, threads: int, niceness: int) -> list[str]:
    """What takes seconds and nobody waits for: long texts. It yields the processor to the others.

    Where Linux can (`sched(7)`, SCHED_IDLE), whoever wakes up for a customer has its core at once;
    by niceness alone he would wait for the end of a time slice.
    """
    polite = ["nice", "-n", str(niceness)]
    if niceness == _LEAST and shutil.which("chrt"):
        polite += ["chrt", "--idle", "0"]
    own = ["--queues", "analysis", "--concurrency", str(threads), "-n", "analyst@%h"]
    return [*polite, *_CELERY, *_WORKER, *own]


def trainer() -> list[str]:
    """Training, one at a time, in a process of its own so that it never delays a sweep."""
    return [*_CELERY, *_WORKER, "--queues", "training", "--concurrency", "1", "-n", "trainer@%h"]


def beat(*, directory: Path) -> list[str]:
    """The clock of the sweeps. One per installation: two would sweep twice."""
    schedule = str(directory / "schedule")
    return [*_CELERY, "beat", "--loglevel", "WARNING", "--pidfile", "", "--schedule", schedule]

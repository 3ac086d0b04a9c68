"""A training that somebody no longer wants, or that takes too much memory, ends within seconds."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from intents.inference import artifacts
from tests.databases import Running
from tests.factories import StaffFactory
from tests.training.test_services import BASE_DIR, child_of, queued_run, running_run
from training import failures, registry, services
from training.memory import Memory
from training.models import ModelVersion, TrainingRun

Status = TrainingRun.Status
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.mark.django_db
class TestCancel:
    @pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING])
    def test_the_slot_is_free_at_once(self, status: str, now: datetime):
        boss = StaffFactory(role="administrator")
        run = TrainingRun.objects.create(status=status, slot=1)

        services.cancel(run_id=run.pk, by=boss, now=now)

        run.refresh_from_db()
        assert (run.status, run.slot, run.finished_at) == (Status.CANCELLED, None, now)
        assert (run.cancelled_by, run.failure) == (boss, "")

    @pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.FAILED, Status.CANCELLED])
    def test_what_has_ended_stays_as_it_is(self, status: str, now: datetime):
        run = TrainingRun.objects.create(status=status)

        with pytest.raises(services.NothingToCancel):
            services.cancel(run_id=run.pk, now=now)

        run.refresh_from_db()
        assert (run.status, run.finished_at) == (status, None)

    def test_of_cancelling_and_taking_over_one_wins(self, now: datetime):
        run = running_run(heartbeat_at=now)
        services.begin_takeover(run.pk)
        with pytest.raises(services.NothingToCancel):
            services.cancel(run_id=run.pk, now=now)

        TrainingRun.objects.update(step="evaluate")
        services.cancel(run_id=run.pk, now=now)
        with pytest.raises(failures.RunLost):
            services.begin_takeover(run.pk)

    @pytest.mark.django_db(transaction=True)
    def test_a_cancelled_run_is_not_begun(self, now: datetime, model_dir: Path):
        run = queued_run(now)
        services.cancel(run_id=run.pk, now=now)

        services.execute(run_id=run.pk)

        run.refresh_from_db()
        assert (run.status, run.started_at) == (Status.CANCELLED, None)


@pytest.mark.usefixtures("model_dir")
def test_the_process_of_a_cancelled_run_ends_within_seconds(
    now: datetime, taught: Any, children_share_the_database: None
):
    taught(logistics=5, invoice=5)
    run = queued_run(now)
    training = Running(lambda: services.execute(run_id=run.pk))
    child = child_of(os.getpid(), "training.worker")

    services.cancel(run_id=run.pk, now=now)

    began = time.monotonic()
    _ = training.outcome().result
    assert time.monotonic() - began < 10
    run.refresh_from_db()
    assert (run.status, run.slot, run.failure) == (Status.CANCELLED, None, "")
    assert not Path(f"/proc/{child}").exists()
    assert not services.work_directory(run.pk).exists()
    assert not ModelVersion.objects.exists()


@pytest.mark.usefixtures("model_dir")
def test_a_training_that_takes_too_much_memory_is_ended_and_says_so(
    now: datetime, taught: Any, children_share_the_database: None, settings: Any
):
    settings.TRAINING_MEMORY_MB = 20  # Python and Django alone have more
    taught(logistics=5, invoice=5)
    run = queued_run(now)

    services.execute(run_id=run.pk)

    run.refresh_from_db()
    assert (run.status, run.slot) == (Status.FAILED, None)
    assert run.failure == failures.too_much_memory(20)
    assert run.memory_mb is not None
    assert run.memory_mb > 20


def test_memory_counts_what_a_process_has_for_itself():
    program = (
        "import sys; held = bytearray(80_000_000); print('ready', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        generous, strict = Memory(child.pid, most_mb=500), Memory(child.pid, most_mb=60)
        generous.look()
        strict.look()
        assert 80 <= (generous.peak_mb or 0) < 120
        assert (generous.is_too_much, strict.is_too_much) == (False, True)
        child.kill()
    generous.look()  # it has gone
    assert 80 <= (generous.peak_mb or 0) < 120


def test_a_worker_that_is_killed_leaves_the_model_in_service_and_nothing_half_made(
    taught: Any,
    trained: Callable[[str], ModelVersion],
    children_share_the_database: None,
    model_dir: Path,
    now: datetime,
):
    taught(logistics=5, invoice=5)
    version = trained("v1")
    registry.activate(version_id=version.pk, now=now)
    parent = subprocess.Popen(
        [sys.executable, "manage.py", "train"], cwd=BASE_DIR, stdout=subprocess.DEVNULL
    )
    child = child_of(parent.pid, "training.worker")
    run = TrainingRun.objects.get()
    half_made = services.work_directory(run.pk) / "v9"
    half_made.mkdir(parents=True, exist_ok=True)
    (half_made / artifacts.CLASSIFIER).write_bytes(b"half a netw")

    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    _gone(child)
    services.recover(now=timezone.now() + services.SILENCE_MAX * 2)

    run.refresh_from_db()
    assert (run.status, run.slot, run.failure) == (Status.FAILED, None, failures.died())
    assert not services.work_directory(run.pk).exists()
    assert registry.active() == version
    assert artifacts.active_version() == "v1"
    assert [each.name for each in model_dir.iterdir() if each.is_dir()] == ["v1"]
    services.request_run(now=now, queue=False)  # the next one may begin


def _gone(pid: int) -> None:
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        threading.Event().wait(0.05)
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "may"),
    [("business editor", True), ("reviewer", True), ("administrator", True), ("supervisor", False)],
)
def test_whoever_may_train_may_cancel(role: str, may: bool, client: Client, now: datetime):
    client.force_login(StaffFactory(role=role), backend=BACKEND)
    run = running_run(heartbeat_at=now)

    response = client.post(reverse("admin:training_trainingrun_cancel", args=[run.pk]))

    run.refresh_from_db()
    assert (run.status == Status.CANCELLED) is may
    assert (response.status_code == 302) is may

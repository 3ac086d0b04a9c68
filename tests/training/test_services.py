"""Runs are asked for, claimed once, and given up when their process dies."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery.signals import worker_shutting_down
from django.core.exceptions import ValidationError
from django.utils import timezone, translation

from csplatform.embedded import Valkey
from tests.databases import Running, at_once
from training import failures, services
from training.models import ActiveModel, ModelVersion, TrainingRun
from training.progress import WRITE_EVERY_S, Reporter

BASE_DIR = Path(__file__).resolve().parents[2]
Status = TrainingRun.Status


@pytest.fixture
def queue() -> Any:
    """The broker's queue of trainings: how many tasks wait in it."""
    from csplatform.celery import app

    def length() -> int:
        with app.connection_for_read() as connection:
            return connection.default_channel.client.llen("training")

    def clear() -> None:
        with app.connection_for_read() as connection:
            connection.default_channel.client.delete("training")

    clear()
    yield length
    clear()


class TestRequestRun:
    @pytest.mark.django_db(transaction=True)
    def test_the_run_is_stored_and_queued_once(self, taught: Any, queue: Any, now: datetime):
        taught(logistics=5, invoice=5)

        run = services.request_run(now=now, epochs=2, batch_size=16)

        stored = TrainingRun.objects.get()
        assert (stored.pk, stored.status, stored.slot) == (run.pk, Status.QUEUED, 1)
        assert (stored.epochs, stored.batch_size, stored.seed) == (2, 16, 42)
        assert queue() == 1

    @pytest.mark.django_db
    @pytest.mark.parametrize(
        ("name", "value"),
        [("epochs", 0), ("batch_size", 513), ("learning_rate", 1.0), ("device", "tpu")],
    )
    def test_a_parameter_out_of_range_is_named(
        self, name: str, value: Any, taught: Any, now: datetime
    ):
        taught(logistics=5, invoice=5)

        with pytest.raises(ValidationError) as refused:
            services.request_run(now=now, **{name: value})

        assert list(refused.value.message_dict) == [name]
        assert not TrainingRun.objects.exists()

    @pytest.mark.django_db
    def test_nobody_sets_what_is_no_parameter(self, now: datetime):
        with pytest.raises(TypeError, match="status"):
            services.request_run(now=now, status=Status.SUCCEEDED)

    @pytest.mark.django_db
    def test_too_few_utterances_are_refused_by_name(self, taught: Any, now: datetime):
        taught(logistics=9, invoice=4, coupon=0)

        with pytest.raises(services.NotEnoughUtterances) as refused:
            services.request_run(now=now)

        assert "coupon (0), invoice (4)" in str(refused.value)
        assert "logistics" not in str(refused.value)
        assert not TrainingRun.objects.exists()

    @pytest.mark.django_db
    def test_a_new_one_may_follow_a_finished_one(self, taught: Any, now: datetime):
        taught(logistics=5, invoice=5)
        first = services.request_run(now=now, queue=False)
        TrainingRun.objects.filter(pk=first.pk).update(status=Status.FAILED, slot=None)

        services.request_run(now=now, queue=False)

        assert TrainingRun.objects.count() == 2

    def test_of_many_requests_one_gets_the_slot(
        self, both_databases: str, taught: Any, now: datetime
    ):
        taught(logistics=5, invoice=5)

        outcomes = at_once(*[lambda: services.request_run(now=now, queue=False)] * 6)

        assert sorted(outcome.refusal for outcome in outcomes) == ["", *["already_running"] * 5]
        assert TrainingRun.objects.count() == 1

    @pytest.mark.django_db(transaction=True)
    def test_without_a_broker_the_run_is_stored_and_queued_later(
        self, taught: Any, queue: Any, now: datetime, model_dir: Path, valkey: Valkey
    ):
        taught(logistics=5, invoice=5)
        services.request_run(now=now)  # so that there are connections to lose
        TrainingRun.objects.all().delete()
        valkey.stop()
        began = time.monotonic()
        try:
            run = services.request_run(now=now)
        finally:
            waited_s = time.monotonic() - began
            valkey.start()
        assert waited_s < 3
        assert TrainingRun.objects.get().status == Status.QUEUED
        assert queue() == 0

        services.recover(now=now + timedelta(seconds=30))
        assert queue() == 0  # too early: its task may be on its way

        services.recover(now=now + timedelta(seconds=61))
        assert queue() == 1
        assert TrainingRun.objects.get().pk == run.pk


def queued_run(now: datetime, **fields: Any) -> TrainingRun:
    return TrainingRun.objects.create(status=Status.QUEUED, slot=1, created_at=now, **fields)


def running_run(heartbeat_at: datetime) -> TrainingRun:
    return TrainingRun.objects.create(
        status=Status.RUNNING, slot=1, heartbeat_at=heartbeat_at, log="read\n"
    )


class TestRecover:
    def test_a_silent_run_is_failed_and_its_slot_freed(
        self, both_databases: str, now: datetime, model_dir: Path
    ):
        run = running_run(heartbeat_at=now - timedelta(seconds=61))
        left_over = services.work_directory(run.pk)
        left_over.mkdir(parents=True)

        services.recover(now=now)

        run.refresh_from_db()
        assert (run.status, run.slot, run.finished_at) == (Status.FAILED, None, now)
        assert run.failure == failures.died()
        assert run.log == "read\n"
        assert not left_over.exists()

    @pytest.mark.django_db
    def test_a_run_with_a_heartbeat_goes_on(self, now: datetime, model_dir: Path):
        run = running_run(heartbeat_at=now - timedelta(seconds=59))

        services.recover(now=now)

        run.refresh_from_db()
        assert (run.status, run.slot) == (Status.RUNNING, 1)

    @pytest.mark.django_db
    def test_what_a_run_left_is_swept_and_what_one_uses_stays(self, now: datetime, model_dir: Path):
        run = running_run(heartbeat_at=now)
        in_use, left_over = services.work_directory(run.pk), services.work_directory(run.pk + 1)
        for directory in (in_use, left_over, model_dir / "v1"):
            directory.mkdir(parents=True)

        services.recover(now=now)

        assert in_use.exists()
        assert not left_over.exists()
        assert (model_dir / "v1").exists()

    @pytest.mark.django_db
    def test_a_run_that_woke_up_is_left_alone(self, now: datetime):
        run = running_run(heartbeat_at=now)

        assert not services.fail(
            run.pk, reason="", detail="", now=now, silent_since=now - timedelta(seconds=60)
        )

        run.refresh_from_db()
        assert run.status == Status.RUNNING


@pytest.mark.usefixtures("model_dir")
class TestExecute:
    def test_of_two_workers_one_trains(
        self, both_databases: str, now: datetime, monkeypatch: pytest.MonkeyPatch
    ):
        # The child cannot reach its database and fails; what counts is who had one.
        monkeypatch.setenv("DATABASE_URL", "sqlite:////nowhere/db.sqlite3")
        run = queued_run(now)
        watched: set[int] = set()

        outcomes = at_once(
            *[
                lambda: services.execute(
                    run_id=run.pk, watch=lambda: watched.add(threading.get_ident())
                )
            ]
            * 4
        )

        assert [outcome.error for outcome in outcomes] == [None] * 4
        assert len(watched) == 1
        run.refresh_from_db()
        assert (run.status, run.slot) == (Status.FAILED, None)

    @pytest.mark.django_db(transaction=True)
    def test_a_run_that_is_done_is_not_done_again(self, now: datetime):
        run = TrainingRun.objects.create(status=Status.SUCCEEDED, log="done\n")

        services.execute(run_id=run.pk)

        run.refresh_from_db()
        assert (run.status, run.log) == (Status.SUCCEEDED, "done\n")

    def test_a_training_that_cannot_begin_leaves_the_active_model(
        self,
        now: datetime,
        taught: Any,
        children_share_the_database: None,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        model_dir: Path,
    ):
        taught(logistics=5, invoice=5)
        before = ModelVersion.objects.create(name="v0", labels=["logistics"])
        ActiveModel.objects.create(pk=1, version=before)
        monkeypatch.setenv("INTENT_ENCODER", str(tmp_path / "no-such-encoder"))
        monkeypatch.setenv("ENCODER_CACHE_DIR", str(tmp_path / "cache"))
        run = queued_run(now)

        services.execute(run_id=run.pk)

        run.refresh_from_db()
        assert (run.status, run.slot) == (Status.FAILED, None)
        assert "no-such-encoder" in run.failure
        assert "EncoderUnavailable" in run.log
        assert ActiveModel.objects.get().version == before
        assert ModelVersion.objects.count() == 1
        assert not services.work_directory(run.pk).exists()

    def test_a_killed_process_fails_the_run_and_frees_the_slot(
        self, now: datetime, taught: Any, children_share_the_database: None
    ):
        taught(logistics=5, invoice=5)
        run = queued_run(now)
        training = Running(lambda: services.execute(run_id=run.pk))
        os.kill(child_of(os.getpid(), "training.worker"), signal.SIGKILL)

        _ = training.outcome().result

        run.refresh_from_db()
        assert (run.status, run.slot) == (Status.FAILED, None)
        assert run.failure == failures.explain_exit(-signal.SIGKILL)
        assert not services.work_directory(run.pk).exists()

    def test_a_worker_that_stops_ends_its_training(
        self,
        now: datetime,
        taught: Any,
        children_share_the_database: None,
        monkeypatch: pytest.MonkeyPatch,
    ):
        monkeypatch.setattr(services, "_ending", threading.Event())
        taught(logistics=5, invoice=5)
        run = queued_run(now)
        training = Running(lambda: services.execute(run_id=run.pk))
        child = child_of(os.getpid(), "training.worker")

        worker_shutting_down.send(sender=None)

        _ = training.outcome().result
        run.refresh_from_db()
        assert (run.status, run.slot) == (Status.FAILED, None)
        assert run.failure == failures.explain(failures.Interrupted())
        assert not Path(f"/proc/{child}").exists()

    def test_no_orphan_goes_on_when_the_parent_is_killed(
        self, taught: Any, children_share_the_database: None
    ):
        taught(logistics=5, invoice=5)
        parent = subprocess.Popen(
            [sys.executable, "manage.py", "train"], cwd=BASE_DIR, stdout=subprocess.DEVNULL
        )
        child = child_of(parent.pid, "training.worker")

        parent.kill()
        parent.wait()

        deadline = time.monotonic() + 60
        while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not Path(f"/proc/{child}").exists()
        services.recover(now=timezone.now() + services.SILENCE_MAX * 2)
        run = TrainingRun.objects.get()
        assert (run.status, run.slot) == (Status.FAILED, None)
        assert not services.work_directory(run.pk).exists()

    def test_who_watches_can_end_it(
        self, now: datetime, taught: Any, children_share_the_database: None
    ):
        taught(logistics=5, invoice=5)
        run = queued_run(now)

        def press_ctrl_c() -> None:
            run.refresh_from_db()
            if run.log:  # the process is up
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            services.execute(run_id=run.pk, watch=press_ctrl_c)

        run.refresh_from_db()
        assert (run.status, run.slot) == (Status.FAILED, None)
        assert run.failure == failures.explain(failures.Interrupted())
        with pytest.raises(AssertionError):
            child_of(os.getpid(), "training.worker", within_s=0)


def child_of(pid: int, name: str, within_s: float = 60) -> int:
    """Return the pid of a child of `pid` that runs `name`, once there is one."""
    deadline = time.monotonic() + within_s
    while True:
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                command = (entry / "cmdline").read_bytes().decode().split("\0")
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            except OSError:
                continue  # it is gone
            if name in command and int(parent) == pid:
                return int(entry.name)
        assert time.monotonic() < deadline, f"no child runs {name}"
        time.sleep(0.02)


class TestReporter:
    @pytest.mark.django_db(transaction=True)
    def test_progress_and_log_reach_the_row(self):
        run = running_run(heartbeat_at=timezone.now() - timedelta(seconds=30))

        with Reporter(run.pk) as report:
            report("fit", 0.0)
            report("fit", 1.0)
            report("fit", 0.5)  # a bar never goes back
            report.note("epoch 1 of 4")

        before = run.heartbeat_at
        run.refresh_from_db()
        assert (run.step, run.progress) == ("fit", 0.8)
        assert run.log.endswith(" epoch 1 of 4\n")
        assert run.heartbeat_at > before

    @pytest.mark.django_db(transaction=True)
    def test_a_run_that_was_given_up_stops(self):
        run = running_run(heartbeat_at=timezone.now())
        TrainingRun.objects.update(status=Status.FAILED, slot=None)

        with Reporter(run.pk) as report:
            report("fit", 0.1)
            time.sleep(WRITE_EVERY_S + 0.3)
            with pytest.raises(failures.RunLost):
                report("fit", 0.2)

        run.refresh_from_db()
        assert (run.status, run.log) == (Status.FAILED, "read\n")


class TestExplain:
    def test_a_full_disk_says_where_to_make_room(self, settings: Any):
        with pytest.raises(OSError, match="No space") as full, Path("/dev/full").open("w") as file:
            file.write("x" * 100_000)

        assert str(settings.MODEL_DIR) in failures.explain(full.value)

    def test_a_full_disk_is_seen_behind_another_error(self):
        error = RuntimeError("export failed")
        error.__cause__ = OSError(errno.ENOSPC, "No space left on device")

        assert failures.explain(error) == failures.explain(error.__cause__)

    @pytest.mark.parametrize(
        "error",
        [
            MemoryError(),
            RuntimeError(
                "[enforce fail at alloc_cpu.cpp] not enough memory: you tried to allocate"
            ),
            RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        ],
    )
    def test_too_little_memory_suggests_a_smaller_batch(self, error: Exception):
        with translation.override("en"):
            assert "smaller batch size" in failures.explain(error)

    def test_any_other_error_points_to_the_log(self):
        with translation.override("en"):
            assert "the log has the details" in failures.explain(ValueError("shape mismatch"))

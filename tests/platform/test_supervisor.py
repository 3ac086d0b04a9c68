"""The supervisor with real processes: what it restarts, what it stops, and what it never leaves."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from csplatform import supervisor
from tests.platform.processes import Marked, eventually

# A program that supervises what its arguments name: NAME=STOP_RANK=PYTHON_CODE
SUPERVISE = """
import sys
from pathlib import Path
import django
from django.conf import settings
settings.configure()
django.setup()
from csplatform.supervisor import Part, Supervisor
parts = []
for argument in sys.argv[2:]:
    name, stops, code = argument.split("=", 2)
    parts.append(Part(name=name, command=[sys.executable, "-uc", code], stops=int(stops), grace_s=1))
show = lambda line: print(line, flush=True)
sys.exit(Supervisor(parts, log_dir=Path(sys.argv[1]), show=show).run(lambda: show("READY")))
"""
LIVES = "import time\nprint('lives')\ntime.sleep(60)"


class Run(Marked):
    """A supervisor in a process of its own."""

    def __init__(self, directory: Path, *parts: str) -> None:
        command = [sys.executable, "-c", SUPERVISE, str(directory / "log"), *parts]
        super().__init__(command, directory=directory, output=directory / "output")


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    runs = []

    def start(*parts: str) -> Run:
        runs.append(Run(tmp_path, *parts))
        return runs[-1]

    yield start
    for run in runs:
        run.end()


def test_a_part_that_crashes_is_started_again_and_named(supervised, tmp_path):
    run = supervised(f"web=0={LIVES}", f"worker=1={LIVES}")
    assert run.says("READY", "web      │ lives", "worker   │ lives")
    before = run.living()

    os.kill(min(before), signal.SIGKILL)

    assert run.says("web crashed (killed by SIGKILL) and is started again.")
    assert eventually(lambda: len(run.living()) == 2)
    assert max(before) in run.living()
    assert "web crashed" in (tmp_path / "log" / "supervisor.log").read_text(encoding="utf-8")


def test_the_third_crash_within_a_minute_stops_everything_with_the_reason(supervised):
    run = supervised(f"web=0={LIVES}", "worker=1=raise SystemExit('no model here')")

    assert run.process.wait(20) == 1
    assert run.text.count("worker crashed (exit code 1) and is started again.") == 2
    assert "worker crashed 3 times within a minute (exit code 1)" in run.text
    assert run.text.rstrip().endswith("no model here")
    assert run.living() == {}


def test_a_part_that_makes_room_is_started_again_as_often_as_it_does(supervised):
    makes_room = "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)"
    run = supervised(f"web=0={LIVES}", f"worker=1={makes_room}")

    assert eventually(lambda: run.text.count("worker made room and is started again.") >= 4)
    assert "crashed" not in run.text
    assert run.process.poll() is None


def test_an_end_without_an_error_is_a_crash_too(supervised):
    run = supervised("beat=0=print('enough')")

    assert run.process.wait(20) == 1
    assert "beat crashed 3 times within a minute (exit code 0)" in run.text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_all_parts_in_order(supervised, number):
    says_bye = (
        "import signal, sys, time\n"
        "def bye(*_): print('bye'); sys.exit()\n"
        "signal.signal(signal.SIGTERM, bye)\n"
        "print('lives')\ntime.sleep(60)"
    )
    run = supervised(f"server=2={says_bye}", f"web=0={says_bye}", f"worker=1={says_bye}")
    assert run.says("server   │ lives", "web      │ lives", "worker   │ lives")

    run.process.send_signal(number)

    assert run.process.wait(20) == 0
    byes = [line.split()[0] for line in run.text.splitlines() if line.endswith("bye")]
    assert byes == ["web", "worker", "server"]
    assert run.living() == {}
    assert "crashed" not in run.text


def test_a_part_that_will_not_stop_is_killed_after_its_grace(supervised):
    deaf = (
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('lives')\ntime.sleep(60)"
    )
    run = supervised(f"web=0={deaf}")
    assert run.says("web      │ lives")

    asked = time.monotonic()
    run.process.terminate()

    assert run.process.wait(20) == 0
    assert time.monotonic() - asked < 5
    assert run.living() == {}


def test_a_killed_supervisor_leaves_nobody(supervised):
    run = supervised(f"web=0={LIVES}", f"worker=1={LIVES}")
    assert run.says("web      │ lives", "worker   │ lives")

    run.process.kill()

    assert eventually(lambda: run.living() == {}, 5)


def test_what_a_part_started_goes_with_it(supervised):
    parent = (
        "import subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-c', {LIVES!r}])\n"
        "print('has a child')\ntime.sleep(60)"
    )
    run = supervised(f"worker=0={parent}")
    assert run.says("worker   │ has a child", "worker   │ lives")

    run.process.terminate()
    run.process.wait(20)

    assert run.living() == {}


def test_logs_do_not_grow_for_ever(tmp_path):
    log = tmp_path / "web.log"
    with log.open("a", encoding="utf-8") as writer:
        writer.write("old\n")
        writer.flush()
        supervisor.rotate(log)
        writer.write("new\n")

    assert log.read_text(encoding="utf-8") == "new\n"
    assert (tmp_path / "web.log.1").read_text(encoding="utf-8") == "old\n"

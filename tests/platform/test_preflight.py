"""What keeps the platform from starting is said before it starts, with the way out."""

import errno
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from csplatform import preflight, terminal
from csplatform.preflight import NotReady

HOLD = """
import sys, time
from pathlib import Path
from csplatform.preflight import only_copy
with only_copy(Path(sys.argv[1]), "http://127.0.0.1:8000"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _english():
    from django.utils import translation

    with translation.override("en"):
        yield


class TestCheckPort:
    def test_a_free_port_passes(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
        preflight.check_port("127.0.0.1", port)

    def test_a_taken_port_names_who_has_it_and_a_free_one(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            with pytest.raises(NotReady) as refused:
                preflight.check_port("127.0.0.1", port)

        assert f"Port {port} is taken by " in str(refused.value)
        assert f"(pid {os.getpid()})" in str(refused.value)
        free = int(str(refused.value).split("PORT=")[1].split()[0])
        preflight.check_port("127.0.0.1", free)

    def test_an_address_of_another_machine_is_named(self):
        with pytest.raises(NotReady, match=r"192\.0\.2\.1 .* Set HOST"):
            preflight.check_port("192.0.2.1", 8000)


class TestOnlyCopy:
    def hold(self, lock: Path) -> subprocess.Popen[str]:
        root = Path(__file__).resolve().parents[2]
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(lock)], stdout=subprocess.PIPE, text=True, cwd=root
        )
        assert holder.stdout.readline() == "held\n"
        return holder

    def test_a_second_copy_is_refused_at_once_and_told_about_the_first(self, tmp_path):
        holder = self.hold(tmp_path / "lock")
        began = time.monotonic()
        try:
            with pytest.raises(NotReady) as refused, preflight.only_copy(tmp_path / "lock", ""):
                pass
        finally:
            holder.kill()
            holder.wait()

        assert time.monotonic() - began < 8  # of the 10 s that a killed copy's parts are given
        assert "runs already, at http://127.0.0.1:8000" in str(refused.value)
        assert f"kill {holder.pid}" in str(refused.value)

    def test_a_killed_copy_leaves_the_way_free(self, tmp_path):
        holder = self.hold(tmp_path / "lock")
        holder.kill()
        holder.wait()

        with preflight.only_copy(tmp_path / "lock", "here"):
            assert (tmp_path / "lock").read_text() == f"{os.getpid()} here\n"

    def test_the_parts_of_a_killed_copy_are_waited_for(self, tmp_path):
        """A part inherited the lock and outlives its supervisor by a second."""
        with preflight.only_copy(tmp_path / "lock", "old") as lock:
            part = subprocess.Popen(["sleep", "1"], pass_fds=[lock])
            (tmp_path / "lock").write_text("999999999 old\n")  # a process that is gone
        began = time.monotonic()

        with preflight.only_copy(tmp_path / "lock", "new"):
            waited = time.monotonic() - began
        part.wait()

        assert waited > 0.5


class TestCheckDisk:
    def test_a_full_disk_says_how_much_is_missing(self, tmp_path, monkeypatch):
        usage = shutil.disk_usage(tmp_path)._replace(free=200_000_000)
        monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)

        with pytest.raises(NotReady, match=r"has 0\.2 GB left and 1\.5 GB are needed"):
            preflight.check_disk(tmp_path / "not" / "made" / "yet")


class TestCheckWritable:
    def test_a_folder_that_can_be_made_passes_and_stays_clean(self, tmp_path):
        preflight.check_writable(tmp_path / "var")

        assert list((tmp_path / "var").iterdir()) == []

    def test_a_file_in_the_way_is_refused_with_the_way_out(self, tmp_path):
        (tmp_path / "var").write_text("")

        with pytest.raises(NotReady, match="VAR_DIR=/another/folder make run"):
            preflight.check_writable(tmp_path / "var" / "data")


class TestExplain:
    @pytest.mark.parametrize(
        "error",
        [
            OSError(errno.ENOSPC, "No space left on device"),
            OSError(errno.EDQUOT, "Disk quota exceeded"),
            sqlite3.OperationalError("database or disk is full"),
        ],
    )
    def test_a_full_disk_is_called_so(self, error):
        assert preflight.explain(error, Path("/data")).startswith("The disk is full.")

    def test_other_errors_are_left_alone(self):
        assert preflight.explain(ValueError("something else"), Path("/data")) == ""


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh-hans"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LC_ALL": "", "LC_MESSAGES": "zh_TW", "LANG": "C"}, "zh-hans"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_terminal_speaks_the_language_of_its_locale(environment, language):
    assert terminal.language(environment) == language

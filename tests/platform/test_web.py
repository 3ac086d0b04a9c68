"""How a web process is set up before the settings are read."""

import os
import sys
from pathlib import Path
from unittest import mock

import pytest
import uvicorn
from django.core.exceptions import ImproperlyConfigured

from csplatform import web


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Start a web process of an installation with this `.env`, without serving; gives its threads."""

    def start(dot_env: str = "", cores: int = 8) -> str:
        (tmp_path / ".env").write_text(dot_env, encoding="utf-8")
        os.environ.pop("INTENTS_THREADS", None)
        os.environ.pop("WEB_PROCESSES", None)
        monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: range(cores), raising=False)
        web.main()
        return os.environ["INTENTS_THREADS"]

    monkeypatch.setattr(web, "_ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["web", "--port", "0"])
    monkeypatch.setattr(uvicorn.Server, "run", lambda *_args, **_named: None)
    with mock.patch.dict(os.environ):
        yield start


@pytest.mark.parametrize(
    ("dot_env", "cores", "threads"),
    [
        ("", 1, "1"),
        ("", 2, "2"),
        ("", 8, "4"),
        ("WEB_PROCESSES=2", 2, "1"),
        ("WEB_PROCESSES=3", 8, "2"),
        ("WEB_PROCESSES=9", 8, "1"),
        ("INTENTS_THREADS=1", 8, "1"),
    ],
)
def test_its_model_has_its_share_of_the_cores(started, dot_env: str, cores: int, threads: str):
    assert started(dot_env, cores) == threads


def test_a_bad_number_of_processes_is_named(started):
    with pytest.raises(ImproperlyConfigured, match="WEB_PROCESSES"):
        started("WEB_PROCESSES=none")

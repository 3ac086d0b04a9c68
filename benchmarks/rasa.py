"""Rasa 3.6 as the peer: a server that somebody has set up, asked over POST /model/parse.

Nothing of it is installed here: benchmarks/README.md says how to get it. It is named on the
command line, either as the address of a server that runs, or as a command that starts one.
"""

import argparse
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.load import Answer, Target
from benchmarks.site import await_idle, await_port, free_port
from csplatform import embedded

START_S = 180.0
FALLBACK = "nlu_fallback"


def add_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("Rasa")
    group.add_argument(
        "--rasa-command",
        metavar="COMMAND",
        help="starts one on {port} with $WORKERS processes, in the foreground",
    )
    group.add_argument("--rasa-url", metavar="URL", help="of one that runs; its memory is unknown")


@contextmanager
def serving(
    options: argparse.Namespace, directory: Path, count: int = 1
) -> Iterator[Target | None]:
    """A Rasa with `count` processes; None when there is none, or not with so many."""
    if options.rasa_command:
        port = free_port()
        log = directory / f"rasa-{count}.log"
        process = embedded.spawn(
            ["bash", "-c", options.rasa_command.replace("{port}", str(port))],
            log=log,
            env={**os.environ, "WORKERS": str(count), "SANIC_WORKERS": str(count)},
            die_with=signal.SIGKILL,
        )
        try:
            await_port(port, process, log, START_S)
            time.sleep(2)  # the last of several workers
            await_idle(process.pid)
            yield _target(f"http://127.0.0.1:{port}", [process.pid])
        finally:
            embedded.stop(process)
    elif options.rasa_url and count == 1:
        yield _target(options.rasa_url.rstrip("/"), [])
    else:
        yield None


def _target(url: str, pids: list[int]) -> Target:
    return Target(url=f"{url}/model/parse", body=lambda text: {"text": text}, read=_read, pids=pids)


def _read(answer: Any) -> Answer:
    ranking = [each["name"] for each in answer["intent_ranking"] if each["name"] != FALLBACK]
    return Answer(ranking[0], "HAND_OVER" if answer["intent"]["name"] == FALLBACK else "ANSWER")

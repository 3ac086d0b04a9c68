"""The product as it is run, for load tests: Valkey, database, web processes; nothing is faked.

Everything lives in a temporary directory and is stopped at the end. Worker, trainer and clock
are not started: they do nothing while customers are answered in time.
"""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import processes
from benchmarks.load import Answer, Target
from csplatform import embedded, parts, web

ROOT = Path(__file__).resolve().parents[1]
START_S, READY_S = 60.0, 600.0
_IDLE_SHARE, _IDLE_LOOKS = 0.15, 3  # of one core, in so many looks of a second
_DEFAULTS = (
    *("DATABASE_URL", "CACHE_URL", "BROKER_URL", "RESULT_URL", "CHANNEL_LAYER_URL"),
    *("INFERENCE_URL", "INFERENCE_BACKEND"),
)
_INFERRED = re.compile(r"^intents_batch_texts_sum (\S+)$", re.MULTILINE)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def await_port(port: int, process: subprocess.Popen[bytes], log: Path, timeout_s: float) -> None:
    """Wait until somebody listens.

    Raises:
        RuntimeError: The process ended, or it took too long; with the end of its log.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"nobody listens on port {port}:\n{embedded.tail(log, 30)}")
        time.sleep(0.1)


def await_idle(pid: int) -> None:
    """Wait until a server has done whatever it does after its start."""
    idle, before = 0, processes.usage([pid]).cpu_s
    deadline = time.monotonic() + READY_S
    while idle < _IDLE_LOOKS and time.monotonic() < deadline:
        time.sleep(1)
        now = processes.usage([pid]).cpu_s
        idle = idle + 1 if now - before < _IDLE_SHARE else 0
        before = now


class Web:
    """Web processes on one port, as `make run` starts them."""

    def __init__(self, site: "Site", count: int) -> None:
        self.count = count
        self._site = site
        with web.bound("127.0.0.1", 0) as door:
            self.port = int(door.getsockname()[1])
            self.url = f"http://127.0.0.1:{self.port}"
            log = site.directory / f"web-{self.port}.log"
            self._processes = [
                embedded.spawn(
                    parts.web_on(door.fileno()),
                    log=log,
                    cwd=ROOT,
                    env={
                        **site.environment,
                        "PORT": str(self.port),
                        "WEB_PROCESSES": str(count),
                        "INFERENCE_SERVER": "off",
                    },
                    die_with=signal.SIGKILL,
                    keep_open=[door.fileno()],
                )
                for _ in range(count)
            ]
        await_port(self.port, self._processes[0], log, START_S)

    @property
    def pids(self) -> list[int]:
        """Of whoever makes up the server: these processes and the Valkey they use."""
        assert self._site.valkey.process is not None
        return [*(each.pid for each in self._processes), self._site.valkey.process.pid]

    def get(self, path: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path)
        return connection.getresponse().read().decode()

    def await_model(self) -> str:
        """Wait until the trained model answers in every process; return its version."""
        deadline = time.monotonic() + READY_S
        in_a_row = 0
        while in_a_row < 8 * self.count:  # whoever accepts answers: all of them, most likely
            model = json.loads(self.get("/readyz"))["checks"]["model"]
            in_a_row = (
                in_a_row + 1 if (model["source"], model["state"]) == ("model", "ready") else 0
            )
            if time.monotonic() > deadline:
                raise RuntimeError(f"the model was not ready in time: {model}")
            if not in_a_row:
                time.sleep(0.3)
        for process in self._processes:
            await_idle(process.pid)
        return str(model["version"])

    def inferences(self) -> float:
        """Return how many texts the engine has read so far; with one process only."""
        found = _INFERRED.search(self.get("/metrics"))
        if found is None:
            raise RuntimeError("/metrics does not count the engine's texts")
        return float(found[1])

    def visitors(self, number: int) -> list[str]:
        """Sign so many visitors in and return their access tokens."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        tokens = []
        for _ in range(number):
            connection.request("POST", "/api/login", "{}", {"Content-Type": "application/json"})
            tokens.append(json.loads(connection.getresponse().read())["token"])
        return tokens

    def classify(self, clients: int, *, cached: bool = False) -> Target:
        """POST /api/classify, one text a request, with a service token."""
        return Target(
            url=f"{self.url}/api/classify",
            body=lambda text: {"texts": [text], "cache": cached},
            read=read_classified,
            pids=self.pids,
            tokens=[self._site.token] * clients,
        )

    def chat(
        self, tokens: Sequence[str], *, cached: bool = False, renew_on: str = '"HAND_OVER"'
    ) -> Target:
        """POST /api/chat: a token, two rows and a prediction stored, a reply.

        A visitor who is handed over leaves, and another comes: every answer is the bot's.
        """
        return Target(
            url=f"{self.url}/api/chat",
            body=lambda text: {"text": text},
            read=read_reply if cached else read_reply_of_the_model,
            pids=self.pids,
            tokens=tokens,
            renew_on=renew_on,
        )

    def stop(self) -> None:
        for process in self._processes:
            embedded.stop(process)


def read_classified(answer: Any) -> Answer:
    (result,) = answer["results"]
    if result["source"] != "model":
        raise ValueError(f"answered by {result['source']}")
    return Answer(result["ranked"][0]["intent"])


def read_reply(answer: Any) -> Answer:
    if not answer["reply"]:
        raise ValueError("no reply")
    return Answer(answer["intent"] or "", answer["decision"])


def read_reply_of_the_model(answer: Any) -> Answer:
    if answer["cached"]:
        raise ValueError("a cached answer")
    return read_reply(answer)


class Site:
    """One installation: its directory, its environment, its servers."""

    def __init__(
        self, directory: Path, model_dir: Path, train: Path, database_url: str = "", **more: str
    ) -> None:
        self.directory = directory
        # Below /tmp: the kernel allows 107 bytes for the path of a socket.
        self._sockets = Path(tempfile.mkdtemp(prefix="csplatform-sockets-"))
        self.valkey = embedded.Valkey(
            socket=self._sockets / "valkey.sock", directory=directory / "valkey"
        )
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in _DEFAULTS},
            "VAR_DIR": str(directory),
            "MODEL_DIR": str(model_dir.resolve()),
            "REDIS_URL": f"unix://{self.valkey.socket}",
            "CHAT_RATE": "100000000/min",
            "LOGIN_RATE": "100000000/min",
            # However busy the machine is, the model answers, and not what answers in its place.
            "CHAT_ANSWER_TIMEOUT_S": "60",
            "DEMO_SHOP": "False",
            "LOG_LEVEL": "WARNING",
            **({"DATABASE_URL": database_url} if database_url else {}),
            **more,
        }
        self._train = train
        self.token = ""

    def prepare(self) -> None:
        """Start Valkey, make tables and content."""
        self.valkey.start()
        self._run("manage.py", "migrate", "--verbosity", "0")
        self.token = self._run("-m", "benchmarks.content", "--train", str(self._train.resolve()))

    def forget_answers(self) -> None:
        """Empty the cache."""
        import redis

        with redis.Redis(unix_socket_path=str(self.valkey.socket)) as client:
            client.flushdb()

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=self.environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return done.stdout.strip().rpartition("\n")[2]

    def close(self) -> None:
        self.valkey.stop()
        shutil.rmtree(self._sockets, ignore_errors=True)


@contextmanager
def prepared(
    model_dir: Path, train: Path, *, database_url: str = "", **more: str
) -> Iterator[Site]:
    """A site with a model and content; `Web(site, n)` starts its web processes."""
    directory = Path(tempfile.mkdtemp(prefix="csplatform-load-"))
    site = Site(directory, model_dir, train, database_url, **more)
    try:
        site.prepare()
        yield site
    finally:
        site.close()
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def serving(site: Site, count: int = 1) -> Iterator[Web]:
    """`count` web processes of a site, whose model answers."""
    started = Web(site, count)
    try:
        started.await_model()
        yield started
    finally:
        started.stop()


@contextmanager
def postgres() -> Iterator[str]:
    """The PostgreSQL of requirements-dev.txt, started for a while; gives its URL."""
    directory = Path(tempfile.mkdtemp(prefix="csplatform-pg-"))
    server = embedded.Postgres(directory)
    try:
        server.start()
        yield f"postgres://{server.USER}@/{directory}/postgres"
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)

"""How long POST /api/chat takes with one client, uncached and cached, against a bare view.

    python -m benchmarks.chat_latency [--rounds 300] [--model-dir DIR] [--json OUT]

Starts a Valkey, a database with the starter content and a web process of its own, all in a
temporary directory, and stops them. The bare view passes the same middleware and the same
authentication and does nothing; the three kinds of request take turns, so that whatever
else the machine does hits them alike. Without --model-dir, prototypes answer (their encoder
is the trained model's, so the forward pass costs the same).
"""

import argparse
import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
START_S = 60.0
READY_S = 600.0  # a busy machine takes minutes to embed all utterances
WARM_UP = 20
MOST_MOVED = 3
CACHED = "请问你们的快递一般几天能到"


def site() -> Any:
    """The application under test, with the bare view beside ours (uvicorn --factory)."""
    import django

    django.setup()
    from django.urls import path
    from rest_framework.request import Request
    from rest_framework.response import Response
    from rest_framework.views import APIView

    from csplatform import asgi, urls
    from csplatform.roles import CUSTOMERS

    class Bare(APIView):
        roles = CUSTOMERS

        def post(self, request: Request) -> Response:
            return Response({"text": request.data["text"]})

    urls.urlpatterns.append(path("bare", Bare.as_view()))
    return asgi.application


@contextmanager
def running(directory: Path, model_dir: Path | None) -> Iterator[int]:
    """Have Valkey and the web process running; gives the port."""
    from csplatform import embedded

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    valkey = embedded.Valkey(
        socket=directory / "valkey.sock", directory=directory / "valkey", durable=False
    )
    environment = {
        **os.environ,
        "VAR_DIR": str(directory),
        "REDIS_URL": f"unix://{valkey.socket}",
        "CHAT_RATE": "1000000/min",
        "OMP_NUM_THREADS": "1",
        "LOG_LEVEL": "WARNING",
        **({"MODEL_DIR": str(model_dir.resolve())} if model_dir else {}),
    }
    for name in ("DATABASE_URL", "CACHE_URL", "BROKER_URL", "RESULT_URL", "CHANNEL_LAYER_URL"):
        environment.pop(name, None)
    web = None
    try:
        valkey.start()
        for command in ("migrate", "load_starter"):
            subprocess.run(
                [sys.executable, "manage.py", command],
                cwd=ROOT,
                env=environment,
                check=True,
                stdout=subprocess.DEVNULL,
            )
        web = embedded.spawn(
            [
                *(sys.executable, "-m", "uvicorn", "--factory", "benchmarks.chat_latency:site"),
                *("--port", str(port), "--lifespan", "off", "--no-access-log"),
            ],
            log=directory / "web.log",
            cwd=ROOT,
            env=environment,
            die_with=signal.SIGKILL,
        )
        deadline = time.monotonic() + START_S
        while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
            if web.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"no web process:\n{embedded.tail(directory / 'web.log')}")
            time.sleep(0.1)
        yield port
    finally:
        if web is not None:
            embedded.stop(web)
        valkey.stop()


class Client:
    """One keep-alive connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._headers = {"Content-Type": "application/json"}

    def post(self, path: str, **body: Any) -> tuple[dict[str, Any], float]:
        """Return the answer and the milliseconds it took.

        Raises:
            RuntimeError: The answer is none.
            OSError: The connection broke; the next one is a new one.
        """
        data = json.dumps(body)
        began = time.perf_counter()
        try:
            self._connection.request("POST", path, body=data, headers=self._headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except OSError:
            self._connection.close()
            raise
        elapsed_ms = (time.perf_counter() - began) * 1000
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {content[:300]!r}")
        return json.loads(content), elapsed_ms

    def sign_in(self) -> None:
        token = self.post("/api/login")[0]["token"]
        self._headers["Authorization"] = f"Bearer {token}"

    def await_model(self) -> dict[str, Any]:
        """Wait until something better than keywords answers; return its state."""
        deadline = time.monotonic() + READY_S
        while True:
            self._connection.request("GET", "/readyz")
            model = json.loads(self._connection.getresponse().read())["checks"]["model"]
            if model["source"] in ("model", "prototypes") and model["state"] != "loading":
                return dict(model)
            if time.monotonic() > deadline:
                raise RuntimeError("the model was not ready in time")
            time.sleep(0.2)


def texts() -> list[str]:
    """Customers' sentences, each once: none of them is in the cache."""
    from intents import starter

    return list(dict.fromkeys(row["text"] for row in starter.rows("utterances")))


def measure(client: Client, rounds: int) -> dict[str, list[float]]:
    """Ask in turns; return milliseconds by kind of request."""
    uncached = iter(texts())
    taken: dict[str, list[float]] = {"bare": [], "uncached": [], "cached": []}
    client.post("/api/chat", text=CACHED)
    moved = 0
    for number in range(WARM_UP + rounds):
        asked = {
            "bare": client.post("/bare", text=CACHED),
            "uncached": client.post("/api/chat", text=next(uncached)),
            "cached": client.post("/api/chat", text=CACHED),
        }
        if asked["uncached"][0]["cached"]:
            raise RuntimeError(f"uncached: {asked['uncached'][0]}")
        if not asked["cached"][0]["cached"]:
            if number >= WARM_UP and (moved := moved + 1) > MOST_MOVED:
                raise RuntimeError(f"cached: {asked['cached'][0]}")
            continue  # the engine has just become better, and what it said before is void
        if asked["uncached"][0]["decision"] == "HAND_OVER":
            client.sign_in()  # somebody new: this visitor may be waiting for a human now
        if number >= WARM_UP:
            for kind, (_answer, elapsed_ms) in asked.items():
                taken[kind].append(elapsed_ms)
    return taken


def summary(taken: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Return p50, p95, p99 in milliseconds, and p50 as a multiple of the bare view's."""
    bare = statistics.median(taken["bare"])
    found = {}
    for kind, times in taken.items():
        cuts = statistics.quantiles(times, n=100)
        p50 = statistics.median(times)
        found[kind] = {"p50": p50, "p95": cuts[94], "p99": cuts[98], "ratio": p50 / bare}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=300, help="at most some 1,500")
    parser.add_argument("--model-dir", type=Path, help="MODEL_DIR with an active version")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="csplatform-latency-") as name,
        running(Path(name), options.model_dir) as port,
    ):
        client = Client(port)
        model = client.await_model()
        client.sign_in()
        figures = summary(measure(client, options.rounds))
    print(f"answered by: {model['source']} {model['version']}".rstrip())
    print(f"load of the machine: {os.getloadavg()[0]:.1f}, {options.rounds} rounds")
    print(f"{'':10}{'p50 ms':>8}{'p95 ms':>8}{'p99 ms':>8}{'x bare':>8}")
    for kind, row in figures.items():
        print(f"{kind:10}" + "".join(f"{row[key]:8.1f}" for key in ("p50", "p95", "p99", "ratio")))
    print("repeat: python -m benchmarks.chat_latency " + " ".join(sys.argv[1:]))
    if options.json:
        options.json.write_text(json.dumps({"model": model, "milliseconds": figures}, indent=2))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csplatform.settings")
    main()

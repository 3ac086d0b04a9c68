"""From the start of a web process to its first answers.

    python -m benchmarks.startup --model-dir DIR [--rounds 5] [--json OUT]

Valkey, a database with the starter content and its stored vectors are there, as after a deploy or
a crash; the web process alone is started, as `manage.py run` does it, and asked without a pause:

- `port_s`: somebody listens;
- `first_reply_after_port_s`: POST /api/chat, begun when the port opened, was answered politely;
- `first_neural_s`: POST /api/classify named the right intent by the trained model.
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
import threading
import time
from pathlib import Path
from typing import Any

from csplatform import embedded, parts

ROOT = Path(__file__).resolve().parents[1]
TEXT, INTENT = "麻烦看下我的包裹走到哪里了", "logistics"
MOST_S = 120.0
NEW_SERVICE = (
    "from csplatform.models import ServiceToken, digest; secret = ServiceToken.new_secret();"
    "ServiceToken.objects.create(name='startup', digest=digest(secret)); print(secret)"
)


def post(port: int, path: str, body: Any, token: str = "") -> dict[str, Any]:
    """Ask once, on a connection of its own.

    Raises:
        OSError: Nobody answers, or not with 200.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection.request("POST", path, json.dumps(body), headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if answer.status != 200:
        raise OSError(f"{path}: {answer.status} {content[:300]!r}")
    return dict(json.loads(content))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_once(environment: dict[str, str], log: Path, token: str) -> dict[str, float]:
    """Start the web process, measure, and stop it; seconds."""
    port = free_port()
    found: dict[str, float] = {}
    began = time.perf_counter()
    process = embedded.spawn(
        parts.web(host="127.0.0.1", port=port),
        log=log,
        cwd=ROOT,
        env=environment,
        die_with=signal.SIGKILL,
    )
    try:
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if process.poll() is not None or time.perf_counter() - began > MOST_S:
                raise RuntimeError(f"no web process:\n{embedded.tail(log)}")
            time.sleep(0.002)
        opened = time.perf_counter()
        found["port_s"] = opened - began

        def chat() -> None:
            visitor = post(port, "/api/login", {})["token"]
            assert post(port, "/api/chat", {"text": TEXT}, visitor)["reply"]
            found["first_reply_after_port_s"] = time.perf_counter() - opened

        customer = threading.Thread(target=chat)
        customer.start()
        while time.perf_counter() - began < MOST_S:
            (result,) = post(port, "/api/classify", {"texts": [TEXT]}, token)["results"]
            if result["source"] == "model" and result["ranked"][0]["intent"] == INTENT:
                found["first_neural_s"] = time.perf_counter() - began
                break
            time.sleep(0.01)
        customer.join()
    finally:
        embedded.stop(process)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model-dir", type=Path, required=True, help="with an active version")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="csplatform-startup-") as name:
        directory = Path(name)
        valkey = embedded.Valkey(
            socket=directory / "valkey.sock", directory=directory / "valkey", durable=False
        )
        environment = {
            **os.environ,
            "VAR_DIR": name,
            "MODEL_DIR": str(options.model_dir.resolve()),
            "REDIS_URL": f"unix://{valkey.socket}",
            "LOG_LEVEL": "WARNING",
        }
        environment.pop("DATABASE_URL", None)

        def manage(*arguments: str) -> str:
            command = [sys.executable, "manage.py", *arguments]
            done = subprocess.run(
                command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
            )
            return done.stdout.strip()

        valkey.start()
        try:
            for command in ("migrate", "load_starter"):
                manage(command)
            token = manage("shell", "--no-imports", "-c", NEW_SERVICE)
            # The first one compiles Python and reads files that the next find in memory.
            rounds = [
                start_once(environment, directory / "web.log", token)
                for _ in range(options.rounds + 1)
            ][1:]
        finally:
            valkey.stop()
    found = {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}
    print(", ".join(f"{key} {value:.2f}" for key, value in found.items()))
    print(f"medians of {options.rounds} starts, load of the machine {os.getloadavg()[0]:.1f}")
    print("repeat: python -m benchmarks.startup " + " ".join(sys.argv[1:]))
    if options.json:
        options.json.write_text(json.dumps({**found, "rounds": rounds}, indent=2))


if __name__ == "__main__":
    main()

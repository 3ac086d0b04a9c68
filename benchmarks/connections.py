"""Many customers connected at once: latency to an agent's screen, memory per socket, a reconnect storm.

    python -m benchmarks.connections [--customers 2000] [--writers 200] [--seconds 60] [--json OUT]

One web process on SQLite, a Valkey, both of its own in a temporary directory. A tenth of the
customers talk to twenty agents and write every ten seconds; the others only keep their sockets
alive. Beside them, in the same process, as many frames a second go through a bare Channels
consumer: a group, one socket that sends into it and another that receives. The clients are a
process of their own (benchmarks.connections_client), in which one clock measures both ends.

Bars: p99 from send to the agent's screen 150 ms, 60 KiB of memory for an idle socket, a storm of
2,000 settled in 15 s, nothing lost and nothing twice.
"""

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
AGENTS = 20  # an agent's socket follows twenty conversations at most
EVERY_S = 10.0
START_S = 60.0
BARS = {"screen_p99_ms": 150.0, "kib_per_socket": 60.0, "storm_s": 15.0, "lost": 0, "doubled": 0}


def site() -> Any:
    """The application under test, with the bare consumer beside it (uvicorn --factory)."""
    import django

    django.setup()
    from channels.generic.websocket import AsyncWebsocketConsumer
    from django.urls import path

    from chat.routing import websocket_urlpatterns

    class Echo(AsyncWebsocketConsumer):
        """Whoever is in the group of this address receives what anybody in it sends."""

        async def connect(self) -> None:
            self.group = f"echo-{self.scope['url_route']['kwargs']['pair']}"
            await self.channel_layer.group_add(self.group, self.channel_name)
            await self.accept()

        async def receive(
            self, text_data: str | None = None, bytes_data: bytes | None = None
        ) -> None:
            await self.channel_layer.group_send(
                self.group, {"type": "echo.frame", "text": text_data}
            )

        async def echo_frame(self, event: dict[str, Any]) -> None:
            await self.send(event["text"])

    websocket_urlpatterns.append(path("ws/echo/<int:pair>/", Echo.as_asgi()))
    from csplatform import asgi

    return asgi.application


def people(customers: int) -> dict[str, list[str]]:
    """Make the agents, and return everybody's access tokens; runs with the site's settings."""
    import django

    django.setup()
    from django.contrib.auth.models import Group, User

    from csplatform import tokens

    group = Group.objects.get(name="agent")
    agents = []
    for number in range(AGENTS):
        user = User.objects.create_user(f"load-{number}", first_name=f"客服{number}")
        user.groups.add(group)
        agents.append(tokens.issue(subject=str(user.pk), kind=tokens.STAFF)["token"])
    uids = (f"{tokens.ANONYMOUS_PREFIX}load-{number}" for number in range(customers))
    return {
        "customers": [tokens.issue(subject=uid, kind=tokens.CUSTOMER)["token"] for uid in uids],
        "agents": agents,
    }


@contextmanager
def running(directory: Path, customers: int) -> Iterator[tuple[int, int, dict[str, list[str]]]]:
    """Have Valkey and one web process running; gives its port, its process id and the tokens."""
    from benchmarks.site import await_idle, await_port, free_port
    from csplatform import embedded

    port = free_port()
    valkey = embedded.Valkey(
        socket=directory / "valkey.sock", directory=directory / "valkey", durable=False
    )
    environment = {
        **os.environ,
        "VAR_DIR": str(directory),
        "REDIS_URL": f"unix://{valkey.socket}",
        "LOG_LEVEL": "WARNING",
        "OMP_NUM_THREADS": "1",
    }
    for name in ("DATABASE_URL", "CACHE_URL", "BROKER_URL", "RESULT_URL", "CHANNEL_LAYER_URL"):
        environment.pop(name, None)
    web = None
    try:
        valkey.start()
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, cwd=ROOT, env=environment, check=True)
        made = subprocess.run(
            [sys.executable, "-m", "benchmarks.connections", "--people", str(customers)],
            cwd=ROOT,
            env=environment,
            check=True,
            stdout=subprocess.PIPE,
        )
        web = embedded.spawn(
            [
                *(sys.executable, "-m", "uvicorn", "--factory", "benchmarks.connections:site"),
                *("--port", str(port), "--no-access-log", "--backlog", "4096"),
            ],
            log=directory / "web.log",
            cwd=ROOT,
            env=environment,
            die_with=signal.SIGKILL,
        )
        await_port(port, web, directory / "web.log", START_S)
        await_idle(web.pid)  # the engine has loaded: what grows from now on is the sockets'
        yield port, web.pid, json.loads(made.stdout)
    finally:
        if web is not None:
            embedded.stop(web)
        valkey.stop()


def allow_many_files() -> None:
    """Raise this process's limit of open files as far as it may; its children inherit it."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def measure(port: int, pid: int, job: dict[str, Any]) -> dict[str, Any]:
    """Let the clients do their phases, and look at the server's memory between them.

    Raises:
        RuntimeError: The clients gave up; they say why.
    """
    from benchmarks import processes

    client = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.connections_client"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert client.stdin is not None
    assert client.stdout is not None
    figures: dict[str, Any] = {}
    try:
        client.stdin.write(json.dumps({"port": port, **job}) + "\n")
        client.stdin.flush()
        before = processes.usage([pid])
        for line in client.stdout:
            phase = json.loads(line)
            now = processes.usage([pid])
            name = phase.pop("phase")
            figures |= phase
            figures[f"{name}_rss_mib"] = now.rss_mb
            figures[f"{name}_cpu_s"] = now.cpu_s - before.cpu_s
            before = now
            client.stdin.write("\n")
            client.stdin.flush()
        if client.wait() != 0:
            raise RuntimeError("the clients failed")
    finally:
        client.kill()
    grown = figures["idle_rss_mib"] - figures["base_rss_mib"]
    figures["kib_per_socket"] = grown * 1024 / figures["sockets"]
    figures["screen_to_echo_p50"] = figures["screen_p50_ms"] / figures["echo_p50_ms"]
    figures["screen_to_echo_p99"] = figures["screen_p99_ms"] / figures["echo_p99_ms"]
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=2000)
    parser.add_argument("--writers", type=int, help="a tenth of the customers")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    parser.add_argument("--people", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.people is not None:
        print(json.dumps(people(options.people)))
        return 0
    allow_many_files()
    writers = options.writers or options.customers // 10
    with (
        tempfile.TemporaryDirectory(prefix="csplatform-sockets-") as name,
        running(Path(name), options.customers) as (port, pid, tokens),
    ):
        job = {**tokens, "writers": writers, "every_s": EVERY_S, "seconds": options.seconds}
        figures = measure(port, pid, job)
    print(f"{options.customers} customers, {writers} write every {EVERY_S:.0f} s")
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")
    for key, value in figures.items():
        bar = f"   (at most {BARS[key]:g})" if key in BARS else ""
        print(f"{key:24}{value:10.2f}{bar}")
    print("repeat: python -m benchmarks.connections " + " ".join(sys.argv[1:]))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2))
    return int(any(figures[key] > bar for key, bar in BARS.items()))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csplatform.settings")
    sys.exit(main())

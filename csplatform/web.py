"""A web process: `python -m csplatform.web`, at an address or on a socket shared with others.

Of a shared socket (`--fd`), whoever starts the processes binds it; each listens on it once it
can answer, and accepts what comes when it has time. So the port opens when the first process
is ready, a busy or hung one gets no new connection, and while one is started again nobody is
refused. Uvicorn's own `--fd` takes every socket for a Unix one, which leaves Nagle's algorithm
on: 40 ms a request. Its own `--workers` would live on when the supervisor is killed.
"""

import argparse
import os
import socket
from pathlib import Path

import uvicorn

from csplatform import env, memory

_ROOT = Path(__file__).resolve().parent.parent
APPLICATION = "csplatform.asgi:application"
# After SIGTERM, open requests have so long.
GRACE_S = 5
# Of a model: a batch is too small for more to be of use.
_THREADS_MOST = 4


def bound(host: str, port: int) -> socket.socket:
    """Return a socket at an address, for processes to listen on.

    Raises:
        OSError: The address is taken, or not ours.
    """
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _kind, _protocol, _name, address = found[0]
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made


def model_threads(processes: int) -> int:
    """Return how many threads the model of a web process has: its share of the cores.

    They wait without spinning, so an idle one costs nobody anything. With two threads on two cores,
    100 clients got 1.4 times the answers that they got with one.
    """
    has_affinity = hasattr(os, "sched_getaffinity")  # Linux
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    return max(1, min(_THREADS_MOST, cores // processes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--fd", type=int, help="of a bound socket, inherited")
    where.add_argument("--port", type=int)
    parser.add_argument("--host", default="127.0.0.1")
    options = parser.parse_args()
    memory.few_arenas()
    # As the settings do, which are read later. Other processes compute with one thread, beside
    # those who chat.
    env.load(_ROOT / ".env")
    processes = env.count("WEB_PROCESSES", 1, least=1)
    os.environ.setdefault("INTENTS_THREADS", str(model_threads(processes)))
    config = uvicorn.Config(
        APPLICATION,
        host=options.host,
        port=options.port or 0,
        lifespan="on",
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    shared = None if options.fd is None else [socket.socket(fileno=options.fd)]
    uvicorn.Server(config).run(sockets=shared)


if __name__ == "__main__":
    main()

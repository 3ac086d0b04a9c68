"""What long texts cost everybody else, and whether each is read once although the reader is killed.

    python -m benchmarks.long_texts --model-dir var/models [--texts 500] [--json OUT]

The active model there is copied, so that it may be that of a running installation.

A site of its own, as `make run` starts it: Valkey, SQLite, one web process, worker, clock and the
analyst. First `--rounds` messages of 20 and of 2,000 characters take turns; what the model took
(the log's queue and inference times) is not counted. Then a few customers chat at a steady pace,
first alone and then while `--texts` long texts are pasted by eight others at once; the analyst is
killed (SIGKILL) twice meanwhile. Ratios are against the same customers alone, in the same run.
"""

import argparse
import http.client
import json
import os
import random
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.site import ROOT, await_port, free_port
from csplatform import embedded, parts

READY_S, LONGEST_S = 600.0, 3_600.0
PASTING = 8
_SENTENCES = (
    "上周五在你们店里买了一个保温杯和两件衣服，一共付了{n}元。",
    "订单号是CS2026{n:07}，用的是顺丰，电话是138{n:08}。",
    "客服说三天内一定能到广州，结果到今天还卡在海关没有动静。",
    "前天打电话问了两次，每次都说会有人回复，可是没有一个人理我。",
    "双十一那天买的另外一件倒是不错，质量很好，穿着也很舒服。",
    "这次真的太让人失望了，服务态度很差，我不会再来了。",
    "收货地址是广东省广州市天河区体育西路{n}号，邮箱是li{n}@example.com。",
    "我看了物流信息，从11月15日开始就一直显示清关中。",
)
_ASKED = (
    "请问清关还要多久？",
    "我现在可以申请退款吗？",
    "发票什么时候能开给我？",
    "能不能给我换一个新的？",
)
# The copied model becomes the active one of this site, or its worker would point away from it.
_ADOPT = """
from django.utils import timezone
from intents.inference import artifacts
from training.models import ActiveModel, ModelVersion
name, now = artifacts.active_version(), timezone.now()
version = ModelVersion.objects.create(name=name, labels=[], utterances=0, size=0, created_at=now)
ActiveModel.objects.create(pk=1, version=version, since=now)
"""
_SHORT = (
    "我的快递{n}到哪了",
    "怎么退换{n}号的货",
    "订单{n}能改地址吗",
    "第{n}张优惠券怎么用",
    "发票{n}怎么开",
)


def long_text(number: int, characters: int) -> str:
    """Return a text of about that length; every number gives another one."""
    random_one = random.Random(number)  # noqa: S311  (texts, no secrets)
    said = ""
    asked = random_one.choice(_ASKED)
    while len(said) + len(asked) < characters:
        said += random_one.choice(_SENTENCES).format(n=number * 97 + len(said))
    return said[: characters - len(asked)] + asked


def short_text(number: int) -> str:
    return _SHORT[number % len(_SHORT)].format(n=number * 31 + 7)[:20]


class Site:
    """The processes of one installation."""

    def __init__(self, directory: Path, model_dir: Path, threads: int, niceness: int) -> None:
        self.directory, self.port = directory, free_port()
        shutil.copytree(model_dir, directory / "models")
        self._sockets = Path(tempfile.mkdtemp(prefix="csplatform-sockets-"))
        self.valkey = embedded.Valkey(
            socket=self._sockets / "valkey.sock", directory=directory / "valkey"
        )
        self._environment = {
            **os.environ,
            "VAR_DIR": str(directory),
            "MODEL_DIR": str(directory / "models"),
            "REDIS_URL": f"unix://{self.valkey.socket}",
            "PORT": str(self.port),
            "CHAT_RATE": "100000000/min",
            "LOGIN_RATE": "100000000/min",
            "ANALYSIS_LEASE_S": "15",
            "OMP_NUM_THREADS": "1",
            "LOG_LEVEL": "WARNING",
        }
        self._commands = {
            "web": parts.web(host="127.0.0.1", port=self.port),
            "worker": parts.worker(),
            "beat": parts.beat(directory=directory),
            "analyst": parts.analyst(threads=threads, niceness=niceness),
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        self._processes[name] = embedded.spawn(
            self._commands[name],
            log=self.directory / f"{name}.log",
            cwd=ROOT,
            env=self._environment,
            die_with=signal.SIGKILL,
        )

    def begin(self) -> None:
        self.valkey.start()
        for command in (["prepare"], ["shell", "-c", _ADOPT]):
            subprocess.run(
                [sys.executable, "manage.py", *command],
                cwd=ROOT,
                env=self._environment,
                check=True,
                stdout=subprocess.DEVNULL,
            )
        for name in self._commands:
            self.start(name)
        await_port(self.port, self._processes["web"], self.directory / "web.log", READY_S)

    def kill(self, name: str) -> None:
        embedded.stop(self._processes.pop(name), first=signal.SIGKILL)

    def rows(self, query: str) -> list[Any]:
        with sqlite3.connect(self.directory / "db.sqlite3", timeout=30) as database:
            return database.execute(query).fetchall()

    def close(self) -> None:
        for process in self._processes.values():
            embedded.stop(process)
        self.valkey.stop()
        shutil.rmtree(self._sockets, ignore_errors=True)


class Customer:
    """A visitor with a connection of his own, replaced by another for each message.

    Args:
        tokens: Of those who replace him; without them, or without any more, they sign in first.
    """

    def __init__(self, port: int, tokens: Iterable[str] = ()) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._tokens = iter(tokens)

    def says(self, text: str) -> tuple[float, dict[str, Any]]:
        """Return the milliseconds that the answer took, and the answer."""
        token = next(self._tokens, "") or self.signed_in()
        began = time.perf_counter()
        answer = self._post("/api/chat", {"text": text}, token)
        return (time.perf_counter() - began) * 1000, answer

    def signed_in(self) -> str:
        """Return the token of a new visitor."""
        return str(self._post("/api/login", {}, "")["token"])

    def _post(self, path: str, body: dict[str, Any], token: str) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._connection.request("POST", path, json.dumps(body), headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status not in (200, 202):
            raise RuntimeError(f"{path}: {answer.status} {content[:200]!r}")
        return dict(json.loads(content))


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[18]


def lengths(site: Site, rounds: int) -> dict[str, float]:
    """Ask 20 and 2,000 characters in turns; milliseconds without the model's."""
    customer = Customer(site.port)
    asked: dict[str, int] = {}
    took: dict[str, list[tuple[float, str]]] = {"20": [], "2000": []}
    for number in range(rounds + 10):
        for name, text in (("20", short_text(number)), ("2000", long_text(number, 2_000))):
            elapsed_ms, answer = customer.says(text)
            asked[answer["conversation"]] = number
            if number >= 10:
                took[name].append((elapsed_ms, answer["conversation"]))
    time.sleep(2)  # the log is written a moment later
    model_ms = {
        conversation: (queue or 0) + (infer or 0)
        for conversation, queue, infer in site.rows(
            "SELECT m.conversation_id, r.queue_ms, r.infer_ms FROM intents_predictionrecord r"
            " JOIN chat_message m ON m.id = r.message"
        )
    }
    whole = {name: p95([ms for ms, _one in each]) for name, each in took.items()}
    without = {
        name: p95([ms - model_ms.get(one.replace("-", ""), 0) for ms, one in each])
        for name, each in took.items()
    }
    return {
        "http_p95_ms_20": whole["20"],
        "http_p95_ms_2000": whole["2000"],
        "http_p95_ratio_without_model": without["2000"] / without["20"],
    }


@contextmanager
def others(
    site: Site, clients: int, every_s: float, *, first: int
) -> Iterator[list[tuple[float, float]]]:
    """Have customers chat at a steady pace; gives when each was answered, and after how many ms.

    Args:
        first: Number of their first text. One that was asked before would come from the cache.
    """
    stop, took = threading.Event(), list[tuple[float, float]]()

    def chat(number: int) -> None:
        customer, count = Customer(site.port), first
        due = time.monotonic() + every_s * number / clients
        while not stop.wait(max(0.0, due - time.monotonic())):
            due += every_s
            count += 1
            elapsed_ms, _answer = customer.says(short_text(number * 100_000 + count))
            took.append((time.monotonic(), elapsed_ms))

    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(chat, number) for number in range(clients)]
        try:
            yield took
        finally:
            stop.set()
            for one in running:
                one.result()


def visitors(site: Site, number: int) -> list[str]:
    """Sign so many visitors in and return their tokens."""
    customer = Customer(site.port)
    return [customer.signed_in() for _ in range(number)]


def pasted(site: Site, tokens: list[str], characters: int) -> None:
    """Have each of these visitors paste a long text, eight at once; they were there before."""

    def paste(first: int) -> None:
        customer = Customer(site.port, tokens[first::PASTING])
        for number in range(first, len(tokens), PASTING):
            customer.says(long_text(10_000 + number, characters))

    with ThreadPoolExecutor(PASTING) as pool:
        list(pool.map(paste, range(PASTING)))


def states(site: Site) -> dict[str, int]:
    return dict(site.rows("SELECT status, COUNT(*) FROM training_textanalysis GROUP BY status"))


def await_done(site: Site, wanted: int) -> None:
    deadline = time.monotonic() + LONGEST_S
    while states(site).get("DONE", 0) < wanted:
        if time.monotonic() > deadline:
            raise RuntimeError(f"not read in time: {states(site)}")
        time.sleep(0.5)


def storm(site: Site, options: argparse.Namespace) -> dict[str, Any]:
    """Return what `--texts` long texts at once did to those who chat meanwhile."""
    before = sum(states(site).values())
    await_done(site, before)
    tokens = visitors(site, options.texts)
    with others(site, options.clients, options.every_s, first=1_000) as quiet:
        time.sleep(options.quiet_s)
    with others(site, options.clients, options.every_s, first=50_000) as busy:
        began = time.monotonic()
        pasted(site, tokens, options.characters)
        pasted_s = time.monotonic() - began
        for share in (0.2, 0.6):
            await_done(site, before + round(share * options.texts))
            site.kill("analyst")
            site.start("analyst")
        await_done(site, before + options.texts)
        last_s = time.monotonic() - began
    quiet_p95_ms = p95([ms for _at, ms in quiet])
    busy_p95_ms = p95([ms for _at, ms in busy])
    doubled = site.rows(
        "SELECT COUNT(*) FROM (SELECT message FROM training_textanalysis GROUP BY message"
        " HAVING COUNT(*) > 1)"
    )[0][0]
    return {
        "quiet_p95_ms": quiet_p95_ms,
        "busy_p95_ms": busy_p95_ms,
        "p95_ratio": busy_p95_ms / quiet_p95_ms,
        "p95_ms_while_pasted": p95([ms for at, ms in busy if at - began <= pasted_s]),
        "p95_ms_while_read": p95([ms for at, ms in busy if at - began > pasted_s]),
        "others_messages": len(busy),
        "texts": options.texts,
        "analysed": states(site).get("DONE", 0) - before,
        "analysed_twice": doubled,
        "read_in_more_than_one_attempt": site.rows(
            "SELECT COUNT(*) FROM training_textanalysis WHERE attempts > 1"
        )[0][0],
        "pasted_s": pasted_s,
        "last_s": last_s,
        "killed": 2,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model-dir", type=Path, required=True)
    parser.add_argument("--texts", type=int, default=500)
    parser.add_argument("--characters", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--every-s", type=float, default=0.5, help="a message of each of them")
    parser.add_argument("--quiet-s", type=float, default=60.0)
    parser.add_argument("--threads", type=int, default=2, help="ANALYSIS_THREADS")
    parser.add_argument("--niceness", type=int, default=19, help="ANALYSIS_NICE")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="csplatform-long-"))
    site = Site(directory, options.model_dir, options.threads, options.niceness)
    try:
        site.begin()
        await_model(site)
        found = {**lengths(site, options.rounds), **storm(site, options)}
    finally:
        site.close()
        shutil.rmtree(directory, ignore_errors=True)
    for name, value in found.items():
        print(f"{name:34}{value:10.2f}" if isinstance(value, float) else f"{name:34}{value:10}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def await_model(site: Site) -> None:
    """Wait until the trained model answers."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
        connection.request("GET", "/readyz")
        model = json.loads(connection.getresponse().read())["checks"]["model"]
        if model["state"] == "ready":
            return
        time.sleep(0.5)
    raise RuntimeError(f"the model was not ready in time: {model}")


if __name__ == "__main__":
    main()

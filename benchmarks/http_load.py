"""Requests a second of /api/classify and /api/chat, beside Rasa's /model/parse on the same texts.

    python -m benchmarks.http_load --rasa-command '…/serve.sh MODEL {port}' [--json OUT]

Everything is real and local: Valkey, SQLite (--postgres: PostgreSQL, too), web processes as
`make run` starts them, and a model trained on --data (once; kept under --work). The servers
stay up and are asked in turns, round by round, with the same texts from the same client; a
ratio is taken within a round, and the median over the rounds is printed. What a server does
with two processes is measured with two of ours against two of theirs.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import load, rasa, site, texts, trained_model
from benchmarks.load import Run, Target
from benchmarks.site import Web

REPEATS = 0.42
# A visitor is replaced when he is handed over: at most this share of the messages.
_NEW_VISITORS = 0.8
_FEW = 300  # requests of a lone client


@dataclass
class Bench:
    """The servers, and what was measured of them."""

    supply: texts.Supply
    requests: int
    runs: dict[str, list[Run]] = field(default_factory=dict)
    inferences: dict[str, list[float]] = field(default_factory=dict)  # share of the requests

    def ask(self, name: str, target: Target, asked: list[str], clients: int, warm_up: int) -> Run:
        run = load.measure(target, asked, clients=clients, warm_up=warm_up)
        self.runs.setdefault(name, []).append(run)
        print(
            f"{name:34}{run.requests_per_s:8.1f}/s  mean {run.mean_ms:7.1f}  p95 {run.p95_ms:7.1f} ms"
            f"  {run.cpu_ms_per_request:5.1f} CPU ms  {run.pss_mb:6.0f} MiB  {run.errors} errors",
            flush=True,
        )
        return run

    def texts(self, clients: int, requests: int) -> tuple[list[str], int]:
        """Return texts and how many of them are the warm-up."""
        warm_up = max(50, 2 * clients)
        return self.supply.take(warm_up + requests), warm_up

    def classify(self, name: str, ours: Web, theirs: Target | None, clients: int) -> None:
        """Ask both the same, one after the other."""
        asked, warm_up = self.texts(clients, self.requests if clients > 1 else _FEW)
        self.ask(f"classify {name}", ours.classify(clients), asked, clients, warm_up)
        if theirs is not None:
            self.ask(f"rasa {name}", theirs, asked, clients, warm_up)

    def chat(self, name: str, web: Web, clients: int) -> None:
        asked, warm_up = self.texts(clients, self.requests)
        visitors = web.visitors(clients + round(len(asked) * _NEW_VISITORS))
        self.ask(f"chat {name}", web.chat(visitors), asked, clients, warm_up)

    def repeats(self, name: str, web: Web, clients: int, forget: Callable[[], None]) -> None:
        """The cache, with 42 % repeats, against the same without it. One process only."""
        different, warm_up = self.texts(clients, self.requests)
        asked = different[:warm_up] + texts.with_repeats(
            different[warm_up:], self.requests, REPEATS
        )
        forget()
        for kind in ("classify cached", "chat cached"):
            if kind == "classify cached":
                target = web.classify(clients, cached=True)
            else:
                visitors = web.visitors(clients + round(len(asked) * _NEW_VISITORS))
                target = web.chat(visitors, cached=True)
            before = web.inferences()
            self.ask(f"{kind} {name}", target, asked, clients, warm_up)
            made = (web.inferences() - before - warm_up) / self.requests
            self.inferences.setdefault(f"{kind} {name}", []).append(made)
            forget()


def main() -> None:
    options = _options()
    data = options.data
    supply = texts.Supply(
        [
            text
            for name in ("dev", "test")
            for text, _label in trained_model.read(data / f"{name}.csv")
        ]
        + (texts.read(options.texts) if options.texts.is_file() else [])
    )
    bench = Bench(supply, min(options.requests, len(supply) - 250))
    model_dir = trained_model.model_dir(data / "train.csv", data / "dev.csv", options.work)
    with ExitStack() as stack:
        directory = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="csplatform-peer-"))
        )
        ours = stack.enter_context(site.prepared(model_dir, data / "train.csv"))
        one = stack.enter_context(site.serving(ours))
        two = stack.enter_context(site.serving(ours, 2))
        on_postgres = None
        if options.postgres:
            url = stack.enter_context(site.postgres())
            other = stack.enter_context(
                site.prepared(model_dir, data / "train.csv", database_url=url)
            )
            on_postgres = stack.enter_context(site.serving(other))
        rasa_one = stack.enter_context(rasa.serving(options, directory, 1))
        rasa_two = stack.enter_context(rasa.serving(options, directory, 2))
        for number in range(1, options.rounds + 1):
            print(f"round {number} of {options.rounds}")
            bench.classify("1 process, 1 client", one, rasa_one, 1)
            bench.classify("1 process, 100 clients", one, rasa_one, 100)
            bench.classify("2 processes, 100 clients", two, rasa_two, 100)
            bench.chat("1 process, 100 clients", one, 100)
            bench.chat("2 processes, 100 clients", two, 100)
            if on_postgres is not None:
                bench.chat("1 process, 100 clients, PostgreSQL", on_postgres, 100)
            bench.repeats("1 process, 100 clients", one, 100, ours.forget_answers)
    result = report(bench)
    _print(result)
    print("repeat: python -m benchmarks.http_load " + " ".join(map(quoted, sys.argv[1:])))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1, ensure_ascii=False), encoding="utf-8")


def report(bench: Bench) -> dict[str, Any]:
    """Return the medians, and the ratios that were promised."""
    result: dict[str, Any] = {
        "runs": {name: load.median(runs) for name, runs in bench.runs.items()},
        "inferences_per_request": {
            name: round(sorted(shares)[len(shares) // 2], 3)
            for name, shares in bench.inferences.items()
        },
    }
    one, two = "1 process, 100 clients", "2 processes, 100 clients"
    wanted = [
        ("throughput, 1 process", f"classify {one}", f"rasa {one}", "requests_per_s"),
        ("throughput, 2 processes", f"classify {two}", f"rasa {two}", "requests_per_s"),
        ("p95, 1 process", f"classify {one}", f"rasa {one}", "p95_ms"),
        ("p95, 2 processes", f"classify {two}", f"rasa {two}", "p95_ms"),
        ("memory, 1 process", f"classify {one}", f"rasa {one}", "pss_mb"),
        ("memory, 2 processes", f"classify {two}", f"rasa {two}", "pss_mb"),
        ("chat throughput", f"chat {one}", f"rasa {one}", "requests_per_s"),
        ("chat throughput, 2 processes", f"chat {two}", f"rasa {two}", "requests_per_s"),
        ("chat throughput, PostgreSQL", f"chat {one}, PostgreSQL", f"rasa {one}", "requests_per_s"),
        ("cache: classify", f"classify cached {one}", f"classify {one}", "requests_per_s"),
        ("cache: chat", f"chat cached {one}", f"chat {one}", "requests_per_s"),
    ]
    result["ratios"] = {
        title: load.ratio(bench.runs[ours], bench.runs[theirs], figure)
        for title, ours, theirs, figure in wanted
        if ours in bench.runs
        and theirs in bench.runs
        and all(getattr(run, figure) for run in bench.runs[theirs])
    }
    return result


def _print(result: dict[str, Any]) -> None:
    print(
        f"\n{'':40}{'req/s':>8}{'mean':>8}{'p50':>8}{'p95':>8}{'p99':>8}{'CPU ms':>8}{'PSS':>7}{'RSS':>7}"
    )
    for name, run in result["runs"].items():
        figures = [run[key] for key in ("requests_per_s", "mean_ms", "p50_ms", "p95_ms", "p99_ms")]
        memory = [run[key] for key in ("pss_mb", "rss_mb")]
        print(
            f"{name:40}"
            + "".join(f"{each:8.1f}" for each in figures)
            + f"{run['cpu_ms_per_request']:8.2f}"
            + "".join(f"{each:7.0f}" for each in memory)
        )
    print("\nratios (medians over the rounds)")
    for title, value in result["ratios"].items():
        print(f"{title:40}{value:8.2f}")
    for title, value in result["inferences_per_request"].items():
        print(f"inferences a request, {title:30}{value:6.2f}")


def quoted(argument: str) -> str:
    return f"'{argument}'" if " " in argument else argument


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data_options(parser)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=1500, help="of each run with 100 clients")
    parser.add_argument("--postgres", action="store_true", help="measure the chat on it, too")
    rasa.add_options(parser)
    return parser.parse_args()


def add_data_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        default=texts.DATA / "intent_zh_jddc",
        help="folder with train.csv, dev.csv, test.csv (text,label)",
    )
    parser.add_argument(
        "--texts",
        type=Path,
        default=texts.DATA / "messages_zh" / "messages.jsonl",
        help="more messages of customers: one a line, or JSON lines",
    )
    parser.add_argument(
        "--work", type=Path, default=site.ROOT / "var" / "benchmarks", help="keeps trained models"
    )
    parser.add_argument("--json", type=Path, help="write the figures there, too")


if __name__ == "__main__":
    main()

"""What retraining costs: a new intent, a large installation, and the chat meanwhile.

    python -m benchmarks.training [--parts intent large chat rasa] [--data DIR] [--work DIR] [--json OUT]

**intent** takes a model of the 51 intents of JDDC (3,105 utterances), adds one intent with 500
utterances of another public set (MASSIVE zh-CN, its largest) and trains all 3,605: the quick mode
over the network of that model, the quick mode without one, and the thorough mode. **rasa** trains
the same 3,605 with Rasa (RASA_HOME names its installation, see benchmarks/README.md), 12 and 100
epochs. **large** trains 23,000 utterances in 50 intents: the 50 largest intents of MASSIVE zh-CN,
some 10,000 sentences, and those again with one of six transformations (benchmarks/transformations.py:
a courtesy before it, an emoji, traditional characters, …) until there are 23,000. **chat** asks a
web process of the model before, one visitor at a time, first with nothing else on the machine, then
while a thorough training runs as the product runs it (niceness, threads).

Each training is a process of its own, interpreter and imports counted: seconds on the wall, CPU
seconds of all its threads, and the most memory it had. Accuracies are on dev splits and only say that
the models are whole. `--epochs 1` is a smoke test.
"""

import argparse
import csv
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.trained_model import codes, read

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
PARTS = ("intent", "rasa", "large", "chat")
NEW_UTTERANCES, NEW_HELD_OUT = 500, 50
LARGE_INTENTS, LARGE_UTTERANCES = 50, 23_000
GOALS = {"quick": 30, "thorough": 450}  # CPU seconds
MEMORY_GOAL_MB = 4096
_BASE, _NEW = "base", "massive"
_CHAT_WARM_UP = 20

Rows = list[tuple[str, str]]


# --- The child: one training -------------------------------------------------------------------


def train_one(task: dict[str, Any]) -> None:
    """Train as `task` says, in this process; print what came out."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csplatform.settings")
    import django

    django.setup()
    from django.conf import settings

    from csplatform.priority import make_room_for_others
    from intents import encoder
    from training.datasets import Example
    from training.kept import Kept
    from training.quick import train_quick

    if task["nice"]:
        make_room_for_others()
    parts = {
        name: [Example(text, label) for text, label in read(Path(task[name]))]
        for name in ("train", "dev")
    }
    base, out = encoder.ensure(), Path(task["out"])
    if task["mode"] == "quick":
        kept = Kept.of_model(Path(task["network"]), base) if task["network"] else None
        report = train_quick(parts["train"], parts["dev"], encoder=base, out=out, network=kept)
    else:
        from training.fit import Parameters, train_model  # loads torch

        parameters = Parameters(epochs=task["epochs"], threads=settings.TRAINING_THREADS)
        report = train_model(
            parts["train"], parts["dev"], encoder=base, out=out, parameters=parameters
        )
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "cpu_s": round(usage.ru_utime + usage.ru_stime, 1),
                "peak_mb": round(usage.ru_maxrss * 1024 / 1e6),
                "accuracy_on_dev": round(report.int8.accuracy, 4),
                "model_mb": round(report.model_bytes / 1e6, 1),
                "utterances": len(parts["train"]),
            }
        )
    )


def spawn(mode: str, data: Path, out: Path, options: Any, **more: Any) -> subprocess.Popen[str]:
    task = {
        "mode": mode,
        "train": str(data / "train.csv"),
        "dev": str(data / "dev.csv"),
        "out": str(out),
        "network": "",
        "epochs": options.epochs,
        "nice": False,
        **more,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.training", "--task", json.dumps(task)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def trained(mode: str, data: Path, out: Path, options: Any, **more: Any) -> dict[str, Any]:
    """Train in a process of its own; return its figures."""
    began = time.monotonic()
    child = spawn(mode, data, out, options, **more)
    printed, _ = child.communicate()
    if child.returncode:
        raise RuntimeError(f"{mode} training of {data} failed")
    return {"wall_s": round(time.monotonic() - began, 1), **json.loads(printed.splitlines()[-1])}


# --- Data --------------------------------------------------------------------------------------


def write(folder: Path, **parts: Rows) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in parts.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "label"])
            writer.writerows(rows)
    return folder


def base_data(options: Any, work: Path) -> Path:
    """JDDC as it is, its labels as codes."""
    source = options.data / "intent_zh_jddc"
    train, dev = read(source / "train.csv"), read(source / "dev.csv")
    known = codes(label for _, label in train)
    coded = {
        name: [(text, known[label]) for text, label in rows]
        for name, rows in (("train", train), ("dev", dev))
    }
    return write(work / "data-base", **coded)


def with_new_intent(base: Path, options: Any, work: Path) -> Path:
    """The same and one intent more."""
    other = read(options.data / "intent_zh_massive" / "train.csv")
    label, _ = Counter(label for _, label in other).most_common(1)[0]
    taken = {text for part in ("train", "dev") for text, _ in read(base / f"{part}.csv")}
    largest = dict.fromkeys(text for text, its in other if its == label)
    new = [(text, _NEW) for text in largest if text not in taken]
    needed = NEW_UTTERANCES + NEW_HELD_OUT
    if len(new) < needed:
        raise RuntimeError(f"{label} has {len(new)} utterances, and {needed} are needed")
    return write(
        work / "data-intent",
        train=[*read(base / "train.csv"), *new[:NEW_UTTERANCES]],
        dev=[*read(base / "dev.csv"), *new[NEW_UTTERANCES:needed]],
    )


def large_data(options: Any, work: Path) -> Path:
    """23,000 sentences in 50 intents, more than half of them made of the others."""
    from benchmarks.transformations import TRANSFORMATIONS

    source = options.data / "intent_zh_massive"
    rows = list(dict(read(source / "train.csv")).items())
    largest = Counter(label for _, label in rows).most_common(LARGE_INTENTS)
    kept = {label for label, _ in largest}
    rows = [row for row in rows if row[1] in kept]
    chance = random.Random(42)  # noqa: S311  (repeatable, not secret)
    known = dict(rows)
    ways = list(TRANSFORMATIONS.values())
    for _ in range(20 * LARGE_UTTERANCES):
        if len(known) >= LARGE_UTTERANCES:
            break
        text, label = chance.choice(rows)
        known.setdefault(chance.choice(ways)(text, chance), label)
    known_codes = codes(kept)
    dev = [row for row in read(source / "dev.csv") if row[1] in kept and row[0] not in known]
    coded = {
        name: [(text, known_codes[label]) for text, label in part]
        for name, part in (("train", list(known.items())), ("dev", dev))
    }
    return write(work / "data-large", **coded)


# --- Parts -------------------------------------------------------------------------------------


def new_intent(options: Any, work: Path, base: Path, model: Path) -> dict[str, Any]:
    data = with_new_intent(base, options, work)
    figures = {
        "quick": trained("quick", data, work / "quick", options, network=str(model)),
        "quick without a network": trained("quick", data, work / "quick-cold", options),
        "thorough": trained("thorough", data, work / "thorough", options),
    }
    for mode, goal in GOALS.items():
        figures[mode]["goal_cpu_s"] = goal
        figures[mode]["is_reached"] = figures[mode]["cpu_s"] <= goal
    return figures


def large(options: Any, work: Path) -> dict[str, Any]:
    data = large_data(options, work)
    thorough = work / "large-thorough"
    figures = {"thorough": trained("thorough", data, thorough, options)}
    figures["quick"] = trained("quick", data, work / "large-quick", options, network=str(thorough))
    figures["quick without a network"] = trained("quick", data, work / "large-cold", options)
    for row in figures.values():
        row["goal_mb"], row["is_reached"] = MEMORY_GOAL_MB, row["peak_mb"] <= MEMORY_GOAL_MB
    return figures


def rasa(options: Any, work: Path, base: Path) -> dict[str, Any]:
    home = os.environ.get("RASA_HOME")
    script = SHARED / "peers" / "rasa" / "train.py"
    if not home or not script.is_file():
        return {"skipped": "RASA_HOME names no installation of Rasa"}
    data = with_new_intent(base, options, work)
    figures: dict[str, Any] = {}
    for epochs in options.rasa_epochs:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.monotonic()
        subprocess.run(
            [
                *(Path(home) / "venv" / "bin" / "python", script, "--language", "zh"),
                *("--train", data / "train.csv", "--test", data / "dev.csv"),
                *("--workdir", work / f"rasa-{epochs}", "--epochs", str(epochs)),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        report = json.loads((work / f"rasa-{epochs}" / "report.json").read_text())
        figures[f"{epochs} epochs"] = {
            "wall_s": round(time.monotonic() - began, 1),  # with its own evaluation
            "cpu_s": round(cpu, 1),
            "report": {key: value for key, value in report.items() if not isinstance(value, list)},
        }
    return figures


def chat(options: Any, work: Path, base: Path, model: Path) -> dict[str, Any]:
    """Ask a web process, alone and beside a thorough training."""
    from benchmarks import site
    from benchmarks.chat_latency import Client

    (model.parent / "active.json").write_text(json.dumps({"version": model.name}))
    texts = iter(list(dict.fromkeys(text for text, _ in _asked(options))))
    with (
        site.prepared(model.parent, base / "train.csv", CHAT_ANSWER_TIMEOUT_S="2") as prepared,
        site.serving(prepared) as web,
    ):
        client = Client(web.port)
        client.sign_in()
        _ask(client, texts, lambda asked: asked < _CHAT_WARM_UP)
        quiet = _ask(client, texts, lambda asked: asked < options.rounds)
        out = work / f"beside-{time.time_ns()}"
        child = spawn("thorough", base, out, options, nice=True)
        try:
            time.sleep(options.settle_s)  # its imports are done, and it learns
            client = Client(web.port)  # the server has closed the idle connection
            client.sign_in()
            busy = _ask(
                client,
                texts,
                lambda asked: child.poll() is None and asked < 20 * options.rounds,
            )
        finally:
            if child.poll() is None:
                child.terminate()
            child.communicate()
    figures = {"quiet": quiet, "beside a thorough training": busy}
    ratio = busy["p95_ms"] / quiet["p95_ms"]
    return {
        **figures,
        "p95_ratio": round(ratio, 2),
        "goal_ratio": 2.0,
        "is_reached": ratio <= 2.0 and not busy["errors"],
    }


def _asked(options: Any) -> Rows:
    return read(options.data / "intent_zh_massive" / "train.csv")  # none of them is in the cache


def _ask(client: Any, texts: Any, goes_on: Any) -> dict[str, Any]:
    """Ask one after the other; return milliseconds and how many were not answered."""
    taken, errors = [], 0
    while goes_on(len(taken) + errors):
        text = next(texts, None)
        if text is None:
            break
        try:
            answer, elapsed_ms = client.post("/api/chat", text=text)
        except (OSError, RuntimeError):
            errors += 1
            continue
        taken.append(elapsed_ms)
        if answer["decision"] == "HAND_OVER":
            client.sign_in()  # somebody new: this visitor waits for a human now
    cuts = statistics.quantiles(taken, n=100) if len(taken) > 1 else [0.0] * 99
    return {
        "requests": len(taken),
        "errors": errors,
        "p50_ms": round(cuts[49], 1),
        "p95_ms": round(cuts[94], 1),
        "p99_ms": round(cuts[98], 1),
    }


# --- All of it ---------------------------------------------------------------------------------


def measure(options: Any, work: Path) -> dict[str, Any]:
    base = base_data(options, work)
    model = work / "models" / _BASE
    figures: dict[str, Any] = {"load": os.getloadavg()[0], "cores": os.cpu_count()}
    if not model.is_dir() and {"intent", "chat"} & set(options.parts):
        figures["base, 3,105 utterances"] = trained("thorough", base, model, options)
    steps = {
        "intent": lambda: new_intent(options, work, base, model),
        "rasa": lambda: rasa(options, work, base),
        "large": lambda: large(options, work),
        "chat": lambda: chat(options, work, base, model),
    }
    for name in options.parts:
        print(f"{name} …", file=sys.stderr, flush=True)
        figures[name] = steps[name]()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--data", type=Path, default=SHARED / "data")
    parser.add_argument("--work", type=Path, help="keep data and models here")
    parser.add_argument("--epochs", type=int, default=4, help="of the thorough mode")
    parser.add_argument("--rasa-epochs", type=int, nargs="+", default=[12, 100])
    parser.add_argument("--rounds", type=int, default=300, help="requests of the quiet chat")
    parser.add_argument("--settle-s", type=float, default=15.0, help="of the training beside it")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--task", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        train_one(json.loads(options.task))
        return
    if not (options.data / "intent_zh_jddc").is_dir():
        print(f"skipped: {options.data} has no intent_zh_jddc", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory(prefix="csplatform-training-") as folder:
        work = (options.work or Path(folder)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        figures = measure(options, work)
    text = json.dumps(figures, indent=1, ensure_ascii=False)
    print(text)
    if options.json:
        options.json.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

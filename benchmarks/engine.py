"""What batching costs: the engine under many callers against a bare loop of the same model.

    python -m benchmarks.engine [--model-dir DIR] [--callers 64] [--rounds 5] [--json OUT]

Both read the same texts with the same sessions in this process, in turns; the ratio of their
throughputs (`ratio_to_bare`) is the median of the rounds. The bare loop has all texts before it,
sorted by their number of tokens, in the batch size that turned out best; the engine gets them
one by one from coroutines that each wait for their answer, in random order, and normalises,
ranks and counts besides. A lone caller takes turns with a bare call of one text, and with one that
is the runtime's session alone, without the heads that are not in its graph. Texts are those of
../shared/data/intent_zh_jddc where that is present, else starter utterances.

The engine has the starter content, and without --model-dir a model that is trained on it first (two
minutes), as a new installation has. A model that has not learned these utterances has each text
compared with all of them, which is 1 ms for a lone caller.
"""

import argparse
import asyncio
import csv
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import uvloop

ROOT = Path(__file__).resolve().parents[1]
JDDC = ROOT.parent / "shared" / "data" / "intent_zh_jddc" / "train.csv"
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
TEXTS = 1024
TURN = 16  # texts of a lone caller
READY_S = 600.0

Bare = Callable[[Sequence[str]], object]


def texts() -> list[str]:
    """Return so many different sentences of customers, in a random but fixed order."""
    from intents import starter

    if JDDC.is_file():
        with JDDC.open(encoding="utf-8", newline="") as file:
            found = [row["text"] for row in csv.DictReader(file)]
    else:
        found = [row["text"] for row in starter.rows("utterances")]
    different = sorted(set(found))
    random.Random(0).shuffle(different)  # noqa: S311  (repeatable, not secret)
    return different[:TEXTS]


def by_tokens(sentences: Sequence[str]) -> list[str]:
    """Return sentences as models read them, the shortest first."""
    from tokenizers import Tokenizer

    from intents import encoder
    from intents.guard import normalize

    readable = [normalize.for_model(sentence) for sentence in sentences]
    tokenizer = Tokenizer.from_file(str(encoder.ensure().tokenizer))
    lengths = [len(each.ids) for each in tokenizer.encode_batch_fast(readable)]
    return [text for _, text in sorted(zip(lengths, readable, strict=True))]


def bare_loop(read: Bare, in_order: Sequence[str], batch_size: int) -> float:
    """Read all texts in batches; return texts a second."""
    began = time.perf_counter()
    for start in range(0, len(in_order), batch_size):
        read(in_order[start : start + batch_size])
    return len(in_order) / (time.perf_counter() - began)


async def many_callers(engine: Any, sentences: Sequence[str], callers: int) -> tuple[float, float]:
    """Have callers ask one text after the other; return texts a second and the p95 in ms."""
    waiting = iter(sentences)
    taken: list[float] = []

    async def call() -> None:
        for text in waiting:
            began = time.perf_counter()
            answer = await engine.aclassify(text, timeout_s=60)
            taken.append(time.perf_counter() - began)
            assert answer.source in ("model", "prototypes"), answer

    began = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(callers)))
    rate = len(sentences) / (time.perf_counter() - began)
    return rate, 1000 * statistics.quantiles(taken, n=100)[94]


async def lone_caller(
    engine: Any, bare: Mapping[str, Bare], in_order: Sequence[str]
) -> dict[str, float]:
    """Ask one text at a time, bare and through the engine in turns; milliseconds.

    A turn is several texts: each way finds the caches and the cores as it left them, not as another did.
    """
    taken = defaultdict[str, list[float]](list)
    ways = ["engine", *bare]
    for turn, start in enumerate(range(0, len(in_order), TURN)):
        first = turn % len(ways)
        for way in ways[first:] + ways[:first]:
            for text in in_order[start : start + TURN]:
                began = time.perf_counter()
                if way in bare:
                    bare[way]([text])
                else:
                    await engine.aclassify(text, timeout_s=60)
                taken[way].append(1000 * (time.perf_counter() - began))
    of = {way: statistics.quantiles(each, n=100) for way, each in taken.items()}
    return {
        f"{name}_p{percent}": found
        for percent in (50, 99)
        for name, found in (
            ("bare", of["bare"][percent - 1]),
            ("added", of["engine"][percent - 1] - of["bare"][percent - 1]),
            ("added_to_session", of["engine"][percent - 1] - of["session"][percent - 1]),
        )
    }


def ready_engine(*, trains: bool) -> tuple[Any, dict[str, Bare]]:
    """Return an engine with the starter content, and its model without an engine around it.

    Args:
        trains: Whether to train a model on that content first.
    """
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from csplatform import garbage
    from intents import inference
    from intents.encoder.embedding import EMBEDDING, FEATURE, LOGITS, Graph
    from intents.inference import artifacts

    call_command("migrate", verbosity=0)
    call_command("load_starter", verbosity=0)
    if trains:  # apart: nothing of it stays in this process
        subprocess.run([sys.executable, "manage.py", "train"], cwd=ROOT, check=True)
    inference.start()
    deadline = time.monotonic() + READY_S
    while not (
        (status := inference.status()).content_version > 0
        and (status.state, status.source) == ("ready", "model")
    ):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the engine was not ready in time: {status}")
        time.sleep(0.2)
    classifier = inference._running()._understanding.model.classifier
    session = Graph(
        classifier.backend,
        settings.MODEL_DIR / status.model_version / artifacts.TOKENIZER,
        prefix=classifier.manifest.prefix,
        max_tokens=classifier.manifest.max_tokens,
    )
    garbage.start()  # as web processes
    print(f"{status.source} {status.model_version}, warmed up in {status.warm_up_ms:.0f} ms")
    return inference, {
        "bare": classifier.read,
        "session": lambda some: session.run(some, LOGITS, FEATURE, EMBEDDING),
    }


def measure(
    engine: Any, bare_ways: Mapping[str, Bare], callers: int, rounds: int
) -> dict[str, Any]:
    """Measure everything, in turns."""
    sentences = texts()
    in_order = by_tokens(sentences)
    read = bare_ways["bare"]
    rates = {
        size: max(bare_loop(read, in_order[size % 2 :: 2], size) for _ in range(2))
        for size in BATCH_SIZES
    }
    best = max(rates, key=lambda size: rates[size])
    print("bare loop: " + ", ".join(f"{size}: {rate:.0f}/s" for size, rate in rates.items()))
    bare, ours, p95s, lone = [], [], [], []
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as web processes
        for _ in range(rounds):
            bare.append(bare_loop(read, in_order, best))
            rate, p95 = runner.run(many_callers(engine, sentences, callers))
            ours.append(rate)
            p95s.append(p95)
            lone.append(runner.run(lone_caller(engine, bare_ways, in_order[::2])))
            print(
                f"bare {bare[-1]:.0f}/s, engine {rate:.0f}/s, ratio {rate / bare[-1]:.3f},"
                f" lone caller +{lone[-1]['added_p50']:.2f} ms p50,"
                f" +{lone[-1]['added_p99']:.2f} ms p99"
                f" ({lone[-1]['added_to_session_p99']:+.2f} to the session alone)"
            )
    return {
        "ratio_to_bare": statistics.median(
            rate / against for rate, against in zip(ours, bare, strict=True)
        ),
        "bare_texts_per_s": statistics.median(bare),
        "engine_texts_per_s": statistics.median(ours),
        "engine_p95_ms": statistics.median(p95s),
        "best_batch_size": best,
        "lone_caller_ms": {
            name: statistics.median(each[name] for each in lone) for name in lone[0]
        },
        "callers": callers,
        "texts": len(sentences),
        "rounds": rounds,
        "load_average": os.getloadavg()[0],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--model-dir",
        type=Path,
        help="MODEL_DIR with an active version that has learned the content",
    )
    parser.add_argument("--callers", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="csplatform-engine-") as directory:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "csplatform.settings",
            "VAR_DIR": directory,
            "LOG_LEVEL": "WARNING",
            "OMP_NUM_THREADS": "1",
            "INTENTS_QUEUE_MAX_TEXTS": str(10 * options.callers),
            "MODEL_DIR": str((options.model_dir or Path(directory) / "models").resolve()),
        }
        os.environ.pop("DATABASE_URL", None)
        engine, bare = ready_engine(trains=options.model_dir is None)
        found = measure(engine, bare, options.callers, options.rounds)
        engine.stop()
    lone = found["lone_caller_ms"]
    print(
        f"ratio_to_bare {found['ratio_to_bare']:.3f} at {options.callers} callers, lone caller"
        f" {lone['added_p50']:+.2f} ms p50, {lone['added_p99']:+.2f} ms p99, to the session alone"
        f" {lone['added_to_session_p50']:+.2f} and {lone['added_to_session_p99']:+.2f}"
        f" (medians of {options.rounds} rounds, load of the machine {found['load_average']:.1f})"
    )
    print("repeat: python -m benchmarks.engine " + " ".join(sys.argv[1:]))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()

"""The engine on a GPU: many callers of one network, against the bare loop and against the CPU.

    python benchmarks/gpu_inference.py [--device cuda|cpu] [--seconds 3] [--rounds 3] [--json OUT]

Needs this checkout's files and torch, transformers and numpy, nothing else: no Django, no ONNX
Runtime, nothing installed from here. It drives the product's own batching module and torch
backend. Networks have the shapes of multilingual-e5-small and BERT-base with random weights,
texts are random ids of 8 to 64 tokens: the time that they take is real, what they say is not.

For each network, all in one run, each figure the median of the rounds:
    bare     the same backend in a plain loop, batches of texts of like length, at the best size
    engine   1, 64 and 256 callers, each asking again as soon as it is answered
    lone     what a lone caller waits for longer than for the backend itself
    cpu      the bare loop in single precision on the CPU, with all its cores (--threads)
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent


def without_their_init(*packages: str) -> None:
    """Let modules of packages be imported whose __init__ wants Django and its settings."""
    sys.path.insert(0, str(ROOT))
    for name in packages:
        package = ModuleType(name)
        package.__path__ = [str(ROOT.joinpath(*name.split(".")))]
        sys.modules[name] = package


without_their_init("intents", "intents.encoder", "intents.inference", "intents.inference.backends")

import numpy as np  # noqa: E402
import torch  # noqa: E402
from transformers import BertConfig, BertModel  # noqa: E402

from intents.inference.backends.bert import Weights, weights_of  # noqa: E402
from intents.inference.backends.buckets import GPU_CALL_TOKENS  # noqa: E402
from intents.inference.backends.torch import Torch  # noqa: E402
from intents.inference.batching import CALL_TOKENS, Batcher  # noqa: E402

CLASSES = 50
CALLERS = (1, 64, 256)
BATCH_SIZES = (1, 8, 32, 64, 128, 256)
TEXTS = 4096
# Tokens of one batch, padding included: what INTENTS_BATCH_MAX_TOKENS is set to there.
BATCH_TOKENS = {"cuda": 8192, "cpu": 2048}
SHAPES = {
    "e5-small": {"hidden_size": 384, "num_attention_heads": 12, "intermediate_size": 1536},
    "bert-base": {"hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 3072},
}

Row = "np.ndarray[tuple[int], np.dtype[np.int64]]"


@dataclass(frozen=True)
class Load:
    """What some callers were given."""

    texts_per_s: float
    p50_ms: float
    p95_ms: float


def network(shape: str) -> tuple[Weights, BertModel]:
    """Return a classifier with random weights, and the encoder it was made of."""
    torch.manual_seed(0)
    config = BertConfig(vocab_size=30_000, num_hidden_layers=12, **SHAPES[shape])
    encoder = BertModel(config, add_pooling_layer=False).eval()
    head = torch.randn(CLASSES, config.hidden_size), torch.zeros(CLASSES)
    return weights_of(config, tuned=encoder.state_dict(), head=head), encoder


def random_texts(seed: int = 0) -> list[Row]:
    """Return token ids of texts of 8 to 64 tokens, each length as likely as any other."""
    random = np.random.default_rng(seed)
    return [random.integers(1000, 29_000, length) for length in random.integers(8, 65, TEXTS)]


def run(backend: Torch, rows: Sequence[Row]) -> list[Row]:
    """Pad and run a batch, as `manage.py serve_inference` does."""
    ids = np.zeros((len(rows), max(map(len, rows))), np.int64)
    mask = np.zeros_like(ids)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = row
        mask[number, : len(row)] = 1
    [logits] = backend.run(ids, mask, ["logits"])
    return list(logits)


def agrees(backend: Torch, encoder: BertModel, rows: Sequence[Row]) -> float:
    """Return the lowest cosine between our features and those of transformers' own forward."""
    lowest = 1.0
    for row in rows:
        ids = torch.from_numpy(row)[None]
        with torch.inference_mode():
            theirs = encoder(ids).last_hidden_state.mean(1)[0].numpy()
        [[ours]] = backend.run(row[None], np.ones_like(row)[None], ["feature"])
        cosine = float(ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs))
        lowest = min(lowest, cosine)
    return lowest


def bare(backend: Torch, texts: Sequence[Row], seconds: float) -> tuple[float, int]:
    """Return texts a second at the best batch size, and that size. Texts go by length."""
    ordered = sorted(texts, key=len)
    found = []
    for size in BATCH_SIZES:
        batches = [ordered[at : at + size] for at in range(0, len(ordered), size)]
        np.random.default_rng(0).shuffle(starts := list(range(len(batches))))
        done, at = 0, 0
        run(backend, batches[0])
        began = time.perf_counter()
        while (spent := time.perf_counter() - began) < seconds / len(BATCH_SIZES):
            batch = batches[starts[at % len(starts)]]
            run(backend, batch)
            done, at = done + len(batch), at + 1
        found.append((done / spent, size))
    return max(found)


def one_by_one(backend: Torch, texts: Sequence[Row], seconds: float) -> float:
    """Return the median milliseconds of one text in a batch of its own, without any engine."""
    spent = []
    until = time.perf_counter() + seconds
    for text in texts:
        began = time.perf_counter()
        run(backend, [text])
        spent.append(time.perf_counter() - began)
        if began > until:
            break
    return 1000 * statistics.median(spent)


def engine(backend: Torch, texts: Sequence[Row], callers: int, seconds: float, device: str) -> Load:
    """Let so many coroutines of one event loop ask the batching module without a pause."""
    batcher = Batcher(
        lambda rows: run(backend, rows),
        max_text_tokens=64,
        max_batch_tokens=BATCH_TOKENS[device],
        max_queue=2 * max(CALLERS),
        call_tokens=GPU_CALL_TOKENS if device == "cuda" else CALL_TOKENS,
        tokens_of=lambda row, most: min(most, len(row)),
    )
    waits: list[float] = []

    async def caller(number: int, until: float) -> None:
        at = number * 37
        while (began := time.perf_counter()) < until:
            await batcher.submit_here(texts[at % len(texts)])
            waits.append(time.perf_counter() - began)
            at += callers

    async def all_of_them() -> float:
        began = time.perf_counter()
        await asyncio.gather(*(caller(number, began + seconds) for number in range(callers)))
        return time.perf_counter() - began

    spent = asyncio.run(all_of_them())
    batcher.close()
    p50, p95 = (1000 * float(np.quantile(waits, share)) for share in (0.5, 0.95))
    return Load(len(waits) / spent, p50, p95)


def median(measure: Callable[[], float], rounds: int) -> float:
    return statistics.median(measure() for _ in range(rounds))


def measure_shape(
    shape: str, device: str, seconds: float, rounds: int, threads: int
) -> dict[str, object]:
    """Measure one network, and print as it goes."""
    weights, encoder = network(shape)
    texts = random_texts()
    began = time.perf_counter()
    backend = Torch(weights, device=device, threads=threads)
    loaded_s = time.perf_counter() - began
    cosine = agrees(backend, encoder, texts[:8])
    assert cosine > 0.999, f"{backend.name} says something else than transformers ({cosine})"
    print(f"\n{shape} on {backend.name}: loaded in {loaded_s:.1f} s, cosine {cosine:.6f}")

    bares: list[tuple[float, int]] = []
    loads: dict[int, list[Load]] = {callers: [] for callers in CALLERS}
    for _ in range(rounds):  # in turns: what else the machine does then falls on all alike
        bares.append(bare(backend, texts, seconds))
        for callers in CALLERS:
            loads[callers].append(engine(backend, texts, callers, seconds, device))
    alone_ms = median(lambda: one_by_one(backend, texts, seconds / 3), rounds)
    bare_s, size = statistics.median(rate for rate, _ in bares), bares[0][1]
    print(f"  bare       {bare_s:9.0f} texts/s in batches of {size}; one text {alone_ms:.2f} ms")
    found: dict[str, object] = {
        "backend": backend.name,
        "loaded_s": loaded_s,
        "cosine_to_transformers": cosine,
        "bare": {"texts_per_s": bare_s, "batch_size": size, "one_text_ms": alone_ms},
    }
    for callers in CALLERS:
        rate, p50, p95 = (
            statistics.median(getattr(load, name) for load in loads[callers])
            for name in ("texts_per_s", "p50_ms", "p95_ms")
        )
        ratio = statistics.median(
            load.texts_per_s / best for load, (best, _) in zip(loads[callers], bares, strict=True)
        )
        found[f"engine_{callers}"] = {
            "texts_per_s": rate, "p50_ms": p50, "p95_ms": p95, "ratio_to_bare": ratio,
        }  # fmt: skip
        print(
            f"  {callers:3} callers {rate:8.0f} texts/s, {ratio:.2f} of bare;"
            f" p50 {p50:.2f} ms, p95 {p95:.2f} ms"
        )
        if callers == 1:
            found["lone_added_p50_ms"] = p50 - alone_ms
    backend.close()
    if device != "cpu":
        cpu = Torch(weights, device="cpu", threads=threads)
        cpu_s = median(lambda: bare(cpu, texts, seconds)[0], rounds)
        found["cpu"] = {"texts_per_s": cpu_s, "threads": threads, "gpu_to_cpu": bare_s / cpu_s}
        print(
            f"  cpu fp32   {cpu_s:9.0f} texts/s with {threads} threads: {bare_s / cpu_s:.0f} times"
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--device", choices=("cuda", "cpu"), default=default)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="on the CPU")
    parser.add_argument("--json", type=Path, metavar="OUT")
    args = parser.parse_args()
    name = torch.cuda.get_device_name() if args.device == "cuda" else "CPU"
    print(f"{name}, torch {torch.__version__}, {args.rounds} rounds of {args.seconds:g} s")
    result = {
        "device": name,
        "torch": torch.__version__,
        "shapes": {
            shape: measure_shape(shape, args.device, args.seconds, args.rounds, args.threads)
            for shape in args.shapes
        },
    }
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"\nAgain: python benchmarks/gpu_inference.py {' '.join(sys.argv[1:])}")


if __name__ == "__main__":
    main()

"""Many callers at once: the engine's batches against one text at a time behind a lock.

    python -m benchmarks.engine_throughput [--model DIRECTORY] [--callers 32] [--seconds 10]

Both run the same model in this process, in turns, and the ratio of their texts per CPU second
is printed. Without --model it is the base encoder with prototypes of the starter content, which
costs what a trained network of that size costs.
"""

import argparse
import os
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csplatform.settings")
django.setup()

from django.conf import settings  # noqa: E402

from intents import starter  # noqa: E402
from intents.guard import normalize  # noqa: E402
from intents.inference import artifacts, loading  # noqa: E402
from intents.inference.base import TrainedModel  # noqa: E402
from intents.inference.batching import Batcher  # noqa: E402
from intents.inference.catalogue import Catalogue, Sentence  # noqa: E402
from intents.inference.onnx import OnnxClassifier  # noqa: E402
from intents.inference.understanding import Understanding, examples_of  # noqa: E402


def understanding(directory: Path | None) -> Understanding:
    """Return what a process has that has loaded the starter content, and perhaps a model."""
    encoder = loading.frozen_encoder()
    rows = [row for row in starter.rows("utterances") if row["split"] == "train"]
    sentences = tuple(
        Sentence(row["intent"], normalize.for_model(row["text"]), "", row["family"]) for row in rows
    )
    names = {row["code"]: (row["name_zh"],) for row in starter.rows("intents")}
    catalogue = Catalogue(1, frozenset(names), names, sentences)
    if directory is not None:
        manifest = artifacts.verify(directory)
        classifier = OnnxClassifier(directory, encoder.embedder)
        return Understanding(
            catalogue, model=TrainedModel(manifest.version, classifier, manifest.seen)
        )
    vectors = encoder.embedder.embed([sentence.text for sentence in sentences])
    return Understanding(catalogue, examples=examples_of(catalogue, vectors, encoder, None))


def measure(
    classify: Callable[[str], object], texts: list[str], callers: int, seconds: float
) -> tuple[float, list[float]]:
    """Let so many callers ask without a pause.

    Returns:
        Texts a second of this process's CPU time (wall time where other programs run beside it
        says more about them), and each call's seconds.
    """
    until = time.perf_counter() + seconds
    latencies: list[float] = []

    def call(number: int) -> None:
        position = number
        while (started := time.perf_counter()) < until:
            classify(texts[position % len(texts)])
            latencies.append(time.perf_counter() - started)
            position += callers

    threads = [threading.Thread(target=call, args=(number,)) for number in range(callers)]
    started = time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(latencies) / (time.process_time() - started), latencies


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, help="a model directory")
    parser.add_argument("--callers", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()

    known = understanding(asked.model)
    texts = [row["text"] for row in starter.rows("utterances") if row["split"] == "evaluation"]
    lock = threading.Lock()

    def one_at_a_time(text: str) -> object:
        with lock:
            return known.predict([text])[0]

    batcher = Batcher(
        known.predict,
        max_text_tokens=settings.INTENTS_MAX_TOKENS,
        max_batch_tokens=settings.INTENTS_BATCH_MAX_TOKENS,
        max_queue=settings.INTENTS_QUEUE_MAX_TEXTS,
    )
    ways: dict[str, Callable[[str], object]] = {
        "behind a lock": one_at_a_time,
        "engine": lambda text: batcher.submit(text).result(),
    }
    print(f"{known.source}, {asked.callers} callers, {len(texts)} different texts")
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(asked.rounds):
        for name, way in ways.items():
            rate, latencies = measure(way, texts, asked.callers, asked.seconds)
            rates[name].append(rate)
            p50, p95 = (statistics.quantiles(latencies, n=100)[at] * 1000 for at in (49, 94))
            print(f"{name:14} {rate:7.0f} texts/CPU s   p50 {p50:6.1f} ms   p95 {p95:6.1f} ms")
    for name, way in ways.items():
        _, latencies = measure(way, texts, 1, asked.seconds / 2)
        print(f"{name:14} one caller: p50 {statistics.median(latencies) * 1000:.2f} ms")
    ratio = statistics.median(rates["engine"]) / statistics.median(rates["behind a lock"])
    print(f"ratio          {ratio:.2f} (median of {asked.rounds} rounds in turns)")
    batcher.close()


if __name__ == "__main__":
    main()

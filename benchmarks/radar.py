"""Finds planted wrong labels: 8 % of a public set's training labels exchanged for others.

    python -m benchmarks.radar [--set intent_zh_jddc] [--most N] [--json OUT]

Two sorts of noise: any other intent, and the intent that a sentence is mistaken for most easily
(a light head's own second choice), which is harder. Reported is the share of the planted labels
among the first 12 % of the list; beside it that of a list in random order (12 %), and of the
lowest self-confidence: the same out-of-sample probabilities without neighbours, the plainest ranking
of confident learning. Train parts only.
"""

import argparse
import csv
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csplatform.settings")

import django

django.setup()

import numpy as np  # noqa: E402

from intents import encoder  # noqa: E402
from intents.guard import normalize  # noqa: E402
from intents.inference import loading  # noqa: E402
from training.radar import confident  # noqa: E402

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
NOISE, FIRST = 0.08, 0.12


def main() -> None:
    options = _options()
    embedder = loading.embedder_of(encoder.ensure())
    result: dict[str, Any] = {}
    for name in options.set or ("intent_zh_jddc", "intent_en_banking77"):
        path = DATA / name / "train.csv"
        if not path.exists():
            print(f"skipped {name}: {path} is not there")
            continue
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))[: options.most]
        labels = sorted({row["label"] for row in rows})
        truth = np.array([labels.index(row["label"]) for row in rows], np.int64)
        texts = [normalize.for_model(row["text"]) for row in rows]
        vectors = embedder.embed(texts)
        second = _second_choice(texts, vectors, truth)
        chance = np.random.default_rng(23)
        bad = chance.choice(len(truth), round(NOISE * len(truth)), replace=False)
        result[name] = {"utterances": len(rows)}
        for sort in ("any other intent", "the likeliest other"):
            given = truth.copy()
            given[bad] = (
                (truth[bad] + chance.integers(1, len(labels), len(bad))) % len(labels)
                if sort == "any other intent"
                else second[bad]
            )
            result[name][sort] = _found(texts, vectors, given, bad)
            print(name, sort, result[name][sort])
    if options.json:
        options.json.write_text(json.dumps(result, indent=1), encoding="utf-8")


def _second_choice(texts: list[str], vectors: Any, truth: Any) -> Any:
    probabilities = confident.out_of_sample(texts, vectors, truth)
    probabilities[np.arange(len(truth)), truth] = -1.0
    return probabilities.argmax(axis=1)


def _found(texts: list[str], vectors: Any, given: Any, bad: Any) -> dict[str, float]:
    began = time.process_time()
    judged = confident.judge(texts, vectors, given)
    first = round(FIRST * len(given))

    def share(order: Any) -> float:
        return len(set(order[:first].tolist()) & set(bad.tolist())) / len(bad)

    found = share(judged.order())
    by_confidence = share(np.argsort(judged.own, kind="stable"))
    return {
        "found": round(found, 3),
        "by_self_confidence": round(by_confidence, 3),
        "times_random": round(found / FIRST, 2),
        "times_self_confidence": round(found / by_confidence, 3),
        "cpu_s": round(time.process_time() - began, 1),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", action="append", help="folder of shared/data; more than once")
    parser.add_argument("--most", type=int, default=4000, help="utterances of a set")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

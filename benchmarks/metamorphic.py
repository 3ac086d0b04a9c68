"""By how much do a courtesy, a typo, an emoji, full width or traditional characters move a decision?

    python -m benchmarks.metamorphic [--models DIR] [--texts 1000] --json OUT

Over real messages (messages_zh, users of the shop only) the shares whose likeliest intent, and
whose decision at the default costs, differ after one change that means nothing; beside it the
same model asked with the text as it was typed. The model is that of benchmarks.open_set, draw 0.
"""

import argparse
import json
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import open_set  # sets Django up

# isort: split
import numpy as np

from benchmarks.decisions import RANKED, content_of
from benchmarks.transformations import TRANSFORMATIONS
from intents.content import Content
from intents.decisions import decide
from intents.guard import normalize
from intents.inference import Prediction
from training.datasets import Example


def messages(count: int) -> list[str]:
    """Return messages of the shop's customers, in the order of the file."""
    path = open_set.DATA / "messages_zh" / "messages.jsonl"
    with path.open(encoding="utf-8") as file:
        rows = (json.loads(line) for line in file)
        texts = [row["text"] for row in rows if row["source"] == "jddc" and row["role"] != "agent"]
    return texts[:count]


def decided(
    model: open_set.Trained, content: Content, texts: Sequence[str], spelled: Callable[[str], str]
) -> list[tuple[str, str]]:
    """Return the likeliest intent and the decision of each text, read as `spelled` gives it."""
    read = model.read([Example(text, "") for text in texts], spelled)
    unknown = model.scope.out_of_scope(read.seen)
    labels = model.manifest.labels
    found = []
    for row, strange in zip(read.probabilities, unknown, strict=True):
        ranked = tuple((labels[column], float(row[column])) for column in np.argsort(-row)[:RANKED])
        prediction = replace(Prediction(ranked, "model"), out_of_scope=float(strange))
        found.append((prediction.intent, str(decide(prediction, content))))
    return found


def measure(model: open_set.Trained, texts: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return shares that move, by transformation."""
    content = content_of(list(model.manifest.labels))
    results: dict[str, dict[str, float]] = {}
    ways: dict[str, Callable[[str], str]] = {"product": normalize.for_model, "as_typed": str}
    for way, spelled in ways.items():
        before = decided(model, content, texts, spelled)
        for name, transform in TRANSFORMATIONS.items():
            chance = random.Random(name)  # noqa: S311  (repeatable, not secret)
            after = decided(model, content, [transform(text, chance) for text in texts], spelled)
            moved = [(a[0] != b[0], a[1] != b[1]) for a, b in zip(before, after, strict=True)]
            intent, decision = np.mean(moved, axis=0)
            results.setdefault(name, {}).update(
                {f"{way}_intent": float(intent), f"{way}_decision": float(decision)}
            )
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, help="keep the trained model here")
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        model, _splits = open_set.trained("jddc", 0, options.models or Path(temporary))
        results = measure(model, messages(options.texts))
    _print(results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1), "utf-8")


def _print(results: dict[str, Any]) -> None:
    print("share that moves      intent  as typed  decision  as typed")
    for name, row in results.items():
        keys = ("product_intent", "as_typed_intent", "product_decision", "as_typed_decision")
        print(f"{name:18}" + "".join(f"{100 * row[key]:9.1f}%" for key in keys))


if __name__ == "__main__":
    main()

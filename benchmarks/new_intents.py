"""Adds intents to a trained model as staff do, and counts what they understand at once.

    python -m benchmarks.new_intents [--data DIR] [--models DIR] [--json OUT]

Each draw trains on all but eleven intents of a public set of customers' messages (JDDC, 51
intents) exactly as the product does, then adds those eleven with ten utterances each, which the
model has not seen, and asks every message of the test split. Nothing is trained for them. "New
ones right" counts the test messages of the eleven, "old ones lose" compares those of the others
before and after. `--on dev` holds out a fifth of train.csv instead, for choosing settings.

A draw takes about two minutes to train; `--models` keeps what was trained for the next run.
"""

import argparse
import hashlib
import json
import os
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csplatform.settings")

import django

django.setup()

import numpy as np  # noqa: E402

from intents import encoder  # noqa: E402
from intents.guard import normalize  # noqa: E402
from intents.inference import artifacts  # noqa: E402
from intents.inference.base import FrozenEncoder, TrainedModel  # noqa: E402
from intents.inference.catalogue import Catalogue, Sentence  # noqa: E402
from intents.inference.features import Features  # noqa: E402
from intents.inference.loading import embedder_of  # noqa: E402
from intents.inference.understanding import Understanding, examples_of  # noqa: E402
from training import datasets  # noqa: E402
from training.datasets import Example  # noqa: E402
from training.evaluate import calibration_error  # noqa: E402
from training.fit import Parameters, train_model  # noqa: E402

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "intent_zh_jddc"
NEW_INTENTS = 11
_AT_ONCE = 32


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        models = options.models or Path(folder)
        draws = [_draw(seed, options, models) for seed in options.seeds]
    mean = {key: float(np.mean([draw[key] for draw in draws])) for key in draws[0] if key != "new"}
    _print(draws, mean)
    if options.json:
        result = {
            "new_right": mean["new_right"],
            "old_lost": mean["old_lost"],
            "utterances": options.utterances,
            "measured_on": options.on,
            "mean": mean,
            "draws": draws,
        }
        text = json.dumps(result, indent=1, ensure_ascii=False)
        options.json.write_text(text, encoding="utf-8")


def _draw(seed: int, options: argparse.Namespace, models: Path) -> dict[str, Any]:
    train = datasets.read_csv(options.data / "train.csv")
    dev = datasets.read_csv(options.data / "dev.csv")
    asked = datasets.read_csv(options.data / "test.csv") if options.on == "test" else []
    if options.on == "dev":
        train, asked = datasets.split(train, seed)
    pick = random.Random(seed)  # noqa: S311  (repeatable, not secret)
    new = set(pick.sample(sorted({each.label for each in train}), NEW_INTENTS))
    taught = [each for each in (*train, *dev) if each.label not in new]
    base = encoder.ensure()
    frozen = FrozenEncoder(base.id, embedder_of(base))
    model = _model(
        [each for each in train if each.label not in new],
        [each for each in dev if each.label not in new],
        frozen,
        models,
        seed,
    )
    added = [
        each
        for intent in sorted(new)
        for each in pick.sample(
            [each for each in train if each.label == intent], options.utterances
        )
    ]
    before, _ = _answers(Understanding(_catalogue(taught), model=model), asked)
    catalogue = _catalogue([*taught, *added])
    texts = [sentence.text for sentence in catalogue.sentences]
    examples = examples_of(
        catalogue, frozen.embedder.embed(texts), frozen, model, features=Features(model)
    )
    after, sure = _answers(Understanding(catalogue, examples=examples, model=model), asked)
    truth = np.array([each.label for each in asked])
    is_new = np.isin(truth, list(new))
    by_new = np.isin(after, list(new))
    right = after == truth
    return {
        "seed": seed,
        "new": sorted(new),
        "new_right": float(right[is_new].mean()),
        "old_before": float((before == truth)[~is_new].mean()),
        "old_after": float(right[~is_new].mean()),
        "old_lost": float((before == truth)[~is_new].mean() - right[~is_new].mean()),
        # Of what is answered by a new intent: how often it is right, how sure it is of it.
        "precision": float(right[by_new].mean()),
        "confidence": float(sure[by_new].mean()),
        "calibration_error": calibration_error(sure[by_new], right[by_new], bins=8),
    }


def _model(
    train: list[Example], dev: list[Example], frozen: FrozenEncoder, models: Path, seed: int
) -> TrainedModel:
    rows = "\n".join(f"{each.label}\t{each.text}" for each in (*train, *dev))
    mark = hashlib.sha256(rows.encode()).hexdigest()[:8]
    directory = models / f"draw{seed}-{mark}"
    if not directory.exists():
        _tell(f"Training for draw {seed}")
        train_model(train, dev, encoder=encoder.ensure(), out=directory, parameters=Parameters())
    manifest = artifacts.verify(directory)
    classifier = artifacts.load_classifier(directory)
    return TrainedModel(directory.name, classifier, manifest.seen, directions=classifier.directions)


def _catalogue(examples: list[Example]) -> Catalogue:
    return Catalogue(
        version=1,
        active=frozenset(each.label for each in examples),
        names={},
        sentences=tuple(
            Sentence(
                each.label, normalize.for_model(each.text), normalize.key(each.text), family=""
            )
            for each in examples
        ),
    )


def _answers(understanding: Understanding, asked: list[Example]) -> tuple[Any, Any]:
    """Return the likeliest intent of each text and its probability."""
    predictions = [
        prediction
        for start in range(0, len(asked), _AT_ONCE)
        for prediction in understanding.predict(
            [each.text for each in asked[start : start + _AT_ONCE]]
        )
    ]
    intents = np.array([prediction.intent for prediction in predictions])
    return intents, np.array([prediction.probability for prediction in predictions])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--models", type=Path, help="keep the trained models here")
    parser.add_argument("--utterances", type=int, default=10, help="of each new intent")
    parser.add_argument("--on", choices=("test", "dev"), default="test")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _print(draws: list[dict[str, Any]], mean: dict[str, float]) -> None:
    columns = ("new_right", "old_before", "old_after", "old_lost", "precision", "confidence")
    print("draw  " + "".join(f"{name:>12}" for name in columns))
    for draw in draws:
        print(f"{draw['seed']:>4}  " + "".join(f"{draw[name]:>12.1%}" for name in columns))
    print("mean  " + "".join(f"{mean[name]:>12.1%}" for name in columns))


if __name__ == "__main__":
    main()

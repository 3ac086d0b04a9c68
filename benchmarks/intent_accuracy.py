"""Trains on a CSV file exactly as the product does, and measures what would be served.

    python -m benchmarks.intent_accuracy --train A.csv [--dev B.csv] --test C.csv [--json OUT]

The files are UTF-8 with the columns `text` and `label`. With --dev all of A is trained on and B
stops the training and calibrates; without it, A is split 8:2. The label `oos` in the test means
out of scope: such texts count only for the two oos figures.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csplatform.settings")

import django

django.setup()

import numpy as np  # noqa: E402

from intents import encoder  # noqa: E402
from intents.guard import normalize  # noqa: E402
from intents.inference import artifacts  # noqa: E402
from training import datasets  # noqa: E402
from training.evaluate import evaluate, simulated_calibration_error  # noqa: E402
from training.fit import Parameters, train_model  # noqa: E402

OUT_OF_SCOPE = "oos"


def main() -> None:
    options = _options()
    base = encoder.ensure(_progress)
    cpu_started = time.process_time()
    train = datasets.read_csv(options.train)
    if options.dev:
        dev = datasets.read_csv(options.dev)
    else:
        train, dev = datasets.split(train, options.seed)
    reading_cpu_s = time.process_time() - cpu_started
    test = datasets.read_csv(options.test)
    in_scope = [example for example in test if example.label != OUT_OF_SCOPE]
    chosen = {
        name: value
        for name in ("epochs", "learning_rate", "threads")
        if (value := getattr(options, name)) is not None
    }
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder, "model")
        report = train_model(
            train,
            dev,
            encoder=base,
            out=directory,
            parameters=Parameters(seed=options.seed, **chosen),
            progress=_progress,
            evaluation=in_scope,
        )
        artifacts.verify(directory)
        served = artifacts.load_classifier(directory)
        # One by one, as one customer asks.
        reads = [served.read([normalize.for_model(each.text)]) for each in test]
        probabilities = np.concatenate([each.probabilities for each in reads])
        out_of_scope = np.concatenate([each.out_of_scope for each in reads])
        sizes = {path.name: path.stat().st_size for path in sorted(directory.iterdir())}
    is_in_scope = np.array([example.label != OUT_OF_SCOPE for example in test])
    measures = evaluate(
        probabilities[is_in_scope], served.labels, [example.label for example in in_scope]
    )
    result: dict[str, Any] = {
        "accuracy": measures.accuracy,
        "fp32_accuracy": report.fp32.accuracy,
        "macro_f1": measures.macro_f1,
        "ece": measures.calibration_error,
        # What a perfectly calibrated model of the same confidences would show.
        "ece_simulated": simulated_calibration_error(probabilities[is_in_scope].max(axis=1)),
        "train_cpu_s": round(reading_cpu_s + report.cpu_seconds, 1),
        "train_wall_s": report.manifest.seconds,
        "model_bytes": report.model_bytes,
        "files": sizes,
        "texts": {"train": len(train), "dev": len(dev), "test": len(in_scope)},
        "labels": len(served.labels),
        "seed": options.seed,
        "encoder": base.id,
        "network_weight": report.manifest.network_weight,
        "light_weight": report.manifest.light_weight,
        "dev_accuracy": [round(epoch.dev_accuracy, 4) for epoch in report.history],
        **(
            _out_of_scope(probabilities, out_of_scope, served.labels, test)
            if not is_in_scope.all()
            else {}
        ),
        "per_class": measures.per_intent,
    }
    _print(result)
    if options.json:
        text = json.dumps(result, indent=1, ensure_ascii=False)
        options.json.write_text(text, encoding="utf-8")


def _out_of_scope(
    probabilities: Any, unknown: Any, labels: Any, test: list[datasets.Example]
) -> dict[str, float]:
    """Return how well the score of the product tells what is out of scope.

    `oos_auroc`: that a text out of scope gets more of it than one in scope; beside it the same
    of one minus the greatest probability. `oos_accuracy`: over all texts, when one that is
    likelier to mean none of the intents than the likeliest of them is taken for out of scope.
    """
    from sklearn.metrics import roc_auc_score

    truth = np.array([example.label for example in test])
    is_out = truth == OUT_OF_SCOPE
    certainty = probabilities.max(axis=1)
    guess = np.array(labels)[probabilities.argmax(axis=1)]
    guess = np.where(unknown > (1 - unknown) * certainty, OUT_OF_SCOPE, guess)
    return {
        "oos_auroc": float(roc_auc_score(is_out, unknown)),
        "oos_auroc_maximum_softmax": float(roc_auc_score(is_out, 1 - certainty)),
        "oos_accuracy": float((guess == truth).mean()),
        "oos_texts": int(is_out.sum()),
    }


def _options() -> argparse.Namespace:
    defaults = Parameters()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--dev", type=Path)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--epochs", type=int, help=f"default {defaults.epochs}")
    parser.add_argument("--learning-rate", type=float, help="default: what suits the encoder")
    parser.add_argument("--threads", type=int, help="of torch; default: all")
    return parser.parse_args()


def _progress(step: str, fraction: float) -> None:
    if sys.stderr.isatty():
        print(f"\r{step:<24}{fraction:6.1%}", end="", file=sys.stderr, flush=True)


def _print(result: dict[str, Any]) -> None:
    rows = sorted(result["per_class"].items(), key=lambda item: item[1]["f1"])
    print(f"\n{'f1':>6} {'prec.':>6} {'recall':>6} {'texts':>6}  label")
    for label, row in rows:
        figures = f"{row['f1']:6.3f} {row['precision']:6.3f} {row['recall']:6.3f}"
        print(f"{figures} {row['texts']:6.0f}  {label}")
    print()
    for name, value in result.items():
        if name != "per_class":
            print(
                f"{name:>16}  {value:.4f}" if isinstance(value, float) else f"{name:>16}  {value}"
            )


if __name__ == "__main__":
    main()

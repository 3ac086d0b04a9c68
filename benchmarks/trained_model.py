"""Trains a model directory from CSV files, once for each state of the files.

    python -m benchmarks.trained_model --train A.csv --dev B.csv --work DIR

The files are UTF-8 with the columns `text` and `label`. Prints the MODEL_DIR that was made, or
found: DIR/models-<fingerprint>. The labels of real data sets are names; intents have codes, so
the model knows `intent_01` for the first of them in alphabetical order (`codes`).
"""

import argparse
import csv
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_VERSION = "benchmark"


def codes(labels: Iterable[str]) -> dict[str, str]:
    """Give each label a code that an intent may have."""
    return {label: f"intent_{number:02d}" for number, label in enumerate(sorted(set(labels)), 1)}


def read(path: Path) -> list[tuple[str, str]]:
    """Return (text, label) of each row of a CSV file, in its order."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [(row["text"].strip(), row["label"].strip()) for row in csv.DictReader(file)]


def model_dir(train: Path, dev: Path, work: Path) -> Path:
    """Return a MODEL_DIR with a model of these files, trained now if there is none (minutes)."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.trained_model"),
            *("--train", train, "--dev", dev, "--work", work),
        ],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return Path(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--dev", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="where models are kept")
    options = parser.parse_args()

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csplatform.settings")
    import django

    django.setup()
    from django.conf import settings

    from intents.inference import artifacts

    fingerprint = hashlib.sha256(f"format {artifacts.FORMAT}".encode())
    for path in (options.train, options.dev):
        fingerprint.update(path.read_bytes())
    home = (options.work / f"models-{fingerprint.hexdigest()[:12]}").resolve()
    if not (home / _VERSION).is_dir():
        _train(options.train, options.dev, home / _VERSION)
    artifacts.verify(home / _VERSION)
    settings.MODEL_DIR = home
    artifacts.point_to(_VERSION)
    print(home)


def _train(train: Path, dev: Path, out: Path) -> None:
    from intents import encoder
    from training.datasets import Example
    from training.fit import train_model

    def show(step: str, fraction: float) -> None:
        if sys.stderr.isatty():
            print(f"\r{step:<24}{fraction:6.1%}", end="", file=sys.stderr, flush=True)

    rows = {"train": read(train), "dev": read(dev)}
    known = codes(label for _text, label in rows["train"])
    examples = {
        name: [Example(text, known[label]) for text, label in part if label in known]
        for name, part in rows.items()
    }
    train_model(
        examples["train"], examples["dev"], encoder=encoder.ensure(show), out=out, progress=show
    )


if __name__ == "__main__":
    main()

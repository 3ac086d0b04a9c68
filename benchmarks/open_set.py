"""Can texts that mean none of the intents be told? Trains on three quarters, tests on all.

    python -m benchmarks.open_set [--sets jddc banking77] [--draws 5 2] [--models DIR] --json OUT

For each draw a quarter of the intents is left out of training and held-out texts; the test has
all. Every score is of one pass over the same texts. AUROC: that a text in scope is taken for
likelier to be in scope than one that is not. Which score the product uses was chosen on the dev
split; the test split is only reported. Trained models are kept in --models, if given.
"""

import argparse
import json
import os
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csplatform.settings")

import django

django.setup()

import numpy as np  # noqa: E402
from django.conf import settings  # noqa: E402
from sklearn.metrics import roc_auc_score  # noqa: E402

from intents import encoder  # noqa: E402
from intents.encoder.embedding import EMBEDDING, FEATURE, LOGITS, Graph, unit  # noqa: E402
from intents.guard import normalize  # noqa: E402
from intents.inference import artifacts  # noqa: E402
from intents.inference.backends import open_backend  # noqa: E402
from intents.inference.base import Floats  # noqa: E402
from intents.inference.scope import Neighbourhood, Novelty, Scope, Seen  # noqa: E402
from intents.inference.scoring import LightHead, Mixture, ngrams, softmax  # noqa: E402
from training import datasets  # noqa: E402
from training.datasets import Example  # noqa: E402
from training.evaluate import calibration_error, simulated_calibration_error  # noqa: E402
from training.fit import Parameters, train_model  # noqa: E402

DATA = Path(__file__).parents[2] / "shared" / "data"
SETS = {"jddc": "intent_zh_jddc", "banking77": "intent_en_banking77"}
SHRINKAGE = 0.3  # of the covariances of the Mahalanobis distances
NEIGHBOUR = 5


@dataclass(frozen=True, slots=True)
class Texts:
    """One split as a model reads it."""

    texts: list[str]
    labels: list[str]
    probabilities: Floats
    vectors: Floats  # of the frozen encoder
    features: Floats  # of the fine-tuned network
    network: Floats  # logits
    light: Floats
    pooled: Floats

    @property
    def seen(self) -> Seen:
        return Seen(self.vectors, self.light, self.features, self.probabilities)


class Trained:
    """A model directory, opened so far that every score can be computed from one pass."""

    def __init__(self, directory: Path, train: Sequence[Example]) -> None:
        self.manifest = artifacts.verify(directory)
        self.column = {label: index for index, label in enumerate(self.manifest.labels)}
        self._graph = Graph(
            open_backend(directory / artifacts.CLASSIFIER, threads=settings.INTENTS_THREADS),
            directory / artifacts.TOKENIZER,
            prefix=self.manifest.prefix,
            max_tokens=self.manifest.max_tokens,
        )
        self.light = LightHead.load(directory / artifacts.LIGHT_HEAD)
        self.scope = Scope.load(directory / artifacts.SCOPE)
        self.train = self.read(train)
        self.targets = np.array([self.column[label] for label in self.train.labels])

    def read(
        self,
        examples: Sequence[Example],
        spelled: Callable[[str], str] = normalize.for_model,
    ) -> Texts:
        texts = [spelled(example.text) for example in examples]
        network, features, vectors = self._graph.run(texts, LOGITS, FEATURE, EMBEDDING)
        vectors = unit(vectors)
        light = self.light.logits(texts, vectors)
        mixture = Mixture(self.manifest.network_weight, self.manifest.light_weight)
        probabilities = mixture.probabilities(network, light)
        pooled = network * mixture.network + light * mixture.light
        labels = [example.label for example in examples]
        return Texts(texts, labels, probabilities, vectors, features, network, light, pooled)

    def scores(self, of: Texts) -> dict[str, Floats]:
        """Return every candidate, the greater the surer that a text is in scope."""
        top = of.pooled.max(axis=1)
        found = {
            "maximum softmax": of.probabilities.max(axis=1),
            "entropy": (of.probabilities * np.log(of.probabilities + 1e-12)).sum(axis=1),
            "maximum logit": top,
            "energy": top + np.log(np.exp(of.pooled - top[:, None]).sum(axis=1)),
            "agreement of network and light head": np.sqrt(
                softmax(of.network) * softmax(of.light)
            ).sum(axis=1),
            "n-gram coverage": self._coverage(of.texts),
        }
        for name, texts, learned in (
            ("frozen", of.vectors, self.train.vectors),
            ("fine-tuned", of.features, self.train.features),
            ("light head's logits", of.light, self.train.light),
        ):
            near, far = _mahalanobis(texts, learned, self.targets)
            found[f"Mahalanobis, {name}"] = -near
            found[f"relative Mahalanobis, {name}"] = far - near
            cosines = np.sort(_unit(texts) @ _unit(learned).T, axis=1)
            found[f"kNN (cosine), {name}"] = cosines[:, -NEIGHBOUR]
            found[f"nearest inner product, {name}"] = (texts @ learned.T).max(axis=1)
            found[f"neighbourhood, {name}"] = Neighbourhood.fit(learned).scores(texts)
            found[f"novelty (PLDA), {name}"] = Novelty.fit(learned, self.targets).scores(texts)
        found["the product's"] = -self.scope.out_of_scope(of.seen)
        return found

    def _coverage(self, texts: Sequence[str]) -> Floats:
        """Share of a text's n-grams, weighted by rarity, that training has seen."""
        columns, idf = self.light.tfidf.columns, self.light.tfidf.idf
        shares = []
        for text in texts:
            grams = set(ngrams(text))
            known = [columns[gram] for gram in grams if gram in columns]
            weight = float(idf[known].sum())
            shares.append(weight / (weight + float(idf.max()) * (len(grams) - len(known)) + 1e-9))
        return np.array(shares, np.float32)


def held_out(labels: Sequence[str], draw: int) -> set[str]:
    """Return the quarter of the intents that this draw leaves out."""
    names = sorted(set(labels))
    return set(random.Random(draw).sample(names, round(len(names) / 4)))  # noqa: S311


def trained(name: str, draw: int, folder: Path) -> tuple[Trained, dict[str, list[Example]]]:
    """Train, or open what an earlier run has left in `folder`."""
    base = encoder.ensure()
    splits = {
        part: datasets.read_csv(DATA / SETS[name] / f"{part}.csv")
        for part in ("train", "dev", "test")
    }
    unknown = held_out([example.label for example in splits["train"]], draw)
    train, dev = (
        [example for example in splits[part] if example.label not in unknown]
        for part in ("train", "dev")
    )
    directory = folder / f"{name}-{draw}"
    if not directory.is_dir():
        print(f"training {name}, draw {draw} …", file=sys.stderr, flush=True)
        train_model(train, dev, encoder=base, out=directory, parameters=Parameters())
    return Trained(directory, train), splits


def measure(name: str, draw: int, folder: Path) -> dict[str, Any]:
    """Return AUROC by score and split, and how well probabilities are calibrated on the test."""
    model, splits = trained(name, draw, folder)
    result: dict[str, Any] = {"draw": draw, "labels": len(model.manifest.labels), "auroc": {}}
    for part in ("dev", "test"):
        read = model.read(splits[part])
        inside = np.array([label in model.column for label in read.labels])
        for score, values in model.scores(read).items():
            areas = result["auroc"].setdefault(score, {})
            areas[part] = float(roc_auc_score(inside, values))
    confidence = read.probabilities.max(axis=1)[inside]
    truth = [model.column[label] for label in read.labels if label in model.column]
    right = read.probabilities.argmax(axis=1)[inside] == truth
    result |= {
        "accuracy": float(right.mean()),
        "ece": calibration_error(confidence, right),
        "ece_simulated": simulated_calibration_error(confidence),
        "test": {"in_scope": int(inside.sum()), "out_of_scope": int((~inside).sum())},
    }
    return result


def _mahalanobis(texts: Floats, learned: Floats, targets: Any) -> tuple[Floats, Floats]:
    """Return squared distances to the nearest intent and to all texts as one Gaussian."""
    centre = learned.mean(axis=0)
    means = np.stack([learned[targets == k].mean(axis=0) for k in range(targets.max() + 1)])

    def inverse(rows: Floats) -> Floats:
        covariance = rows.T @ rows / len(rows)
        spread = np.trace(covariance) / len(covariance)
        shrunk = (1 - SHRINKAGE) * covariance + SHRINKAGE * spread * np.eye(len(covariance))
        return np.linalg.inv(shrunk).astype(np.float32)

    within = inverse(learned - means[targets])
    apart = [np.einsum("nd,de,ne->n", texts - mean, within, texts - mean) for mean in means]
    all_alike = inverse(learned - centre)
    far = np.einsum("nd,de,ne->n", texts - centre, all_alike, texts - centre)
    return np.min(apart, axis=0), far


def _unit(vectors: Floats) -> Floats:
    lengths: Floats = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(lengths, 1e-9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument(
        "--draws", nargs="+", type=int, default=[5, 2], help="of each set, in order"
    )
    parser.add_argument("--models", type=Path, help="keep trained models here")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    draws = dict(zip(SETS, [*options.draws, *[2] * len(SETS)], strict=False))
    results: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.models or Path(temporary)
        for name in options.sets:
            results[name] = [measure(name, draw, folder) for draw in range(draws[name])]
            _print(name, results[name])
    if options.json:
        options.json.write_text(json.dumps(results, indent=1, ensure_ascii=False), "utf-8")


def _print(name: str, draws: list[dict[str, Any]]) -> None:
    print(f"\n{name}: mean of {len(draws)} draws, AUROC of in scope against out of scope")
    print(f"{'dev':>7} {'test':>7}  score")
    mean = {
        score: [float(np.mean([draw["auroc"][score][part] for draw in draws])) for part in PARTS]
        for score in draws[0]["auroc"]
    }
    for score, (dev, test) in sorted(mean.items(), key=lambda item: -item[1][0]):
        print(f"{dev:7.3f} {test:7.3f}  {score}")
    for draw in draws:
        product = draw["auroc"]["the product's"]["test"]
        print(
            f"draw {draw['draw']}: accuracy in scope {draw['accuracy']:.3f}, the product's AUROC on "
            f"test {product:.3f}, calibration error {draw['ece']:.3f} (perfectly calibrated: "
            f"{draw['ece_simulated']:.3f})"
        )


PARTS = ("dev", "test")

if __name__ == "__main__":
    main()

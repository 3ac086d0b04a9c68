"""Labelled sentences in, a model directory out. Knows no database."""

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from django.conf import settings
from django.utils.translation import gettext as _
from tokenizers import Tokenizer

from intents.encoder import EncoderDirectory
from intents.encoder.embedding import EMBEDDING, FEATURE, LOGITS, Graph, unit
from intents.guard import normalize
from intents.inference import artifacts
from intents.inference.artifacts import Manifest
from intents.inference.backends import open_backend
from intents.inference.base import Floats
from intents.inference.scope import Scope, Seen
from intents.inference.scoring import LightHead, Mixture
from training import calibration, light_head
from training.calibration import held_out_auroc
from training.datasets import BadDataset, Example
from training.evaluate import Measures, Scored, evaluate, scored
from training.export import export
from training.finetune import Epoch, Texts, finetune, recipe_for
from training.network import Network

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Parameters:
    """What decides how a training comes out; the fields of a TrainingRun."""

    batch_size: int = 32
    epochs: int = 4
    learning_rate: float | None = None  # None: what suits the encoder
    max_tokens: int = 64
    patience: int = 2  # epochs without gain on dev before it stops
    seed: int = 42
    device: str = "auto"  # auto, cpu, cuda
    threads: int = 0  # of torch; 0 leaves them as they are


@dataclass(frozen=True, slots=True)
class Report:
    """What came out of a training."""

    manifest: Manifest
    history: list[Epoch]
    fp32: Measures  # of the same system with the network before quantization
    int8: Measures  # of the system as it serves
    scored: list[Scored]  # each measured text, as it serves
    model_bytes: int  # the whole directory
    cpu_seconds: float  # of all threads, up to the finished int8 system, measuring left out


def train_model(
    train: Sequence[Example],
    dev: Sequence[Example],
    *,
    encoder: EncoderDirectory,
    out: Path,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
    evaluation: Sequence[Example] = (),
) -> Report:
    """Fine-tune, export, quantize, calibrate and measure; then put the directory in place.

    Args:
        train: What it learns from. Its labels are those of the model.
        dev: Stops the training and calibrates. Labels that `train` lacks are left out.
        out: The model directory, whose name is the version. It must not exist. It appears
            complete or not at all, whatever happens.
        progress: Called with "fit", "export" or "evaluate" and a fraction of that step. What
            it raises ends the training.
        evaluation: What the report measures; dev when empty.

    Raises:
        BadDataset: Fewer than two labels, or nothing in dev that could be measured.
        FileExistsError: `out` is there already.
    """
    parameters, report = parameters or Parameters(), progress or _silent
    started, cpu_started = time.monotonic(), time.process_time()
    labels = sorted({example.label for example in train})
    if len(labels) < 2:
        raise BadDataset(_("A model needs at least two intents to tell apart."))
    learned, held_out = _texts(train, labels), _texts(dev, labels)
    if not held_out.texts:
        raise BadDataset(_("No held-out text has an intent that is trained."))
    # A text of an intent that the model does not know counts as missed.
    measured = evaluation or [example for example in dev if example.label in labels]
    with _built_beside(out) as (directory, scratch):
        fp32 = scratch / "fp32.onnx"
        history = _make_network(
            learned, held_out, labels, encoder, parameters, directory, fp32, report
        )
        report("evaluate", 0.0)
        int8_graph, fp32_graph = (
            Graph(
                open_backend(path, threads=settings.INTENTS_THREADS),
                directory / artifacts.TOKENIZER,
                prefix=encoder.prefix,
                max_tokens=parameters.max_tokens,
            )
            for path in (directory / artifacts.CLASSIFIER, fp32)
        )
        vectors, features = int8_graph.run(learned.texts, EMBEDDING, FEATURE)
        vectors = unit(vectors)
        light = light_head.fit(learned.texts, vectors, learned.targets)
        report("evaluate", 0.3)
        held_out_logits, held_out_vectors = int8_graph.run(held_out.texts, LOGITS, EMBEDDING)
        held_out_vectors = unit(held_out_vectors)
        mixture = calibration.fit_mixture(
            held_out_logits, light.logits(held_out.texts, held_out_vectors), held_out.targets
        )
        if mixture.light:
            light.save(directory / artifacts.LIGHT_HEAD)
        system = _System(int8_graph, light, mixture)
        scope = Scope.fit(
            vectors,
            learned.targets,
            held_out=system.see(held_out.texts),
            features=features,
        )
        scope.save(directory / artifacts.SCOPE)
        np.save(directory / artifacts.DIRECTIONS, _directions(features, learned.targets))
        seconds, cpu_seconds = time.monotonic() - started, time.process_time() - cpu_started
        report("evaluate", 0.5)
        texts = [normalize.for_model(example.text) for example in measured]
        truth = [example.label for example in measured]
        seen = system.see(texts)
        assert seen.probabilities is not None  # noqa: S101  (a system has them)
        by_light = light.logits(texts, seen.vectors)
        [fp32_logits] = fp32_graph.run(texts, LOGITS)
        measures = {
            "fp32": evaluate(mixture.probabilities(fp32_logits, by_light), labels, truth),
            "int8": evaluate(seen.probabilities, labels, truth),
        }
        out_of_scope = scope.out_of_scope(seen)
        manifest = artifacts.write_manifest(
            directory,
            Manifest(
                version=out.name,
                encoder=encoder.id,
                labels=tuple(labels),
                prefix=encoder.prefix,
                max_tokens=parameters.max_tokens,
                created_at=datetime.now(UTC).isoformat(timespec="seconds"),
                seconds=round(seconds, 1),
                network_weight=mixture.network,
                light_weight=mixture.light,
                parameters=asdict(parameters),
                measures={
                    **{name: each.as_dict() for name, each in measures.items()},
                    "scope": {
                        "mean_in_scope": float(out_of_scope.mean()),
                        "auroc_of_held_out_intents": held_out_auroc(
                            vectors,
                            learned.targets,
                            held_out_vectors,
                            held_out.targets,
                        ),
                    },
                },
                data={
                    "fingerprint": _fingerprint(learned, held_out, labels),
                    "train_texts": len(learned.texts),
                    "dev_texts": len(held_out.texts),
                },
                # Held-out texts too: what chose the epoch and the calibration is not news.
                seen=frozenset(
                    artifacts.key_hash(normalize.key(text))
                    for text in (*learned.texts, *held_out.texts)
                ),
            ),
        )
        # Whatever is wrong with the directory shows here, and not when customers wait.
        artifacts.load_classifier(directory).read(["你好"])
        report("evaluate", 1.0)
    size = sum(path.stat().st_size for path in out.iterdir())
    return Report(
        manifest,
        history,
        measures["fp32"],
        measures["int8"],
        scored(seen.probabilities, out_of_scope, labels, truth),
        size,
        cpu_seconds,
    )


@dataclass(frozen=True, slots=True)
class _System:
    """What serves, before it is a directory."""

    graph: Graph
    light: LightHead
    mixture: Mixture

    def see(self, texts: Sequence[str]) -> Seen:
        """Read texts as customers' messages are read."""
        logits, features, vectors = self.graph.run(texts, LOGITS, FEATURE, EMBEDDING)
        vectors = unit(vectors)
        light = self.light.logits(texts, vectors)
        return Seen(vectors, self.mixture.probabilities(logits, light), features)


def _directions(features: Floats, targets: npt.NDArray[np.int64]) -> Floats:
    """Return the mean direction of each label's features, unit length, shape (k, f)."""
    sums = np.zeros((int(targets.max()) + 1, features.shape[1]), np.float32)
    np.add.at(sums, targets, unit(features))
    return unit(sums)


def _texts(examples: Sequence[Example], labels: Sequence[str]) -> Texts:
    column = {label: index for index, label in enumerate(labels)}
    known = [example for example in examples if example.label in column]
    return Texts(
        texts=[normalize.for_model(example.text) for example in known],
        targets=np.array([column[example.label] for example in known], np.int64),
    )


def _prefixed(texts: Texts, prefix: str) -> Texts:
    return replace(texts, texts=[prefix + text for text in texts.texts])


def _make_network(
    train: Texts,
    dev: Texts,
    labels: Sequence[str],
    encoder: EncoderDirectory,
    parameters: Parameters,
    directory: Path,
    fp32: Path,
    report: Progress,
) -> list[Epoch]:
    """Fine-tune, then write both graphs, and the tokenizer beside the int8 one."""
    report("fit", 0.0)
    if parameters.threads:
        torch.set_num_threads(parameters.threads)
    device = parameters.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    recipe = recipe_for(encoder.hidden_size)
    if parameters.learning_rate is not None:
        recipe = replace(recipe, learning_rate=parameters.learning_rate)
    network = Network(encoder.path, len(labels))
    history = finetune(
        network,
        Tokenizer.from_file(str(encoder.tokenizer)),
        _prefixed(train, encoder.prefix),
        _prefixed(dev, encoder.prefix),
        recipe=recipe,
        batch_size=parameters.batch_size,
        epochs=parameters.epochs,
        max_tokens=parameters.max_tokens,
        patience=parameters.patience,
        seed=parameters.seed,
        device=torch.device(device),
        progress=lambda share: report("fit", share),
    )
    report("export", 0.0)
    export(network.cpu(), encoder, fp32=fp32, int8=directory / artifacts.CLASSIFIER)
    shutil.copyfile(encoder.tokenizer, directory / artifacts.TOKENIZER)
    report("export", 1.0)
    return history


@contextmanager
def _built_beside(out: Path) -> Iterator[tuple[Path, Path]]:
    """Yield (directory, scratch): the first becomes `out` if all goes well, the second goes.

    Both lie beside `out`, so that the last step is a rename.
    """
    if out.exists():
        raise FileExistsError(f"{out} is there already.")
    out.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        directory = scratch / out.name
        directory.mkdir()
        yield directory, scratch
        directory.rename(out)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _fingerprint(train: Texts, dev: Texts, labels: Sequence[str]) -> str:
    """Return the same for the same sentences with the same labels, in whatever order."""
    rows = sorted(
        f"{side}\t{labels[target]}\t{text}"
        for side, part in (("train", train), ("dev", dev))
        for text, target in zip(part.texts, part.targets, strict=True)
    )
    return hashlib.sha256("\n".join(rows).encode("utf-8", "surrogatepass")).hexdigest()


def _silent(_step: str, _fraction: float) -> None:
    """Report to nobody."""

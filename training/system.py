"""Makes a network a model: light head, mixture, scope, manifest and measures, in a directory."""

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext as _

from intents.encoder import EncoderDirectory
from intents.encoder.embedding import unit
from intents.guard import normalize
from intents.inference import artifacts
from intents.inference.artifacts import Manifest
from intents.inference.base import Floats
from intents.inference.scope import Scope, Seen
from training import calibration, light_head
from training.calibration import held_out_auroc
from training.datasets import BadDataset, Example
from training.evaluate import evaluate, scored
from training.reports import Epoch, Progress, Report, Texts


class Clock:
    """What has been used since it was made: seconds on the wall, and of all processors."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def read(self) -> tuple[float, float]:
        return time.monotonic() - self._wall, time.process_time() - self._cpu


@dataclass(frozen=True, slots=True)
class Material:
    """What a model is made of and measured with."""

    labels: Sequence[str]  # sorted; its columns
    learned: Texts
    held_out: Texts  # calibrates
    measured: Sequence[Example]  # one of an intent that the model does not know counts as missed

    @classmethod
    def of(
        cls, train: Sequence[Example], dev: Sequence[Example], evaluation: Sequence[Example]
    ) -> "Material":
        """Take what can be used; without evaluation, dev is measured.

        Raises:
            BadDataset: Fewer than two labels, or nothing in dev that could be measured.
        """
        labels = sorted({example.label for example in train})
        if len(labels) < 2:
            raise BadDataset(_("A model needs at least two intents to tell apart."))
        held_out = Texts.of(dev, labels)
        if not held_out.texts:
            raise BadDataset(_("No held-out text has an intent that is trained."))
        measured = evaluation or [example for example in dev if example.label in labels]
        return cls(labels, Texts.of(train, labels), held_out, measured)

    @property
    def fingerprint(self) -> str:
        """The same for the same sentences with the same labels, in whatever order."""
        rows = sorted(
            f"{side}\t{self.labels[target]}\t{text}"
            for side, part in (("train", self.learned), ("dev", self.held_out))
            for text, target in zip(part.texts, part.targets, strict=True)
        )
        return hashlib.sha256("\n".join(rows).encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Pass:
    """What a network makes of n texts."""

    logits: Floats  # shape (n, k)
    features: Floats  # what its head reads, shape (n, f)
    vectors: Floats  # of the frozen encoder, unit length, shape (n, d)


@dataclass(frozen=True, slots=True)
class Trained:
    """A network whose graph and tokenizer lie in the directory of the model to be."""

    read: Callable[[Sequence[str]], Pass]  # as it serves
    fp32_logits: Callable[[Sequence[str]], Floats] | None  # before quantization; None: as it serves
    is_tuned: bool  # whether its feature is another vector than the frozen encoder's
    learned: frozenset[str]  # key_hash of each text that its weights were fitted to
    history: list[Epoch]


def complete(
    directory: Path,
    network: Trained,
    material: Material,
    *,
    version: str,
    encoder: EncoderDirectory,
    max_tokens: int,
    mode: str,
    parameters: Mapping[str, Any],
    clock: Clock,
    report: Progress,
) -> Report:
    """Fit all that goes beside the network, measure, and seal the directory."""
    labels, learned, held_out = material.labels, material.learned, material.held_out
    read = network.read(learned.texts)
    vectors, features = read.vectors, read.features if network.is_tuned else None
    light = light_head.fit(learned.texts, vectors, learned.targets)
    report("evaluate", 0.3)
    out = network.read(held_out.texts)
    by_light = light.logits(held_out.texts, out.vectors)
    mixture = calibration.fit_mixture(out.logits, by_light, held_out.targets)
    has_light = mixture.light > 0
    if has_light:
        light.save(directory / artifacts.LIGHT_HEAD)
    probabilities = mixture.probabilities(out.logits, by_light)
    scope = Scope.fit(
        Seen(vectors, light.logits(learned.texts, vectors) if has_light else None, features),
        learned.targets,
        held_out=Seen(out.vectors, by_light, out.features, probabilities),
    )
    scope.save(directory / artifacts.SCOPE)
    if features is not None:
        np.save(directory / artifacts.DIRECTIONS, _directions(features, learned.targets))
    seconds, cpu_seconds = clock.read()
    report("evaluate", 0.5)
    texts = [normalize.for_model(example.text) for example in material.measured]
    truth = [example.label for example in material.measured]
    seen = network.read(texts)
    by_light = light.logits(texts, seen.vectors)
    probabilities = mixture.probabilities(seen.logits, by_light)
    int8 = fp32 = evaluate(probabilities, labels, truth)
    if network.fp32_logits is not None:
        fp32 = evaluate(mixture.probabilities(network.fp32_logits(texts), by_light), labels, truth)
    out_of_scope = scope.out_of_scope(Seen(seen.vectors, by_light, seen.features, probabilities))
    manifest = artifacts.write_manifest(
        directory,
        Manifest(
            version=version,
            encoder=encoder.id,
            labels=tuple(labels),
            prefix=encoder.prefix,
            max_tokens=max_tokens,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds=round(seconds, 1),
            network_weight=mixture.network,
            light_weight=mixture.light,
            mode=mode,
            parameters=parameters,
            measures={
                "fp32": fp32.as_dict(),
                "int8": int8.as_dict(),
                "scope": {
                    "mean_in_scope": float(out_of_scope.mean()),
                    "auroc_of_held_out_intents": held_out_auroc(
                        vectors, learned.targets, out.vectors, held_out.targets
                    ),
                },
            },
            data={
                "fingerprint": material.fingerprint,
                "train_texts": len(learned.texts),
                "dev_texts": len(held_out.texts),
            },
            # Held-out texts too: what chose the epoch and the calibration is not news.
            seen=hashes((*learned.texts, *held_out.texts)),
            learned=network.learned,
        ),
    )
    # Whatever is wrong with the directory shows here, and not when customers wait.
    artifacts.load_classifier(directory).read(["你好"])
    report("evaluate", 1.0)
    return Report(
        manifest=manifest,
        history=network.history,
        fp32=fp32,
        int8=int8,
        scored=scored(probabilities, out_of_scope, labels, truth),
        model_bytes=sum(path.stat().st_size for path in directory.iterdir()),
        cpu_seconds=cpu_seconds,
    )


def hashes(texts: Sequence[str]) -> frozenset[str]:
    """Return how a manifest names these texts."""
    return frozenset(artifacts.key_hash(normalize.key(text)) for text in texts)


@contextmanager
def built_beside(out: Path) -> Iterator[tuple[Path, Path]]:
    """Yield (directory, scratch): the first becomes `out` if all goes well, the second goes.

    Both lie beside `out`, so that the last step is a rename.

    Raises:
        FileExistsError: `out` is there already.
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


def _directions(features: Floats, targets: npt.NDArray[np.int64]) -> Floats:
    """Return the mean direction of each label's features, unit length, shape (k, f)."""
    sums = np.zeros((int(targets.max()) + 1, features.shape[1]), np.float32)
    np.add.at(sums, targets, unit(features))
    return unit(sums)

"""The quick training: a light head, and a new linear head over a network that is kept.

Fits in seconds what needs no network to learn: logistic regressions over the kept network's
features, n-grams and the frozen encoder's vectors. Loads no torch.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from intents.encoder import EncoderDirectory
from intents.guard import normalize
from intents.inference import artifacts
from intents.inference.base import Floats
from training import light_head, system
from training.datasets import Example
from training.kept import Kept
from training.reports import Progress, Report, silent
from training.system import Clock, Material, Pass, Trained

# With fewer held-out texts that the kept network has not learned, nothing could be calibrated.
_LEAST_HELD_OUT_SHARE = 0.3


def train_quick(
    train: Sequence[Example],
    dev: Sequence[Example],
    *,
    encoder: EncoderDirectory,
    out: Path,
    network: Kept | None = None,
    progress: Progress | None = None,
    evaluation: Sequence[Example] = (),
) -> Report:
    """Fit heads over a network that is kept; then put the model's directory in place.

    What comes out is loaded, calibrated, measured and sealed as `fit.train_model` does it. Its
    "fp32" measures are those of the same system: nothing is quantized anew.

    Args:
        train: What it learns from. Its labels are those of the model.
        dev: Calibrates. Labels that `train` lacks are left out, and so is what the kept network
            has learned already, on which it would look better than it is.
        out: The model directory, whose name is the version. It must not exist. It appears
            complete or not at all, whatever happens.
        network: What is kept: `Kept.of_model` of the active model, or None for the frozen encoder
            alone, which is 2 points worse. It remembers what it has read.
        progress: Called with "fit", "export" or "evaluate" and a fraction of that step. What
            it raises ends the training.
        evaluation: What the report measures; dev when empty.

    Raises:
        BadDataset: Fewer than two labels, or nothing in dev that could be measured.
        FileExistsError: `out` is there already.
    """
    clock, report = Clock(), progress or silent
    network = network or Kept.of_encoder(encoder)
    fresh = _not_learned(dev, network)
    if fresh is None:
        network, fresh = Kept.of_encoder(encoder), list(dev)
    material = Material.of(train, fresh, evaluation)
    learned = material.learned
    with system.built_beside(out) as (directory, _scratch):
        report("fit", 0.0)
        _, features = network.read(
            [*learned.texts, *material.held_out.texts], lambda share: report("fit", 0.9 * share)
        )
        weight, bias = _head(network, features[: len(learned.texts)], learned.targets)
        report("fit", 1.0)
        report("export", 0.0)
        network.write(directory, weight, bias)
        report("export", 1.0)
        report("evaluate", 0.0)
        return system.complete(
            directory,
            Trained(
                read=lambda texts: _pass(network, texts, weight, bias),
                fp32_logits=None,
                is_tuned=network.is_tuned,
                learned=network.learned,
                history=[],
            ),
            material,
            version=out.name,
            encoder=encoder,
            max_tokens=network.max_tokens,
            mode="quick",
            parameters={"network": network.name},
            clock=clock,
            report=report,
        )


def _not_learned(dev: Sequence[Example], network: Kept) -> list[Example] | None:
    """Return the held-out examples that the network has not learned; None if they are too few."""
    if not network.learned:
        return list(dev)
    fresh = [
        example
        for example in dev
        if artifacts.key_hash(normalize.key(normalize.for_model(example.text)))
        not in network.learned
    ]
    return fresh if fresh and len(fresh) >= _LEAST_HELD_OUT_SHARE * len(dev) else None


def _head(network: Kept, features: Floats, targets: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Fit the linear head, (weight of shape (f, k), bias of shape (k,))."""
    if not network.is_tuned:  # the light head reads the same vector
        classes = int(targets.max()) + 1
        return np.zeros((features.shape[1], classes), np.float32), np.zeros(classes, np.float32)
    centre = features.mean(axis=0)
    # Length about 1, so that the penalty means the same for every network.
    scale = 1.0 / max(float(np.sqrt(np.square(features - centre).sum(axis=1).mean())), 1e-12)
    weights, bias = light_head.regression((features - centre) * scale, targets)
    weights = weights * scale
    return weights.astype(np.float32), (bias - centre @ weights).astype(np.float32)


def _pass(network: Kept, texts: Sequence[str], weight: Floats, bias: Floats) -> Pass:
    vectors, features = network.read(texts)
    return Pass(features @ weight + bias, features, vectors)

"""Labelled sentences in, a model directory out. Knows no database."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from django.conf import settings
from tokenizers import Tokenizer

from intents.encoder import EncoderDirectory
from intents.encoder.embedding import EMBEDDING, FEATURE, LOGITS, Graph, unit
from intents.inference import artifacts
from intents.inference.backends import open_backend
from training import system
from training.datasets import Example
from training.export import export
from training.finetune import finetune, recipe_for
from training.network import Network
from training.quick import train_quick
from training.reports import Epoch, Progress, Report, Texts, silent
from training.system import Clock, Material, Pass, Trained

__all__ = ["Parameters", "Report", "train_model", "train_quick"]


@dataclass(frozen=True, slots=True)
class Parameters:
    """What decides how a training comes out; the fields of a TrainingRun."""

    batch_size: int = 32
    epochs: int = 4
    learning_rate: float | None = None  # None: what suits the encoder
    frozen_layers: int | None = None  # from below; None: what suits the encoder
    max_tokens: int = 64
    patience: int = 2  # epochs without gain on dev before it stops
    seed: int = 42
    device: str = "auto"  # auto, cpu, cuda
    threads: int = 0  # of torch; 0 leaves them as they are


def train_model(
    train: Sequence[Example],
    dev: Sequence[Example],
    *,
    encoder: EncoderDirectory,
    out: Path,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
    on_epoch: Callable[[Epoch], None] = lambda _epoch: None,
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
        on_epoch: Called after each pass over the training texts.
        evaluation: What the report measures; dev when empty.

    Raises:
        BadDataset: Fewer than two labels, or nothing in dev that could be measured.
        FileExistsError: `out` is there already.
    """
    parameters, report, clock = parameters or Parameters(), progress or silent, Clock()
    material = Material.of(train, dev, evaluation)
    with system.built_beside(out) as (directory, scratch):
        fp32 = scratch / "fp32.onnx"
        history = _make_network(material, encoder, parameters, directory, fp32, report, on_epoch)
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
        return system.complete(
            directory,
            Trained(
                read=lambda texts: _pass(int8_graph, texts),
                fp32_logits=lambda texts: fp32_graph.run(texts, LOGITS)[0],
                is_tuned=True,
                learned=system.hashes(material.learned.texts),
                history=history,
            ),
            material,
            version=out.name,
            encoder=encoder,
            max_tokens=parameters.max_tokens,
            mode="thorough",
            parameters=asdict(parameters),
            clock=clock,
            report=report,
        )


def _pass(graph: Graph, texts: Sequence[str]) -> Pass:
    logits, features, vectors = graph.run(texts, LOGITS, FEATURE, EMBEDDING)
    return Pass(logits, features, unit(vectors))


def _prefixed(texts: Texts, prefix: str) -> Texts:
    return replace(texts, texts=[prefix + text for text in texts.texts])


def _make_network(
    material: Material,
    encoder: EncoderDirectory,
    parameters: Parameters,
    directory: Path,
    fp32: Path,
    report: Progress,
    on_epoch: Callable[[Epoch], None],
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
    if parameters.frozen_layers is not None:
        recipe = replace(recipe, frozen_layers=parameters.frozen_layers)
    network = Network(encoder.path, len(material.labels))
    history = finetune(
        network,
        Tokenizer.from_file(str(encoder.tokenizer)),
        _prefixed(material.learned, encoder.prefix),
        _prefixed(material.held_out, encoder.prefix),
        recipe=recipe,
        batch_size=parameters.batch_size,
        epochs=parameters.epochs,
        max_tokens=parameters.max_tokens,
        patience=parameters.patience,
        seed=parameters.seed,
        device=torch.device(device),
        progress=lambda share: report("fit", share),
        on_epoch=on_epoch,
    )
    report("export", 0.0)
    export(network.cpu(), encoder, fp32=fp32, int8=directory / artifacts.CLASSIFIER)
    shutil.copyfile(encoder.tokenizer, directory / artifacts.TOKENIZER)
    report("export", 1.0)
    return history

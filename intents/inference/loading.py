"""The encoder and the trained models of this machine, as the engine takes them."""

from django.conf import settings

from intents import encoder
from intents.encoder.embedding import Embedder
from intents.inference import artifacts
from intents.inference.base import FrozenEncoder, TrainedModel
from intents.inference.onnx import OnnxClassifier


def frozen_encoder() -> FrozenEncoder:
    """Load the base encoder's int8 graph; build it first where this machine has none.

    Raises:
        EncoderUnavailable: It cannot be built; the message says what to do.
    """
    directory = encoder.ensure()
    embedder = Embedder(
        directory.embedder,
        directory.tokenizer,
        prefix=directory.prefix,
        threads=settings.INTENTS_THREADS,
    )
    return FrozenEncoder(directory.id, embedder)


def trained_model(version: str, frozen: FrozenEncoder) -> TrainedModel:
    """Load a model of MODEL_DIR, each file checked against its hash.

    Raises:
        BrokenArtifact: The directory is missing, damaged, or was trained with another encoder.
    """
    directory = settings.MODEL_DIR / version
    manifest = artifacts.verify(directory)
    if manifest.light_weight and manifest.encoder != frozen.id:
        raise artifacts.BrokenArtifact(
            f"{version} was trained with encoder {manifest.encoder}, and INTENT_ENCODER gives"
            f" {frozen.id}: train it again."
        )
    return TrainedModel(version, OnnxClassifier(directory, frozen.embedder), manifest.seen)

"""The encoder and the trained models of this machine, as the engine takes them."""

from django.conf import settings

from csplatform import memory
from intents import encoder
from intents.encoder import EncoderDirectory
from intents.encoder.embedding import Embedder
from intents.inference import artifacts
from intents.inference.backends import open_backend, open_for_customers
from intents.inference.base import FrozenEncoder, TrainedModel
from intents.inference.onnx import OnnxClassifier, OpenGraph


def frozen_encoder(open_graph: OpenGraph = open_for_customers) -> FrozenEncoder:
    """Load the base encoder's int8 graph; build it first where this machine has none.

    Args:
        open_graph: Loads it; `open_backend` for what no customer waits for.

    Raises:
        EncoderUnavailable: It cannot be built; the message says what to do.
    """
    directory = encoder.ensure()
    embedder = embedder_of(directory, open_graph)
    return FrozenEncoder(
        directory.id, embedder, embedder.count_tokens, runtime=lambda: embedder.runtime
    )


def embedder_of(directory: EncoderDirectory, open_graph: OpenGraph = open_backend) -> Embedder:
    """Load the graph of an encoder."""
    backend = open_graph(directory.embedder, threads=settings.INTENTS_THREADS)
    return Embedder(backend, directory.tokenizer, prefix=directory.prefix)


def trained_model(
    version: str, frozen: FrozenEncoder, open_graph: OpenGraph = open_for_customers
) -> TrainedModel:
    """Load a model of MODEL_DIR, each file checked against its hash.

    Args:
        open_graph: Loads its network; `open_backend` for what no customer waits for.

    Raises:
        BrokenArtifact: The directory is missing, damaged, or was trained with another encoder.
    """
    directory = settings.MODEL_DIR / version
    manifest = artifacts.verify(directory)
    if manifest.encoder != frozen.id:  # utterances would be compared in another space
        raise artifacts.BrokenArtifact(
            f"{version} was trained with encoder {manifest.encoder}, and INTENT_ENCODER gives"
            f" {frozen.id}: train it again."
        )
    classifier = OnnxClassifier(directory, open_graph)
    if isinstance(frozen.embedder, Embedder):
        # The encoder is in the classifier's graph: its own need not stay in memory (100 MB).
        frozen.embedder.read_by(classifier.backend)
    memory.give_back()
    return TrainedModel(
        version,
        classifier,
        manifest.seen,
        runtime=lambda: classifier.backend.name,
        directions=classifier.directions,
        taught_at=manifest.taught_at,
    )

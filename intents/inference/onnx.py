"""The trained classifier as it serves: ONNX Runtime, the light head, one calibrated answer."""

from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

from intents.encoder.embedding import Graph
from intents.inference import artifacts
from intents.inference.base import Embedder, Floats
from intents.inference.scoring import LightHead, Mixture


class OnnxClassifier:
    """A fine-tuned network and its light head, mixed and calibrated.

    Args:
        directory: A model directory; its hashes are the caller's to check (artifacts.verify).
        embedder: The frozen encoder that the light head was fitted with.

    Raises:
        BrokenArtifact: Manifest, graph and light head cannot be read or do not fit together.
    """

    def __init__(self, directory: Path, embedder: Embedder) -> None:
        self.manifest = artifacts.load_manifest(directory)
        self.version = self.manifest.version
        self.labels: Sequence[str] = self.manifest.labels
        self._embedder = embedder
        self._mixture = Mixture(self.manifest.network_weight, self.manifest.light_weight)
        self._light: LightHead | None = None
        try:
            self._network = Graph(
                directory / artifacts.CLASSIFIER,
                directory / artifacts.TOKENIZER,
                output="logits",
                max_tokens=self.manifest.max_tokens,
                threads=settings.INTENTS_THREADS,
            )
            if self._mixture.light:
                self._light = LightHead.load(directory / artifacts.LIGHT_HEAD)
        except Exception as error:  # of three libraries, without a common base
            raise artifacts.BrokenArtifact(f"{directory} cannot be loaded: {error}") from error
        widths = {self._network.width, len(self._light.bias) if self._light else len(self.labels)}
        if widths != {len(self.labels)}:
            raise artifacts.BrokenArtifact(
                f"{directory} names {len(self.labels)} labels and has outputs for {widths}."
            )

    def predict_probabilities(self, texts: Sequence[str], vectors: Floats | None = None) -> Floats:
        """Return calibrated probabilities, shape (n, len(labels)); rows sum to 1.

        Args:
            texts: As `normalize.for_model` gives them.
            vectors: Of the frozen encoder for these texts, where the caller has them already.
        """
        light = None
        if self._light is not None:
            light = self._light.logits(
                texts, self._embedder.embed(texts) if vectors is None else vectors
            )
        return self._mixture.probabilities(self._network.run(texts), light)

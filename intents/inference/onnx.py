"""The trained classifier as it serves: ONNX Runtime, the light head, one calibrated answer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from django.conf import settings

from intents.encoder.embedding import EMBEDDING, FEATURE, LOGITS, Graph, unit
from intents.inference import artifacts
from intents.inference.backends import Backend, open_backend
from intents.inference.base import Floats, Read
from intents.inference.scope import Scope, Seen
from intents.inference.scoring import LightHead, Mixture


class OpenGraph(Protocol):
    """How a graph is loaded: `open_backend` here, `open_for_customers` perhaps on a server."""

    def __call__(self, graph: Path, *, threads: int) -> Backend: ...


class OnnxClassifier:
    """A fine-tuned network and its light head, mixed and calibrated.

    Args:
        directory: A model directory; its hashes are the caller's to check (artifacts.verify).
        open_graph: Loads the network.

    Raises:
        BrokenArtifact: Manifest, graph and light head cannot be read or do not fit together.
    """

    def __init__(self, directory: Path, open_graph: OpenGraph = open_backend) -> None:
        self.manifest = artifacts.load_manifest(directory)
        self.version = self.manifest.version
        self.labels: Sequence[str] = self.manifest.labels
        self._mixture = Mixture(self.manifest.network_weight, self.manifest.light_weight)
        self._light: LightHead | None = None
        self._scope: Scope | None = None
        self.directions: Floats | None = None
        try:
            self.backend = open_graph(
                directory / artifacts.CLASSIFIER, threads=settings.INTENTS_THREADS
            )
            self._network = Graph(
                self.backend,
                directory / artifacts.TOKENIZER,
                prefix=self.manifest.prefix,
                max_tokens=self.manifest.max_tokens,
            )
            if self._mixture.light:
                self._light = LightHead.load(directory / artifacts.LIGHT_HEAD)
            if artifacts.SCOPE in self.manifest.files:
                self._scope = Scope.load(directory / artifacts.SCOPE)
            if artifacts.DIRECTIONS in self.manifest.files:
                self.directions = np.load(directory / artifacts.DIRECTIONS, allow_pickle=False)
        except Exception as error:  # of three libraries, without a common base
            raise artifacts.BrokenArtifact(f"{directory} cannot be loaded: {error}") from error
        widths = {
            self._network.widths.get(LOGITS),
            len(self._light.bias) if self._light else len(self.labels),
        }
        if widths != {len(self.labels)}:
            raise artifacts.BrokenArtifact(
                f"{directory} names {len(self.labels)} labels and has outputs for {widths}."
            )

    def read(self, texts: Sequence[str]) -> Read:
        """Return calibrated probabilities, the frozen encoder's vectors, and what is beyond it.

        All of it comes from one pass.

        Args:
            texts: As `normalize.for_model` gives them.
        """
        logits, features, vectors = self._network.run(texts, LOGITS, FEATURE, EMBEDDING)
        vectors = unit(vectors)
        light = self._light.logits(texts, vectors) if self._light is not None else None
        probabilities = self._mixture.probabilities(logits, light)
        strange = None
        if self._scope is not None:
            strange = self._scope.out_of_scope(Seen(vectors, light, features, probabilities))
        return Read(probabilities, vectors, strange, unit(features))

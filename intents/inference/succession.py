"""A model read by the codes of today: intents that were renamed or merged since it was trained.

The right reply is there at once then, and not after the next training. Of an intent that was split
the model knows the whole; its parts are told apart by their utterances, as new intents are.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from intents.encoder.embedding import unit
from intents.inference.base import Classifier, Floats, Read, TrainedModel
from intents.lineage import Step, heir, later


class Succeeded:
    """A classifier whose labels have other names; what became one intent is one label."""

    def __init__(self, classifier: Classifier, labels: Sequence[str]) -> None:
        """Read the columns of `classifier` as `labels`, which may name an intent twice."""
        self._classifier = classifier
        self.labels = list(dict.fromkeys(labels))
        column = {label: at for at, label in enumerate(self.labels)}
        self.sums: Floats = np.zeros((len(labels), len(self.labels)), np.float32)
        self.sums[np.arange(len(labels)), [column[label] for label in labels]] = 1.0

    def read(self, texts: Sequence[str]) -> Read:
        read = self._classifier.read(texts)
        return replace(read, probabilities=read.probabilities @ self.sums)


def succeeded(model: TrainedModel, steps: Sequence[Step]) -> TrainedModel:
    """Return the model with the codes of today; itself where nothing has become of its labels.

    Args:
        steps: Of all intents, oldest first. Those from before the model's training are passed
            over: a code that was given up may be another intent's in it.
    """
    since = later(steps, model.taught_at)
    known = model.classifier.labels
    labels = [heir(label, since) for label in known]
    if labels == list(known):
        return model
    classifier = Succeeded(model.classifier, labels)
    directions = None if model.directions is None else unit(classifier.sums.T @ model.directions)
    return replace(model, classifier=classifier, directions=directions)

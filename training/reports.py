"""What trainings take and tell: sentences by column, epochs, and what came out. No torch in here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from intents.guard import normalize
from intents.inference.artifacts import Manifest
from training.datasets import Example
from training.evaluate import Measures, Scored

# Called with a step and a fraction of it from 0 to 1. What it raises ends the training.
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Texts:
    """Sentences as models read them, and the column of each one's intent."""

    texts: Sequence[str]
    targets: npt.NDArray[np.int64]

    @classmethod
    def of(cls, examples: Sequence[Example], labels: Sequence[str]) -> "Texts":
        """Take the examples whose label is among `labels`, which name the columns."""
        column = {label: index for index, label in enumerate(labels)}
        known = [example for example in examples if example.label in column]
        return cls(
            texts=[normalize.for_model(example.text) for example in known],
            targets=np.array([column[example.label] for example in known], np.int64),
        )


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the training texts."""

    loss: float
    dev_accuracy: float


@dataclass(frozen=True, slots=True)
class Report:
    """What came out of a training."""

    manifest: Manifest
    history: list[Epoch]  # empty where no network was fine-tuned
    fp32: Measures  # of the same system with the network before quantization
    int8: Measures  # of the system as it serves
    scored: list[Scored]  # each measured text, as it serves
    model_bytes: int  # the whole directory
    cpu_seconds: float  # of all threads, up to the finished int8 system, measuring left out


def silent(_step: str, _fraction: float) -> None:
    """Report to nobody."""

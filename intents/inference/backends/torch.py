"""Torch on a GPU: half precision, padded to a few shapes, each recorded as a CUDA graph.

A small model on a large GPU waits for kernels to be launched, a hundred and more a batch. A
CUDA graph launches them all at once. On a CPU it runs in single precision, shape by shape.
"""

import itertools
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from intents.encoder.backend import Floats, Ids
from intents.inference.backends import buckets
from intents.inference.backends.bert import Bert, Weights, load_transformers, weights_of
from intents.inference.backends.weights import encoder_of, weights_beside

logger = logging.getLogger(__name__)

# Recorded ahead. What is longer or larger is rare, and runs without a graph.
_RECORDED_TOKENS = 64
_RECORDED_BATCH_TOKENS = 8192


class NoWeights(Exception):
    """There is a graph, but not the weights that torch needs; the message says what to do."""


@dataclass(frozen=True, slots=True)
class _Recording:
    """A CUDA graph and the memory that it reads and writes."""

    graph: torch.cuda.CUDAGraph
    input_ids: Tensor
    mask: Tensor
    outputs: list[Tensor]


class Torch:
    """A network in torch.

    Args:
        weights: Of the network.
        device: "cuda" or "cpu"; None for the best that there is.
        threads: On a CPU; torch has one number for the whole process.
    """

    def __init__(self, weights: Weights, *, device: str | None = None, threads: int = 1) -> None:
        self._device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._on_gpu = self._device.type == "cuda"
        dtype = torch.float16 if self._on_gpu else torch.float32
        if not self._on_gpu:
            torch.set_num_threads(threads)
        self.name = f"torch {self._device.type} {'fp16' if self._on_gpu else 'fp32'}"
        self._bert = Bert(weights, self._device, dtype)
        self.outputs = self._bert.outputs
        self._names = tuple(self.outputs)
        # One batch at a time: recordings share their memory, and a second one gains nothing.
        self._lock = threading.Lock()
        self._recordings: dict[tuple[int, int], _Recording] = {}
        if self._on_gpu:
            self._record_all()

    def run(self, input_ids: Ids, attention_mask: Ids, names: Sequence[str]) -> list[Floats]:
        """Return the outputs `names`, in that order, each of shape (n, its width).

        Raises:
            ValueError: An id is not of the vocabulary, or a text is too long. On a GPU it would
                end every later call, too.
        """
        texts, tokens = input_ids.shape
        most = self._bert.most_tokens
        if tokens > most or input_ids.min() < 0 or input_ids.max() >= self._bert.vocabulary:
            raise ValueError(f"ids below {self._bert.vocabulary}, {most} tokens at most")
        with self._lock, torch.inference_mode():
            if not self._on_gpu:
                found = self._bert.forward(
                    torch.from_numpy(input_ids), torch.from_numpy(attention_mask), names
                )
                return [rows.numpy() for rows in found]
            outputs = self._on_device(input_ids, attention_mask)
            return [outputs[self._names.index(name)][:texts].cpu().numpy() for name in names]

    def close(self) -> None:
        """Give the memory of the device back."""
        with self._lock:
            self._recordings.clear()
            del self._bert
            if self._on_gpu:
                torch.cuda.empty_cache()

    def _on_device(self, input_ids: Ids, attention_mask: Ids) -> list[Tensor]:
        """Return all outputs; their memory is written again by the next call."""
        shape = self._bucket(*input_ids.shape)
        ids, mask = (
            torch.from_numpy(buckets.padded(each, texts=shape[0], tokens=shape[1]))
            for each in (input_ids, attention_mask)
        )
        mask[len(input_ids) :, 0] = 1  # the mean of no token is no number
        recording = self._recordings.get(shape)
        if recording is None:
            return self._bert.forward(ids.to(self._device), mask.to(self._device), self._names)
        recording.input_ids.copy_(ids)
        recording.mask.copy_(mask)
        recording.graph.replay()
        return recording.outputs

    def _bucket(self, texts: int, tokens: int) -> tuple[int, int]:
        return (
            buckets.bucket(texts, buckets.TEXTS),
            min(self._bert.most_tokens, buckets.bucket(tokens, buckets.TOKENS)),
        )

    def _record_all(self) -> None:
        """Record each usual shape, the largest first: the others then find its memory."""
        shapes = [
            self._bucket(texts, tokens)
            for texts, tokens in itertools.product(buckets.TEXTS, buckets.TOKENS)
            if tokens <= _RECORDED_TOKENS and texts * tokens <= _RECORDED_BATCH_TOKENS
        ]
        pool = torch.cuda.graph_pool_handle()
        try:
            with torch.inference_mode():
                for shape in sorted(set(shapes), key=np.prod, reverse=True):
                    self._recordings[shape] = self._record(shape, pool)
        except RuntimeError:  # of memory, or of a driver that cannot
            logger.exception("CUDA graphs cannot be recorded; batches run without them")
            self._recordings.clear()

    def _record(self, shape: tuple[int, int], pool: Any) -> _Recording:
        input_ids = torch.zeros(shape, dtype=torch.int64, device=self._device)
        mask = torch.ones_like(input_ids)
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # theirs
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):  # libraries choose and allocate now, not while recording
            for _ in range(2):
                self._bert.forward(input_ids, mask, self._names)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
            outputs = self._bert.forward(input_ids, mask, self._names)
        return _Recording(graph, input_ids, mask, outputs)


def cuda_works() -> bool:
    """Whether this torch was built for CUDA, and finds a device and a driver."""
    return torch.cuda.is_available()


def open_torch(graph: Path, *, threads: int, device: str | None = None) -> Torch:
    """Load the network of a graph from the weights that belong to it.

    Args:
        graph: An ONNX file, which is not read: beside it lie `<its stem>.safetensors`, or the
            transformers directory of an encoder.

    Raises:
        NoWeights: Neither is there.
    """
    own = weights_beside(graph)
    if own.is_file():
        return Torch(Weights.load(own), device=device, threads=threads)
    if directory := encoder_of(graph):
        config, state = load_transformers(directory)
        return Torch(weights_of(config, frozen=state), device=device, threads=threads)
    raise NoWeights(
        f"{own} is missing: train the model again with INFERENCE_BACKEND=torch, or use"
        " INFERENCE_BACKEND=onnxruntime."
    )

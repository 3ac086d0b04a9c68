"""Arrays as messages of the Open Inference Protocol, version 2, over gRPC; for both ends.

The protocol: https://github.com/kserve/open-inference-protocol (Triton and KServe speak it).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from tritonclient.grpc import service_pb2 as messages

from intents.encoder.backend import Floats, Ids

INPUTS = ("input_ids", "attention_mask")
# Of one message; 64 texts of 512 tokens are half a megabyte.
MOST_BYTES = 16 * 2**20
# Texts in one request: what a server must be ready to take (Triton refuses more than its
# max_batch_size).
MOST_TEXTS = 64

_TYPES: Mapping[str, npt.DTypeLike] = {
    "INT64": "<i8",
    "INT32": "<i4",
    "FP64": "<f8",
    "FP32": "<f4",
    "FP16": "<f2",
}
# Where a tensor lies that was not sent as raw bytes; FP16 has no such field.
_FIELDS = {
    "INT64": "int64_contents",
    "INT32": "int_contents",
    "FP64": "fp64_contents",
    "FP32": "fp32_contents",
}


class BadTensor(ValueError):
    """A message does not hold the arrays that it announces."""


def request(
    model: str, input_ids: Ids, attention_mask: Ids, names: Sequence[str]
) -> "messages.ModelInferRequest":
    """Ask a model for the outputs `names` of a batch, shape (n, tokens)."""
    wanted = messages.ModelInferRequest(model_name=model)
    for name, array in zip(INPUTS, (input_ids, attention_mask), strict=True):
        wanted.inputs.add(name=name, datatype="INT64", shape=array.shape)
        wanted.raw_input_contents.append(array.astype("<i8", copy=False).tobytes())
    for name in names:
        wanted.outputs.add(name=name)
    return wanted


def response(
    asked: "messages.ModelInferRequest", version: str, outputs: Mapping[str, Floats]
) -> "messages.ModelInferResponse":
    """Answer a request with the outputs by their names, each of shape (n, width)."""
    answer = messages.ModelInferResponse(
        model_name=asked.model_name, model_version=version, id=asked.id
    )
    for name, array in outputs.items():
        answer.outputs.add(name=name, datatype="FP32", shape=array.shape)
        answer.raw_output_contents.append(array.astype("<f4", copy=False).tobytes())
    return answer


def arrays(tensors: Sequence[Any], raw: Sequence[bytes]) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a message by their names.

    Args:
        tensors: `inputs` of a request or `outputs` of a response.
        raw: Its raw contents; empty where each tensor carries its own.

    Raises:
        BadTensor: Of another type, or not as many numbers as the shape says.
    """
    if raw and len(raw) != len(tensors):
        raise BadTensor(f"{len(tensors)} tensors and {len(raw)} raw contents")
    found: dict[str, npt.NDArray[Any]] = {}
    for number, tensor in enumerate(tensors):
        dtype = _TYPES.get(tensor.datatype)
        if dtype is None:
            raise BadTensor(f"{tensor.name} is of type {tensor.datatype}")
        try:
            if raw:
                flat = np.frombuffer(raw[number], dtype)
            else:
                flat = np.array(getattr(tensor.contents, _FIELDS[tensor.datatype]), dtype)
            if any(size < 0 for size in tensor.shape):
                raise BadTensor(f"{tensor.name} has shape {list(tensor.shape)}")
            found[tensor.name] = flat.reshape(tuple(tensor.shape))
        except (ValueError, KeyError) as error:
            raise BadTensor(f"{tensor.name}: {error}") from error
    return found

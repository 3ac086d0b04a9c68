"""Runs model.onnx beside it in Triton's Python backend. Needs numpy and onnxruntime there.

For a Triton without the ONNX Runtime backend; where it has one, `platform` in config.pbtxt
does all of this.

Arrays come and go by DLPack: as_numpy() and Tensor(name, array) of Triton 2.51 (24.10) were built
for numpy 1 and silently give wrong numbers with numpy 2.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import triton_python_backend_utils as triton

_INPUTS = ("input_ids", "attention_mask")


class TritonPythonModel:
    """What Triton looks for."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the graph."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # more of them spin; use instance_group for more cores
        graph = Path(args["model_repository"], args["model_version"], "model.onnx")
        providers = onnxruntime.get_available_providers()
        if args["model_instance_kind"] == "CPU":
            providers = ["CPUExecutionProvider"]
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=providers)

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer what Triton gathered, texts of one length, in one run."""
        parts = [
            [np.from_dlpack(triton.get_input_tensor_by_name(request, name)) for name in _INPUTS]
            for request in requests
        ]
        feed = {
            name: np.concatenate(column)
            for name, column in zip(_INPUTS, zip(*parts, strict=True), strict=True)
        }
        wanted = sorted({name for request in requests for name in request.requested_output_names()})
        rows = dict(zip(wanted, self._session.run(wanted, feed), strict=True))
        responses, start = [], 0
        for request, (input_ids, _) in zip(requests, parts, strict=True):
            end = start + len(input_ids)
            tensors = [
                triton.Tensor.from_dlpack(name, rows[name][start:end])
                for name in request.requested_output_names()
            ]
            responses.append(triton.InferenceResponse(tensors))
            start = end
        return responses

    def finalize(self) -> None:
        """Let the session go."""
        del self._session

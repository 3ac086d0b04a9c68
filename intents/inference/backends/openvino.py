"""OpenVINO on the CPU: the weights of the int8 graph, multiplied in bfloat16 where it is native.

On processors with AMX this is faster than int8 in ONNX Runtime. There is no other file to
store for it: what `onnx_export.quantize` wrote is turned back into a graph of plain products.
"""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from intents.encoder.backend import Floats, Ids


class OpenVino:
    """A graph that OpenVINO has compiled.

    Args:
        graph: An ONNX file, int8 or fp32.
        threads: Within one call.

    Raises:
        ImportError: The package `openvino` is not installed.
    """

    def __init__(self, graph: Path, *, threads: int) -> None:
        import openvino  # 60 MB, and only where it was chosen

        core = openvino.Core()
        can_bf16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        numbers = "bf16" if can_bf16 else "f32"
        self.name = f"openvino {numbers}"
        self._model = core.compile_model(
            core.read_model(dequantized(onnx.load(str(graph))).SerializeToString()),
            "CPU",
            {
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": 1,
                "INFERENCE_PRECISION_HINT": numbers,
                # One process of several on the machine: pinned, they would share a core.
                "ENABLE_CPU_PINNING": False,
            },
        )
        self.outputs: Mapping[str, int] = {
            output.any_name: output.partial_shape[-1].get_length() for output in self._model.outputs
        }
        self._order = list(self.outputs)
        self._request = self._model.create_infer_request()
        self._lock = threading.Lock()  # a request serves one caller at a time

    def run(self, input_ids: Ids, attention_mask: Ids, names: Sequence[str]) -> list[Floats]:
        """Return the outputs `names`, in that order, each of shape (n, its width)."""
        feed = {"input_ids": input_ids, "attention_mask": attention_mask}
        with self._lock:
            self._request.infer(feed, share_inputs=True)
            return [
                self._request.get_output_tensor(self._order.index(name)).data.astype(np.float32)
                for name in names
            ]

    def close(self) -> None:
        """Let the compiled model go."""
        del self._request, self._model


def dequantized(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a dynamically quantized graph with plain weights and products again.

    A product x W had become DynamicQuantizeLinear(x), MatMulInteger, Cast and Mul by both
    scales; attention had become QAttention. A graph without them comes back as it was.
    """
    weights = {weight.name: weight for weight in model.graph.initializer}
    makers = {output: node for node in model.graph.node for output in node.output}

    def plain(weight: str, scale: str, zero: str) -> str:
        name = f"{weight}_plain"
        if name not in weights:
            values, scales, zeros = (
                numpy_helper.to_array(weights[each]).astype(np.float32)
                for each in (weight, scale, zero)
            )
            weights[name] = numpy_helper.from_array((values - zeros) * scales, name)
        return name

    nodes = []
    for node in model.graph.node:
        if node.op_type == "QAttention":
            quantized, weight, bias, _, scale, mask, _, zero = node.input[:8]
            attention = onnx.helper.make_node(
                "Attention",
                [makers[quantized].input[0], plain(weight, scale, zero), bias, mask],
                node.output,
                domain=node.domain,
            )
            attention.attribute.extend(node.attribute)
            nodes.append(attention)
        elif (product := _product(node, makers)) is not None:
            scale = next(each for each in makers[node.input[1]].input if each in weights)
            states, weight, _, zero = product.input
            nodes.append(
                onnx.helper.make_node(
                    "MatMul",
                    [makers[states].input[0], plain(weight, scale, zero)],
                    node.output,
                )
            )
        else:
            nodes.append(node)
    return _pruned(model, nodes, weights)


def _product(node: onnx.NodeProto, makers: Mapping[str, onnx.NodeProto]) -> onnx.NodeProto | None:
    """Return the MatMulInteger whose scaled result this node is, None for any other node."""
    if node.op_type != "Mul":
        return None
    cast = makers.get(node.input[0])
    if cast is None or cast.op_type != "Cast":
        return None
    product = makers.get(cast.input[0])
    return product if product is not None and product.op_type == "MatMulInteger" else None


def _pruned(
    model: onnx.ModelProto,
    nodes: Sequence[onnx.NodeProto],
    weights: Mapping[str, onnx.TensorProto],
) -> onnx.ModelProto:
    """Return the model of those nodes and weights that its outputs need."""
    needed = {output.name for output in model.graph.output}
    kept = []
    for node in reversed(nodes):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(node.input)
    graph = onnx.helper.make_graph(
        list(reversed(kept)),
        model.graph.name,
        model.graph.input,
        model.graph.output,
        [weight for name, weight in weights.items() if name in needed],
    )
    return onnx.helper.make_model(
        graph, opset_imports=model.opset_import, ir_version=model.ir_version
    )

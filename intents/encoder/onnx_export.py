"""BERT as an ONNX graph: fused for ONNX Runtime, then int8."""

import contextlib
import hashlib
import io
import logging
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.compose
import torch
from onnx import numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.fusion_options import FusionOptions
from torch import Tensor, nn
from torch.nn import functional

# Added to the attention score of padding. Not -inf: int8 kernels and fp16 must survive it.
_MASKED = -10_000.0
_FUSED_DOMAIN = "com.microsoft"  # of ONNX Runtime's own operators


class NotBert(Exception):
    """The encoder is of a family that this graph cannot express."""


class PlainBert(nn.Module):
    """The forward pass of BERT and XLM-R, written the way ONNX Runtime's fusions look for it.

    transformers' own modules change between versions, and their traces do not fuse.
    `forward` takes token ids and mask, shape (n, tokens), and returns the mean of the last
    layer over the tokens that are not padding, shape (n, hidden).
    """

    def __init__(self, config: Any, tensors: Mapping[str, Tensor]) -> None:
        """Take a transformers BertConfig (or XLMRobertaConfig) and that model's state dict.

        Raises:
            NotBert: Another architecture, activation or kind of position.
        """
        super().__init__()
        _require_bert(config)
        self.heads: int = config.num_attention_heads
        self.hidden: int = config.hidden_size
        self.layers: int = config.num_hidden_layers
        self._epsilon: float = config.layer_norm_eps
        # RoBERTa counts positions from behind the padding id, BERT from 0.
        self._first_position = 0 if config.model_type == "bert" else config.pad_token_id + 1
        for name, tensor in tensors.items():
            if name.startswith(("embeddings.", "encoder.")) and tensor.is_floating_point():
                # Parameters become initializers of the graph, which can be quantized.
                weight = nn.Parameter(tensor.detach().to("cpu", torch.float32), requires_grad=False)
                self.register_parameter(_as_attribute(name), weight)

    def _weight(self, name: str) -> Tensor:
        return self.get_parameter(_as_attribute(name))

    def _linear(self, states: Tensor, name: str) -> Tensor:
        weight, bias = self._weight(f"{name}.weight"), self._weight(f"{name}.bias")
        return torch.matmul(states, weight.t()) + bias

    def _norm(self, states: Tensor, name: str) -> Tensor:
        weight, bias = self._weight(f"{name}.weight"), self._weight(f"{name}.bias")
        return functional.layer_norm(states, (self.hidden,), weight, bias, self._epsilon)

    def _layer(self, states: Tensor, mask: Tensor, name: str) -> Tensor:
        texts, tokens, _ = states.shape
        width = self.hidden // self.heads

        def by_head(part: str) -> Tensor:
            projected = self._linear(states, f"{name}.attention.self.{part}")
            return projected.view(texts, tokens, self.heads, width).permute(0, 2, 1, 3)

        query, key, value = by_head("query"), by_head("key"), by_head("value")
        scores = torch.matmul(query, key.transpose(-1, -2)) / math.sqrt(width)
        context = torch.matmul(torch.softmax(scores + mask, dim=-1), value)
        context = context.permute(0, 2, 1, 3).reshape(texts, tokens, self.hidden)
        states = self._norm(
            self._linear(context, f"{name}.attention.output.dense") + states,
            f"{name}.attention.output.LayerNorm",
        )
        inner = functional.gelu(self._linear(states, f"{name}.intermediate.dense"))
        return self._norm(
            self._linear(inner, f"{name}.output.dense") + states, f"{name}.output.LayerNorm"
        )

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        _, tokens = input_ids.shape
        first, words = self._first_position, self._weight("embeddings.word_embeddings.weight")
        positions = self._weight("embeddings.position_embeddings.weight")
        kind = self._weight("embeddings.token_type_embeddings.weight")[0]
        states = functional.embedding(input_ids, words)
        states = states + (positions[first:][:tokens] + kind)
        states = self._norm(states, "embeddings.LayerNorm")
        mask = attention_mask.unsqueeze(1).unsqueeze(2).to(torch.float32)
        mask = (1.0 - mask) * _MASKED
        for index in range(self.layers):
            states = self._layer(states, mask, f"encoder.layer.{index}")
        weights = attention_mask.unsqueeze(-1).to(states.dtype)
        pooled: Tensor = (states * weights).sum(1) / weights.sum(1)
        return pooled


def _require_bert(config: Any) -> None:
    if config.model_type not in ("bert", "xlm-roberta", "roberta"):
        raise NotBert(f"Encoders are of type bert or xlm-roberta, not {config.model_type}.")
    if config.hidden_act != "gelu":
        raise NotBert(f"Activation {config.hidden_act!r}: only gelu is exported.")


def _as_attribute(name: str) -> str:
    return name.replace(".", "_")


class Embedder(nn.Module):
    """The bare encoder; its graph has one output, `embedding`."""

    outputs = ("embedding",)

    def __init__(self, bert: PlainBert) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
        return (self.bert(input_ids, attention_mask),)


class Classifier(nn.Module):
    """A fine-tuned encoder with its linear head.

    Its graph has the outputs `logits` and `feature`, what the head reads: the mean of the last
    layer, not of unit length (out-of-scope texts are told by it).
    """

    outputs = ("logits", "feature")

    def __init__(self, bert: PlainBert, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.bert = bert
        self.weight = nn.Parameter(weight.detach().cpu().float(), requires_grad=False)
        self.bias = nn.Parameter(bias.detach().cpu().float(), requires_grad=False)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
        feature = self.bert(input_ids, attention_mask)
        return torch.matmul(feature, self.weight.t()) + self.bias, feature


def load_bert(directory: Path) -> PlainBert:
    """Read a transformers directory.

    Raises:
        NotBert: It holds another architecture.
    """
    from transformers import AutoConfig, AutoModel  # slow to import
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # theirs
    _require_bert(AutoConfig.from_pretrained(str(directory)))
    model = AutoModel.from_pretrained(str(directory), add_pooling_layer=False)
    return PlainBert(model.config, model.state_dict())


def write_embedder(bert: PlainBert, path: Path) -> None:
    """Write the int8 graph of the bare encoder."""
    plain = path.with_suffix(".fp32.onnx")
    try:
        onnx.save(fused(Embedder(bert)), str(plain))
        quantize(plain, path)
    finally:
        plain.unlink(missing_ok=True)


def fused(module: Embedder | Classifier) -> onnx.ModelProto:
    """Return the fp32 graph: inputs `input_ids`, `attention_mask` (int64), both axes free."""
    sample = torch.randint(5, 100, (2, 9))
    mask = torch.ones_like(sample)
    mask[1, 6:] = 0  # otherwise the tracer may take the mask for a constant
    inputs = ("input_ids", "attention_mask")
    written = io.BytesIO()  # graphs of 400 MB: each file less counts
    with _without_chatter():
        torch.onnx.export(
            module.eval(),
            (sample, mask),
            written,  # type: ignore[arg-type]  # takes files too; its types forget them
            input_names=list(inputs),
            output_names=list(module.outputs),
            dynamic_axes={
                **{name: {0: "texts", 1: "tokens"} for name in inputs},
                **{name: {0: "texts"} for name in module.outputs},
            },
            opset_version=17,
            dynamo=False,
        )
        plain = onnx.load_from_string(written.getvalue())
        written.close()
        _fold_transposes(plain)
        optimized = optimizer.optimize_model(
            plain,
            model_type="bert",
            num_heads=module.bert.heads,
            hidden_size=module.bert.hidden,
            optimization_options=_fusions(),
            opt_level=0,
            use_gpu=False,
        )
        optimized.topological_sort()
        model: onnx.ModelProto = optimized.model
        if all(each.domain != _FUSED_DOMAIN for each in model.opset_import):
            model.opset_import.append(onnx.helper.make_opsetid(_FUSED_DOMAIN, 1))
        return model


def _fusions() -> FusionOptions:
    """Return all fusions of BERT but one.

    On the CPU ONNX Runtime 1.32 adds and normalises five times faster in two steps
    (Add, LayerNormalization) than in its SkipLayerNormalization: 200 against 810 µs of 16 texts
    a layer's half, a third of the whole pass.
    """
    options = FusionOptions("bert")
    options.enable_skip_layer_norm = False
    options.enable_bias_skip_layer_norm = False
    return options


@contextlib.contextmanager
def _without_chatter() -> Iterator[None]:
    """Keep off our log what exporter and quantizer say of each node that they leave as it is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


def _fold_transposes(model: onnx.ModelProto) -> None:
    """Store weights transposed, in place.

    The exporter leaves Transpose(weight) nodes in the graph, and neither fusion nor
    quantization sees a constant behind them.
    """
    graph = model.graph
    weights = {weight.name: weight for weight in graph.initializer}
    for node in list(graph.node):
        if node.op_type == "Transpose" and node.input[0] in weights:
            turned = numpy_helper.to_array(weights[node.input[0]]).T
            graph.initializer.append(
                numpy_helper.from_array(np.ascontiguousarray(turned), node.output[0])
            )
            graph.node.remove(node)
    used = {name for node in graph.node for name in node.input}
    for weight in list(graph.initializer):
        if weight.name not in used:
            graph.initializer.remove(weight)


def merged(first: onnx.ModelProto, second: onnx.ModelProto) -> onnx.ModelProto:
    """Return one graph with the outputs of both; what both compute alike is computed once.

    Of a frozen encoder and its fine-tuned copy these are the embeddings and the layers that
    training left alone. Both have the same inputs, and nodes in topological order; their nodes
    are changed.
    """
    graph = first.graph
    other = onnx.compose.add_prefix(
        second, "second/", rename_inputs=False, rename_outputs=False
    ).graph
    names: dict[str, str] = {}  # of values that are known already, under their known names
    weights: dict[bytes, str] = {}
    kept_weights = []
    for weight in (*graph.initializer, *other.initializer):
        known = weights.setdefault(_content(weight), weight.name)
        if known == weight.name:
            kept_weights.append(weight)
        names[weight.name] = known
    values: dict[bytes, Sequence[str]] = {}
    kept_nodes = []
    for node in (*graph.node, *other.node):
        node.input[:] = [names.get(name, name) for name in node.input]
        outputs = values.setdefault(_content(node), list(node.output))
        if outputs == list(node.output):
            kept_nodes.append(node)
        names.update(zip(node.output, outputs, strict=True))
    result = onnx.helper.make_graph(
        kept_nodes, graph.name, graph.input, [*graph.output, *other.output], kept_weights
    )
    return onnx.helper.make_model(
        result, opset_imports=first.opset_import, ir_version=first.ir_version
    )


def _content(part: onnx.NodeProto | onnx.TensorProto) -> bytes:
    """Return what is the same for parts that give the same, whatever they are called."""
    bare = type(part)()
    bare.CopyFrom(part)
    bare.name = ""
    if isinstance(bare, onnx.NodeProto):
        del bare.output[:]
        bare.doc_string = ""
        # The order of attributes means nothing.
        attributes = sorted(bare.attribute, key=lambda each: each.name)
        del bare.attribute[:]
        bare.attribute.extend(attributes)
    return hashlib.sha256(bare.SerializeToString(deterministic=True)).digest()


def quantize(source: Path, target: Path) -> None:
    """Write the int8 form: dynamic, a scale per channel, the embedding table too.

    Of the ways that were compared (per tensor, static, 4 bits) this one loses least: 0.15
    points of accuracy, at a quarter of the size and of the time.
    """
    with _without_chatter():
        quantize_dynamic(
            str(source),
            str(target),
            op_types_to_quantize=["MatMul", "Attention", "Gather"],
            per_channel=True,
            weight_type=QuantType.QInt8,
            extra_options={
                "MatMulConstBOnly": True,
                # It cannot infer the types behind com.microsoft operators.
                "DefaultTensorType": onnx.TensorProto.FLOAT,
            },
        )

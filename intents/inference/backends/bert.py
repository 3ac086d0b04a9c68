"""The forward pass of BERT and XLM-R for GPUs, in torch alone.

Unlike the form that is traced for ONNX it uses torch's fused attention, and one matrix for
query, key and value. A frozen encoder, its fine-tuned copy with a head, or both at once, with the
layers that they have in common run once.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional

# Outputs: the frozen encoder's mean, the fine-tuned one's, and what the head makes of the latter.
EMBEDDING, FEATURE, LOGITS = "embedding", "feature", "logits"
_SHARED, _FROZEN, _TUNED = "shared", "frozen", "tuned"
_EMBEDDINGS = "embeddings"
_LAYER = {
    "attention.output.dense": "mix",
    "attention.output.LayerNorm": "norm",
    "intermediate.dense": "widen",
    "output.dense": "narrow",
    "output.LayerNorm": "last_norm",
}


class NotBert(Exception):
    """The encoder is of a family that this cannot express."""


class Config(Protocol):
    """What is read of a transformers BertConfig or XLMRobertaConfig."""

    model_type: str
    hidden_act: str
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    layer_norm_eps: float
    pad_token_id: int | None


@dataclass(frozen=True, slots=True)
class Shape:
    """What the tensors do not say themselves."""

    heads: int
    layers: int
    shared: int  # the lowest layers, which frozen and tuned have in common
    epsilon: float  # of the layer norms
    is_frozen_there: bool  # whether the frozen encoder's own layers are


@dataclass(frozen=True, slots=True)
class Weights:
    """The tensors of a network by our own names, and its shape."""

    shape: Shape
    tensors: Mapping[str, Tensor]

    @property
    def outputs(self) -> dict[str, int]:
        """Width of each output by its name."""
        hidden = self.tensors["words"].shape[1]
        widths = {EMBEDDING: hidden} if self.shape.is_frozen_there else {}
        if "head.weight" in self.tensors:
            widths |= {FEATURE: hidden, LOGITS: self.tensors["head.weight"].shape[0]}
        return widths

    def save(self, path: Path) -> None:
        """Write a safetensors file in half precision."""
        from safetensors.torch import save_file

        half = {
            name: tensor.detach().to("cpu", torch.float16).contiguous()
            for name, tensor in self.tensors.items()
        }
        save_file(half, path, metadata={"shape": json.dumps(asdict(self.shape))})

    @classmethod
    def load(cls, path: Path) -> "Weights":
        """Read what `save` wrote."""
        from safetensors import safe_open

        with safe_open(str(path), framework="pt") as stored:
            shape = Shape(**json.loads(stored.metadata()["shape"]))
            return cls(shape, {name: stored.get_tensor(name) for name in stored.keys()})  # noqa: SIM118


def weights_of(
    config: Config,
    *,
    frozen: Mapping[str, Tensor] | None = None,
    tuned: Mapping[str, Tensor] | None = None,
    head: tuple[Tensor, Tensor] | None = None,
) -> Weights:
    """Take the weights of transformers models.

    Args:
        frozen: State dict of the base encoder.
        tuned: That of its fine-tuned copy, which has the same embeddings. The lowest layers that
            training has left alone are found and kept once.
        head: Weight, shape (k, hidden), and bias, shape (k,), on top of `tuned`.

    Raises:
        NotBert: Another architecture, activation or kind of position.
    """
    if config.model_type not in ("bert", "xlm-roberta", "roberta") or config.hidden_act != "gelu":
        raise NotBert(f"{config.model_type} with {config.hidden_act} is not BERT or XLM-R")
    # RoBERTa counts positions from behind the padding id, BERT from 0.
    first = 0 if config.model_type == "bert" else (config.pad_token_id or 0) + 1
    any_of_both = frozen or tuned or {}
    below = (
        f"{_EMBEDDINGS}.position_embeddings.weight",
        f"{_EMBEDDINGS}.token_type_embeddings.weight",
    )
    positions, kinds = (any_of_both[name] for name in below)
    tensors = {
        "words": any_of_both[f"{_EMBEDDINGS}.word_embeddings.weight"],
        "positions": positions[first:] + kinds[0],
        "norm.weight": any_of_both[f"{_EMBEDDINGS}.LayerNorm.weight"],
        "norm.bias": any_of_both[f"{_EMBEDDINGS}.LayerNorm.bias"],
    }
    shared = 0
    if frozen is not None and tuned is not None:
        shared = _layers_in_common(frozen, tuned, config.num_hidden_layers)
    for index in range(config.num_hidden_layers):
        if index < shared:
            tensors |= _layer(any_of_both, index, _SHARED)
            continue
        for branch, state in ((_FROZEN, frozen), (_TUNED, tuned)):
            if state is not None:
                tensors |= _layer(state, index, branch)
    if head is not None:
        tensors["head.weight"], tensors["head.bias"] = head
    shape = Shape(
        heads=config.num_attention_heads,
        layers=config.num_hidden_layers,
        shared=shared,
        epsilon=config.layer_norm_eps,
        is_frozen_there=frozen is not None,
    )
    return Weights(shape, tensors)


def _layers_in_common(one: Mapping[str, Tensor], other: Mapping[str, Tensor], layers: int) -> int:
    def are_same(prefix: str) -> bool:
        names = [name for name in one if name.startswith(prefix)]
        return all(torch.equal(one[name].cpu(), other[name].cpu()) for name in names)

    if not are_same(f"{_EMBEDDINGS}."):
        raise ValueError("The fine-tuned copy has embeddings of its own.")
    return next((n for n in range(layers) if not are_same(f"encoder.layer.{n}.")), layers)


def _layer(state: Mapping[str, Tensor], index: int, branch: str) -> dict[str, Tensor]:
    theirs, ours = f"encoder.layer.{index}", f"{branch}.{index}"
    found = {}
    for kind in ("weight", "bias"):
        found[f"{ours}.attend.{kind}"] = torch.cat(
            [state[f"{theirs}.attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
        )
        for name, own in _LAYER.items():
            found[f"{ours}.{own}.{kind}"] = state[f"{theirs}.{name}.{kind}"]
    return found


class Bert:
    """A network on a device. `forward` may be recorded as a CUDA graph: it never asks the device."""

    def __init__(self, weights: Weights, device: torch.device, dtype: torch.dtype) -> None:
        self.shape = weights.shape
        self.outputs = weights.outputs
        self._tensors = {
            name: tensor.detach().to(device, dtype) for name, tensor in weights.tensors.items()
        }
        self.vocabulary, self.hidden = self._tensors["words"].shape
        self.most_tokens = len(self._tensors["positions"])

    def forward(self, input_ids: Tensor, mask: Tensor, names: Sequence[str]) -> list[Tensor]:
        """Return the outputs `names`, each of shape (n, its width), in single precision.

        Args:
            input_ids: Shape (n, tokens), each below `vocabulary`, tokens at most `most_tokens`.
            mask: Same shape; 1 for tokens. Each text has at least one.
        """
        states = functional.embedding(input_ids, self._tensors["words"])
        states = self._norm(states + self._tensors["positions"][: input_ids.shape[1]], "norm")
        seen = mask.bool()[:, None, None, :]
        states = self._climb(states, seen, _SHARED, range(self.shape.shared))
        rest = range(self.shape.shared, self.shape.layers)
        found: dict[str, Tensor] = {}
        if EMBEDDING in names:
            found[EMBEDDING] = _mean(self._climb(states, seen, _FROZEN, rest), mask)
        if FEATURE in names or LOGITS in names:
            found[FEATURE] = _mean(self._climb(states, seen, _TUNED, rest), mask)
            head = (part.float() for part in self._pair("head"))
            found[LOGITS] = functional.linear(found[FEATURE], *head)
        return [found[name] for name in names]

    def _climb(self, states: Tensor, seen: Tensor, branch: str, layers: range) -> Tensor:
        for index in layers:
            states = self._layer(states, seen, f"{branch}.{index}")
        return states

    def _layer(self, states: Tensor, seen: Tensor, layer: str) -> Tensor:
        texts, tokens, hidden = states.shape
        heads = self.shape.heads
        parts = self._linear(states, f"{layer}.attend").view(texts, tokens, 3, heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        context = functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        context = context.transpose(1, 2).reshape(texts, tokens, hidden)
        states = self._norm(states + self._linear(context, f"{layer}.mix"), f"{layer}.norm")
        inner = functional.gelu(self._linear(states, f"{layer}.widen"))
        return self._norm(states + self._linear(inner, f"{layer}.narrow"), f"{layer}.last_norm")

    def _linear(self, states: Tensor, name: str) -> Tensor:
        return functional.linear(states, *self._pair(name))

    def _norm(self, states: Tensor, name: str) -> Tensor:
        weight, bias = self._pair(name)
        return functional.layer_norm(states, (self.hidden,), weight, bias, self.shape.epsilon)

    def _pair(self, name: str) -> tuple[Tensor, Tensor]:
        return self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"]


def _mean(states: Tensor, mask: Tensor) -> Tensor:
    weights = mask.unsqueeze(-1).float()
    pooled: Tensor = (states.float() * weights).sum(1) / weights.sum(1)
    return pooled


def load_transformers(directory: Path) -> tuple[Any, Mapping[str, Tensor]]:
    """Return configuration and state dict of a transformers directory."""
    from transformers import AutoModel  # slow to import
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # theirs
    model = AutoModel.from_pretrained(str(directory), add_pooling_layer=False)
    return model.config, model.state_dict()

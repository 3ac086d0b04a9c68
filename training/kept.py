"""A network that is kept as it is, under a head that is fitted anew."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from django.conf import settings
from onnx import helper, numpy_helper

from csplatform import env
from intents.encoder import EncoderDirectory
from intents.encoder.embedding import EMBEDDING, FEATURE, LOGITS, Graph, unit
from intents.inference import artifacts
from intents.inference.backends import open_backend
from intents.inference.backends.weights import weights_beside
from intents.inference.base import Floats

_AT_ONCE = 256  # texts between two looks at whether anybody still wants them


class Kept:
    """What a network makes of texts, each read once; and its graph with another head.

    Of a model this is its fine-tuned network, whose features serve intents that it was never
    taught as well (docs/accuracy.md, "Quick training"); of an encoder the encoder itself. Owned by
    one thread; may serve several trainings one after the other.
    """

    def __init__(
        self,
        *,
        name: str,
        graph: Path,
        tokenizer: Path,
        prefix: str,
        max_tokens: int,
        learned: frozenset[str],
        encoder: EncoderDirectory,
        is_tuned: bool,
    ) -> None:
        self.name = name
        self.learned = learned  # key_hash of each text that its weights were fitted to
        self.is_tuned = is_tuned
        self.max_tokens = max_tokens
        self._path, self._tokenizer, self._encoder = graph, tokenizer, encoder
        self._graph = Graph(
            open_backend(graph, threads=settings.INTENTS_THREADS),
            tokenizer,
            prefix=prefix,
            max_tokens=max_tokens,
        )
        # By text as models read it: the frozen encoder's vector, unit length, and the feature.
        self._known: dict[str, tuple[Floats, Floats]] = {}

    @classmethod
    def of_model(cls, directory: Path, encoder: EncoderDirectory) -> "Kept | None":
        """Keep the network of a model; None where it has none of its own over this encoder.

        None, too, for a model of an older release, which does not say what its weights were
        fitted to: nothing could be calibrated over it.

        Raises:
            BrokenArtifact: The model is missing or is not what training wrote.
        """
        manifest = artifacts.verify(directory)
        has_own = artifacts.DIRECTIONS in manifest.files
        if manifest.encoder != encoder.id or manifest.learned is None or not has_own:
            return None
        return cls(
            name=manifest.version,
            graph=directory / artifacts.CLASSIFIER,
            tokenizer=directory / artifacts.TOKENIZER,
            prefix=manifest.prefix,
            max_tokens=manifest.max_tokens,
            learned=manifest.learned,
            encoder=encoder,
            is_tuned=True,
        )

    @classmethod
    def of_encoder(cls, encoder: EncoderDirectory, *, max_tokens: int = 64) -> "Kept":
        """Keep the frozen encoder, which has learned none of the texts."""
        return cls(
            name="",
            graph=encoder.embedder,
            tokenizer=encoder.tokenizer,
            prefix=encoder.prefix,
            max_tokens=max_tokens,
            learned=frozenset(),
            encoder=encoder,
            is_tuned=False,
        )

    def remember(self, vectors: Mapping[str, Floats]) -> None:
        """Take vectors of the frozen encoder that are known already; its own are then not computed.

        Args:
            vectors: By text as models read it, unit length, shape (d,).
        """
        if not self.is_tuned:
            self._known |= {text: (vector, vector) for text, vector in vectors.items()}

    def read(
        self, texts: Sequence[str], progress: Callable[[float], None] = lambda _share: None
    ) -> tuple[Floats, Floats]:
        """Return vectors, shape (n, d), and features, shape (n, f).

        Args:
            progress: Called with the share of the new texts that are read.
        """
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        for start in range(0, len(new), _AT_ONCE):
            progress(start / len(new))
            some = new[start : start + _AT_ONCE]
            if self.is_tuned:
                vectors, features = self._graph.run(some, EMBEDDING, FEATURE)
                vectors = unit(vectors)
            else:
                [vectors] = self._graph.run(some, EMBEDDING)
                vectors = features = unit(vectors)
            self._known |= zip(some, zip(vectors, features, strict=True), strict=True)
        progress(1.0)
        if not texts:
            return (np.zeros((0, self._graph.widths[EMBEDDING]), np.float32),) * 2
        found = [self._known[text] for text in texts]
        return np.stack([vector for vector, _ in found]), np.stack([each for _, each in found])

    def write(self, directory: Path, weight: Floats, bias: Floats) -> None:
        """Write graph and tokenizer of a model with this head.

        Args:
            weight: Shape (f, k).
            bias: Shape (k,).
        """
        graph = _with_head(onnx.load(str(self._path)), weight, bias)
        onnx.save(graph, str(directory / artifacts.CLASSIFIER))
        shutil.copyfile(self._tokenizer, directory / artifacts.TOKENIZER)
        self._write_for_gpu(directory / artifacts.WEIGHTS, weight, bias)

    def _write_for_gpu(self, path: Path, weight: Floats, bias: Floats) -> None:
        """Write the same network for torch, where there is one to begin with and a use for it."""
        stored = weights_beside(self._path)
        if self.is_tuned and not stored.is_file():
            return
        if not self.is_tuned and not (settings.INFERENCE_BACKEND == "torch" or env.has_gpu()):
            return
        import torch  # seconds, and nobody else here needs it

        from intents.inference.backends.bert import Weights, load_transformers, weights_of

        head = torch.from_numpy(weight.T.copy()), torch.from_numpy(bias.copy())
        if self.is_tuned:
            weights = Weights.load(stored)
            named = {"head.weight": head[0], "head.bias": head[1]}
            weights = replace(weights, tensors={**weights.tensors, **named})
        else:
            config, state = load_transformers(self._encoder.path)
            weights = weights_of(config, frozen=state, tuned=state, head=head)
        weights.save(path)


def _with_head(model: onnx.ModelProto, weight: Floats, bias: Floats) -> onnx.ModelProto:
    """Return the graph with `logits` = `feature` · weight + bias, in single precision.

    The former head goes. A graph that has no `feature` gives its `embedding` for it.
    """
    graph = model.graph
    outputs = {output.name: output for output in graph.output if output.name != LOGITS}
    nodes = _needed(graph, set(outputs))
    if FEATURE not in outputs:
        outputs[FEATURE] = onnx.ValueInfoProto()
        outputs[FEATURE].CopyFrom(outputs[EMBEDDING])
        outputs[FEATURE].name = FEATURE
        nodes.append(helper.make_node("Identity", [EMBEDDING], [FEATURE]))
    nodes += [
        helper.make_node("MatMul", [FEATURE, "head_weight"], ["head_product"]),
        helper.make_node("Add", ["head_product", "head_bias"], [LOGITS]),
    ]
    texts = outputs[EMBEDDING].type.tensor_type.shape.dim[0].dim_param
    logits = helper.make_tensor_value_info(
        LOGITS, onnx.TensorProto.FLOAT, [texts or "texts", len(bias)]
    )
    used = {name for node in nodes for name in node.input}
    weights = [each for each in graph.initializer if each.name in used]
    weights += [
        numpy_helper.from_array(np.ascontiguousarray(weight, np.float32), "head_weight"),
        numpy_helper.from_array(np.ascontiguousarray(bias, np.float32), "head_bias"),
    ]
    result = helper.make_graph(
        nodes,
        graph.name,
        graph.input,
        [outputs[EMBEDDING], logits, outputs[FEATURE]],
        weights,
    )
    return helper.make_model(result, opset_imports=model.opset_import, ir_version=model.ir_version)


def _needed(graph: onnx.GraphProto, outputs: set[str]) -> list[onnx.NodeProto]:
    """Return the nodes that these outputs depend on, without a former head, in their order."""
    wanted = set(outputs)
    kept = []
    for node in reversed(graph.node):  # in topological order, as the format demands
        if wanted & set(node.output):
            kept.append(node)
            wanted.update(node.input)
    kept.reverse()
    return [node for node in kept if not {"head_weight", "head_bias"} & set(node.input)]

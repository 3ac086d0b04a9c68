"""What every backend keeps, whatever runs behind it: one test for all of them."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch

from intents.encoder import onnx_export
from intents.encoder.backend import Backend, Floats, Ids
from intents.inference.backends.bert import weights_of
from intents.inference.backends.weights import weights_beside

VOCABULARY, HIDDEN, CLASSES = 200, 64, 5
WIDTHS = {"logits": CLASSES, "feature": HIDDEN, "embedding": HIDDEN}
_ASKED = (tuple(WIDTHS), tuple(reversed(WIDTHS)), ("logits", "feature"), ("embedding",))


@dataclass(frozen=True)
class Network:
    """One small network in each of its forms, and what it should say."""

    fp32: Path  # ONNX; beside it the same weights for torch
    int8: Path
    embedder: onnx_export.Embedder
    classifier: onnx_export.Classifier

    def expected(self, input_ids: Ids, mask: Ids) -> dict[str, Floats]:
        """Return the outputs of the modules that all forms were made of."""
        feed = torch.from_numpy(input_ids), torch.from_numpy(mask)
        with torch.inference_mode():
            (embedding,), (logits, feature) = self.embedder(*feed), self.classifier(*feed)
        named = {"embedding": embedding, "logits": logits, "feature": feature}
        return {name: rows.numpy() for name, rows in named.items()}


def write_network(directory: Path) -> Network:
    """Write a frozen encoder with a tuned copy and a head, three layers, one of them shared."""
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=VOCABULARY, hidden_size=HIDDEN, num_hidden_layers=3, num_attention_heads=4,
        intermediate_size=128, max_position_embeddings=512,
    )  # fmt: skip
    torch.manual_seed(3)
    frozen = BertModel(config, add_pooling_layer=False).eval().state_dict()
    tuned = {
        name: tensor
        if name.startswith(("embeddings.", "encoder.layer.0."))
        else tensor + 0.05 * torch.randn_like(tensor)
        for name, tensor in frozen.items()
        if tensor.is_floating_point()
    }
    head = torch.randn(CLASSES, HIDDEN), torch.randn(CLASSES)
    embedder = onnx_export.Embedder(onnx_export.PlainBert(config, frozen)).eval()
    classifier = onnx_export.Classifier(onnx_export.PlainBert(config, tuned), *head).eval()
    directory.mkdir(parents=True)
    fp32, int8 = directory / "network.onnx", directory / "small.onnx"
    graph = onnx_export.merged(onnx_export.fused(embedder), onnx_export.fused(classifier))
    onnx.save(graph, str(fp32))
    onnx_export.quantize(fp32, int8)
    weights = weights_of(config, frozen=frozen, tuned=tuned, head=head)
    assert weights.shape.shared == 1
    weights.save(weights_beside(fp32))
    return Network(fp32, int8, embedder, classifier)


def batch(lengths: Sequence[int], *, seed: int = 0) -> tuple[Ids, Ids]:
    """Return ids and mask of texts of these lengths."""
    random = np.random.default_rng(seed)
    mask = (np.arange(max(lengths)) < np.array(lengths)[:, None]).astype(np.int64)
    return random.integers(5, VOCABULARY, mask.shape) * mask, mask


def keeps_the_contract(backend: Backend, network: Network, *, within: float) -> None:
    """Check a backend that holds `network`.

    Args:
        within: How far a number may be from the fp32 network's.
    """
    assert backend.name
    assert dict(backend.outputs) == WIDTHS
    for lengths in ([1], [7], [9, 3, 64], [12] * 33, [1, 130], list(range(1, 66))):
        feed = batch(lengths, seed=len(lengths))
        expected = network.expected(*feed)
        for names in _ASKED:
            found = backend.run(*feed, names)
            assert len(found) == len(names)
            for name, rows in zip(names, found, strict=True):
                assert rows.dtype == np.float32
                assert rows.shape == expected[name].shape
                assert np.abs(rows - expected[name]).max() <= within, (name, lengths)
    _answers_threads(backend, network, within)


def _answers_threads(backend: Backend, network: Network, within: float) -> None:
    """Many threads at once each get their own text's answer."""
    wrong: list[int] = []

    def ask(number: int) -> None:
        feed = batch([3 + number], seed=number)
        for _ in range(5):
            [rows] = backend.run(*feed, ["logits"])
            if np.abs(rows - network.expected(*feed)["logits"]).max() > within:
                wrong.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong

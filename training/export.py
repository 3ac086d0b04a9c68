"""A fine-tuned network as the graphs that serve it: fp32 for comparison, int8 for customers."""

from pathlib import Path

import onnx
from django.conf import settings

from csplatform import env
from intents.encoder import EncoderDirectory, onnx_export
from intents.inference.backends.bert import load_transformers, weights_of
from intents.inference.backends.weights import weights_beside
from training.network import Network


def export(network: Network, base: EncoderDirectory, *, fp32: Path, int8: Path) -> None:
    """Write both graphs: input_ids, attention_mask -> embedding, logits, feature; axes are free.

    Where a GPU may serve it, the weights for torch are written beside the int8 graph.

    Args:
        base: What `network` was before training. Its vectors are the output `embedding`; the
            layers that training left alone are in the graph once.

    Raises:
        onnx_export.NotBert: The encoder is of a family that the graph cannot express.
    """
    tuned = onnx_export.PlainBert(network.encoder.config, network.encoder.state_dict())
    head = network.head
    frozen = onnx_export.fused(onnx_export.Embedder(onnx_export.load_bert(base.path)))
    classifier = onnx_export.fused(onnx_export.Classifier(tuned, head.weight, head.bias))
    onnx.save(onnx_export.merged(frozen, classifier), str(fp32))
    onnx_export.quantize(fp32, int8)
    if settings.INFERENCE_BACKEND == "torch" or env.has_gpu():
        _, frozen_state = load_transformers(base.path)
        weights = weights_of(
            network.encoder.config,
            frozen=frozen_state,
            tuned=network.encoder.state_dict(),
            head=(head.weight, head.bias),
        )
        weights.save(weights_beside(int8))

"""A fine-tuned network as the graphs that serve it: fp32 for comparison, int8 for customers."""

from pathlib import Path

from intents.encoder import onnx_export
from training.network import Network


def export(network: Network, *, fp32: Path, int8: Path) -> None:
    """Write both graphs: input_ids, attention_mask -> logits, embedding; axes are free.

    Raises:
        onnx_export.NotBert: The encoder is of a family that the graph cannot express.
    """
    bert = onnx_export.PlainBert(network.encoder.config, network.encoder.state_dict())
    head = network.head
    onnx_export.export(onnx_export.Classifier(bert, head.weight, head.bias), fp32)
    onnx_export.quantize(fp32, int8)

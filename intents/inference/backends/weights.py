"""Which weights belong to an ONNX graph, for runtimes that read no ONNX."""

from pathlib import Path

from intents.encoder.directory import EncoderDirectory, EncoderUnavailable


def weights_beside(graph: Path) -> Path:
    """Return where training stores the same network in half precision."""
    return graph.with_suffix(".safetensors")


def encoder_of(graph: Path) -> Path | None:
    """Return the transformers directory of a base encoder's graph, None for another graph."""
    try:
        return EncoderDirectory.read(graph.parent).path
    except EncoderUnavailable:
        return None


def has_weights(graph: Path) -> bool:
    """Whether a graph's network can be had without reading the graph."""
    return weights_beside(graph).is_file() or encoder_of(graph) is not None

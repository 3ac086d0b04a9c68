"""The runtimes that a graph can run on, behind one seam (`Backend`)."""

from pathlib import Path

from django.conf import settings

from csplatform import env
from intents.encoder.backend import Backend
from intents.inference.backends.weights import has_weights

__all__ = ["ONNXRUNTIME", "Backend", "open_backend", "open_for_customers", "open_here"]

ONNXRUNTIME = "onnxruntime"  # name of the backend that is there in any case


def open_for_customers(graph: Path, *, threads: int) -> Backend:
    """Find a graph on the server of settings.INFERENCE_URL, or load it here without one.

    Training and its gate load here in any case: the server has only what was activated.
    """
    if settings.INFERENCE_URL:
        from intents.inference.backends.remote import Remote, remote_name

        url, timeout_s = settings.INFERENCE_URL, settings.INFERENCE_TIMEOUT_S
        return Remote(url, remote_name(graph), timeout_s=timeout_s)
    return open_here(graph, threads=threads)


def open_here(graph: Path, *, threads: int) -> Backend:
    """Load a graph in this process for customers, on the quickest runtime that agrees."""
    backend = open_backend(graph, threads=threads)
    if settings.INFERENCE_BACKEND == "auto" and backend.name == ONNXRUNTIME:
        from intents.inference.backends.quickest import open_quickest

        return open_quickest(graph, backend, threads=threads)
    return backend


def open_backend(graph: Path, *, threads: int) -> Backend:
    """Load a graph on the runtime that settings.INFERENCE_BACKEND names.

    Args:
        graph: An ONNX file: input_ids, attention_mask -> logits and/or embedding.
        threads: Within one call.

    Raises:
        NoWeights: Torch was asked for, and the network was stored for ONNX alone.
    """
    kind = settings.INFERENCE_BACKEND
    if kind == "torch" or (kind == "auto" and env.has_gpu() and has_weights(graph)):
        from intents.inference.backends.torch import cuda_works, open_torch  # seconds to import

        if kind == "torch" or cuda_works():
            return open_torch(graph, threads=threads)
    if kind == "openvino":
        from intents.inference.backends.openvino import OpenVino

        return OpenVino(graph, threads=threads)
    from intents.inference.backends.onnxruntime import OnnxRuntime

    return OnnxRuntime(graph, threads=threads)

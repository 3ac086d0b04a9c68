"""ONNX Runtime on the CPU: the int8 graph."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import onnxruntime

from intents.encoder.backend import Floats, Ids

# What onnx_export leaves apart for speed is not to be put together again here.
_SLOWER = {"SkipLayerNormFusion", "BiasSkipLayerNormFusion"}


class OnnxRuntime:
    """A graph in an ONNX Runtime session.

    Args:
        graph: An ONNX file.
        threads: Within one call.
    """

    name = "onnxruntime"

    def __init__(self, graph: Path, *, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Threads that wait for work by spinning take the core from everything else here.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # What a batch needs lies in an arena of its own: 15 MB more at rest, and under load 23 MB less
        # than on the heap, where Python's objects come to lie between its pieces.
        options.enable_cpu_mem_arena = True
        self._session = onnxruntime.InferenceSession(
            str(graph),
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=_SLOWER,
        )
        self._run_options = onnxruntime.RunOptions()
        # The vector alone costs no pass through the fine-tuned layers.
        self._run_options.only_execute_path_to_fetches = True
        self.outputs: Mapping[str, int] = {
            each.name: each.shape[-1] for each in self._session.get_outputs()
        }

    def run(self, input_ids: Ids, attention_mask: Ids, names: Sequence[str]) -> list[Floats]:
        """Return the outputs `names`, in that order, each of shape (n, its width)."""
        feed = {"input_ids": input_ids, "attention_mask": attention_mask}
        found: list[Floats] = self._session.run(list(names), feed, self._run_options)
        return found

    def close(self) -> None:
        """Let the session go; memory returns when nobody runs it any more."""
        del self._session

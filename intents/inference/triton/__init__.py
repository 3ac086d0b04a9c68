"""Models as a Triton model repository: what `manage.py export_triton` writes.

    DIR/<remote name>/config.pbtxt
    DIR/<remote name>/labels.txt        intent codes, of a classifier
    DIR/<remote name>/1/model.onnx
    DIR/<remote name>/1/model.py        only for the Python backend

The format: https://docs.nvidia.com/deeplearning/triton-inference-server, "Model Repository" and
"Model Configuration".
"""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from intents.inference.backends import oip
from intents.inference.backends.remote import remote_name

# Triton merges up to this many texts; our own requests hold at most oip.MOST_TEXTS.
_MAX_BATCH = 4 * oip.MOST_TEXTS
_MODEL_PY = Path(__file__).with_name("model.py")

_CONFIG = Template(
    """\
name: "$name"
$runtime
max_batch_size: $max_batch
input [
  { name: "input_ids" data_type: TYPE_INT64 dims: [ -1 ] },
  { name: "attention_mask" data_type: TYPE_INT64 dims: [ -1 ] }
]
output [
$outputs
]
# No artificial wait: what arrives while a batch runs makes the next one.
dynamic_batching {
  default_queue_policy {
    timeout_action: REJECT
    default_timeout_microseconds: $timeout_us
    max_queue_size: $max_queue
  }
}
"""
)


@dataclass(frozen=True, slots=True)
class Exported:
    """A graph to export."""

    graph: Path
    outputs: Mapping[str, int]  # width by name, as Backend.outputs
    labels: Sequence[str] = ()  # of the columns of `logits`


def write(
    model: Exported, repository: Path, *, python: bool, timeout_s: float, max_queue: int
) -> Path:
    """Add one model to a repository, complete or not at all; one that is there is replaced.

    Args:
        python: For Triton's Python backend, which needs onnxruntime and numpy in its Python,
            instead of its ONNX Runtime backend.
        timeout_s: Requests that waited longer are refused.
        max_queue: Requests that may wait; further ones are refused.

    Returns:
        The directory of the model.
    """
    name = remote_name(model.graph)
    final = repository / name
    repository.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=repository))
    try:
        building.chmod(0o755)  # Triton may run as another user
        version = building / "1"
        version.mkdir()
        shutil.copyfile(model.graph, version / "model.onnx")
        if python:
            shutil.copyfile(_MODEL_PY, version / "model.py")
        if model.labels:
            text = "".join(f"{label}\n" for label in model.labels)
            (building / "labels.txt").write_text(text, encoding="utf-8")
        config = _CONFIG.substitute(
            name=name,
            runtime='backend: "python"' if python else 'platform: "onnxruntime_onnx"',
            max_batch=_MAX_BATCH,
            outputs=",\n".join(
                _output(output, width, labelled=bool(model.labels) and output == "logits")
                for output, width in model.outputs.items()
            ),
            timeout_us=round(timeout_s * 1e6),
            max_queue=max_queue,
        )
        (building / "config.pbtxt").write_text(config, encoding="utf-8")
        if final.exists():
            shutil.rmtree(final)
        building.rename(final)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return final


def _output(name: str, width: int, *, labelled: bool) -> str:
    label = ' label_filename: "labels.txt"' if labelled else ""
    return f'  {{ name: "{name}" data_type: TYPE_FP32 dims: [ {width} ]{label} }}'

"""Trained models on disk: a directory each, and one pointer to the one that answers.

MODEL_DIR/<version>/ holds manifest.json, classifier.onnx (int8), tokenizer.json, scope.npz,
directions.npy, perhaps light_head.npz, and classifier.safetensors (half precision) where a GPU may serve.
MODEL_DIR/active.json names the version that answers; it is replaced in one step, so that a
reader finds the old or the new one, never half of it.
"""

import contextlib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from intents.inference.onnx import OnnxClassifier

FORMAT = 3  # since scope reads the light head's logits
MANIFEST = "manifest.json"
CLASSIFIER, TOKENIZER, LIGHT_HEAD = "classifier.onnx", "tokenizer.json", "light_head.npz"
SCOPE = "scope.npz"
DIRECTIONS = "directions.npy"  # mean feature of each label's texts, unit length
WEIGHTS = "classifier.safetensors"  # half precision, where a GPU may serve
CONTENT = "content.json.gz"  # intents and utterances that it was made of
_POINTER = "active.json"
# Who renames an intent says when before it is stored; with many utterances that takes a while.
_STORING = timedelta(seconds=10)
# Beside what `Manifest.seconds` counts: reading the data, building the encoder, writing the files.
_READING = timedelta(minutes=30)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class BrokenArtifact(Exception):
    """A model directory is missing, damaged, or of a format that this release cannot read."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that is known of a model without loading it."""

    version: str
    encoder: str  # id of the frozen encoder whose vectors the light head expects
    labels: tuple[str, ...]  # intent codes, in the order of the columns
    max_tokens: int  # longer texts are cut, as they were in training
    created_at: str  # ISO 8601, UTC
    seconds: float  # wall clock, from reading the data to the int8 file
    network_weight: float  # see scoring.Mixture
    light_weight: float
    prefix: str = ""  # goes before each text, as it did in training
    parameters: Mapping[str, Any] = field(default_factory=dict)
    measures: Mapping[str, Any] = field(default_factory=dict)  # {"fp32": {...}, "int8": {...}}
    data: Mapping[str, Any] = field(default_factory=dict)  # fingerprint, texts, read_at
    # key_hash of each text that made it, to learn from or to stop by: all others are news to it
    seen: frozenset[str] = frozenset()
    # key_hash of each text that the network's weights were fitted to; a quick training keeps the
    # network of an earlier one, and fits heads to what may be other texts. None: not written down
    learned: frozenset[str] | None = None
    mode: str = "thorough"  # or quick
    files: Mapping[str, str] = field(default_factory=dict)  # name -> SHA-256
    format: int = FORMAT

    @property
    def taught_at(self) -> datetime | None:
        """When its data were read, or a little earlier; None where that is unknown.

        Up to `_STORING` earlier, and up to `_READING` for models of older releases.
        """
        if read_at := self.data.get("read_at"):
            return datetime.fromisoformat(read_at) - _STORING
        if not self.created_at:
            return None
        return datetime.fromisoformat(self.created_at) - timedelta(seconds=self.seconds) - _READING

    @property
    def temperature(self) -> float:
        """What the network's logits are divided by; above 1 flattens."""
        return 1.0 / self.network_weight if self.network_weight else float("inf")


def key_hash(key: str) -> str:
    """Return how a manifest names an utterance, without repeating what a customer wrote.

    Args:
        key: `normalize.key` of its text.
    """
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def write_manifest(directory: Path, manifest: Manifest) -> Manifest:
    """Seal a directory: write its manifest, with the SHA-256 of each file of the model in it.

    Returns:
        The manifest as written.
    """
    files = {
        name: _sha256(directory / name)
        for name in (CLASSIFIER, TOKENIZER, LIGHT_HEAD, SCOPE, DIRECTIONS, WEIGHTS, CONTENT)
        if (directory / name).is_file()
    }
    content = asdict(manifest) | {
        "labels": list(manifest.labels),
        "seen": sorted(manifest.seen),
        "learned": None if manifest.learned is None else sorted(manifest.learned),
        "files": files,
    }
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (directory / MANIFEST).write_text(text, encoding="utf-8")
    return load_manifest(directory)


def load_manifest(directory: Path) -> Manifest:
    """Read the manifest of a model directory; its files are not looked at.

    Raises:
        BrokenArtifact: There is none, or it is not one that this release reads.
    """
    path = directory / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise BrokenArtifact(
                f"{path} has format {content['format']}, and this release reads {FORMAT}:"
                " train the model again."
            )
        content["labels"] = tuple(content["labels"])
        content["seen"] = frozenset(content["seen"])
        if content.get("learned") is not None:
            content["learned"] = frozenset(content["learned"])
        return Manifest(**content)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BrokenArtifact(f"{path} cannot be read: {error}") from error


def verify(directory: Path) -> Manifest:
    """Check each file of a model directory against its hash (45 MB take about 0.1 s).

    Raises:
        BrokenArtifact: A file is missing or is not what was written.
    """
    manifest = load_manifest(directory)
    missing = {CLASSIFIER, TOKENIZER} - manifest.files.keys()
    if missing:
        raise BrokenArtifact(f"{directory} lacks {', '.join(sorted(missing))}.")
    for name, expected in manifest.files.items():
        path = directory / name
        try:
            if Path(name).name != name or _sha256(path) != expected:
                raise BrokenArtifact(f"{path} is not what training wrote.")
        except OSError as error:
            raise BrokenArtifact(f"{path} cannot be read: {error}") from error
    return manifest


def load_classifier(directory: Path) -> "OnnxClassifier":
    """Load a model for serving (0.1 s); its hashes are the caller's to check.

    Raises:
        BrokenArtifact: It cannot be loaded.
    """
    from intents.inference.onnx import OnnxClassifier  # this module alone needs no ONNX Runtime

    return OnnxClassifier(directory)


def active_version() -> str | None:
    """Return the version that the pointer names; None without a pointer or with a broken one."""
    try:
        content = json.loads((settings.MODEL_DIR / _POINTER).read_text(encoding="utf-8"))
        version = content["version"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return version if isinstance(version, str) and _NAME.fullmatch(version) else None


def point_to(version: str | None) -> None:
    """Let the pointer name this version, None for no model; readers see old or new.

    Raises:
        ValueError: The name is not one of a directory in MODEL_DIR.
    """
    if version is not None and not _NAME.fullmatch(version):
        raise ValueError(f"{version!r} cannot be the name of a model version.")
    settings.MODEL_DIR.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".active-", dir=settings.MODEL_DIR)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"version": version}, file)
            file.flush()
            os.fsync(file.fileno())  # or a power cut may leave an empty file under the name
        Path(name).chmod(0o644)
        Path(name).replace(settings.MODEL_DIR / _POINTER)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

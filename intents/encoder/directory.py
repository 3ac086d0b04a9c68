"""An encoder on disk: its files, its manifest, and whether they are whole."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MANIFEST = "encoder.json"
# How the graph is written, as part of every encoder's id: what is of another form is built anew.
FORM = "plain layer norms"


class EncoderUnavailable(Exception):
    """There is no encoder; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class EncoderDirectory:
    """Where the base encoder lies and how it wants to be fed."""

    id: str  # changes with anything that changes an embedding
    path: Path  # transformers directory (config.json, weights, tokenizer): for training
    embedder: Path  # int8 graph of the frozen encoder: input_ids, attention_mask -> embedding
    tokenizer: Path  # tokenizer.json
    prefix: str  # goes before each text that is embedded ("query: " for e5)
    hidden_size: int

    @classmethod
    def read(cls, directory: Path) -> "EncoderDirectory":
        """Read a finished directory.

        Raises:
            EncoderUnavailable: A file is missing or is not what was written.
        """
        try:
            manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
            for name, expected in manifest["files"].items():
                if sha256(directory / name) != expected:
                    raise EncoderUnavailable(f"{directory / name} is not what was written.")
            return cls(
                id=manifest["id"],
                path=Path(manifest["transformers"] or directory),
                embedder=directory / "embedder.onnx",
                tokenizer=directory / "tokenizer.json",
                prefix=manifest["prefix"],
                hidden_size=manifest["hidden_size"],
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise EncoderUnavailable(f"{directory} holds no whole encoder: {error}") from error


def write_manifest(
    directory: Path, *, id_: str, prefix: str, hidden_size: int, transformers: Path | None
) -> None:
    """Seal a directory: what it is, and the SHA-256 of each file in it.

    Args:
        transformers: Where the weights lie when not in `directory` itself.
    """
    manifest: dict[str, Any] = {
        "id": id_,
        "prefix": prefix,
        "hidden_size": hidden_size,
        "transformers": str(transformers) if transformers else "",
        "files": {file.name: sha256(file) for file in sorted(directory.iterdir())},
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    (directory / MANIFEST).write_text(text, encoding="utf-8")


def sha256(path: Path) -> str:
    """Return the hash of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

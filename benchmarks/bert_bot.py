"""The usual design of a bot with a model: Flask on threads, one lock, a BERT of 110 M weights.

    python -m benchmarks.bert_bot --data DIR --port PORT [--model DIRECTORY]

Without --model (a transformers directory of a sequence classifier with `id2label`) the weights
are random, in the shape of bert-base-chinese: its answers cost what a trained one's cost, and
mean nothing. Texts are tokenised one character a token, as that model does with Chinese.
"""

import argparse
import tempfile
import threading
from pathlib import Path

import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    BertTokenizerFast,
)

from benchmarks import flask_bot, trained_model

VOCABULARY = 21_128  # of bert-base-chinese
MAX_TOKENS = 128


def untrained(directory: Path, texts: list[str], labels: list[str]) -> None:
    """Write a classifier of bert-base-chinese's shape, with random weights.

    Args:
        texts: Their characters are known to its tokenizer.
    """
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(set("".join(texts)))]
    pieces += [f"[unused{number}]" for number in range(VOCABULARY - len(pieces))]
    (directory / "vocab.txt").write_text("\n".join(pieces), encoding="utf-8")
    BertTokenizerFast(vocab=str(directory / "vocab.txt")).save_pretrained(directory)
    torch.manual_seed(0)
    config = BertConfig(  # the sizes are transformers' defaults: 12 layers of 768
        vocab_size=VOCABULARY, num_labels=len(labels), id2label=dict(enumerate(labels))
    )
    BertForSequenceClassification(config).save_pretrained(directory)


class Model:
    """One text at a time: the lock makes a model safe to call from many threads."""

    def __init__(self, directory: Path) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(directory)
        self._network = AutoModelForSequenceClassification.from_pretrained(directory).eval()
        self._lock = threading.Lock()

    def intent_of(self, text: str) -> str:
        with self._lock, torch.inference_mode():
            tokens = self._tokenizer(
                text, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
            )
            best = int(self._network(**tokens).logits.argmax())
        return str(self._network.config.id2label[best])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with train.csv")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--model", type=Path)
    options = parser.parse_args()
    if options.model:
        model = Model(options.model)
    else:
        rows = trained_model.read(options.data / "train.csv")
        with tempfile.TemporaryDirectory() as name:
            untrained(Path(name), [row[0] for row in rows], sorted({row[1] for row in rows}))
            model = Model(Path(name))
    model.intent_of("你好")
    flask_bot.serve(model.intent_of, options.port)


if __name__ == "__main__":
    main()

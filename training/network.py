"""The network that is fine-tuned: an encoder, the mean of its last layer, a linear head."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

# Batches are cut out of stretches of this many batches sorted by length: little padding, and
# still a different company in each epoch.
_STRETCH = 50
# Logit of a typical text that points exactly at its intent's mean, when training starts.
_START_LOGIT = 5.0


class Network(nn.Module):
    """`forward` takes token ids and mask, shape (n, tokens), and returns logits, shape (n, k)."""

    def __init__(self, directory: Path, classes: int, *, dropout: float = 0.1) -> None:
        super().__init__()
        from transformers import AutoModel  # slow to import
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # theirs
        self.encoder: Any = AutoModel.from_pretrained(str(directory), add_pooling_layer=False)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(self.encoder.config.hidden_size, classes)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        logits: Tensor = self.head(self.dropout(self.pool(input_ids, attention_mask)))
        return logits

    def pool(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the mean of the last layer without padding, shape (n, hidden)."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weights = attention_mask.unsqueeze(-1).to(states.dtype)
        pooled: Tensor = (states * weights).sum(1) / weights.sum(1)
        return pooled

    def start_from_means(self, pooled: Tensor, targets: Tensor) -> None:
        """Let the head begin as a nearest-mean classifier instead of at random.

        The first steps then improve the encoder, where those under a random head would
        distort it. Worth 2 to 3 points with some 60 sentences an intent.

        Args:
            pooled: `pool` of all training texts, shape (n, hidden).
            targets: Their columns, shape (n,); every class occurs.

        Source: Kumar et al., "Fine-Tuning can Distort Pretrained Features and Underperform
        Out-of-Distribution", ICLR 2022, who begin with a linear probe.
        """
        centre = pooled.mean(0)
        centred = pooled - centre
        lengths = centred.norm(dim=1, keepdim=True)
        means = torch.zeros_like(self.head.weight)
        means.index_add_(0, targets, centred / lengths.clamp(min=1e-6))
        weight = functional.normalize(means, dim=1) * (_START_LOGIT / lengths.mean())
        with torch.no_grad():
            self.head.weight.copy_(weight)
            self.head.bias.copy_(-weight @ centre)

    def freeze(self, layers: int) -> None:
        """Leave the embeddings and the lowest layers as they are.

        They hold half of the parameters, and what a few thousand sentences do not teach.
        """
        self.encoder.embeddings.requires_grad_(requires_grad=False)
        for layer in self.encoder.encoder.layer[:layers]:
            layer.requires_grad_(requires_grad=False)

    def parameter_groups(
        self, *, learning_rate: float, head_learning_rate: float, weight_decay: float
    ) -> list[dict[str, Any]]:
        """Return what the optimizer trains; biases and norms are not decayed."""
        decayed: list[nn.Parameter] = []
        others: list[nn.Parameter] = []
        for name, parameter in self.encoder.named_parameters():
            if parameter.requires_grad:
                is_plain = name.endswith("bias") or "LayerNorm" in name
                (others if is_plain else decayed).append(parameter)
        return [
            {"params": decayed, "lr": learning_rate, "weight_decay": weight_decay},
            {"params": others, "lr": learning_rate, "weight_decay": 0.0},
            {
                "params": list(self.head.parameters()),
                "lr": head_learning_rate,
                "weight_decay": weight_decay,
            },
        ]


def tokenize(tokenizer: Tokenizer, texts: Sequence[str], max_tokens: int) -> list[list[int]]:
    """Return the token ids of each text, cut to `max_tokens` with the closing token kept."""
    encoded = (tokenizer.encode(text).ids for text in texts)
    return [ids if len(ids) <= max_tokens else [*ids[: max_tokens - 1], ids[-1]] for ids in encoded]


def shuffled_batches(
    tokens: Sequence[Sequence[int]], batch_size: int, random: np.random.Generator
) -> list[npt.NDArray[np.intp]]:
    """Return one epoch: positions in `tokens`, texts of like length together, order random."""
    order = random.permutation(len(tokens))
    lengths = np.array([len(ids) for ids in tokens])
    batches = []
    for start in range(0, len(order), batch_size * _STRETCH):
        stretch = order[start : start + batch_size * _STRETCH]
        stretch = stretch[np.argsort(lengths[stretch], kind="stable")]
        batches += [stretch[at : at + batch_size] for at in range(0, len(stretch), batch_size)]
    random.shuffle(batches)
    return batches


def ordered_batches(
    tokens: Sequence[Sequence[int]], batch_size: int
) -> Iterator[npt.NDArray[np.intp]]:
    """Yield positions in `tokens`, shortest texts first."""
    order = np.argsort([len(ids) for ids in tokens], kind="stable")
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]


def pad(
    tokens: Sequence[Sequence[int]], positions: npt.NDArray[np.intp], device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return ids and mask of a batch, shape (n, longest), padded on the right."""
    rows = [tokens[position] for position in positions]
    input_ids = np.zeros((len(rows), max(map(len, rows))), np.int64)
    mask = np.zeros_like(input_ids)
    for row, ids in enumerate(rows):
        input_ids[row, : len(ids)] = ids
        mask[row, : len(ids)] = 1
    return torch.from_numpy(input_ids).to(device), torch.from_numpy(mask).to(device)

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

from intents.encoder.embedding import shortened

# Batches are cut out of stretches of this many batches sorted by length: little padding, and
# still a different company in each epoch.
_STRETCH = 50
# Logit of a typical text that points exactly at its intent's mean, when training starts.
_START_LOGIT = 5.0
# Of kept states; sets of texts that need more are read anew in each epoch.
_KEPT_BYTES = 1_000_000_000
# Added to the attention score of padding.
_MASKED = -10_000.0


class Network(nn.Module):
    """`forward` takes states of the frozen layers and mask, and returns logits, shape (n, k)."""

    def __init__(self, directory: Path, classes: int, *, dropout: float = 0.1) -> None:
        super().__init__()
        from transformers import AutoModel  # slow to import
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # theirs
        self.encoder: Any = AutoModel.from_pretrained(str(directory), add_pooling_layer=False)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(self.encoder.config.hidden_size, classes)
        self.frozen_layers = 0

    def forward(self, states: Tensor, attention_mask: Tensor) -> Tensor:
        logits: Tensor = self.head(self.dropout(self.pool(states, attention_mask)))
        return logits

    def read(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return what the frozen layers make of token ids, shape (n, tokens, hidden)."""
        states: Tensor = self.encoder.embeddings(input_ids=input_ids)
        return self._climb(states, attention_mask, 0, self.frozen_layers)

    def pool(self, states: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the mean of the last layer without padding, shape (n, hidden).

        Args:
            states: As `read` gives them.
        """
        states = self._climb(states, attention_mask, self.frozen_layers, None)
        weights = attention_mask.unsqueeze(-1).to(states.dtype)
        pooled: Tensor = (states * weights).sum(1) / weights.sum(1)
        return pooled

    def _climb(
        self, states: Tensor, attention_mask: Tensor, start: int, stop: int | None
    ) -> Tensor:
        mask = (1.0 - attention_mask[:, None, None, :].to(states.dtype)) * _MASKED
        for layer in self.encoder.encoder.layer[start:stop]:
            found = layer(states, mask)
            states = found[0] if isinstance(found, tuple) else found
        return states

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

        They hold most of the parameters, and what a few thousand sentences do not teach. What
        is left alone is computed once a text: for all epochs here, and for the classifier and
        the frozen encoder together where customers are answered.
        """
        self.frozen_layers = layers
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
    """Return the token ids of each text, shortened as they are when it answers."""
    encoded = (each.ids for each in tokenizer.encode_batch_fast(list(texts)))
    return [shortened(ids, max_tokens) for ids in encoded]


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


class Reader:
    """What the frozen layers make of texts: computed once a text, kept as float16.

    Args:
        tokens: Of each text.
    """

    def __init__(
        self, network: Network, tokens: Sequence[Sequence[int]], device: torch.device
    ) -> None:
        self.tokens = tokens
        self._network = network
        self._device = device
        numbers = sum(map(len, tokens)) * network.encoder.config.hidden_size
        # Without frozen layers there is something to learn in all of them, and nothing to keep.
        self._keeps = bool(network.frozen_layers) and 2 * numbers <= _KEPT_BYTES
        self._kept: dict[int, Tensor] = {}

    def __len__(self) -> int:
        return len(self.tokens)

    def states(self, positions: npt.NDArray[np.intp]) -> tuple[Tensor, Tensor]:
        """Return states, shape (n, longest, hidden), and mask of these texts."""
        if self._keeps and all(position in self._kept for position in positions):
            rows = [self._kept[position] for position in positions]
            states = nn.utils.rnn.pad_sequence(rows, batch_first=True).float()
            _, mask = pad(self.tokens, positions, self._device)
            return states, mask
        input_ids, mask = pad(self.tokens, positions, self._device)
        was_training = self._network.training
        self._network.eval()  # no dropout where nothing learns
        with torch.set_grad_enabled(False):
            states = self._network.read(input_ids, mask).float()
        self._network.train(was_training)
        if self._keeps:
            for position, row in zip(positions, states, strict=True):
                self._kept[position] = row[: len(self.tokens[position])].half().clone()
        return states, mask


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

"""The training loop: AdamW, warm-up and linear decay, early stop on dev."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from training.network import Network, Reader, ordered_batches, shuffled_batches, tokenize
from training.reports import Epoch, Texts

logger = logging.getLogger(__name__)

_WARM_UP = 0.1  # share of the steps
_WEIGHT_DECAY = 0.01
_CLIP = 1.0  # largest norm of a gradient
_DEV_BATCH = 64


@dataclass(frozen=True, slots=True)
class Recipe:
    """What suits one kind of encoder."""

    learning_rate: float
    head_learning_rate: float
    frozen_layers: int  # from below; the two highest are always trained


# Chosen on dev sets; see docs/accuracy.md. The shipped encoder is small and was trained with
# a large batch: it wants larger steps than BERT-base, whose rate is the usual one.
SMALL = Recipe(learning_rate=2e-4, head_learning_rate=1e-3, frozen_layers=8)
BASE = Recipe(learning_rate=2e-5, head_learning_rate=1e-3, frozen_layers=0)
_BASE_HIDDEN = 768


def recipe_for(hidden_size: int) -> Recipe:
    """Return the recipe for an encoder of this width."""
    return BASE if hidden_size >= _BASE_HIDDEN else SMALL


def finetune(
    network: Network,
    tokenizer: Tokenizer,
    train: Texts,
    dev: Texts,
    *,
    recipe: Recipe,
    batch_size: int,
    epochs: int,
    max_tokens: int,
    patience: int,
    seed: int,
    device: torch.device,
    progress: Callable[[float], None],
    on_epoch: Callable[[Epoch], None],
) -> list[Epoch]:
    """Train in place; the network ends as it was after the epoch that was best on dev.

    Args:
        recipe: Rates; at the peak, after the warm-up.
        patience: Stop after this many epochs without a gain.
        progress: Called with the share of all steps, 0 to 1; what it raises ends the training.
        on_epoch: Called after each epoch.

    Returns:
        What happened, epoch by epoch.
    """
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    network.to(device)
    layers = len(network.encoder.encoder.layer)
    network.freeze(max(0, min(recipe.frozen_layers, layers - 2)))
    texts, dev_texts = (
        Reader(network, tokenize(tokenizer, each.texts, max_tokens), device)
        for each in (train, dev)
    )
    targets = torch.from_numpy(train.targets).to(device)
    pooled = _pooled(network, texts, device)
    network.start_from_means(pooled, targets)
    optimizer = torch.optim.AdamW(
        network.parameter_groups(
            learning_rate=recipe.learning_rate,
            head_learning_rate=recipe.head_learning_rate,
            weight_decay=_WEIGHT_DECAY,
        )
    )
    steps = epochs * -(-len(texts) // batch_size)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _warm_up_and_decay(steps))
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    history: list[Epoch] = []
    best: list[Tensor] = []
    best_epoch, step = -1, 0
    for epoch in range(epochs):
        network.train()
        total = 0.0
        for positions in shuffled_batches(texts.tokens, batch_size, random):
            with _fast_math(device):
                logits = network(*texts.states(positions))
            loss = nn.functional.cross_entropy(logits.float(), targets[positions])
            loss.backward()  # type: ignore[no-untyped-call]  # theirs
            nn.utils.clip_grad_norm_(trained, _CLIP)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            schedule.step()
            total += loss.item() * len(positions)
            step += 1
            progress(step / steps)
        accuracy = _accuracy(network, dev_texts, dev.targets, device)
        history.append(Epoch(total / len(texts), accuracy))
        on_epoch(history[-1])
        logger.info("Epoch %d: loss %.3f, dev accuracy %.3f", epoch + 1, history[-1].loss, accuracy)
        # Of equals the later one: it was trained at a smaller rate.
        if best_epoch < 0 or accuracy >= history[best_epoch].dev_accuracy:
            best_epoch, best = epoch, [parameter.detach().clone() for parameter in trained]
        elif epoch - best_epoch >= patience:
            break
    with torch.no_grad():
        for parameter, kept in zip(trained, best, strict=True):
            parameter.copy_(kept)
    network.eval()
    return history


def _warm_up_and_decay(steps: int) -> Callable[[int], float]:
    warm_up = max(1.0, _WARM_UP * steps)
    decay = max(1.0, steps - warm_up)

    def factor(step: int) -> float:
        return min((step + 1) / warm_up, max(0.0, (steps - step) / decay))

    return factor


def _pooled(network: Network, texts: Reader, device: torch.device) -> Tensor:
    network.eval()
    pooled = torch.zeros(len(texts), network.head.in_features, device=device)
    with torch.no_grad():
        for positions in ordered_batches(texts.tokens, _DEV_BATCH):
            with _fast_math(device):
                pooled[positions] = network.pool(*texts.states(positions)).float()
    return pooled


def _accuracy(
    network: Network,
    texts: Reader,
    targets: npt.NDArray[np.int64],
    device: torch.device,
) -> float:
    network.eval()
    right = 0
    with torch.no_grad():
        for positions in ordered_batches(texts.tokens, _DEV_BATCH):
            with _fast_math(device):
                logits = network(*texts.states(positions))
            right += int((logits.argmax(-1).cpu().numpy() == targets[positions]).sum())
    return right / len(texts)


def _fast_math(device: torch.device) -> torch.autocast:
    """Multiply matrices in bfloat16 where the hardware does: half the time, same accuracy."""
    on_gpu = device.type == "cuda"
    fast = torch.cuda.is_bf16_supported() if on_gpu else _CPU_HAS_BF16
    return torch.autocast(device.type, torch.bfloat16, enabled=fast)


def _cpu_has_bf16() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:  # not Linux
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


_CPU_HAS_BF16 = _cpu_has_bf16()

"""What Prometheus is told about understanding; /metrics shows it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import get_args

from prometheus_client import Counter, Gauge, Histogram

from intents.inference.base import State, Status
from intents.inference.batching import Meter

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

_QUEUED = Gauge("intents_queue_texts", "Texts that wait for the engine")
_STATE = Gauge("intents_state", "1 for the state that the engine is in", ["state"])
_FIT = Gauge("intents_fit", "0 when the model hung twice and the process should be replaced")
_WAITED = Histogram("intents_queue_seconds", "From submit to the batch", buckets=_SECONDS)
PREPARED = Histogram("intents_prepare_seconds", "Normalising one batch", buckets=_SECONDS)
TOKENISED = Histogram(
    "intents_tokenise_seconds",
    "Tokenising one text, before it is queued",
    buckets=(0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.005),
)
INFERRED = Histogram(
    "intents_infer_seconds", "Tokenising and running one batch", ["part"], buckets=_SECONDS
)
_BATCH_TEXTS = Histogram(
    "intents_batch_texts", "Texts in one batch", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256)
)
_BATCH_TOKENS = Histogram(
    "intents_batch_tokens",
    "Estimated tokens in one batch, padding included",
    buckets=(16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192),
)
_TOKENS = Counter("intents_tokens_total", "Estimated tokens that were run, without padding")
_REFUSED = Counter("intents_refused_total", "Texts that the engine did not answer", ["reason"])
FAILED = Counter("intents_failed_batches_total", "Batches that raised", ["part"])
_HANGS = Counter("intents_hangs_total", "Batches that were given up with their thread")
SWAPPED = Counter("intents_swaps_total", "Models that took over from another one")
_RUNTIME = Gauge(
    "intents_runtime_texts_per_second",
    "As measured once on this machine, in batches of 16",
    ["runtime", "chosen"],
)
WARM_UP = Gauge("intents_warm_up_seconds", "Of the model that was loaded last")
ANSWERED = Counter("intents_answered_total", "Texts answered, by what answered", ["source"])


class EngineMeter(Meter):
    """Tells Prometheus what the batcher does."""

    def refused(self, reason: str) -> None:
        _REFUSED.labels(reason).inc()

    def waited(self, seconds: float) -> None:
        _WAITED.observe(seconds)

    def ran(self, *, texts: int, tokens: int, padded: int) -> None:
        _BATCH_TEXTS.observe(texts)
        _BATCH_TOKENS.observe(padded)
        _TOKENS.inc(tokens)

    def failed(self) -> None:
        FAILED.labels("model").inc()

    def hung(self) -> None:
        _HANGS.inc()


def measured(texts_per_s: Mapping[str, float], chosen: str) -> None:
    """Tell how quick the runtimes of this machine are, and which one was chosen."""
    for name, speed in texts_per_s.items():
        _RUNTIME.labels(name, str(name == chosen).lower()).set(speed)


def show(status: Callable[[], Status]) -> None:
    """Have each scrape ask for the state of the process's engine."""
    _QUEUED.set_function(lambda: status().queue_length)
    _FIT.set_function(lambda: status().is_fit)
    for state in get_args(State):
        _STATE.labels(state).set_function(partial(_is_in, state, status))


def _is_in(state: State, status: Callable[[], Status]) -> bool:
    return status().state == state

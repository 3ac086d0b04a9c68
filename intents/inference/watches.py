"""Loads encoder and model beside what answers, and warms them up before they serve."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from intents.inference import metrics
from intents.inference.base import FrozenEncoder, TrainedModel

logger = logging.getLogger(__name__)

# What could not be loaded is tried again after this: files may have been copied late.
_RETRY_S = 10.0
# Customers' sentences of all lengths: a runtime picks kernels and allocates for each shape that
# it meets, and no customer should wait for that.
_WARM_UP = (
    "你好",
    "在吗？",
    "Refund",
    "怎么开发票",
    "我的快递到哪了",
    "Where is my parcel?",
    "优惠券为什么不能用，明明还没过期",
    "How do I change the address of an order?",
    "昨天下的单到现在还没有发货，请问什么时候能发",
    "The size I ordered does not fit, can I exchange it for a larger one?",
    "收到的杯子是碎的，盒子没有破，应该是装箱的时候就坏了，你们给补发还是退钱，运费谁出",
    "I was charged twice for one order, nobody answers my e-mails; when do I get the money back?",
)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a process gets its models from; tests put their own here."""

    encoder: Callable[[], FrozenEncoder]  # may build it first: a minute on a new machine
    active_version: Callable[[], str | None]
    model: Callable[[str, FrozenEncoder], TrainedModel]


class ModelWatch:
    """The trained model that serves, and what becomes of the one that should."""

    def __init__(self, sources: Sources, loaded: threading.Event) -> None:
        """Take where models come from; `loaded` is set at each success or failure."""
        self._sources = sources
        self._loaded = loaded
        self._pointed_to: str | None = None
        self._retry_at = float("inf")
        self._outcome: TrainedModel | Exception | None = None
        self._thread_runs = False
        self._waits_for_encoder = False
        self._is_stale = False
        self.model: TrainedModel | None = None
        self.warm_up_s = 0.0  # of the model that was loaded last
        self.problem = ""

    @property
    def loading(self) -> bool:
        return self._thread_runs or self._waits_for_encoder

    def follow(self, encoder: FrozenEncoder | None) -> bool:
        """Have what the pointer names loaded and warmed on a thread of its own, if that is news.

        Args:
            encoder: A model reads its vectors; None while it is not there.

        Returns:
            Whether another model, or none, serves from now on. One that cannot be loaded
            leaves the present one in service, and is tried again from time to time.
        """
        if self._outcome is not None:
            return self._take(self._outcome)
        version = self._sources.active_version()
        is_due = version != self._pointed_to or time.monotonic() >= self._retry_at
        if not is_due or self._thread_runs:
            return False
        self._waits_for_encoder = version is not None and encoder is None
        if self._waits_for_encoder:
            return False
        self._pointed_to, self._retry_at, self.problem = version, float("inf"), ""
        if version is None or encoder is None:
            moved, self.model = self.model is not None, None
            return moved
        if self.model is not None and self.model.version == version and not self._is_stale:
            return False  # pointed back from one that was broken
        self._is_stale = False
        self._thread_runs = True
        threading.Thread(
            target=self._load, args=(version, encoder), name="intents-model", daemon=True
        ).start()
        return False

    def reload(self) -> None:
        """Have the next `follow` load the model once more; until then the present one serves."""
        self._is_stale, self._retry_at = True, 0.0

    def _load(self, version: str, encoder: FrozenEncoder) -> None:
        try:
            model = self._sources.model(version, encoder)
            began = time.perf_counter()
            for text in _WARM_UP:
                model.classifier.read([text])
            model.classifier.read(_WARM_UP)
            self.warm_up_s = time.perf_counter() - began
        except Exception as error:
            logger.exception("Model %s cannot be loaded; what answered before goes on", version)
            self._outcome = error
        else:
            self._outcome = model
        self._loaded.set()

    def _take(self, outcome: TrainedModel | Exception) -> bool:
        self._outcome, self._thread_runs = None, False
        if isinstance(outcome, Exception):
            self.problem = f"{self._pointed_to}: {outcome}"
            self._retry_at = time.monotonic() + _RETRY_S
            return False
        logger.info("Model %s answers, warmed up in %.2f s", outcome.version, self.warm_up_s)
        metrics.WARM_UP.set(self.warm_up_s)
        if self.model is not None:
            metrics.SWAPPED.inc()
        self.model = outcome
        return True


class EncoderWatch:
    """The frozen encoder, loaded on a thread of its own: the first build takes a minute."""

    def __init__(self, sources: Sources, loaded: threading.Event) -> None:
        """Start loading; `loaded` is set at each success or failure."""
        self._sources = sources
        self._loaded = loaded
        self._stopping = threading.Event()
        self.encoder: FrozenEncoder | None = None
        self.problem = ""
        threading.Thread(target=self._load, name="intents-encoder", daemon=True).start()

    def stop(self) -> None:
        """Do not try again; a build that runs is left to finish."""
        self._stopping.set()

    def _load(self) -> None:
        while not self._stopping.is_set():
            try:
                encoder = self._sources.encoder()
                encoder.embedder.embed(_WARM_UP[:2])
            except Exception as error:
                logger.exception("The encoder cannot be loaded; keywords stand in for prototypes")
                self.problem = str(error) or type(error).__name__
                self._loaded.set()
                self._stopping.wait(_RETRY_S)
            else:
                self.encoder, self.problem = encoder, ""
                self._loaded.set()
                return

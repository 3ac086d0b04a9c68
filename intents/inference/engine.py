"""The engine of one process: callers on one side, the best answer there is on the other."""

import asyncio
import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import TypeVar

from django.conf import settings

from intents.inference import mood
from intents.inference.base import FrozenEncoder, Prediction, Status
from intents.inference.batching import (
    CALL_TOKENS,
    CALL_TOKENS_OF_THREADS,
    Batcher,
    DeadlinePassed,
    EngineClosed,
    EngineOverloaded,
)
from intents.inference.follower import Condition, Follower
from intents.inference.metrics import ANSWERED, TOKENISED, EngineMeter
from intents.inference.understanding import Understanding, decided
from intents.inference.waiting import estimated_tokens
from intents.inference.watches import Sources

logger = logging.getLogger(__name__)

_Future = TypeVar("_Future", "Future[Prediction]", "asyncio.Future[Prediction]")

# The first texts of a process wait this long for its model; then the cascade answers.
_START_GRACE_S = 1.0
# Texts that wait after a hang wait this long for a fresh model.
_RENEWAL_GRACE_S = 10.0
# A model that hangs again this soon after it was loaded afresh is not at fault alone.
_SECOND_HANG_S = 600.0
# Texts of one call that are queued together: a long list must not fill the queue for others.
_MANY_AT_ONCE = 64
# Few tokens are longer; what comes after so many characters is cut in any case.
_CHARS_OF_A_TOKEN = 16


class Engine:
    """Answers texts from any thread or coroutine; never raises for a text.

    What cannot be had within the time (model, prototypes: too many wait, too slow, broken)
    is answered by keywords. A model that hangs is given up with its thread and loaded afresh;
    when that hangs, too, keywords answer, `status` says that the process is not fit, and
    `on_unfit` is called. Threads are started by the constructor, so an engine belongs to the
    process that made it, and raises `EngineInherited` in a fork.
    """

    def __init__(self, sources: Sources, *, on_unfit: Callable[[], object] = lambda: None) -> None:
        """Start the threads; loading goes on in the background.

        Args:
            on_unfit: Called at most once, on a thread of the engine.
        """
        self._on_unfit = on_unfit
        self._understanding = Understanding()
        self._answered: Counter[str] = Counter()
        self._own_condition: Condition | None = None  # stopped or unfit; else the follower's
        self._hung_at = float("-inf")
        self._is_fit = True
        self._mood_heads = mood.Heads()
        self._meter = EngineMeter()
        settled = threading.Event()
        self._batcher = Batcher[str, Prediction](
            lambda texts: self._understanding.begin(texts),
            finish=decided,
            max_text_tokens=settings.INTENTS_MAX_TOKENS,
            max_batch_tokens=settings.INTENTS_BATCH_MAX_TOKENS,
            max_queue=settings.INTENTS_QUEUE_MAX_TEXTS,
            call_tokens=_call_tokens(),
            tokens_of=self._tokens_of,
            hang_s=settings.INTENTS_HANG_S,
            begin=lambda: settled.wait(_START_GRACE_S),
            renew=self._renew,
            stand_in=lambda texts: self._understanding.predict_without_model(texts),
            stamp=_stamp,
            meter=self._meter,
        )
        self._follower = Follower(
            sources,
            self._publish,
            settled=settled,
            poll_s=settings.CONTENT_POLL_S,
            is_failing=lambda: self._batcher.is_failing,
        )

    def classify(self, text: str, *, timeout_s: float | None = None) -> Prediction:
        """Answer one text on a thread; see `intents.inference.classify`."""
        return self._classify_together([text], timeout_s)[0]

    def classify_many(
        self, texts: Sequence[str], *, timeout_s: float | None = None
    ) -> list[Prediction]:
        """Answer texts in their order; see `intents.inference.classify_many`."""
        return [
            prediction
            for start in range(0, len(texts), _MANY_AT_ONCE)
            for prediction in self._classify_together(
                texts[start : start + _MANY_AT_ONCE], timeout_s
            )
        ]

    async def aclassify(self, text: str, *, timeout_s: float | None = None) -> Prediction:
        """Answer one text in a coroutine; the event loop goes on meanwhile."""
        return (await self._aclassify_together([text], timeout_s))[0]

    async def aclassify_many(
        self, texts: Sequence[str], *, timeout_s: float | None = None
    ) -> list[Prediction]:
        """Answer texts in their order; the event loop goes on meanwhile."""
        predictions: list[Prediction] = []
        for start in range(0, len(texts), _MANY_AT_ONCE):
            part = texts[start : start + _MANY_AT_ONCE]
            predictions += await self._aclassify_together(part, timeout_s)
        return predictions

    def status(self) -> Status:
        """Say how it is doing; takes no lock and no query."""
        understanding = self._understanding
        condition = self._condition()
        version = understanding.catalogue.version
        return Status(
            state=condition.state,
            since=condition.since,
            detail=condition.detail,
            source=understanding.source,
            model_version=understanding.model.version if understanding.model else "",
            content_version=version if understanding.is_complete else -version,
            intents=len(understanding.catalogue.active),
            utterances=len(understanding.catalogue.sentences),
            queue_length=self._batcher.queue_length,
            counters={**self._batcher.counters, **self._answered},
            warm_up_ms=1000 * self._follower.warm_up_s,
            is_fit=self._is_fit,
            runtime=understanding.runtime,
        )

    def moods(self, texts: Sequence[str]) -> list[mood.Mood | None]:
        """Say how texts sound; see `intents.inference.moods`."""
        encoder = self.encoder()
        head = self._mood_heads.of(encoder.id) if encoder is not None else None
        if encoder is None or head is None:
            return [None] * len(texts)
        try:
            return [*mood.read(head, encoder, texts)]
        except Exception:
            logger.exception("Moods of %d texts cannot be told", len(texts))
            return [None] * len(texts)

    def encoder(self) -> FrozenEncoder | None:
        """Return the frozen encoder that this engine reads with; None while there is none."""
        return self._follower.encoder

    def stop(self, timeout_s: float | None = 5.0) -> None:
        """Answer what is queued and end the threads. Later texts get keywords."""
        self._own_condition = Condition("stopped")
        self._follower.stop(timeout_s)
        self._batcher.close(timeout_s)

    def _condition(self) -> Condition:
        condition = self._own_condition or self._follower.condition
        if condition.state in ("ready", "swapping") and self._batcher.is_failing:
            detail = f"The model fails on every text: {self._batcher.last_error}"
            return replace(condition, state="broken", detail=detail)
        return condition

    def _tokens_of(self, text: str, most: int) -> int:
        """Count the tokens of a text: batches of estimated lengths carry 20 % more padding.

        Where none waits, the number decides nothing, or little.
        """
        count = self._follower.count_tokens
        if count is not None and self._batcher.queue_length:
            # Half a surrogate pair is no text to it.
            with contextlib.suppress(Exception), TOKENISED.time():
                return min(most, count(text[: _CHARS_OF_A_TOKEN * most]))
        return estimated_tokens(text, most)

    def _publish(self, understanding: Understanding) -> None:
        # One assignment, read once a batch: the swap falls between two batches.
        if self._is_fit:
            self._understanding = understanding

    def _renew(self) -> None:
        """Get a model that shares nothing with the one that hangs, or do without one.

        On the thread that takes over; what waits is answered when this returns.
        """
        now = time.monotonic()
        hung_before, self._hung_at = self._hung_at, now
        if now - hung_before > _SECOND_HANG_S:
            self._follower.renew().wait(_RENEWAL_GRACE_S)
            return
        detail = "The model hung again after it had been loaded afresh."
        logger.critical("%s Keywords answer until this process is replaced", detail)
        self._own_condition = Condition("broken", detail)
        self._is_fit = False
        self._understanding = self._understanding.without_models()
        self._follower.stop(0)
        self._on_unfit()

    # --- callers ------------------------------------------------------------------------------

    def _classify_together(self, texts: Sequence[str], timeout_s: float | None) -> list[Prediction]:
        deadline = _deadline(timeout_s)
        futures = [self._submit(self._batcher.submit, text, deadline) for text in texts]
        return [
            self._outcome(text, None if future is None else self._result(future, deadline))
            for text, future in zip(texts, futures, strict=True)
        ]

    async def _aclassify_together(
        self, texts: Sequence[str], timeout_s: float | None
    ) -> list[Prediction]:
        deadline = _deadline(timeout_s)
        submitted = [self._submit(self._batcher.submit_here, text, deadline) for text in texts]
        futures = [future for future in submitted if future is not None]
        # One timer instead of asyncio.wait, which costs each caller as much as a future.
        timer = asyncio.get_running_loop().call_later(
            deadline - time.monotonic(), self._expire, futures
        )
        try:
            return [
                self._outcome(text, None if future is None else await _awaited(future))
                for text, future in zip(texts, submitted, strict=True)
            ]
        finally:
            timer.cancel()
            for future in futures:
                _let_go(future)

    def _submit(self, submit: Callable[..., _Future], text: str, deadline: float) -> _Future | None:
        try:
            return submit(text, deadline=deadline)
        except (EngineOverloaded, EngineClosed) as refusal:
            logger.debug("Answered by keywords: %s", refusal)
            return None

    def _result(self, future: "Future[Prediction]", deadline: float) -> Prediction | None:
        """Return what a thread gets in time; None for an error, which the batcher has logged."""
        with contextlib.suppress(Exception):
            return future.result(max(0.0, deadline - time.monotonic()))
        if not future.done():
            future.cancel()
            self._count_late()
        return None

    def _expire(self, futures: Sequence["asyncio.Future[Prediction]"]) -> None:
        for future in futures:
            if not future.done():
                future.set_exception(DeadlinePassed("The model was too slow."))
                self._count_late()

    def _count_late(self) -> None:
        self._answered["timed_out"] += 1
        self._meter.refused("timed_out")

    def _outcome(self, text: str, prediction: Prediction | None) -> Prediction:
        """Return the model's answer, else one that needs no waiting."""
        if prediction is None:
            prediction = self._understanding.predict_without_waiting(text)
        self._answered[prediction.source] += 1
        ANSWERED.labels(prediction.source).inc()
        return prediction


async def _awaited(future: "asyncio.Future[Prediction]") -> Prediction | None:
    """Return what a coroutine gets in time; None for an error, which the batcher has logged."""
    try:
        return await future
    except Exception:
        return None


def _let_go(future: "asyncio.Future[Prediction]") -> None:
    """Tell the batcher that nobody waits, or asyncio that the error has been seen."""
    if not future.cancel() and not future.cancelled():
        future.exception()


def _call_tokens() -> int:
    shares_a_call = settings.INTENTS_THREADS > 1 and not settings.INFERENCE_URL
    return CALL_TOKENS_OF_THREADS if shares_a_call else CALL_TOKENS


def _deadline(timeout_s: float | None) -> float:
    return time.monotonic() + (settings.CHAT_ANSWER_TIMEOUT_S if timeout_s is None else timeout_s)


def _stamp(prediction: Prediction, queue_s: float, infer_s: float) -> Prediction:
    return replace(prediction, queue_ms=1000 * queue_s, infer_ms=1000 * infer_s)

"""The engine of one process: callers on one side, the best answer there is on the other."""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, wait

from django.conf import settings

from intents.inference import metrics
from intents.inference.base import Prediction, Status
from intents.inference.batching import Batcher, EngineClosed, EngineOverloaded
from intents.inference.follower import Follower, Sources
from intents.inference.understanding import Understanding

logger = logging.getLogger(__name__)

# The first texts of a process wait this long for its model; then the cascade answers.
_START_GRACE_S = 1.0
# Texts of one call that are queued together: a long list must not fill the queue for others.
_MANY_AT_ONCE = 64


class Engine:
    """Answers texts from any thread or coroutine; never raises for a text.

    What cannot be had within the time (model, prototypes: too many wait, too slow, broken)
    is answered by keywords. Threads are started by the constructor, so an engine belongs to
    the process that made it: a forked child gets keywords from it, and should make its own.
    """

    def __init__(self, sources: Sources) -> None:
        """Start the threads; loading goes on in the background."""
        self._understanding = Understanding()
        self._answered: Counter[str] = Counter()
        self._stopped = False
        self._follower = Follower(sources, self._publish, poll_s=settings.CONTENT_POLL_S)
        self._batcher = Batcher[Prediction](
            self._predict,
            max_text_tokens=settings.INTENTS_MAX_TOKENS,
            max_batch_tokens=settings.INTENTS_BATCH_MAX_TOKENS,
            max_queue=settings.INTENTS_QUEUE_MAX_TEXTS,
            begin=lambda: self._follower.settled.wait(_START_GRACE_S),
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
        version = understanding.catalogue.version
        return Status(
            state="stopped" if self._stopped else self._follower.state,
            source=understanding.source,
            model_version=understanding.model.version if understanding.model else "",
            detail=self._follower.detail,
            content_version=version if understanding.is_complete else -version,
            intents=len(understanding.catalogue.active),
            utterances=len(understanding.catalogue.sentences),
            queue_length=self._batcher.queue_length,
            counters={**self._batcher.counters, **self._answered},
        )

    def stop(self, timeout_s: float | None = 5.0) -> None:
        """Answer what is queued and end the threads. Later texts get keywords."""
        self._stopped = True
        self._follower.stop(timeout_s)
        self._batcher.close(timeout_s)

    def _publish(self, understanding: Understanding) -> None:
        # One assignment, read once a batch: the swap falls between two batches.
        self._understanding = understanding

    def _predict(self, texts: Sequence[str]) -> list[Prediction]:
        return self._understanding.predict(texts)

    def _classify_together(self, texts: Sequence[str], timeout_s: float | None) -> list[Prediction]:
        deadline = _deadline(timeout_s)
        futures = [self._submit(text, deadline) for text in texts]
        wait([future for future in futures if future], timeout=deadline - time.monotonic())
        return list(map(self._outcome, texts, futures))

    async def _aclassify_together(
        self, texts: Sequence[str], timeout_s: float | None
    ) -> list[Prediction]:
        deadline = _deadline(timeout_s)
        futures = [self._submit(text, deadline) for text in texts]
        waiting = [asyncio.wrap_future(future) for future in futures if future]
        for waited_for in waiting:
            waited_for.add_done_callback(_look_at_error)
        try:
            if waiting:
                await asyncio.wait(waiting, timeout=deadline - time.monotonic())
        except asyncio.CancelledError:
            # Here and now: through asyncio it would take another turn of the loop, and the
            # model might take the text up in between.
            for future in futures:
                if future is not None:
                    future.cancel()
            raise
        return list(map(self._outcome, texts, futures))

    def _submit(self, text: str, deadline: float) -> Future[Prediction] | None:
        try:
            return self._batcher.submit(text, deadline=deadline)
        except (EngineOverloaded, EngineClosed) as refusal:
            logger.debug("Answered by keywords: %s", refusal)
            return None

    def _outcome(self, text: str, future: Future[Prediction] | None) -> Prediction:
        """Return the answer that is there by now, else one that needs no waiting."""
        prediction = None
        if future is not None and not future.cancel() and future.done():
            # Not a second log line: whoever set an error has logged it.
            with contextlib.suppress(Exception):
                prediction = future.result()
        elif future is not None:
            self._answered["timed_out"] += 1
            metrics.REFUSED.labels("timed_out").inc()
        if prediction is None:
            prediction = self._understanding.predict_without_waiting(text)
        self._answered[prediction.source] += 1
        metrics.ANSWERED.labels(prediction.source).inc()
        return prediction


def _deadline(timeout_s: float | None) -> float:
    return time.monotonic() + (settings.CHAT_ANSWER_TIMEOUT_S if timeout_s is None else timeout_s)


def _look_at_error(future: asyncio.Future[Prediction]) -> None:
    """Tell asyncio that an error has been seen; the answer has then come from elsewhere."""
    if not future.cancelled():
        future.exception()

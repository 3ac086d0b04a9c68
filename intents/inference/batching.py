"""One model, many callers: single texts are gathered into batches."""

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from intents.inference import metrics

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


class EngineOverloaded(Exception):
    """Too many texts are waiting. Nothing was queued."""


class EngineClosed(Exception):
    """The engine was stopped, or belongs to the process that this one was forked from."""


class DeadlinePassed(TimeoutError):
    """The text waited so long that its caller has stopped listening."""


@dataclass(frozen=True, slots=True)
class _Entry(Generic[Result]):
    text: str
    tokens: int
    future: "Future[Result]"
    deadline: float  # time.monotonic()
    queued_at: float = field(default_factory=time.monotonic)


def estimated_tokens(text: str, most: int) -> int:
    """Return about how many tokens a text has, at most `most`, without a tokenizer.

    A Chinese character has three bytes and is about one token; English has three to four
    letters a token. It only bounds the work of a batch, so it may be off by a third.
    """
    return min(most, 2 + -(-len(text[: 3 * most].encode("utf-8", "replace")) // 3))


class Batcher(Generic[Result]):
    """Run `predict` on batches, on one thread that owns the model.

    Callers get a `concurrent.futures.Future`, so threads wait with `.result(timeout)` and
    coroutines with `asyncio.wrap_future`: the batcher belongs to no event loop. While the
    model works on one batch the next one gathers; that alone batches a busy system (as
    text-embeddings-inference does) and adds no wait to an idle one.

    A batch is the oldest text and those nearest to it in length, as many as `max_tokens`
    allows with padding counted (longest times number): a long text does not make short
    ones expensive, and none is overtaken for ever.

    Every future is settled, whatever `predict` does: with its result, with its error, with
    `DeadlinePassed`, or, for a caller that cancelled in the queue, as cancelled.
    """

    def __init__(
        self,
        predict: Callable[[Sequence[str]], Sequence[Result]],
        *,
        max_text_tokens: int,
        max_batch_tokens: int,
        max_queue: int,
        begin: Callable[[], object] | None = None,
    ) -> None:
        """Start the thread.

        Args:
            max_text_tokens: Where `predict` cuts a text; longer ones cost no more.
            max_batch_tokens: Of one batch, padding included; one text is always taken.
            max_queue: Texts that may wait; further ones are refused.
            begin: Called once on the thread before the first batch; may wait.
        """
        self._predict = predict
        self._max_text_tokens = max_text_tokens
        self._max_batch_tokens = max_batch_tokens
        self._max_queue = max_queue
        self._begin = begin
        self._pid = os.getpid()
        self._entries: list[_Entry[Result]] = []
        self._changed = threading.Condition()  # guards _entries and _closed; held for microseconds
        self._closed = False
        self.counters: Counter[str] = Counter()
        self._thread = threading.Thread(target=self._serve, name="intents-batches", daemon=True)
        self._thread.start()

    @property
    def queue_length(self) -> int:
        """How many texts wait."""
        return len(self._entries)

    def submit(self, text: str, *, deadline: float = float("inf")) -> "Future[Result]":
        """Queue one text; safe from any thread and never waits for the model.

        Args:
            deadline: On `time.monotonic()`'s clock; a text that is still queued then is dropped.

        Raises:
            EngineOverloaded: `max_queue` texts are waiting already.
            EngineClosed: `close` was called, or this process is a fork of the owner.
        """
        if os.getpid() != self._pid:
            # Threads do not survive a fork: the future would never be settled.
            raise EngineClosed(f"This engine belongs to process {self._pid}; start one here.")
        entry = _Entry(
            text, estimated_tokens(text, self._max_text_tokens), Future[Result](), deadline
        )
        with self._changed:
            if self._closed:
                raise EngineClosed("The engine was stopped.")
            if len(self._entries) >= self._max_queue:
                self._count_refusal("overloaded")
                raise EngineOverloaded(f"{self._max_queue} texts are waiting already.")
            self._entries.append(entry)
            self._changed.notify()
        return entry.future

    def close(self, timeout_s: float | None = None) -> None:
        """Answer what is queued, refuse what comes, and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(timeout_s)

    def _serve(self) -> None:
        if self._begin is not None:
            self._begin()
        while True:
            with self._changed:
                while not self._entries and not self._closed:
                    self._changed.wait()
                if not self._entries:
                    return
                batch = self._take()
                metrics.QUEUED.set(len(self._entries))
            self._answer(batch)

    def _take(self) -> list[_Entry[Result]]:
        """Remove the next batch from the queue. Call it with the lock held."""
        oldest = self._entries[0]
        by_likeness = sorted(self._entries, key=lambda entry: abs(entry.tokens - oldest.tokens))
        batch: list[_Entry[Result]] = []
        longest = 0
        for entry in by_likeness:
            longest = max(longest, entry.tokens)
            if batch and longest * (len(batch) + 1) > self._max_batch_tokens:
                break
            batch.append(entry)
        taken = set(map(id, batch))
        self._entries = [entry for entry in self._entries if id(entry) not in taken]
        return batch

    def _answer(self, batch: Sequence[_Entry[Result]]) -> None:
        live = self._still_wanted(batch)
        if not live:
            return
        self.counters["batches"] += 1
        metrics.BATCH_TEXTS.observe(len(live))
        try:
            results = self._predict([entry.text for entry in live])
            if len(results) != len(live):
                raise RuntimeError(f"{len(results)} results for {len(live)} texts")
        except Exception as error:
            # The thread must outlive a bad batch, or its callers would wait for ever.
            logger.exception("A batch of %d texts failed", len(live))
            self.counters["failed_batches"] += 1
            metrics.FAILED.labels("batch").inc()
            for entry in live:
                entry.future.set_exception(error)
            return
        for entry, result in zip(live, results, strict=True):
            entry.future.set_result(result)

    def _still_wanted(self, batch: Sequence[_Entry[Result]]) -> list[_Entry[Result]]:
        """Settle those whose caller has gone: the model's time is for the others."""
        now = time.monotonic()
        live = []
        for entry in batch:
            if not entry.future.set_running_or_notify_cancel():
                self._count_refusal("cancelled")
            elif entry.deadline <= now:
                self._count_refusal("deadline")
                entry.future.set_exception(DeadlinePassed("Nobody waits for this text any more."))
            else:
                metrics.WAITED.observe(now - entry.queued_at)
                live.append(entry)
        return live

    def _count_refusal(self, reason: str) -> None:
        self.counters[reason] += 1
        metrics.REFUSED.labels(reason).inc()

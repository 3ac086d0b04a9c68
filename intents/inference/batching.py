"""One model, many callers: single texts are gathered into batches.

Needs the standard library alone: benchmarks drive it on machines that have nothing else.
"""

import asyncio
import contextlib
import logging
import os
import queue
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from intents.inference.waiting import Entry, Queue, estimated_tokens

logger = logging.getLogger(__name__)

Text = TypeVar("Text")  # a string, or its token ids
Result = TypeVar("Result")

# What a call of e5-small as int8 costs beside its tokens, in tokens: 2 ms, and 0.095 ms a token.
# Threads that share a call wait for each other at each of its operations; chosen under load.
CALL_TOKENS, CALL_TOKENS_OF_THREADS = 20, 100
# A batch that fails is tried again in parts until so many calls have failed: one bad text among
# 64 is found by seven, three by 16. Of a model that fails whatever it gets, no parts are tried.
_MOST_FAILURES = 16
_BROKEN_AFTER = 3  # batches in a row
# The watch looks so often within the limit of a hang. It counts its own looks, not time: a
# process that was suspended has not hung.
_LOOKS = 4
_FINISHING_S = 5.0  # that the last batch may take after the model, when the batcher is closed


class EngineOverloaded(Exception):
    """Too many texts are waiting. Nothing was queued."""


class EngineClosed(Exception):
    """The engine was stopped."""


class EngineInherited(RuntimeError):
    """This process was forked from one whose engine ran.

    Threads do not survive a fork, and neither ONNX Runtime nor CUDA may be used on both sides
    of one. Whoever starts the processes has made a mistake: start the engine after forking, not
    before.
    """


class DeadlinePassed(TimeoutError):
    """The text waited so long that its caller has stopped listening."""


class ModelHung(TimeoutError):
    """The batch of this text ran longer than any may, and was given up."""


class Meter:
    """Is told what a batcher does; this one forgets it. Called on the batcher's threads."""

    def refused(self, reason: str) -> None:
        """Record a text that was not run: `overloaded`, `cancelled`, `deadline` or `hung`."""

    def waited(self, seconds: float) -> None:
        """Record how long a text was queued."""

    def ran(self, *, texts: int, tokens: int, padded: int) -> None:
        """Record a batch: its estimated `tokens`, and `padded` with padding."""

    def failed(self) -> None:
        """Record a call of the model that raised."""

    def hung(self) -> None:
        """Record a thread that was given up."""


@dataclass(slots=True, eq=False)
class _Owner(Generic[Text, Result]):
    """The thread that runs the model. One that hangs is given up, and another takes over."""

    batch: Sequence[Entry[Text, Result]] = ()  # which it has taken
    calls: int = 0  # of the model, begun
    is_calling: bool = False

    @contextlib.contextmanager
    def calling(self) -> Iterator[None]:
        """Let the watch know that what is not ours runs on the thread."""
        self.calls += 1
        self.is_calling = True
        try:
            yield
        finally:
            self.is_calling = False


@dataclass(slots=True, eq=False)
class _Outcome(Generic[Text, Result]):
    """What became of a text: its result, or else the error."""

    entry: Entry[Text, Result]
    result: Any  # what `predict` gave, until `finish` has made a result of it
    error: Exception | None = None

    def settle(self) -> None:
        """Tell the caller, unless it has gone. On the loop of an asyncio future."""
        future = self.entry.future
        with contextlib.suppress(InvalidStateError, asyncio.InvalidStateError):
            if self.error is not None:
                future.set_exception(self.error)
            else:
                future.set_result(self.result)


class _Finisher:
    """A thread that takes one piece of work at a time."""

    def __init__(self) -> None:
        self._work = queue.SimpleQueue[Callable[[], object] | None]()
        self._is_free = threading.Semaphore()
        self._thread = threading.Thread(target=self._run, name="intents-answers", daemon=True)
        self._thread.start()

    def take(self, work: Callable[[], object]) -> bool:
        """Have it done soon, unless other work is still at hand."""
        if not self._is_free.acquire(blocking=False):
            return False
        self._work.put(work)
        return True

    def close(self, timeout_s: float) -> None:
        """End once what was taken is done."""
        self._work.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                work()
            except Exception:
                logger.exception("A batch was not finished")
            finally:
                self._is_free.release()


class Batcher(Generic[Text, Result]):
    """Run `predict` on batches, on one thread that owns the model.

    Threads `submit` and wait for a `concurrent.futures.Future`, coroutines `submit_here` and
    await an `asyncio.Future`: the batcher belongs to no event loop, and wakes each one once a
    batch. While the model works on one batch the next one gathers; that alone batches a busy
    system (as text-embeddings-inference does) and adds no wait to an idle one.

    A batch has at most `max_batch_tokens` with padding counted (longest times number). It is
    made of the oldest text and of texts of like length that came soon after it, so that a long
    one does not make short ones expensive (`waiting.Queue`).

    Every future is settled, whatever `predict` does: with its result, with its error, with
    `DeadlinePassed`, with `ModelHung`, or, for a caller that cancelled in the queue, as
    cancelled.

    - A batch on which `predict` raises is tried again in halves, so that one bad text costs the
      others nothing but time; what fails alone is answered by `stand_in`, or gets the error.
    - What `finish` raises on is tried again text by text; the error goes to whom it concerns.
    - A call that does not return within `hang_s` is given up with its thread: nothing ends a
      thread that is stuck in native code. (`finish` is ours: on the other thread nobody watches
      it, and what it never finishes is its callers' to give up.) Its callers get `ModelHung`; a new thread calls
      `renew`, which should get a model that shares nothing with the stuck one, and goes on.
    """

    def __init__(
        self,
        predict: Callable[[Sequence[Text]], Sequence[Any]],
        *,
        finish: Callable[[Sequence[Any]], Sequence[Result]] | None = None,
        max_text_tokens: int,
        max_batch_tokens: int,
        max_queue: int,
        call_tokens: int = CALL_TOKENS,
        tokens_of: Callable[[Any, int], int] = estimated_tokens,
        hang_s: float | None = None,
        begin: Callable[[], object] | None = None,
        renew: Callable[[], object] | None = None,
        stand_in: Callable[[Sequence[Text]], Sequence[Any]] | None = None,
        stamp: Callable[[Result, float, float], Result] | None = None,
        meter: Meter | None = None,
    ) -> None:
        """Start the thread.

        Args:
            predict: Answers texts in their order.
            finish: Makes results of what `predict` and `stand_in` gave for some texts; None
                where these are results. While texts wait, another thread does it, so that
                the model goes on meanwhile.
            max_text_tokens: Where `predict` cuts a text; longer ones cost no more.
            max_batch_tokens: Of one batch, padding included; one text is always taken.
            max_queue: Texts that may wait; further ones are refused.
            call_tokens: What a call of `predict` costs beside its tokens, in tokens.
            tokens_of: How long a text is, at most its second argument.
            hang_s: A call that takes longer is given up; None for never.
            begin: Called once on the thread before the first batch; may wait.
            renew: Called on each later thread before its first batch; may wait.
            stand_in: Answers texts on which `predict` raises.
            stamp: Gets a result, its seconds in the queue and those of its batch.
        """
        self._predict, self._renew, self._stand_in = predict, renew, stand_in
        self._finish, self._stamp, self._tokens_of = finish, stamp, tokens_of
        self._meter = meter or Meter()
        self._max_text_tokens, self._max_queue = max_text_tokens, max_queue
        self._pid = os.getpid()
        self.counters: Counter[str] = Counter()
        self.failed_in_a_row = 0  # batches of which `predict` answered no text
        self.last_error: Exception | None = None  # of `predict`
        self._changed = threading.Condition()  # guards what follows; held for microseconds
        self._waiting = Queue[Text, Result](max_tokens=max_batch_tokens, call_tokens=call_tokens)
        self._closed = False
        self._over = threading.Event()  # the last text has been answered
        self._finisher = _Finisher() if finish is not None else None
        self._start_owner(begin)
        if hang_s is not None:
            threading.Thread(
                target=self._watch, args=(hang_s / _LOOKS,), name="intents-watch", daemon=True
            ).start()

    @property
    def queue_length(self) -> int:
        """How many texts wait."""
        return len(self._waiting)

    @property
    def is_failing(self) -> bool:
        """Whether `predict` has answered nothing for some batches."""
        return self.failed_in_a_row >= _BROKEN_AFTER

    def submit(self, text: Text, *, deadline: float = float("inf")) -> "Future[Result]":
        """Queue one text; safe from any thread and never waits for the model.

        Args:
            deadline: On `time.monotonic()`'s clock; a text that is still queued then is dropped.

        Raises:
            EngineOverloaded: `max_queue` texts are waiting already.
            EngineClosed: `close` was called.
            EngineInherited: This process is a fork of the one that runs the thread.
        """
        future = Future[Result]()
        self._queue(text, deadline, future, None)
        return future

    def submit_here(
        self, text: Text, *, deadline: float = float("inf")
    ) -> "asyncio.Future[Result]":
        """Queue one text from a coroutine: the future is its event loop's. Else as `submit`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._queue(text, deadline, future, loop)
        return future

    def close(self, timeout_s: float | None = None) -> None:
        """Answer what is queued, refuse what comes, and end the threads."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._over.wait(timeout_s):
            self._thread.join()  # it has nothing left to do

    def _queue(
        self,
        text: Text,
        deadline: float,
        future: "Future[Result] | asyncio.Future[Result]",
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        if os.getpid() != self._pid:
            raise EngineInherited(
                f"The engine belongs to process {self._pid}, and this is a fork of it:"
                " start the engine after forking, not before."
            )
        tokens = self._tokens_of(text, self._max_text_tokens)
        entry = Entry[Text, Result](text, tokens, deadline, future, loop)
        with self._changed:
            if self._closed:
                raise EngineClosed("The engine was stopped.")
            if len(self._waiting) >= self._max_queue:
                self._count_refusal("overloaded")
                raise EngineOverloaded(f"{self._max_queue} texts are waiting already.")
            self._waiting.append(entry)
            self._changed.notify()

    # --- the thread that owns the model -------------------------------------------------------

    def _start_owner(self, begin: Callable[[], object] | None) -> None:
        self._owner = _Owner[Text, Result]()
        self._thread = threading.Thread(
            target=self._serve, args=(self._owner, begin), name="intents-batches", daemon=True
        )
        self._thread.start()

    def _serve(self, owner: _Owner[Text, Result], begin: Callable[[], object] | None) -> None:
        try:
            if begin is not None:
                begin()
        except Exception:
            logger.exception("The engine begins with what it has")
        while True:
            with self._changed:
                if owner is not self._owner:
                    return  # it was given up
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if not self._waiting:
                    break
                owner.batch = self._waiting.take()
            self._answer(owner, owner.batch)
        if self._finisher is not None:
            self._finisher.close(_FINISHING_S)
        self._over.set()

    def _answer(self, owner: _Owner[Text, Result], taken: Sequence[Entry[Text, Result]]) -> None:
        began = time.monotonic()
        batch = self._still_wanted(taken, began)
        if not batch:
            return
        outcomes = self._outcomes(owner, batch)
        if owner is not self._owner:
            return  # its callers have been told that it hung
        tokens = [entry.tokens for entry in batch]
        self.counters["batches"] += 1
        self._meter.ran(texts=len(batch), tokens=sum(tokens), padded=max(tokens) * len(batch))
        if not self._hand_over(owner, outcomes, began):
            # With nothing else to do, this thread is as quick as another one, and needs not be left.
            with owner.calling():
                self._make_results(outcomes, began)
            if self._is_relieved(owner):
                _settle(outcomes)

    def _hand_over(
        self, owner: _Owner[Text, Result], outcomes: Sequence[_Outcome[Text, Result]], began: float
    ) -> bool:
        """Let the other thread make results while texts wait here, unless it has work already."""
        if self._finisher is None or not self._waiting:
            return False

        def finish() -> None:
            self._make_results(outcomes, began)
            _settle(outcomes)

        if not self._finisher.take(finish):
            return False
        self._is_relieved(owner)
        return True

    def _is_relieved(self, owner: _Owner[Text, Result]) -> bool:
        """Free an owner of its batch, unless it was given up and its callers know."""
        with self._changed:
            if owner is not self._owner:
                return False
            owner.batch = ()
            return True

    def _make_results(self, outcomes: Sequence[_Outcome[Text, Result]], began: float) -> None:
        """Make results of what the model gave."""
        good = [one for one in outcomes if one.error is None]
        if self._finish is not None and good:
            self._finish_together(self._finish, good)
        infer_s = time.monotonic() - began
        if self._stamp is not None:
            for one in good:
                if one.error is None:
                    one.result = self._stamp(one.result, began - one.entry.queued_at, infer_s)

    def _finish_together(
        self,
        finish: Callable[[Sequence[Any]], Sequence[Result]],
        outcomes: Sequence[_Outcome[Text, Result]],
    ) -> None:
        try:
            results = finish([one.result for one in outcomes])
            if len(results) != len(outcomes):
                raise RuntimeError(f"{len(results)} results of {len(outcomes)} texts")
        except Exception as error:
            if len(outcomes) > 1:
                for one in outcomes:
                    self._finish_together(finish, [one])
                return
            logger.exception("What the model gave for a text made no result")
            outcomes[0].error = error
            self.counters["failed_calls"] += 1
            self._meter.failed()
            return
        for one, result in zip(outcomes, results, strict=True):
            one.result = result

    def _still_wanted(
        self, taken: Sequence[Entry[Text, Result]], now: float
    ) -> list[Entry[Text, Result]]:
        """Settle those whose caller has gone: the model's time is for the others."""
        wanted: list[Entry[Text, Result]] = []
        late: list[_Outcome[Text, Result]] = []
        for entry in taken:
            if _is_cancelled(entry):
                self._count_refusal("cancelled")
            elif entry.deadline <= now:
                self._count_refusal("deadline")
                late.append(_Outcome(entry, None, DeadlinePassed("Nobody waits for it any more.")))
            else:
                self._meter.waited(now - entry.queued_at)
                wanted.append(entry)
        _settle(late)
        return wanted

    def _outcomes(
        self, owner: _Owner[Text, Result], batch: Sequence[Entry[Text, Result]]
    ) -> list[_Outcome[Text, Result]]:
        """Run a batch, and what fails of it again in halves, then each text as best it goes."""
        most_failures = 1 if self.is_failing else _MOST_FAILURES
        outcomes: list[_Outcome[Text, Result]] = []
        failed: list[Entry[Text, Result]] = []
        error: Exception | None = None
        failures = 0
        parts = [batch]
        while parts and owner is self._owner:
            part = parts.pop()
            if failures == most_failures:
                failed += part
                continue
            try:
                outcomes += self._call(owner, self._predict, part)
            except Exception as raised:
                # The thread must outlive a bad batch, or its callers would wait for ever.
                if error is None:
                    logger.exception("The model failed on %d texts", len(part))
                error, failures = raised, failures + 1
                self.last_error = raised
                self.counters["failed_calls"] += 1
                self._meter.failed()
                if len(part) == 1:
                    failed += part
                else:
                    middle = len(part) // 2
                    parts += [part[middle:], part[:middle]]
        self.failed_in_a_row = 0 if outcomes else self.failed_in_a_row + 1
        if failed and error is not None:
            outcomes += self._without_model(owner, failed, error)
        return outcomes

    def _without_model(
        self, owner: _Owner[Text, Result], failed: Sequence[Entry[Text, Result]], error: Exception
    ) -> list[_Outcome[Text, Result]]:
        if self._stand_in is not None:
            try:
                return self._call(owner, self._stand_in, failed)
            except Exception:
                logger.exception("What stands in for the model failed, too")
        return [_Outcome(entry, None, error) for entry in failed]

    def _call(
        self,
        owner: _Owner[Text, Result],
        answer: Callable[[Sequence[Text]], Sequence[Any]],
        part: Sequence[Entry[Text, Result]],
    ) -> list[_Outcome[Text, Result]]:
        with owner.calling():
            results = answer([entry.text for entry in part])
        if len(results) != len(part):
            raise RuntimeError(f"{len(results)} results for {len(part)} texts")
        return [_Outcome(entry, result) for entry, result in zip(part, results, strict=True)]

    # --- the watch ----------------------------------------------------------------------------

    def _watch(self, look_s: float) -> None:
        """Give up a call that is seen at `_LOOKS` looks after the first one."""
        seen: tuple[_Owner[Text, Result], int] | None = None
        looks = 0
        while not self._over.wait(look_s):
            owner = self._owner
            running = (owner, owner.calls) if owner.is_calling else None
            looks = looks + 1 if running is not None and running == seen else 0
            seen = running
            if running is not None and looks >= _LOOKS:
                self._give_up(*running)

    def _give_up(self, owner: _Owner[Text, Result], call: int) -> None:
        with self._changed:
            if owner.calls != call or not owner.is_calling:
                return  # it came back after all
            batch, owner.batch = owner.batch, ()
            self._start_owner(self._renew)
        logger.error("The model hangs on %d texts; another thread takes over", len(batch))
        self.counters["hangs"] += 1
        self._meter.hung()
        for _ in batch:
            self._count_refusal("hung")
        _settle([_Outcome(entry, None, ModelHung("The model hung.")) for entry in batch])

    def _count_refusal(self, reason: str) -> None:
        self.counters[reason] += 1
        self._meter.refused(reason)


def _is_cancelled(entry: Entry[Text, Result]) -> bool:
    """Whether the caller has gone; from here on a thread's future can no more be cancelled."""
    if isinstance(entry.future, Future):
        return not entry.future.set_running_or_notify_cancel()
    return entry.future.done()


def _settle(outcomes: Sequence[_Outcome[Text, Result]]) -> None:
    """Tell the callers: threads at once, each event loop once."""
    of_loops: defaultdict[asyncio.AbstractEventLoop, list[_Outcome[Text, Result]]] = defaultdict(
        list
    )
    for one in outcomes:
        if one.entry.loop is None:
            one.settle()
        else:
            of_loops[one.entry.loop].append(one)
    for loop, own in of_loops.items():
        with contextlib.suppress(RuntimeError):  # it is closed: nobody waits
            loop.call_soon_threadsafe(_settle_here, own)


def _settle_here(outcomes: Sequence[_Outcome[Text, Result]]) -> None:
    for one in outcomes:
        one.settle()

"""Every caller hears something, whatever the model does and whoever gives up."""

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future, wait
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intents.inference.batching import (
    Batcher,
    DeadlinePassed,
    EngineClosed,
    EngineOverloaded,
    ModelHung,
)
from intents.inference.waiting import estimated_tokens
from tests.intents.models_of_tests import eventually


class Model:
    """Answers with the text in capitals; can be held, and fails where a text says so."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.go = threading.Event()
        self.go.set()
        self.busy = threading.Event()

    def __call__(self, texts: Sequence[str]) -> list[str]:
        self.batches.append(list(texts))
        self.busy.set()
        assert self.go.wait(20)
        if any("short" in text for text in texts):
            return ["one too few"][: len(texts) - 1]
        if any("fail" in text for text in texts):
            raise ValueError("the model failed")
        return [text.upper() for text in texts]

    def hold(self, batcher: "Batcher[str]") -> "Future[str]":
        """Keep the model busy with one text until `go` is set again."""
        self.go.clear()
        self.busy.clear()
        first = batcher.submit("held")
        assert self.busy.wait(20)
        return first


def batcher_of(model: Any, **changed: Any) -> "Batcher[str]":
    limits = {"max_text_tokens": 64, "max_batch_tokens": 2048, "max_queue": 512, **changed}
    return Batcher(model, **limits)


def test_one_text_is_answered_without_waiting_for_company():
    model = Model()
    batcher = batcher_of(model)

    answer = batcher.submit("a").result(20)

    assert answer == "A"
    assert model.batches == [["a"]]
    batcher.close()


def test_texts_that_arrive_during_a_batch_share_the_next_one():
    model = Model()
    batcher = batcher_of(model)
    held = model.hold(batcher)

    waiting = [batcher.submit(letter) for letter in "abc"]
    model.go.set()

    assert [future.result(20) for future in (held, *waiting)] == ["HELD", "A", "B", "C"]
    assert model.batches == [["held"], ["a", "b", "c"]]
    batcher.close()


def test_the_budget_counts_padding_and_the_oldest_goes_first():
    model = Model()
    batcher = batcher_of(model, max_batch_tokens=40)
    held = model.hold(batcher)
    long, short = "x" * 24, "abc"  # 10 and 3 tokens

    waiting = [batcher.submit(text) for text in (long, short, short, long, short)]
    model.go.set()
    wait([held, *waiting], 20)

    # Beside a long one of 10 tokens, each short one of 3 would be padded to its length.
    assert model.batches == [["held"], [long, long], [short, short, short]]
    batcher.close()


def test_a_text_beyond_the_budget_is_still_answered():
    batcher = batcher_of(Model(), max_batch_tokens=4)

    assert batcher.submit("a long text").result(20) == "A LONG TEXT"
    batcher.close()


def test_a_cancelled_text_costs_no_model_time():
    model = Model()
    batcher = batcher_of(model)
    held = model.hold(batcher)
    gone, stays = batcher.submit("gone"), batcher.submit("stays")

    assert gone.cancel()
    model.go.set()

    assert stays.result(20) == "STAYS"
    assert held.result(20) == "HELD"
    assert model.batches == [["held"], ["stays"]]
    assert batcher.counters["cancelled"] == 1
    batcher.close()


def test_a_text_whose_caller_has_stopped_listening_costs_no_model_time():
    model = Model()
    batcher = batcher_of(model)
    model.hold(batcher)
    late = batcher.submit("late", deadline=time.monotonic() - 1)

    model.go.set()

    with pytest.raises(DeadlinePassed):
        late.result(20)
    assert model.batches == [["held"]]
    batcher.close()


def test_beyond_the_queue_a_text_is_refused_at_once_and_nothing_is_queued():
    model = Model()
    batcher = batcher_of(model, max_queue=2)
    model.hold(batcher)
    waiting = [batcher.submit("a"), batcher.submit("b")]

    with pytest.raises(EngineOverloaded):
        batcher.submit("c")

    assert batcher.queue_length == 2
    model.go.set()
    assert [future.result(20) for future in waiting] == ["A", "B"]
    batcher.close()


@pytest.mark.parametrize(("bad", "error"), [("fail", ValueError), ("short", RuntimeError)])
def test_a_text_on_which_the_model_fails_costs_its_neighbours_nothing(bad: str, error: type):
    model = Model()
    batcher = batcher_of(model, call_tokens=64)
    held = model.hold(batcher)
    good = [batcher.submit(f"good {number}") for number in range(20)]
    poison = batcher.submit(bad)
    more = [batcher.submit(f"more {number}") for number in range(20)]

    model.go.set()

    assert [one.result(20) for one in good] == [f"GOOD {number}" for number in range(20)]
    assert [one.result(20) for one in more] == [f"MORE {number}" for number in range(20)]
    with pytest.raises(error):
        poison.result(20)
    assert held.result(20) == "HELD"
    # 41, 20 or 21, 10 or 11, 5 or 6, 2 or 3, 1 or 2, perhaps 1: the bad one is in each.
    assert batcher.counters["failed_calls"] in (6, 7)
    assert not batcher.is_failing
    batcher.close()


def test_what_fails_alone_is_answered_by_the_stand_in():
    batcher = batcher_of(Model(), stand_in=lambda texts: [f"({text})" for text in texts])

    assert batcher.submit("fail").result(20) == "(fail)"
    assert batcher.submit("good").result(20) == "GOOD"
    batcher.close()


def test_a_model_that_always_fails_is_not_tried_in_parts():
    def fails(texts: Sequence[str]) -> list[str]:
        raise ValueError("whatever it gets")

    batcher = batcher_of(fails)
    for text in "abc":
        with pytest.raises(ValueError, match="whatever"):
            batcher.submit(text).result(20)
    assert batcher.is_failing
    before = batcher.counters["failed_calls"]

    wait([batcher.submit("x") for _ in range(40)], 20)
    batcher.close()

    assert batcher.counters["failed_calls"] - before == batcher.counters["batches"] - 3


class TestAModelThatHangs:
    """Its callers hear so, its thread is left behind, and the others are served by another."""

    def test_another_thread_with_another_model_serves_what_waits(self):
        stuck, fresh = Model(), Model()
        model = {"now": stuck}
        batcher = batcher_of(
            lambda texts: model["now"](texts), hang_s=0.2, renew=lambda: model.update(now=fresh)
        )
        held = stuck.hold(batcher)
        waiting = [batcher.submit(letter) for letter in "abc"]

        with pytest.raises(ModelHung):
            held.result(20)

        assert [future.result(20) for future in waiting] == ["A", "B", "C"]
        assert (stuck.batches, fresh.batches) == ([["held"]], [["a", "b", "c"]])
        assert batcher.counters["hangs"] == 1
        stuck.go.set()
        batcher.close(20)

    def test_what_the_stuck_thread_says_later_reaches_nobody(self):
        stuck = Model()
        batcher = batcher_of(stuck, hang_s=0.2)
        held = stuck.hold(batcher)
        with pytest.raises(ModelHung):
            held.result(20)

        stuck.go.set()

        assert batcher.submit("next").result(20) == "NEXT"
        assert isinstance(held.exception(0), ModelHung)
        batcher.close(20)
        eventually(
            lambda: not [one for one in threading.enumerate() if one.name.startswith("intents-")]
        )

    def test_a_call_that_is_slow_but_returns_is_left_alone(self):
        def slow(texts: Sequence[str]) -> list[str]:
            time.sleep(0.1)
            return [text.upper() for text in texts]

        batcher = batcher_of(slow, hang_s=0.4, max_batch_tokens=3)  # one text a call
        waiting = [batcher.submit(letter) for letter in "abcdefghij"]

        assert [future.result(20) for future in waiting] == list("ABCDEFGHIJ")
        assert batcher.counters["hangs"] == 0
        batcher.close(20)


async def test_coroutines_are_answered_on_their_own_loop():
    batcher = batcher_of(Model())
    loop = asyncio.get_running_loop()

    futures = [batcher.submit_here(letter) for letter in "abc"]

    assert [await future for future in futures] == ["A", "B", "C"]
    assert {future.get_loop() for future in futures} == {loop}
    batcher.close(20)


async def test_a_cancelled_coroutine_costs_no_model_time():
    model = Model()
    batcher = batcher_of(model)
    held = await asyncio.to_thread(model.hold, batcher)
    gone, stays = batcher.submit_here("gone"), batcher.submit_here("stays")

    gone.cancel()
    model.go.set()

    assert await stays == "STAYS"
    assert held.result(20) == "HELD"
    assert model.batches == [["held"], ["stays"]]
    batcher.close(20)


def test_a_loop_that_was_closed_meanwhile_harms_nobody():
    model = Model()
    batcher = batcher_of(model)
    model.hold(batcher)

    async def submit() -> "asyncio.Future[str]":
        return batcher.submit_here("of a closed loop")

    asyncio.run(submit())
    other = batcher.submit("of a closed one")
    model.go.set()

    assert other.result(20) == "OF A CLOSED ONE"
    batcher.close(20)


def test_closing_answers_what_waits_and_refuses_what_comes():
    model = Model()
    batcher = batcher_of(model)
    held = model.hold(batcher)
    waiting = batcher.submit("waiting")

    closing = threading.Thread(target=batcher.close)
    closing.start()
    model.go.set()
    closing.join(20)

    assert (held.result(0), waiting.result(0)) == ("HELD", "WAITING")
    with pytest.raises(EngineClosed):
        batcher.submit("late")


_CALLS = st.lists(
    st.tuples(
        st.sampled_from(["good", "fail", "short", "", "字" * 90]),
        st.sampled_from(["wait", "cancel", "past deadline"]),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(calls=_CALLS, budget=st.integers(1, 300), hold=st.booleans())
def test_every_future_is_settled(calls: list[tuple[str, str]], budget: int, hold: bool):
    model = Model()
    batcher = batcher_of(model, max_batch_tokens=budget, max_queue=len(calls) + 1)
    held = [model.hold(batcher)] if hold else []

    futures = []
    for text, caller in calls:
        deadline = time.monotonic() - 1 if caller == "past deadline" else float("inf")
        future = batcher.submit(text, deadline=deadline)
        futures.append((text, caller, future))
        if caller == "cancel":
            future.cancel()
    model.go.set()
    batcher.close(20)

    assert all(future.done() for future in [*held, *(future for _, _, future in futures)])
    for text, caller, future in futures:
        if future.cancelled():
            assert caller == "cancel"
            continue
        error = future.exception()
        assert isinstance(error, (ValueError, RuntimeError, DeadlinePassed, type(None)))
        assert (caller == "past deadline") == isinstance(error, DeadlinePassed)
        if error is None:
            assert future.result() == text.upper()
    for batch in model.batches:
        longest = max(estimated_tokens(text, 64) for text in batch)
        assert len(batch) == 1 or longest * len(batch) <= budget


def test_callers_that_race_with_closing_are_answered_or_refused():
    batcher = batcher_of(Model())
    settled: list[str] = []

    def call() -> None:
        while True:
            try:
                settled.append(batcher.submit("a").result(20))
            except (EngineClosed, CancelledError):
                return

    callers = [threading.Thread(target=call) for _ in range(6)]
    for caller in callers:
        caller.start()
    time.sleep(0.05)
    batcher.close()
    for caller in callers:
        caller.join(20)

    assert not any(caller.is_alive() for caller in callers)
    assert set(settled) == {"A"}


def test_a_forked_child_is_refused_instead_of_waiting_for_ever():
    program = """
        import os, django
        django.setup()
        from intents.inference.batching import Batcher, EngineInherited
        batcher = Batcher(lambda texts: texts, max_text_tokens=64, max_batch_tokens=64, max_queue=9)
        assert batcher.submit("parent").result(20) == "parent"
        child = os.fork()
        if child == 0:
            try:
                batcher.submit("child")
            except EngineInherited:
                os._exit(7)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert batcher.submit("parent still").result(20) == "parent still"
        batcher.close()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "csplatform.settings"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 2), ("你好", 4), ("where is my parcel", 8), ("字" * 10_000, 64), ("\ud800", 3)],
)
def test_tokens_are_estimated_without_a_tokenizer(text: str, tokens: int):
    assert estimated_tokens(text, 64) == tokens


class TestFinish:
    """What `predict` gave is made into results while the model goes on."""

    def test_another_thread_makes_results_while_texts_wait(self):
        model, threads = Model(), list[str]()

        def finish(found: Sequence[str]) -> list[str]:
            threads.append(threading.current_thread().name)
            return [f"{one}!" for one in found]

        batcher = batcher_of(model, finish=finish, max_batch_tokens=8)
        held = model.hold(batcher)
        waiting = [batcher.submit(letter * 9) for letter in "abcdef"]
        model.go.set()

        answers = [future.result(20) for future in (held, *waiting)]
        batcher.close()

        assert answers == ["HELD!", *(f"{letter * 9}!" for letter in "ABCDEF")]
        # Six texts waited when the first was read, and none after the last.
        assert set(threads) == {"intents-answers", "intents-batches"}

    def test_a_lone_text_changes_no_threads(self):
        threads = list[str]()

        def finish(found: Sequence[str]) -> Sequence[str]:
            threads.append(threading.current_thread().name)
            return found

        batcher = batcher_of(Model(), finish=finish)

        assert batcher.submit("a").result(20) == "A"
        assert threads == ["intents-batches"]
        batcher.close()

    def test_what_it_cannot_finish_harms_no_other_text(self):
        def finish(found: Sequence[str]) -> Sequence[str]:
            if "BAD" in found:
                raise ValueError("no result of this")
            return found

        model = Model()
        batcher = batcher_of(model, finish=finish)
        held = model.hold(batcher)
        good, bad, other = (batcher.submit(text) for text in ("good", "bad", "other"))
        model.go.set()

        assert [held.result(20), good.result(20), other.result(20)] == ["HELD", "GOOD", "OTHER"]
        with pytest.raises(ValueError, match="no result"):
            bad.result(20)
        assert batcher.submit("next").result(20) == "NEXT"
        batcher.close()

    def test_too_few_results_are_nobodys(self):
        def finish(found: Sequence[str]) -> Sequence[str]:
            return [f"{one}!" for one in found][: max(1, len(found) - 1)]

        model = Model()
        batcher = batcher_of(model, finish=finish)
        held = model.hold(batcher)
        waiting = [batcher.submit(letter) for letter in "abc"]
        model.go.set()

        answers = [future.result(20) for future in (held, *waiting)]
        assert answers == ["HELD!", "A!", "B!", "C!"]  # each made alone, and once
        batcher.close()

    def test_one_that_never_returns_holds_up_nobody_else(self):
        stuck, forever = threading.Event(), threading.Event()

        def finish(found: Sequence[str]) -> Sequence[str]:
            if "STUCK" in found:
                stuck.set()
                forever.wait(20)
            return found

        class Slow(Model):
            def __call__(self, texts: Sequence[str]) -> list[str]:
                time.sleep(0.05)  # so that the other thread is free again
                return super().__call__(texts)

        model = Slow()
        batcher = batcher_of(model, finish=finish, max_batch_tokens=4)
        held = model.hold(batcher)
        never, behind = batcher.submit("stuck"), batcher.submit("behind")
        model.go.set()
        assert stuck.wait(20)

        later = [batcher.submit(letter) for letter in "abcdef"]

        assert [future.result(20) for future in (held, behind, *later)] == [
            *("HELD", "BEHIND"),
            *"ABCDEF",
        ]
        assert not never.done()
        forever.set()
        assert never.result(20) == "STUCK"
        batcher.close()

    def test_closing_waits_for_what_is_being_finished(self):
        begun = threading.Event()

        def finish(found: Sequence[str]) -> Sequence[str]:
            begun.set()
            time.sleep(0.2)
            return found

        model = Model()
        batcher = batcher_of(model, finish=finish, max_batch_tokens=4)
        held = model.hold(batcher)
        last = batcher.submit("last")
        model.go.set()
        assert begun.wait(20)

        batcher.close(20)

        assert (held.done(), last.done()) == (True, True)

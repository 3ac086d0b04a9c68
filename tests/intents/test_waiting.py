"""Which texts make the next batch: like lengths together, and nobody waits for ever."""

import itertools
import time
from concurrent.futures import Future

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intents.inference.waiting import Entry, Queue

_LENGTHS = st.lists(st.integers(1, 64), min_size=1, max_size=80)
# Texts that come between two batches.
_ARRIVALS = st.lists(st.lists(st.integers(1, 64), max_size=30), min_size=1, max_size=12)


def entry(text: int, tokens: int) -> Entry[int, int]:
    return Entry(text, tokens, float("inf"), Future(), None)


def queue_of(
    lengths: list[int], *, max_tokens: int = 256, call_tokens: int = 20
) -> Queue[int, int]:
    queue = Queue[int, int](max_tokens=max_tokens, call_tokens=call_tokens)
    for number, tokens in enumerate(lengths):
        queue.append(entry(number, tokens))
    return queue


def everything(queue: Queue[int, int]) -> list[list[Entry[int, int]]]:
    batches = []
    while queue:
        batches.append(queue.take())
    return batches


def tokens_of(batch: list[Entry[int, int]]) -> list[int]:
    return [each.tokens for each in batch]


def test_long_texts_and_short_ones_make_batches_of_their_own():
    batches = everything(queue_of([9, 60, 10, 9, 60, 10, 9, 60], max_tokens=256))

    assert list(map(tokens_of, batches)) == [[9, 10, 9, 10, 9], [60, 60, 60]]


def test_a_call_costs_more_than_a_little_padding():
    assert len(everything(queue_of([8, 10, 12, 14]))) == 1
    assert len(everything(queue_of([8, 10, 12, 14], call_tokens=0))) == 4


def test_the_batch_with_the_oldest_text_comes_first():
    batches = everything(queue_of([60, 9, 9, 9, 9, 9]))

    assert tokens_of(batches[0]) == [60]


def test_an_empty_queue_has_no_batch():
    with pytest.raises(IndexError):
        queue_of([]).take()


@given(lengths=_LENGTHS, budget=st.integers(1, 300), call=st.integers(0, 2000))
def test_every_text_is_given_out_once_and_within_the_budget(
    lengths: list[int], budget: int, call: int
):
    batches = everything(queue_of(lengths, max_tokens=budget, call_tokens=call))

    assert sorted(each.text for batch in batches for each in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or max(tokens_of(batch)) * len(batch) <= budget


@given(arrivals=_ARRIVALS, budget=st.integers(32, 300))
def test_each_batch_holds_the_oldest_text_and_none_that_is_much_younger(
    arrivals: list[list[int]], budget: int
):
    queue = Queue[int, int](max_tokens=budget, call_tokens=20)
    numbers = itertools.count()
    waiting: dict[int, int] = {}  # tokens by text, the oldest first

    def take() -> None:
        batch = [each.text for each in queue.take()]
        oldest, youngest = next(iter(waiting)), max(batch)
        assert oldest == batch[0]
        before = sum(tokens for text, tokens in waiting.items() if text <= youngest)
        assert before <= budget or batch == [oldest]
        for text in batch:
            del waiting[text]

    for comers in arrivals:
        for tokens in comers:
            number = next(numbers)
            waiting[number] = tokens
            queue.append(entry(number, tokens))
        if queue:
            take()
    while queue:
        take()
    assert not waiting


@given(lengths=st.lists(st.integers(1, 8), max_size=8), budget=st.integers(32, 64))
def test_the_batches_are_the_cheapest_there_are(lengths: list[int], budget: int):
    call = 5

    def cost(batches: list[list[int]]) -> int:
        return sum(call + max(batch) * len(batch) for batch in batches)

    def cheapest(left: tuple[int, ...]) -> int:
        """Try every division of texts in the order of their lengths."""
        return min(
            (
                call + left[size - 1] * size + cheapest(left[size:])
                for size in range(1, len(left) + 1)
                if left[size - 1] * size <= budget
            ),
            default=0,
        )

    found = everything(queue_of(lengths, max_tokens=budget, call_tokens=call))

    # Equal lengths stay together, which costs at most one call more for each length.
    assert cost(list(map(tokens_of, found))) <= cheapest(tuple(sorted(lengths))) + call * len(
        set(lengths)
    )


def test_a_batch_of_five_hundred_texts_is_chosen_within_milliseconds():
    took = []
    for _ in range(5):  # the garbage collector may come into one
        queue = queue_of([5 + number * 7 % 60 for number in range(512)], max_tokens=8192)
        began = time.thread_time()
        queue.take()
        took.append(time.thread_time() - began)

    assert min(took) < 0.05

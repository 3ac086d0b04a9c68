"""Texts that wait for the model, and which of them make the next batch.

Needs the standard library alone, as batching.py does.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Text = TypeVar("Text")  # a string, or its token ids
Result = TypeVar("Result")


def estimated_tokens(text: str, most: int) -> int:
    """Return about how many tokens a text has, at most `most`, without a tokenizer.

    A Chinese character has three bytes and is about one token; English has three to four
    letters a token. It only bounds the work of a batch, so it may be off by a third.
    """
    return min(most, 2 + -(-len(text[: 3 * most].encode("utf-8", "replace")) // 3))


@dataclass(slots=True, eq=False)
class Entry(Generic[Text, Result]):
    """A text, and whom to tell."""

    text: Text
    tokens: int  # estimated
    deadline: float  # time.monotonic()
    future: "Future[Result] | asyncio.Future[Result]"
    loop: asyncio.AbstractEventLoop | None  # of an asyncio future
    queued_at: float = field(default_factory=time.monotonic)


class Queue(Generic[Text, Result]):
    """Entries in their order, given out in batches of like length. Not safe on its own: its owner holds a lock.

    Each batch holds the oldest entry, and those of like length among the next oldest: of as many as
    would fill the largest batch, divided into the cheapest batches, the part that it belongs to.
    So an entry is overtaken by entries not much younger alone, and is the oldest itself before
    long, however rare its length is. To choose among more would leave less padding and let some
    wait longer: of 100 callers, simulated, twice as many give 6 % more throughput and a p95 of
    1.45 instead of 1.24 times the mean.

    Args:
        max_tokens: Of one batch, padding included; one entry is always given out.
        call_tokens: What a batch costs beside its tokens, in tokens.
    """

    def __init__(self, *, max_tokens: int, call_tokens: int) -> None:
        self._max_tokens, self._call_tokens = max_tokens, call_tokens
        self._waiting = deque[Entry[Text, Result]]()

    def __len__(self) -> int:
        return len(self._waiting)

    def append(self, entry: Entry[Text, Result]) -> None:
        """Add the youngest."""
        self._waiting.append(entry)

    def take(self) -> list[Entry[Text, Result]]:
        """Remove and return the next batch.

        Raises:
            IndexError: Nothing waits.
        """
        oldest = [self._waiting.popleft()]
        left = self._max_tokens - oldest[0].tokens
        while self._waiting and self._waiting[0].tokens <= left:
            oldest.append(self._waiting.popleft())
            left -= oldest[-1].tokens
        shortest, longest = self._range_of(oldest[0].tokens, oldest)
        alike = [at for at, entry in enumerate(oldest) if shortest <= entry.tokens <= longest]
        taken = alike[: max(1, self._max_tokens // max(1, longest))]
        left_over = sorted(set(range(len(oldest))).difference(taken), reverse=True)
        self._waiting.extendleft(oldest[at] for at in left_over)
        return [oldest[at] for at in taken]

    def _range_of(self, tokens: int, entries: Sequence[Entry[Text, Result]]) -> tuple[int, int]:
        """Divide entries at the least cost; return the shortest and longest of the part with this length."""
        counts = Counter(entry.tokens for entry in entries)
        lengths = sorted(counts)
        ranges = _cheapest(
            lengths, [counts[length] for length in lengths], self._max_tokens, self._call_tokens
        )
        return next(
            (lengths[first], lengths[last - 1])
            for first, last in ranges
            if lengths[first] <= tokens <= lengths[last - 1]
        )


def _cheapest(
    lengths: Sequence[int], counts: Sequence[int], max_tokens: int, call_tokens: int
) -> list[tuple[int, int]]:
    """Divide lengths into ranges that are padded to their longest, at the least cost in all.

    Dynamic programming over the distinct lengths, of which there are few.

    Args:
        lengths: Ascending, each once.
        counts: Of texts of each length.

    Returns:
        First and last (left out) place of each range, the longest texts first.
    """
    costs, cuts = [0], [0]  # of the shortest so many lengths; where their last range begins
    for last in range(1, len(lengths) + 1):
        longest = lengths[last - 1]
        most = max(1, max_tokens // max(1, longest))
        texts, best, cut = 0, -1, 0
        for first in range(last - 1, -1, -1):
            texts += counts[first]
            cost = costs[first] + texts * longest + -(-texts // most) * call_tokens
            if best < 0 or cost < best:
                best, cut = cost, first
        costs.append(best)
        cuts.append(cut)
    ranges, last = [], len(lengths)
    while last:
        ranges.append((cuts[last], last))
        last = cuts[last]
    return ranges

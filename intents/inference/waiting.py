"""Texts that wait for the model, and which of them make the next batch.

Needs the standard library alone, as batching.py does.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable
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
    is_taken: bool = False  # into a batch


class Queue(Generic[Text, Result]):
    """Entries by length. Not safe on its own: its owner holds a lock.

    Taking a batch looks at each length once, however many texts wait.
    """

    def __init__(self, max_text_tokens: int) -> None:
        self._by_tokens = [deque[Entry[Text, Result]]() for _ in range(max_text_tokens + 1)]
        self._by_age = deque[
            Entry[Text, Result]
        ]()  # those that are taken stay until they are the oldest
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def append(self, entry: Entry[Text, Result]) -> None:
        """Add the youngest."""
        self._by_tokens[entry.tokens].append(entry)
        self._by_age.append(entry)
        self._length += 1

    def take(self, max_tokens: int, call_tokens: int) -> list[Entry[Text, Result]]:
        """Remove and return the oldest text and those nearest to it in length.

        Args:
            max_tokens: Of the batch, padding included; the oldest is taken in any case.
            call_tokens: Padding that one text may add: beyond it, another call is cheaper.

        Raises:
            IndexError: Nothing waits.
        """
        while self._by_age[0].is_taken:
            self._by_age.popleft()
        longest = self._by_age[0].tokens
        batch: list[Entry[Text, Result]] = []
        for tokens in self._nearest(longest):
            waiting = self._by_tokens[tokens]
            while waiting:
                most = max(longest, tokens)
                padding = most - tokens + (most - longest) * len(batch)
                if batch and (most * (len(batch) + 1) > max_tokens or padding > call_tokens):
                    break
                longest = most
                entry = waiting.popleft()
                entry.is_taken = True
                batch.append(entry)
        self._length -= len(batch)
        return batch

    def _nearest(self, tokens: int) -> Iterable[int]:
        """Give each length, from `tokens` outwards."""
        most = len(self._by_tokens) - 1
        yield tokens
        for distance in range(1, most + 1):
            if tokens >= distance:
                yield tokens - distance
            if tokens + distance <= most:
                yield tokens + distance

"""Where a name of goods begins and ends in Chinese, which writes no spaces."""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence

from training.analysis.entities.tagging import Word

_HAN = re.compile("[\u3400-\u9fff]")
_NOUNS = frozenset(["n", "nz", "nw", "vn"])
_GOODS = frozenset(["n", "nz", "nw"])
# What is written before a noun of one character and is one word with it: 工作帽, 修补胶, 干胶.
_MODIFIERS = frozenset(["n", "nz", "v", "vn", "a"])
_MOST_MODIFIER = 2
# The tagger's words are wrong at times. A name as long as this is believed against them.
_BELIEVED = 4
_MOST_NOUN = 5


class Phrases:
    """The words of a text, and how names lie on them.

    Chosen on the training and development part of public product titles.

    Args:
        text: Folded.
        words: By their place; what none covers is not restricted.
    """

    def __init__(self, text: str, words: Sequence[Word]) -> None:
        self._text = text
        self._words = words
        self._starts = [word.start for word in words]

    def whole(self, start: int, end: int, *, is_short: bool) -> tuple[int, int] | None:
        """Return what a name that was found at these places is part of; None if of something else.

        Args:
            is_short: Only the end of a name of the catalogue, which may begin within a word.
        """
        first, last = self._at(start), self._at(end - 1)
        if first is None or last is None or not _HAN.search(self._text, start, end):
            return start, end
        if self._words[last].end != end and end - start < _BELIEVED:
            return None
        word = self._words[first]
        if start > word.start:
            if is_short:
                return None
            if (
                start - word.start == 1
                and word.label in _NOUNS
                and _HAN.match(self._text[word.start])
            ):
                return word.start, end
            return None if end - start == 1 else (start, end)
        return self._modified(first) if end - start == 1 else (start, end)

    def nouns(self, endings: Collection[str]) -> Iterator[tuple[int, int]]:
        """Yield the nouns that end with one of these characters."""
        for number, word in enumerate(self._words):
            if word.label not in _GOODS or self._text[word.end - 1] not in endings:
                continue
            if word.end - word.start == 1:
                if (whole := self._modified(number)) is not None:
                    yield whole
            elif 1 < word.end - word.start <= _MOST_NOUN:
                yield word.start, word.end

    def _at(self, place: int) -> int | None:
        number = bisect_right(self._starts, place) - 1
        return number if number >= 0 and place < self._words[number].end else None

    def _modified(self, number: int) -> tuple[int, int] | None:
        """Return a noun of one character with the word before it; None where none belongs to it."""
        if not number:
            return None
        before, word = self._words[number - 1], self._words[number]
        if (
            before.end == word.start
            and before.label in _MODIFIERS
            and before.end - before.start <= _MOST_MODIFIER
        ):
            return before.start, word.end
        return None

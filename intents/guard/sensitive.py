"""Staff's sensitive words, found by Aho-Corasick and starred out.

A word is found in any case and width, in traditional characters, and with characters
put between its own to hide it. What may stand between them, and still be the word,
depends on the word, so that 消毒/品牌 does not hold 毒品 and "S M L" does not hold "SM":

- nothing that is seen (zero-width characters, combining marks): every word;
- `*`, `_` and the like, that no sentence needs: every word with a Chinese character,
  and Latin ones of four letters and more;
- spaces, dots, hyphens: words of three Chinese characters and more anywhere; Latin words of
  four letters and more if they stand between all of its letters ("f u c k").

Commas, full stops and line breaks part sentences: no word goes across them. A Latin word
is found between word boundaries only: "SM" is not in "Smoking".
"""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

import ahocorasick

from intents.guard.normalize import simplified, visible


class Gap(IntEnum):
    """What stands between two characters that follow each other; the worst counts."""

    NONE = 0
    INVISIBLE = 1
    SILENT = 2
    LOOSE = 3


_SILENT = frozenset("*_^~#`·•・∙⋅●★☆※")
_LOOSE = frozenset(" \t.-/+|=\\'\"()[]{}<>&@%$…\u2010\u2011\u2012\u2013\u2014")


@dataclass(frozen=True, slots=True)
class Masked:
    """A text whose sensitive words are stars; as long as it was."""

    text: str
    words: tuple[str, ...]  # as staff wrote them, each once, in the order found


@dataclass(frozen=True, slots=True)
class _Entry:
    """A word or an allowed phrase as it is looked for."""

    written: str
    length: int  # of its folded form
    starts_latin: bool
    ends_latin: bool
    allowed: bool
    # The worst gap at each place between two characters; a word that staff wrote with a space
    # may have one there.
    gaps: tuple[Gap, ...]
    spaced_out: bool  # found when a loose gap stands between all of its characters


@dataclass(frozen=True, slots=True)
class _Folded:
    """A text without what may hide a word, and where each character came from."""

    text: str
    at: list[int]  # index in the original of each character of `text`
    gaps: list[Gap]  # what stood before each character


@lru_cache(maxsize=16_384)
def fold(character: str) -> str:
    """Return one character in the form that is compared; "" for what is not seen."""
    decomposed = unicodedata.normalize("NFKD", visible(character))
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return simplified(bare.casefold())


def folded(text: str) -> str:
    """Return what two spellings of one sensitive word share."""
    return _fold(text).text


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _is_han(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or character >= "\U00020000"


def _fold(text: str) -> _Folded:
    characters: list[str] = []
    at: list[int] = []
    gaps: list[Gap] = []
    gap = Gap.NONE
    for index, original in enumerate(text):
        for character in fold(original) or "\u200b":
            kind = _gap_of(character)
            if kind is not None:
                gap = max(gap, kind)
                continue
            characters.append(character)
            at.append(index)
            gaps.append(gap)
            gap = Gap.NONE
    return _Folded("".join(characters), at, gaps)


@lru_cache(maxsize=16_384)
def _gap_of(character: str) -> Gap | None:
    """Return what kind of gap a folded character is; None for one that words are made of."""
    if character == "\u200b":
        return Gap.INVISIBLE
    if character in _SILENT:
        return Gap.SILENT
    if character in _LOOSE:
        return Gap.LOOSE
    return None


def _entry(written: str, form: _Folded, *, allowed: bool) -> _Entry:
    length = len(form.text)
    has_han = any(map(_is_han, form.text))
    within = Gap.INVISIBLE
    if has_han or length >= 4:
        within = Gap.SILENT
    if sum(map(_is_han, form.text)) >= 3:
        within = Gap.LOOSE
    return _Entry(
        written=written,
        length=length,
        starts_latin=_is_latin(form.text[0]),
        ends_latin=_is_latin(form.text[-1]),
        allowed=allowed,
        gaps=tuple(max(within, gap) for gap in form.gaps[1:]),
        spaced_out=not has_han and length >= 4,
    )


class _Cover:
    """The allowed phrases of one text: for each character, how far those over it reach.

    Asking takes the same time however many there are: ten thousand characters of 大麻烦
    are three thousand words under as many phrases.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._from: list[int] | None = None
        self._to: list[int] = []

    def add(self, start: int, end: int) -> None:
        if self._from is None:
            self._from, self._to = [self._length] * self._length, [0] * self._length
        for index in range(start, end):
            self._from[index] = min(self._from[index], start)
            self._to[index] = max(self._to[index], end)

    def protects(self, start: int, end: int) -> bool:
        """Whether a phrase takes the word's place: it overlaps the word, and is not a part of it.

        So 死胡同 also protects the 去死 in 走进去死胡同, and 大麻烦 does not protect the
        longer word 大麻烦死了.
        """
        if self._from is None:
            return False
        last = end - 1
        return (
            self._from[start] < start
            or self._to[start] >= end
            or self._to[last] > end
            or self._from[last] <= start
        )


class Masker:
    """The words and allowed phrases of one version of the content; shared between threads."""

    def __init__(self, words: Iterable[str] = (), allowed: Iterable[str] = ()) -> None:
        self._automaton = ahocorasick.Automaton()
        # Allowed phrases last: a phrase that is also a word protects it.
        for phrases, are_allowed in ((words, False), (allowed, True)):
            for written in phrases:
                form = _fold(written)
                if form.text:
                    self._automaton.add_word(form.text, _entry(written, form, allowed=are_allowed))
        # An empty automaton cannot be queried.
        self._empty = not len(self._automaton)
        if not self._empty:
            self._automaton.make_automaton()

    def mask(self, text: str) -> Masked:
        """Star out what is found; hidden characters inside a word are starred with it."""
        if self._empty:
            return Masked(text, ())
        words: list[tuple[int, int, str]] = []
        allowed = _Cover(len(text))
        for start, end, entry in self._found(_fold(text)):
            if entry.allowed:
                allowed.add(start, end)
            else:
                words.append((start, end, entry.written))
        stars = bytearray(len(text))
        found: dict[str, None] = {}
        for start, end, written in words:
            if not allowed.protects(start, end):
                found[written] = None
                stars[start:end] = b"\x01" * (end - start)
        if not found:
            return Masked(text, ())
        masked = "".join("*" if star else c for c, star in zip(text, stars, strict=True))
        return Masked(masked, tuple(found))

    def _found(self, form: _Folded) -> Iterator[tuple[int, int, _Entry]]:
        """Yield start and end in the original (end exclusive) of each entry that is there."""
        for last, entry in self._automaton.iter(form.text):
            first = last - entry.length + 1
            if _is_whole(form, first, last, entry) and _holds_together(form, first, last, entry):
                yield form.at[first], form.at[last] + 1, entry


def _is_whole(form: _Folded, first: int, last: int, entry: _Entry) -> bool:
    """Whether a Latin beginning or end of the entry is one in the text as well."""
    if (
        entry.starts_latin
        and first > 0
        and form.gaps[first] <= Gap.INVISIBLE
        and _is_latin(form.text[first - 1])
    ):
        return False
    return not (
        entry.ends_latin
        and last + 1 < len(form.text)
        and form.gaps[last + 1] <= Gap.INVISIBLE
        and _is_latin(form.text[last + 1])
    )


def _holds_together(form: _Folded, first: int, last: int, entry: _Entry) -> bool:
    """Whether what stands between the characters may stand there."""
    gaps = form.gaps[first + 1 : last + 1]
    if all(gap <= most for gap, most in zip(gaps, entry.gaps, strict=True)):
        return True
    return entry.spaced_out and all(gap == Gap.LOOSE for gap in gaps)

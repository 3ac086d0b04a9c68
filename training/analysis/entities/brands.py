"""Brands that the shop's catalogue lacks, told by what follows them."""

from collections.abc import Iterator, Sequence

from training.analysis.entities.span import Span
from training.analysis.entities.tagging import Word
from training.analysis.findings import Kind

_NAMES = frozenset(["ORG", "PER"])
# What may stand between a brand and the goods: 洁柔/婴儿/纸巾. Not 的, nor a verb: in 王小明的耳机 and
# 王小明买耳机 somebody has goods.
_BETWEEN = frozenset(["n", "nz", "nw", "vn", "a", "an", "m"])
_MOST_BETWEEN = 4


def find(words: Sequence[Word], goods: Sequence[Span]) -> Iterator[Span]:
    """Yield what the tagger takes for a firm or a person, and goods follow.

    Args:
        words: Of a text, by their place.
        goods: Products and brands that are known already.
    """
    begun = {span.start for span in goods if span.kind is Kind.PRODUCT}
    covered = {place for span in goods for place in range(span.start, span.end)}
    for number, word in enumerate(words):
        if (
            word.label in _NAMES
            and word.end - word.start > 1
            and covered.isdisjoint(range(word.start, word.end))
            and _goods_follow(words[number + 1 :][: _MOST_BETWEEN + 1], begun)
        ):
            yield Span(Kind.BRAND, word.start, word.end)


def _goods_follow(words: Sequence[Word], begun: set[int]) -> bool:
    for word in words:
        if not begun.isdisjoint(range(word.start, word.end)):
            return True
        if word.label not in _BETWEEN:
            return False
    return False

"""What the shop sells, and where a text names it."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import ahocorasick

from training.analysis.entities.folding import Folded, fold
from training.analysis.entities.phrases import Phrases
from training.analysis.entities.span import Span
from training.analysis.entities.tagging import Word
from training.analysis.findings import Kind


@dataclass(frozen=True, slots=True)
class Product:
    """Something that the shop sells."""

    sku: str
    names: tuple[str, ...]  # in any language


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The shop's own words: plain data, handed in by whoever knows the shop."""

    products: tuple[Product, ...] = ()
    brands: tuple[str, ...] = ()
    order_examples: tuple[str, ...] = ()  # some order numbers, whose form tells others


EMPTY = Catalogue()

_HAN = re.compile("[\u3400-\u9fff]")
_BRACKETS = re.compile(r"[(（【\[].*?[)）】\]]")
# What a name ends with when it says how much, or which: 50 克, 24 厘米, 87 键, 128gb, 1.8 米床.
_MEASURE = re.compile(
    r"\s*\d+(?:\.\d+)?\s*(?:毫升|克|厘米|英寸|寸|键|号|段|毫安|ml|g|kg|cm|gb|tb|inch|w|mm|l|pieces|片|只|瓶|盒|件|米床?)+\s*$"
)
_LEAST_HAN, _MOST_HAN = 2, 12
# Ends of names that name nothing by themselves.
_VAGUE = frozenset(
    [
        "套装",
        "礼盒",
        "三合一",
        "三件套",
        "四件套",
        "五件套",
        "组合",
        "套餐",
        "系列",
        "正品",
        "新款",
        "同款",
        "男士",
        "女士",
        "儿童",
        "家用",
        "便携",
        "装",
        "款",
        "set",
        "box",
        "kit",
        "case",
        "pair",
        "pack",
        "beds",
        "black",
        "white",
        "size",
        "large",
        "small",
        "two",
        "ten",
        "infants",
        "toddlers",
    ]
)
_JOINING = frozenset(["with", "and", "for", "of", "in", "to", "a", "the"])


# So many names of a catalogue that end alike tell how names of goods end: 器, 机, 灯.
_LEAST_ALIKE = 12


def find(folded: Folded, catalogue: Catalogue, words: Sequence[Word] = ()) -> Iterator[Span]:
    """Yield products and brands; they may overlap.

    A name that fits several products has `skus`, one that fits one has `sku`. A large catalogue
    also tells goods that it lacks, by how its names end; these have neither.

    Args:
        words: Of the text. A Chinese name then is a word or several, with what belongs to it:
            "帽" names nothing in 帽子, and all of 工作帽. None: a name is found anywhere.
    """
    automaton = _automaton(catalogue)
    if automaton is None:
        return
    text = folded.lower
    read = Phrases(text, words)
    known: list[Span] = []
    matches = automaton.iter(text) if words else automaton.iter_long(text)
    for last, (length, kind, value, is_short) in matches:
        start, end = last + 1 - length, last + 1
        if not _stands_alone(text, start, end):
            continue
        if kind is Kind.PRODUCT:
            whole = read.whole(start, end, is_short=is_short)
            if whole is None:
                continue
            start, end = whole
        known.append(Span(kind, start, end, value))
    yield from known
    covered = {place for span in known for place in range(span.start, span.end)}
    for start, end in read.nouns(_endings(catalogue)):
        if covered.isdisjoint(range(start, end)):
            yield Span(Kind.PRODUCT, start, end)


@lru_cache(maxsize=4)
def _endings(catalogue: Catalogue) -> frozenset[str]:
    """Return the last characters of names of goods."""
    names = {fold(name).lower.strip() for each in catalogue.products for name in each.names}
    counts = Counter(name[-1] for name in names if len(name) > 1)
    return frozenset(
        last for last, count in counts.items() if count >= _LEAST_ALIKE and _HAN.match(last)
    )


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether a name of letters is a word, or several, and no part of one."""
    before, after = text[start - 1 : start], text[end : end + 1]
    if _is_letter(text[start]) and _is_letter(before):
        return False
    return not (_is_letter(text[end - 1]) and _is_letter(after))


def _is_letter(character: str) -> bool:
    return character.isascii() and character.isalnum()


@lru_cache(maxsize=4)
def _automaton(catalogue: Catalogue) -> Any:  # ahocorasick has no types
    """Return what finds all names in one pass, None for an empty catalogue."""
    by_name: dict[str, set[str]] = defaultdict(set)
    whole: set[str] = set()
    for product in catalogue.products:
        for name in product.names:
            whole.add(fold(name).lower.strip())
            for called in _called(name):
                by_name[called].add(product.sku)
    automaton = ahocorasick.Automaton()
    for name, skus in by_name.items():
        value = {"sku": next(iter(skus))} if len(skus) == 1 else {"skus": sorted(skus)}
        automaton.add_word(name, (len(name), Kind.PRODUCT, value, name not in whole))
    for brand in catalogue.brands:
        if name := fold(brand).lower.strip():
            automaton.add_word(name, (len(name), Kind.BRAND, {"brand": brand}, False))
    if not len(automaton):
        return None
    automaton.make_automaton()
    return automaton


def _called(name: str) -> Iterable[str]:
    """Yield a product's name, and what customers shorten it to: its last words.

    "声阔主动降噪蓝牙耳机" -> also "主动降噪蓝牙耳机", "蓝牙耳机", "耳机";
    "Waterproof true wireless sports earbuds" -> also "sports earbuds", "earbuds".
    """
    whole = fold(name).lower.strip()
    if whole:
        yield whole
    short = _BRACKETS.sub("", whole).strip()
    while (cut := _MEASURE.sub("", short).strip()) != short:
        short = cut
    if not short:
        return
    yield short
    if _HAN.search(short):
        tail = re.split(r"[^\u3400-\u9fff]", short)[-1]
        for length in range(_LEAST_HAN, min(len(tail), _MOST_HAN) + 1):
            if tail[-length:] not in _VAGUE and _HAN.fullmatch(tail[-length]):
                yield tail[-length:]
        return
    words = re.split(r"\s+(?:with|for|in|of)\s+", short)[0].split()
    for count in range(1, len(words)):
        some = words[-count:]
        if some[0] not in _JOINING and (count > 1 or (len(some[0]) > 3 and some[0] not in _VAGUE)):
            yield " ".join(some)

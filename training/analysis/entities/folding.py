"""One spelling for matching, every character of which knows where it stood in the original."""

import unicodedata
from dataclasses import dataclass
from functools import cache

from intents.guard import normalize


@dataclass(frozen=True, slots=True)
class Folded:
    """A text as rules read it: half width, simplified, nothing invisible.

    One character of `text` stands for one of the original; those that have no width are left
    out, so offsets are not the same: `span` translates.
    """

    text: str
    lower: str  # the same in small letters, as long as `text`
    positions: tuple[int, ...]  # in the original, of each character

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where `text[start:end]`, which is not empty, stands in the original."""
        return self.positions[start], self.positions[end - 1] + 1


def fold(text: str) -> Folded:
    """Return the text as rules read it."""
    characters, positions = [], []
    for position, character in enumerate(text):
        if folded := _folded(character):
            characters.append(folded)
            positions.append(position)
    folded_text = "".join(characters)
    return Folded(folded_text, "".join(map(_lower, characters)), tuple(positions))


@cache
def _folded(character: str) -> str:
    """Return one character, "" for one that has no width."""
    if unicodedata.category(character) == "Cs":  # half a pair is nothing that could be converted
        return character
    if character in "\n\v\f\r\x85\u2028\u2029":
        return "\n"
    if character.isspace():
        return " "
    if not normalize.visible(character):
        return ""
    wide = unicodedata.normalize("NFKC", character)
    if len(wide) != 1:  # "㎏", "½": a letter for a letter, or offsets would be lost
        wide = character
    simple = normalize.simplified(wide)
    return simple if len(simple) == 1 else wide


@cache
def _lower(character: str) -> str:
    small = character.lower()
    return small if len(small) == 1 else character

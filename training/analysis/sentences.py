"""Where the sentences of a text begin and end. Offsets are code points of the text as it is."""

import re
from collections.abc import Iterator

# Models read 64 tokens: about so many characters of Chinese. Longer sentences are cut at a comma.
LONGEST = 80
# An English word is one or two tokens and five characters.
LONGEST_LATIN = 220

_CLOSING = "\"'”’」』）)】》]"
# What ends a sentence. A full stop does where a space or the end follows and no digit, initial or
# usual abbreviation stands before it.
_END = re.compile(
    rf"(?:[。！？!?；;…]+|~{{2,}}|～+|(?<!\b[A-Z])(?<!\d)(?<!\bMr)(?<!\bMs)(?<!\bDr)(?<!\bNo)(?<!\bMrs)"
    rf"(?<!\bSt)(?<!\be\.g)(?<!\bi\.e)\.+(?=\s|$)|(?<=\d)\.(?=\s+[A-Z]|\s*$))[{re.escape(_CLOSING)}]*"
    r"|[\r\n\u2028\u2029]+"
)
_COMMA = re.compile(r"[，,、：:]|\s(?=and |but |so |because |which )|(?<=[^\s])\s+")
_HAN = re.compile("[\u3400-\u9fff]")


def split(text: str) -> list[tuple[int, int]]:
    """Return the sentences of a text as (start, end), without white space around them.

    Together they hold every character that is not white space; none is longer than models read,
    except for one that has no place to be cut at.
    """
    parts = (part for start, end in _whole(text) for part in _short(text, start, end))
    return [bare for part in parts if (bare := _stripped(text, *part)) is not None]


def longest_of(text: str) -> int:
    """Return how many characters of such a text models read."""
    return LONGEST if _HAN.search(text) else LONGEST_LATIN


def _whole(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for mark in _END.finditer(text):
        yield start, mark.end()
        start = mark.end()
    yield start, len(text)


def _short(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut a sentence where it has commas, as late as models read on."""
    longest = longest_of(text[start:end])
    while end - start > longest:
        commas = [mark.end() for mark in _COMMA.finditer(text, start, start + longest)]
        marks = [place for place in commas if text[place - 1] in "，,、：:"]
        # A comma in its second half; else any gap between words; else there is none.
        late = [place for place in marks if place - start > longest // 3] or commas
        cut = late[-1] if late else start + longest
        yield start, cut
        start = cut
    yield start, end


def _stripped(text: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None

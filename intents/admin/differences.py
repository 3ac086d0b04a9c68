"""How two values of a field are shown: in the reader's words, with what changed marked."""

import re
from difflib import SequenceMatcher
from typing import Any

from django.utils.translation import gettext as _

from intents.drafts import SORTS

# What stays ("="), goes ("-") and comes ("+"), in the order of reading.
Segment = tuple[str, str]

# Words of alphabets stay whole, and so does a variable; every Chinese character is a unit.
_UNIT = re.compile(r"\{\w+\}|[A-Za-z0-9]+|\s+|.", re.DOTALL)
# Less than so much in common, and marking it would be a puzzle: the whole is shown twice.
_LEAST_IN_COMMON = 0.4
_UNITS_MOST = 400  # comparing takes the square of it: 20 ms


def shown(kind: str, name: str, value: Any) -> str:
    """Return a value as people read it."""
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    choices = dict(SORTS[kind].model._meta.get_field(name).flatchoices)
    return str(choices.get(value, value))


def marked(old: str, new: str) -> list[Segment]:
    """Return the new text with what went and what came.

    >>> marked("明天到货", "后天到货")
    [('-', '明'), ('+', '后'), ('=', '天到货')]
    """
    before, after = _UNIT.findall(old), _UNIT.findall(new)
    start = _in_common(before, after)
    end = _in_common(before[start:][::-1], after[start:][::-1])
    middle = _compared(before[start : len(before) - end], after[start : len(after) - end])
    if 2 * (start + end) < _LEAST_IN_COMMON * (len(before) + len(after)) and middle is None:
        return _segments([("-", old), ("+", new)])
    if middle is None:
        went, came = before[start : len(before) - end], after[start : len(after) - end]
        middle = [("-", "".join(went)), ("+", "".join(came))]
    last = after[len(after) - end :]
    return _segments([("=", "".join(after[:start])), *middle, ("=", "".join(last))])


def _in_common(before: list[str], after: list[str]) -> int:
    """Return how many units are the same from the beginning."""
    pairs = enumerate(zip(before, after, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(before), len(after)))


def _compared(before: list[str], after: list[str]) -> list[Segment] | None:
    """Return the differences of two texts; None where they have too little in common."""
    if max(len(before), len(after)) > _UNITS_MOST:
        return None
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < _LEAST_IN_COMMON:
        return None
    segments: list[Segment] = []
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind == "equal":
            segments.append(("=", "".join(after[k:m])))
        else:
            segments += [("-", "".join(before[i:j])), ("+", "".join(after[k:m]))]
    return segments


def _segments(segments: list[Segment]) -> list[Segment]:
    return [segment for segment in segments if segment[1]]

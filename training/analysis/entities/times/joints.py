"""What stands between a day and its time of day, and between the ends of a range."""

import re

_TO_CLOCK = re.compile(
    r"""[\s的,(]{0,2}(?:从|在|大[概约]|约)?(?:(?:any\s?time|sometime|,)\s)?
    (?:(?:at|around|about|by|from|between|before|after|until|till|since)\s)?""",
    re.VERBOSE,
)
_TO_DAY = (" ", " on ", ", ", " of ")
_RANGE = re.compile(r"\s?(?:到|至|~|-{1,2}|–|—{1,2}|to|until|till|through|and|和|与)\s?")


def clock_follows(text: str, end: int, start: int) -> bool:
    """Whether a time of day at `start` belongs to the day, or part of it, that ends at `end`."""
    return end <= start and _TO_CLOCK.fullmatch(text[end:start]) is not None


def day_follows(text: str, end: int, start: int) -> bool:
    """Whether a time of day that ends at `end` belongs to the day at `start`: "3 pm on Friday"."""
    return end <= start and text[end:start] in _TO_DAY


def is_range(text: str, first: tuple[int, int], last: tuple[int, int]) -> bool:
    """Whether `text` goes from one stretch to the other; "and" only where it says "between"."""
    joint = text[first[1] : last[0]] if first[1] <= last[0] else ""
    if not _RANGE.fullmatch(joint):
        return False
    if joint.strip() == "and":
        return text[: first[0]].endswith("between ")
    if joint.strip() in ("和", "与"):
        return text.startswith(("之间", "间"), last[1])
    return True

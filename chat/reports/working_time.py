"""Business hours of a whole period, added up once, so that each of many cases costs little."""

from bisect import bisect_right
from datetime import datetime
from itertools import accumulate

from chat.services.hours import Calendar


class WorkingTime:
    """The business hours of one queue between two moments.

    Args:
        calendar: Of the queue.
        first, last: No case begins before the one or ends after the other.
    """

    def __init__(self, calendar: Calendar, first: datetime, last: datetime) -> None:
        self._is_always_open = not calendar.weekly
        spans = [] if self._is_always_open else calendar.intervals(first, last)
        self._begins = [begins for begins, _ends in spans]
        self._lengths = [(ends - begins).total_seconds() for begins, ends in spans]
        self._before = [0.0, *accumulate(self._lengths)]

    def seconds(self, start: datetime, end: datetime) -> float:
        """Return how much of the time from `start` to `end` it is open; 0 where end <= start."""
        if end <= start:
            return 0.0
        if self._is_always_open:
            return (end - start).total_seconds()
        return self._until(end) - self._until(start)

    def _until(self, moment: datetime) -> float:
        at = bisect_right(self._begins, moment) - 1
        if at < 0:
            return 0.0
        within = (moment - self._begins[at]).total_seconds()
        return self._before[at] + min(within, self._lengths[at])

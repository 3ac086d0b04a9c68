"""Reports: figures of a period, read from what happened. Nothing here changes anything.

    report = reports.of(Asked(Period.up_to(now)), now=now)

Each module defines what it counts: cases.py (hand-over to end), contacts.py (what the bot did
alone), workload.py (agents), satisfaction.py (ratings). Times are read set by set, never case
by case, and percentiles are computed here: databases differ in them.
"""

from chat.reports.period import MOST_DAYS, Asked, Period, PeriodTooLong
from chat.reports.report import Report, of

__all__ = ["MOST_DAYS", "Asked", "Period", "PeriodTooLong", "Report", "of"]

"""Tables of figures, for the page and for CSV: columns say what their cells are."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.utils.translation import gettext as _

from chat.reports.figures import Share

# TIME: seconds; SHARE: figures.Share; NUMBER: one decimal. None in any of them: not known.
Kind = Literal["TEXT", "COUNT", "TIME", "SHARE", "NUMBER"]
# With these a spreadsheet takes a text for a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Without it Excel reads UTF-8 as something else.
_BYTE_ORDER_MARK = "\ufeff"
_UNKNOWN = "–"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, what its cells are, and what exactly is counted."""

    heading: str
    kind: Kind
    definition: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell as the page shows it."""

    text: str
    kind: Kind
    is_heading: bool  # of its row


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a name in addresses, a title, and its definition in a sentence."""

    slug: str
    title: str
    definition: str
    columns: Sequence[Column]
    rows: list[Sequence[Any]] = field(default_factory=list)

    def shown(self) -> Iterator[list[Cell]]:
        """Yield rows as the page shows them."""
        for row in self.rows:
            yield [
                Cell(worded(value, column.kind), column.kind, is_heading=number == 0)
                for number, (value, column) in enumerate(zip(row, self.columns, strict=True))
            ]

    def csv(self) -> str:
        """Return it as CSV for spreadsheets: times in seconds, shares in percent."""
        out = io.StringIO()
        out.write(_BYTE_ORDER_MARK)
        writer = csv.writer(out)
        units = {"TIME": _("(seconds)"), "SHARE": "(%)"}
        writer.writerow(
            [harmless(f"{one.heading} {units.get(one.kind, '')}".strip()) for one in self.columns]
        )
        for row in self.rows:
            writer.writerow(
                [
                    _plain(value, column.kind)
                    for value, column in zip(row, self.columns, strict=True)
                ]
            )
        return out.getvalue()


def harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _plain(value: Any, kind: Kind) -> str:
    if kind == "TEXT":
        return harmless(str(value))
    if isinstance(value, Share):
        value = None if value.value is None else value.value * 100
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.1f}"


def worded(value: Any, kind: Kind) -> str:
    """Return a value as people read it."""
    if isinstance(value, Share):
        return share(value)
    if value is None:
        return _UNKNOWN
    if kind == "TIME":
        return duration(value)
    return f"{value:.1f}" if kind == "NUMBER" else str(value)


def share(value: Share) -> str:
    """Return "87% (13/15)": of how many says how much it means."""
    if value.value is None:
        return _UNKNOWN
    return f"{value.value:.0%} ({value.part}/{value.whole})"


def duration(seconds: float) -> str:
    """Return seconds as "2 min 5 s"; from an hour on without seconds."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, rest_minutes = divmod(minutes, 60)
    if hours:
        return _("{hours} h {minutes} min").format(hours=hours, minutes=rest_minutes)
    if minutes:
        return _("{minutes} min {seconds} s").format(minutes=minutes, seconds=rest)
    return _("{seconds} s").format(seconds=rest)

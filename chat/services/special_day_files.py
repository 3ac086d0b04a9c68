"""Special days from a spreadsheet: read, compared with what is entered, then entered as a whole."""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from django.db import transaction
from django.utils.translation import gettext as _

from chat.models import SpecialDay
from intents.exchange.encodings import decoded

COLUMNS = ("date", "kind", "name")
BYTES_MOST = 1_000_000
ROWS_MOST = 2_000
_NAME_MOST = 60

_HEADINGS = {"日期": "date", "类型": "kind", "类别": "kind", "名称": "name", "节日": "name"}
_KINDS = {
    "holiday": SpecialDay.Kind.HOLIDAY,
    "节假日": SpecialDay.Kind.HOLIDAY,
    "假日": SpecialDay.Kind.HOLIDAY,
    "放假": SpecialDay.Kind.HOLIDAY,
    "休": SpecialDay.Kind.HOLIDAY,
    "make_up_workday": SpecialDay.Kind.MAKE_UP_WORKDAY,
    "make-up workday": SpecialDay.Kind.MAKE_UP_WORKDAY,
    "workday": SpecialDay.Kind.MAKE_UP_WORKDAY,
    "调休上班日": SpecialDay.Kind.MAKE_UP_WORKDAY,
    "调休": SpecialDay.Kind.MAKE_UP_WORKDAY,
    "补班": SpecialDay.Kind.MAKE_UP_WORKDAY,
    "上班": SpecialDay.Kind.MAKE_UP_WORKDAY,
    "班": SpecialDay.Kind.MAKE_UP_WORKDAY,
}
# 2027-10-01, 2027/10/1, 2027.10.1, 2027年10月1日, 20271001
_DATE = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))")


class BadTable(Exception):
    """The file as a whole cannot be read; the text says why."""


class Effect(StrEnum):
    """What entering a row does."""

    NEW = "NEW"
    CHANGED = "CHANGED"
    SAME = "SAME"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file, and what would come of it."""

    number: int  # as a spreadsheet counts, the headings being 1
    written: str  # the date as it stands there
    effect: Effect
    day: SpecialDay | None = None  # not saved; None where there is an error
    before: SpecialDay | None = None  # what is entered for this date, where that differs
    error: str = ""


def read(data: bytes) -> list[Row]:
    """Read a CSV file with the columns date, kind and name, and compare it with what is entered.

    Nothing is written. One query.

    Raises:
        BadTable: It is too large, no text, or lacks a column.
    """
    if len(data) > BYTES_MOST:
        raise BadTable(_("The file is larger than 1 MB."))
    try:
        text = decoded(data)
        delimiter = max(",\t;", key=text.partition("\n")[0].count)
        rows = list(csv.reader(text.splitlines(), delimiter=delimiter))
    except (ValueError, csv.Error) as error:
        raise BadTable(_("This file cannot be read as CSV.")) from error
    if len(rows) > ROWS_MOST:
        raise BadTable(_("More than %(most)d rows.") % {"most": ROWS_MOST})
    headings = [_heading(each) for each in rows[0]] if rows else []
    for name in ("date", "kind"):
        if name not in headings:
            raise BadTable(
                _("The file has no column “%(name)s”. Its first row must hold the headings.")
                % {"name": name}
            )
    entered = {day.date: day for day in SpecialDay.objects.all()}
    seen: set[date] = set()
    return [
        _row(
            number,
            {key: _cell(cell) for key, cell in zip(headings, cells, strict=False)},
            entered,
            seen,
        )
        for number, cells in enumerate(rows[1:], start=2)
        if any(cell.strip() for cell in cells)
    ]


@transaction.atomic
def enter(rows: Iterable[Row]) -> tuple[int, int]:
    """Write the rows of a file without errors; hours that are entered for a day stay. Safe to repeat.

    Returns:
        How many days were added, and how many changed.
    """
    days = [row.day for row in rows if row.day is not None]
    entered = SpecialDay.objects.select_for_update().in_bulk(
        [day.date for day in days], field_name="date"
    )
    new = [day for day in days if day.date not in entered]
    changed = []
    for day in days:
        before = entered.get(day.date)
        if before is not None and _differs(day, before):
            before.kind, before.name = day.kind, day.name
            changed.append(before)
    SpecialDay.objects.bulk_create(new)
    SpecialDay.objects.bulk_update(changed, ["kind", "name"])
    return len(new), len(changed)


def lines() -> Iterable[Sequence[str]]:
    """Return what is entered, as `read` reads it: the headings first."""
    yield COLUMNS
    for day in SpecialDay.objects.order_by("date"):
        yield day.date.isoformat(), day.kind, day.name


def _row(
    number: int, cells: dict[str, str], entered: dict[date, SpecialDay], seen: set[date]
) -> Row:
    written = cells.get("date", "")

    def wrong(error: str) -> Row:
        return Row(number, written, Effect.ERROR, error=error)

    found = _DATE.fullmatch(written)
    if found is None:
        return wrong(_("“%(text)s” is no date like 2027-10-01.") % {"text": written[:20]})
    year, *others = (int(part) for part in found.groups() if part is not None)
    try:
        at = date(year, *others)
    except ValueError:
        return wrong(_("There is no day “%(text)s”.") % {"text": written[:20]})
    kind = _KINDS.get(cells.get("kind", "").lower())
    if kind is None:
        text = _("“%(text)s” is no kind. Write HOLIDAY or MAKE_UP_WORKDAY.")
        return wrong(text % {"text": cells.get("kind", "")[:20]})
    name = cells.get("name", "")
    if len(name) > _NAME_MOST:
        return wrong(_("The name is longer than %(most)d characters.") % {"most": _NAME_MOST})
    if at in seen:
        return wrong(_("This date is in the file more than once."))
    seen.add(at)
    day, before = SpecialDay(date=at, kind=kind, name=name), entered.get(at)
    if before is None:
        return Row(number, written, Effect.NEW, day)
    if _differs(day, before):
        return Row(number, written, Effect.CHANGED, day, before)
    return Row(number, written, Effect.SAME, day)


def _differs(day: SpecialDay, before: SpecialDay) -> bool:
    return (day.kind, day.name) != (before.kind, before.name)


def _heading(cell: str) -> str:
    name = cell.strip().lower()
    return _HEADINGS.get(name, name)


def _cell(cell: str) -> str:
    """Without the apostrophe that our own export puts before what looks like a formula."""
    return cell.strip().removeprefix("'")

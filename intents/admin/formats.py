"""The spreadsheets of Chinese offices: CSV in whatever encoding Excel wrote it, and XLSX."""

import codecs
import csv
from collections.abc import Iterable, Sequence
from io import BytesIO, StringIO
from typing import Any
from zipfile import BadZipFile

import openpyxl
import tablib
from django.utils.translation import gettext as _
from import_export.formats.base_formats import CSV, XLSX
from openpyxl.utils.exceptions import InvalidFileException

from intents.exchange.encodings import decoded

_WORKBOOK = b"PK\x03\x04"  # XLSX is a ZIP archive


class Table(tablib.Dataset):
    """A table that knows where its rows stood in the file."""

    lines: list[int]


def lines_of(dataset: tablib.Dataset) -> Sequence[int]:
    """Return the rows' numbers as Excel counts them: the heading is 1, blank rows count."""
    lines: Sequence[int] = getattr(dataset, "lines", range(2, len(dataset) + 2))
    return lines


def _table(rows: Iterable[Sequence[Any]]) -> Table:
    """Make a table of rows, the first of which holds the headings.

    Blank rows are left out, and every row is made as wide as the headings.

    Raises:
        ValueError: There is no row.
    """
    filled = [
        (line, row)
        for line, row in enumerate(rows, start=1)
        if any(str("" if cell is None else cell).strip() for cell in row)
    ]
    if not filled:
        raise ValueError(_("The file is empty."))
    headings = [str("" if cell is None else cell).strip() for cell in filled[0][1]]
    while not headings[-1]:
        headings.pop()
    table = Table(headers=headings)
    table.lines = [line for line, _row in filled[1:]]
    for _line, row in filled[1:]:
        table.append([*row, *[""] * len(headings)][: len(headings)])
    return table


class AnyCSV(CSV):
    """CSV that opens in Excel, and is read as Excel writes it."""

    def is_binary(self) -> bool:
        return True  # we decode: the encoding is known only when the bytes have been seen

    def get_read_mode(self) -> str:
        return "rb"

    def create_dataset(self, in_stream: bytes, **kwargs: Any) -> Table:
        """Read a file.

        Raises:
            ValueError: It is no CSV; the message is for the person who chose the file.
        """
        if in_stream.startswith(_WORKBOOK):
            raise ValueError(_("This is an Excel workbook, not CSV: choose the format xlsx."))
        text = decoded(in_stream)
        heading = text.partition("\n")[0]
        # Excel's "Unicode text" is divided by tabs, CSV of some languages by semicolons.
        delimiter = max(",\t;", key=heading.count)
        # Not splitlines(), which takes U+2028 and more inside a cell for the end of a row.
        lines = StringIO(text, newline="")
        try:
            return _table(csv.reader(lines, delimiter=delimiter))
        except csv.Error as error:
            raise ValueError(_("This file cannot be read as CSV.")) from error

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> bytes:
        # Without the mark, Excel takes UTF-8 for the code page of the computer.
        text: str = super().export_data(dataset, **kwargs)
        return codecs.BOM_UTF8 + text.encode()


class Workbook(XLSX):
    """The first sheet of an Excel workbook."""

    def create_dataset(self, in_stream: bytes) -> Table:
        """Read a file.

        Raises:
            ValueError: It is no workbook; the message is for the person who chose the file.
        """
        try:
            book = openpyxl.load_workbook(BytesIO(in_stream), read_only=True, data_only=True)
            rows = list(book.active.iter_rows(values_only=True))
        # What openpyxl raises on archives that are none, broken, or of other programs.
        except (BadZipFile, InvalidFileException, KeyError, OSError, AttributeError) as error:
            raise ValueError(
                _(
                    "This is no Excel workbook (.xlsx). For a CSV file choose the format csv; "
                    "save an old .xls file as .xlsx first."
                )
            ) from error
        return _table(rows)


FORMATS = [AnyCSV, Workbook]

"""Tables of sentences: CSV in whatever encoding Excel wrote it, and XLSX."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO, StringIO
from typing import Any
from zipfile import BadZipFile, ZipFile

import openpyxl
from django.utils.translation import gettext as _
from openpyxl.utils.exceptions import InvalidFileException

from intents.exchange.encodings import decoded
from intents.exchange.headings import name_of
from intents.exchange.sentences import (
    BYTES_MOST,
    CHARS_MOST,
    SENTENCES_MOST,
    BadFile,
    Contents,
    Sentence,
    too_many,
)

COLUMNS = ("intent", "language", "text", "family", "split")
_NEEDED = ("intent", "text")
_WORKBOOK = b"PK\x03\x04"  # XLSX is a ZIP archive
_UNPACKED_BYTES_MOST = 300_000_000
# What Excel takes for the beginning of a formula. We write an apostrophe before it.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")


def read(data: bytes) -> Contents:
    """Read a table with the columns intent and text, and perhaps language, family, split.

    Raises:
        BadFile: It is no table, lacks a column, or is too large.
    """
    if len(data) > BYTES_MOST:
        raise BadFile(_("The file is larger than 20 MB. Divide it."))
    try:
        if data.startswith(_WORKBOOK):
            return _read(_of_workbook(data))
        return _read(_of_csv(data))
    except csv.Error as error:
        raise BadFile(_("This file cannot be read as CSV.")) from error
    # What openpyxl raises on archives that are none, broken, or of other programs.
    except (BadZipFile, InvalidFileException, KeyError, OSError, AttributeError) as error:
        raise BadFile(_("This is no Excel workbook (.xlsx).")) from error


def _read(rows: Iterable[Sequence[Any]]) -> Contents:
    numbered = ((number, [_cell(each) for each in row]) for number, row in enumerate(rows, start=1))
    filled = ((number, row) for number, row in numbered if any(row))
    _number, headings = next(filled, (0, []))
    places = {name_of(heading): at for at, heading in enumerate(headings) if heading}
    if missing := [name for name in _NEEDED if name not in places]:
        raise BadFile(
            _("The file has no column “%(name)s”. Its first row must hold the headings.")
            % {"name": missing[0]}
        )
    contents = Contents()
    for name in places:
        if name not in COLUMNS:
            contents.pass_over(_("column “%(name)s”") % {"name": name[:40]})
    for number, row in filled:

        def cell(name: str, row: list[str] = row) -> str:
            at = places.get(name, len(row))
            return row[at] if at < len(row) else ""

        contents.add(
            Sentence(
                place=_("row %(number)d") % {"number": number},
                intent=cell("intent"),
                text=cell("text")[:CHARS_MOST],
                language=cell("language"),
                family=cell("family"),
                split=cell("split"),
            )
        )
    return contents


def _cell(value: Any) -> str:
    text = str("" if value is None else value).strip()
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text


def _of_csv(data: bytes) -> Iterator[Sequence[Any]]:
    try:
        text = decoded(data)
    except ValueError as error:
        raise BadFile(str(error)) from error
    heading = text.partition("\n")[0]
    # Excel's "Unicode text" is divided by tabs, CSV of some languages by semicolons.
    delimiter = max(",\t;", key=heading.count)
    # Not splitlines(), which takes U+2028 and more inside a cell for the end of a row.
    return csv.reader(StringIO(text, newline=""), delimiter=delimiter)


def _of_workbook(data: bytes) -> Iterator[Sequence[Any]]:
    with ZipFile(BytesIO(data)) as archive:
        if sum(file.file_size for file in archive.infolist()) > _UNPACKED_BYTES_MOST:
            raise BadFile(_("The workbook unpacks to more than a list of sentences has."))
    book = openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=True)
    sheet = book["utterances"] if "utterances" in book.sheetnames else book.active
    for number, row in enumerate(sheet.iter_rows(max_col=40, values_only=True)):
        if number > 2 * SENTENCES_MOST:
            raise BadFile(too_many())
        yield row

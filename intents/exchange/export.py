"""Everything that staff have written, in files that other programs read."""

import csv
from collections.abc import Iterator, Sequence
from datetime import datetime
from io import BytesIO, StringIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import yaml
from openpyxl.cell import WriteOnlyCell

from intents.exchange import rasa
from intents.exchange.tables import FORMULA
from intents.models import (
    AllowedPhrase,
    Intent,
    Phrase,
    Reply,
    SensitiveWord,
    SuggestedQuestion,
    Utterance,
)

# Sheet or file, its columns as they are stored.
TABLES: Sequence[tuple[str, Any, Sequence[str], Sequence[str]]] = (
    (
        "intents",
        Intent,
        (
            *("code", "name_zh", "name_en", "description_zh", "description_en", "position"),
            *("is_active", "hands_over", "is_offered"),
        ),
        ("position", "code"),
    ),
    ("replies", Reply, ("intent__code", "language", "channel", "text", "is_active"), ("pk",)),
    (
        "utterances",
        Utterance,
        ("intent__code", "language", "text", "family", "split"),
        ("intent__position", "intent__code", "pk"),
    ),
    ("phrases", Phrase, ("purpose", "language", "text"), ("purpose", "language")),
    (
        "suggested_questions",
        SuggestedQuestion,
        ("language", "text", "position", "is_active"),
        ("language", "position", "pk"),
    ),
    ("sensitive_words", SensitiveWord, ("word", "category", "is_active", "note"), ("word",)),
    ("allowed_phrases", AllowedPhrase, ("text", "note"), ("text",)),
)


def _rows(model: Any, columns: Sequence[str], order: Sequence[str]) -> Iterator[list[str]]:
    rows = model.objects.order_by(*order).values_list(*columns)
    for row in rows.iterator(chunk_size=2000):
        yield [("yes" if cell else "no") if isinstance(cell, bool) else str(cell) for cell in row]


def _headings(columns: Sequence[str]) -> list[str]:
    return [column.removesuffix("__code") for column in columns]


def workbook() -> bytes:
    """Return an XLSX file with a sheet for each kind of content. One query a sheet."""
    book = openpyxl.Workbook(write_only=True)
    for name, model, columns, order in TABLES:
        sheet = book.create_sheet(name)
        sheet.append(_headings(columns))
        for row in _rows(model, columns, order):
            cells = []
            for text in row:
                # What XML cannot hold; and a text is never a formula, whatever it begins with.
                cell = WriteOnlyCell(sheet, openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", text))
                cell.data_type = "s"
                cells.append(cell)
            sheet.append(cells)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def tables_zip(*, encoding: str = "utf-8-sig") -> bytes:
    """Return a ZIP archive with a CSV file for each kind of content.

    Cells that Excel would take for formulas have an apostrophe before them, which `tables.read`
    takes away.

    Args:
        encoding: "utf-8-sig", which Excel recognises, or "gb18030" for programs that want it.
    """
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for name, model, columns, order in TABLES:
            text = StringIO(newline="")
            writer = csv.writer(text)
            writer.writerow(_headings(columns))
            for row in _rows(model, columns, order):
                writer.writerow([f"'{each}" if each.startswith(FORMULA) else each for each in row])
            archive.writestr(f"{name}.csv", text.getvalue().encode(encoding, "replace"))
    return out.getvalue()


def rasa_zip() -> bytes:
    """Return a ZIP archive with Rasa's nlu.yml and a domain.yml with intents and replies."""
    order = ("intent__code", "pk")
    columns = ("intent__code", "text", "language", "family", "split")
    rows = Utterance.objects.order_by(*order).values_list(*columns).iterator(chunk_size=2000)
    replies: dict[str, list[dict[str, str]]] = {}
    for code, text in (
        Reply.objects.filter(is_active=True).order_by(*order).values_list("intent__code", "text")
    ):
        replies.setdefault(f"utter_{code}", []).append({"text": text})
    domain = {
        "version": "3.1",
        "intents": list(Intent.objects.order_by("position", "code").values_list("code", flat=True)),
        "responses": replies,
    }
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        archive.writestr("nlu.yml", rasa.write(rows))
        archive.writestr(
            "domain.yml",
            yaml.dump(domain, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False),
        )
    return out.getvalue()


def name_of(kind: str, now: datetime) -> str:
    """Return a file name for an export of this day."""
    ending = {"xlsx": "xlsx"}.get(kind, "zip")
    return f"content-{kind}-{now:%Y-%m-%d}.{ending}"

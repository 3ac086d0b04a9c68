"""manage.py analyse FILE.csv: what is in each text of a file, one line of JSON each."""

import csv
import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from csplatform.priority import make_room_for_others
from intents import inference, language
from training import analysis

_BAR = 30


class Command(BaseCommand):
    help = (
        "Find entities, moods and intents in the texts of a CSV (columns: text, and if you have it "
        "at, ISO 8601). Writes one line of JSON a text; begun again, it goes on where it was."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="CSV with a heading and a column “text”")
        parser.add_argument("--out", type=Path, help="default: FILE.findings.jsonl")
        parser.add_argument("--column", default="text", help="that holds the text")

    def handle(self, *args: Any, file: Path, out: Path | None, column: str, **options: Any) -> None:
        target = out or file.with_name(f"{file.name}.findings.jsonl")
        make_room_for_others()
        try:
            total = sum(1 for _row in _rows(file, column))
            done = _whole_lines(target)
            with target.open("a", encoding="utf-8") as written:
                self._read(file, column, written, done=done, total=total)
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(str(error)) from error
        finally:
            inference.stop()
        self.stdout.write(str(target))

    def _read(self, file: Path, column: str, written: TextIO, *, done: int, total: int) -> None:
        began = time.monotonic()
        for number, row in enumerate(_rows(file, column)):
            if number < done:
                continue
            text = row[column]
            found = analysis.analyse(
                text,
                at=_moment(row.get("at", "")),
                language=language.detect(text),
                catalogue=analysis.Catalogue(),
            )
            line = {"row": number + 1, "text": text, **found.as_dict()}
            written.write(json.dumps(line, ensure_ascii=False) + "\n")
            written.flush()
            _show(number + 1, total, began=began, before=done)
        if total > done:
            sys.stderr.write("\n")


def _rows(file: Path, column: str) -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        reader = csv.DictReader(opened)
        if column not in (reader.fieldnames or ()):
            raise CommandError(f"{file} has no column “{column}”.")
        yield from reader


def _whole_lines(target: Path) -> int:
    """Return how many texts a file is done with; half a line of a killed run is cut off."""
    if not target.exists():
        return 0
    stored = target.read_bytes()
    whole = stored.rfind(b"\n") + 1
    if whole < len(stored):
        with target.open("r+b") as opened:
            opened.truncate(whole)
    return stored.count(b"\n")


def _moment(at: str) -> datetime:
    found = parse_datetime(at) if at else None
    if found is None:
        return timezone.now()
    return found if timezone.is_aware(found) else timezone.make_aware(found)


def _show(done: int, total: int, *, began: float, before: int) -> None:
    share = done / total
    left = (time.monotonic() - began) / (done - before) * (total - done)
    filled = round(_BAR * share)
    bar = "█" * filled + "░" * (_BAR - filled)
    sys.stderr.write(f"\r{bar} {done}/{total} {share:4.0%}, {left:.0f} s left ")
    sys.stderr.flush()

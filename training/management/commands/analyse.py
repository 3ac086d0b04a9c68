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
# A cell may be as long as a file; the module's own limit would end the run at such a row.
csv.field_size_limit(2**31 - 1)


class Command(BaseCommand):
    help = (
        "Find entities, moods and intents in the texts of a CSV (columns: text, and if you have it "
        "at: 2026-11-11 10:00, 2026/11/11). Writes one line of JSON a text, with “error” where a "
        "row cannot be read; begun again, it goes on where it was."
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
        began, unread = time.monotonic(), 0
        for number, row in enumerate(_rows(file, column)):
            if number < done:
                continue
            text = row[column] or ""  # None in a row that is too short
            try:
                at = _moment((row.get("at") or "").strip())
            except ValueError as error:
                unread += 1
                line = {"row": number + 1, "text": text, "error": str(error)}
            else:
                found = analysis.analyse(
                    text, at=at, language=language.detect(text), catalogue=analysis.Catalogue()
                )
                line = {"row": number + 1, "text": text, **found.as_dict()}
            written.write(json.dumps(line, ensure_ascii=False) + "\n")
            written.flush()
            _show(number + 1, total, began=began, before=done)
        if total > done:
            sys.stderr.write("\n")
        if unread:
            self.stderr.write(f"{unread} rows were not read: look for “error” in the file.")


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
    """Return when a text was written: now where the file does not say.

    Raises:
        ValueError: It says something that is no date. “Yesterday” would be that of another day.
    """
    if not at:
        return timezone.now()
    said = at.replace("/", "-")  # as spreadsheets write it, with or without noughts
    date, _, clock = said.partition("T" if "T" in said else " ")
    padded = "-".join(part.zfill(2) for part in date.split("-"))
    try:
        found = parse_datetime(f"{padded}T{_clock(clock)}")
    except ValueError:  # the form is right, and there is no such day
        found = None
    if found is None:
        raise ValueError(f"“{at}” is no date and time such as 2026-11-11 10:00")
    return found if timezone.is_aware(found) else timezone.make_aware(found)


def _clock(clock: str) -> str:
    hour, colon, rest = clock.strip().partition(":")
    return f"{hour.zfill(2)}{colon}{rest}" if colon else clock.strip() or "00:00"


def _show(done: int, total: int, *, began: float, before: int) -> None:
    share = done / total
    left = (time.monotonic() - began) / (done - before) * (total - done)
    filled = round(_BAR * share)
    bar = "█" * filled + "░" * (_BAR - filled)
    sys.stderr.write(f"\r{bar} {done}/{total} {share:4.0%}, {left:.0f} s left ")
    sys.stderr.flush()

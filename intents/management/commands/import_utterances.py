"""`manage.py import_utterances FILE`: add utterances from a table, all of them or none."""

import csv
import io
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from intents import services


class Command(BaseCommand):
    help = (
        "Import utterances from a CSV with the columns intent, text and optionally language, "
        "family, split. UTF-8, or GB18030 as Chinese Excel writes it. One wrong row, and "
        "nothing is imported."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="Report only.")

    def handle(self, *args: Any, file: Path, dry_run: bool, **options: Any) -> None:
        rows = csv.DictReader(io.StringIO(_decoded(file), newline=""))
        missing = {"intent", "text"} - set(rows.fieldnames or ())
        if missing:
            raise CommandError(f"{file} has no column {', '.join(sorted(missing))}.")
        report = services.import_utterances(rows, dry_run=dry_run)
        for row in report:
            if dry_run or row.outcome == services.Outcome.WRONG:
                self.stdout.write(
                    f"line {row.line}: {row.outcome}: {row.text} {row.message}".rstrip()
                )
        counts = Counter(str(row.outcome) for row in report)
        summary = (
            ", ".join(f"{number} {outcome}" for outcome, number in counts.items()) or "no rows"
        )
        if counts[services.Outcome.WRONG]:
            raise CommandError(f"{summary}. Nothing was imported.")
        self.stdout.write(
            f"{summary}. {'Nothing was written: dry run.' if dry_run else ''}".rstrip()
        )


def _decoded(file: Path) -> str:
    """Return the file's text; GB18030 is tried where it is not UTF-8."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise CommandError(f"{file} is neither UTF-8 nor GB18030. In Excel, save it as “CSV UTF-8”.")

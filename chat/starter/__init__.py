"""The replies and dispositions that a new installation begins with."""

import csv
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of canned_replies.csv or dispositions.csv."""
    with (_FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))

"""Labelled sentences: read from a CSV file, split for training."""

import csv
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

DEV_SHARE = 0.2


class BadDataset(Exception):
    """The data cannot be trained on; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence and the intent that it expresses."""

    text: str
    label: str


def read_csv(path: Path) -> list[Example]:
    """Read a UTF-8 file with the columns `text` and `label`; others are ignored.

    Raises:
        BadDataset: The file is missing, is not UTF-8, lacks a column, has a row with an empty
            field, or has no rows. Rows are named by their line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            lacking = {"text", "label"} - set(rows.fieldnames or ())
            if lacking:
                raise BadDataset(
                    _("{path} lacks the column {columns}; the first line names them.").format(
                        path=path, columns=", ".join(sorted(lacking))
                    )
                )
            examples = [_example(row, path, rows.line_num) for row in rows]
    except UnicodeDecodeError as error:
        raise BadDataset(
            _("{path} is not UTF-8 (byte {byte}).").format(path=path, byte=error.start)
        ) from error
    except (OSError, csv.Error) as error:
        raise BadDataset(
            _("{path} cannot be read: {error}").format(path=path, error=error)
        ) from error
    if not examples:
        raise BadDataset(_("{path} has no rows.").format(path=path))
    return examples


def _example(row: dict[str, str | None], path: Path, line: int) -> Example:
    text, label = (row["text"] or "").strip(), (row["label"] or "").strip()
    if not text or not label:
        raise BadDataset(
            _("{path}, line {line}: text or label is empty.").format(path=path, line=line)
        )
    return Example(text, label)


def split(examples: Sequence[Example], seed: int) -> tuple[list[Example], list[Example]]:
    """Split 8:2, label by label.

    A label with two to four examples gives one of them, and one that has a single example keeps it for
    training. Both sides keep the order of `examples`.

    Returns:
        (train, dev)
    """
    by_label: dict[str, list[int]] = defaultdict(list)
    for index, example in enumerate(examples):
        by_label[example.label].append(index)
    shuffle = random.Random(seed).shuffle  # noqa: S311  (repeatable, not secret)
    held_back: set[int] = set()
    for label in sorted(by_label):
        indices = by_label[label]
        if len(indices) > 1:
            shuffle(indices)
            held_back.update(indices[: max(1, round(len(indices) * DEV_SHARE))])
    train = [example for index, example in enumerate(examples) if index not in held_back]
    dev = [example for index, example in enumerate(examples) if index in held_back]
    return train, dev

"""Labelled sentences that ship with the platform, and longer texts put together from them.

Every sentence of starter.csv was written for this project; none is a customer's.
"""

import csv
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from intents.inference.mood import LABELS, NEGATIVE, NEUTRAL, POSITIVE
from training.datasets import BadDataset

STARTER = Path(__file__).with_name("starter.csv")

_SEED = 20261111
# Said of anything, beside what is said of one kind of thing.
_ANYWHERE = ("any", "service", "delivery", "price")
_SEPARATORS = {"zh": ("，", "。", "！", " ", "；"), "en": (". ", ", ", "! ")}
_ENDS = {"zh": ("", "。", "！"), "en": ("", ".", "!")}
_BUT = {"zh": ("但是", "就是", "不过", "可惜", "可是"), "en": ("but ",)}
_LENGTHS = (2, 2, 3, 3, 4, 5)  # sentences of a text
_CHINESE_SHARE = 0.8
_ANYWHERE_SHARE, _FACT_SHARE, _CONCESSION_SHARE = 0.6, 0.15, 0.12


@dataclass(frozen=True, slots=True)
class Row:
    """A sentence and how it sounds."""

    text: str
    label: str  # one of mood.LABELS
    language: str = "zh"
    topic: str = "any"  # what it is about; sentences of one topic make a text


def read_rows(path: Path = STARTER) -> list[Row]:
    """Read a UTF-8 CSV with the columns text and label; language and topic may be there.

    Raises:
        BadDataset: The file cannot be read, or a row has an empty text or another label.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            return [_row(row, path, reader.line_num) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadDataset(
            _("{path} cannot be read: {error}").format(path=path, error=error)
        ) from error


def _row(row: dict[str, str | None], path: Path, line: int) -> Row:
    text, label = (row.get("text") or "").strip(), (row.get("label") or "").strip()
    if not text or label not in LABELS:
        raise BadDataset(
            _("{path}, line {line}: a text and one of {labels} are needed.").format(
                path=path, line=line, labels=", ".join(LABELS)
            )
        )
    return Row(text, label, row.get("language") or "zh", row.get("topic") or "any")


def compose(rows: Sequence[Row], count: int) -> list[Row]:
    """Return texts of several sentences about one thing, always the same for the same rows.

    Customers write more than one sentence. Some texts begin with a plain fact; in some the
    first sentence concedes ("looks nice, but ...") and the rest decides.
    """
    draw = random.Random(_SEED)  # noqa: S311  (repeatable, not secret)
    pools: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in rows:
        pools[row.language, row.label, row.topic].append(row.text)
    topics = {
        language: sorted(
            {topic for (spoken, label, topic) in pools if spoken == language and label != NEUTRAL}
        )
        for language in _SEPARATORS
    }
    texts: list[Row] = []
    languages = [language for language in _SEPARATORS if topics[language]]
    while languages and len(texts) < count:
        language = languages[0] if draw.random() < _CHINESE_SHARE else languages[-1]
        label = draw.choice((NEGATIVE, POSITIVE))
        topic = draw.choice(topics[language])
        if pool := pools.get((language, label, topic)):
            texts.append(
                Row(_text(pools, pool, language, label, topic, draw), label, language, topic)
            )
    return texts


def _text(
    pools: dict[tuple[str, str, str], list[str]],
    pool: Sequence[str],
    language: str,
    label: str,
    topic: str,
    draw: random.Random,
) -> str:
    def of(label: str, *topics: str) -> list[str]:
        return [text for each in topics for text in pools.get((language, label, each), ())]

    parts = draw.sample(pool, min(draw.choice(_LENGTHS), len(pool)))
    if draw.random() < _ANYWHERE_SHARE and (anywhere := of(label, *_ANYWHERE)):
        parts[-1] = draw.choice(anywhere)
    if draw.random() < _FACT_SHARE and (facts := of(NEUTRAL, "facts")):
        parts.append(draw.choice(facts))
    draw.shuffle(parts)
    other = POSITIVE if label == NEGATIVE else NEGATIVE
    if draw.random() < _CONCESSION_SHARE and (conceded := of(other, topic, "any")):
        parts[0] = draw.choice(_BUT[language]) + parts[0]
        parts.insert(0, draw.choice(conceded))
    separator = draw.choice(_SEPARATORS[language])
    return separator.join(parts) + draw.choice(_ENDS[language])

"""The labelled sentences that a model is trained on and measured with."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, NoReturn

from django.utils.translation import gettext as _

from csplatform.errors import Refusal
from intents.models import Intent, Utterance
from training.datasets import Example

# Below this an intent is left to its prototypes.
LEAST_PER_INTENT = 5
LEAST_INTENTS = 2
DEV_SHARE = 0.2


class NotEnoughUtterances(Refusal):
    """A classifier needs at least two intents with enough sentences."""

    code = "not_enough_utterances"


class Row(NamedTuple):
    """One utterance of an active intent."""

    code: str
    text: str
    language: str
    family: str
    split: str


@dataclass(frozen=True, slots=True)
class Material:
    """What one run learns from (train), stops by (dev) and is measured with (evaluation)."""

    rows: list[Row]  # all that was read, in the order of entry
    train: list[Example]
    dev: list[Example]
    evaluation: list[Example]
    left_out: list[str]  # codes of intents with too few training utterances

    @property
    def labels(self) -> list[str]:
        return sorted({example.label for example in self.train})


def read(seed: int) -> Material:
    """Read all utterances of active intents, once, and split those for training 8:2.

    Raises:
        NotEnoughUtterances: Fewer than two intents have enough of them.
    """
    rows = read_rows()
    for_training = defaultdict(list)
    for row in rows:
        if row.split == Utterance.Split.TRAIN:
            for_training[row.code].append((row.text, row.family))
    if sum(len(texts) >= LEAST_PER_INTENT for texts in for_training.values()) < LEAST_INTENTS:
        _refuse({code: len(texts) for code, texts in for_training.items()})
    train, dev, left_out = [], [], []
    for code, texts in sorted(for_training.items()):
        if len(texts) < LEAST_PER_INTENT:
            left_out.append(code)
            continue
        learned, held_back = split_families(texts, seed)
        train += [Example(text, code) for text in learned]
        dev += [Example(text, code) for text in held_back]
    known = {example.label for example in train}
    evaluation = [
        Example(row.text, row.code)
        for row in rows
        if row.split == Utterance.Split.EVALUATION and row.code in known
    ]
    return Material(rows, train, dev, evaluation, left_out)


def read_rows() -> list[Row]:
    """Read all utterances of active intents, in the order of entry. One query."""
    fields = ("intent__code", "text", "language", "family", "split")
    found = Utterance.objects.filter(intent__is_active=True).order_by("pk").values_list(*fields)
    return [Row(*row) for row in found]


def split_families(texts: Sequence[tuple[str, str]], seed: int) -> tuple[list[str], list[str]]:
    """Split the sentences of one intent 8:2, paraphrases of one family on one side.

    Which side a family is on hangs on its name and the seed, hardly on what else there is: what
    one training held back, the next one does too, when utterances have come and gone.

    Args:
        texts: At least two of (text, family); an empty family is a family of its own.

    Returns:
        Both sides, neither empty. Only an intent of one single family is split within it.
    """
    families: dict[str, list[str]] = defaultdict(list)
    for text, family in texts:
        families[family or f"\0{text}"].append(text)
    if len(families) == 1:
        families = {f"\0{number}": [text] for number, (text, _) in enumerate(texts)}
    groups = [families[name] for name in sorted(families, key=partial(_draw, seed))]
    wanted = round(len(texts) * DEV_SHARE)
    train: list[str] = []
    dev: list[str] = []
    for group in groups:
        (dev if len(dev) + len(group) <= wanted else train).extend(group)
    if not dev:  # each family is larger than a fifth
        smallest = min(groups, key=len)
        return [text for group in groups if group is not smallest for text in group], smallest
    return train, dev


def _draw(seed: int, family: str) -> bytes:
    """Return a number that looks random, the same for the same seed and family."""
    return hashlib.sha256(f"{seed}\0{family}".encode("utf-8", "surrogatepass")).digest()


def _refuse(counts: dict[str, int]) -> NoReturn:
    """Say which intents lack utterances; `counts` is by code. One query."""
    active = Intent.objects.filter(is_active=True).order_by("position", "code")
    lacking = ", ".join(
        f"{code} ({counts.get(code, 0)})"
        for code in active.values_list("code", flat=True)
        if counts.get(code, 0) < LEAST_PER_INTENT
    )
    raise NotEnoughUtterances(
        _(
            "A training needs at least {intents} intents with {utterances} training utterances "
            "each. Too few so far: {lacking}."
        ).format(intents=LEAST_INTENTS, utterances=LEAST_PER_INTENT, lacking=lacking or "—")
    )

"""The labelled sentences that a model is trained on and measured with."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q
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


@dataclass(frozen=True, slots=True)
class Material:
    """What one run learns from (train), stops by (dev) and is measured with (evaluation)."""

    train: list[Example]
    dev: list[Example]
    evaluation: list[Example]
    left_out: list[str]  # codes of intents with too few training utterances

    @property
    def labels(self) -> list[str]:
        return sorted({example.label for example in self.train})


def require_enough() -> None:
    """Check that there is something to learn. One query.

    Raises:
        NotEnoughUtterances: Names the intents that need more sentences.
    """
    in_training = Count("utterances", filter=Q(utterances__split=Utterance.Split.TRAIN))
    intents = Intent.objects.filter(is_active=True).order_by("position", "code")
    counts = dict(intents.annotate(count=in_training).values_list("code", "count"))
    _require_enough(counts)


def read(seed: int) -> Material:
    """Read all utterances of active intents, once, and split those for training 8:2.

    Raises:
        NotEnoughUtterances: Fewer than two intents have enough of them.
    """
    rows = list(
        Utterance.objects.filter(intent__is_active=True)
        .order_by("pk")
        .values_list("intent__code", "text", "family", "split")
    )
    for_training = defaultdict(list)
    for code, text, family, split in rows:
        if split == Utterance.Split.TRAIN:
            for_training[code].append((text, family))
    _require_enough({code: len(texts) for code, texts in for_training.items()})
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
        Example(text, code)
        for code, text, _family, split in rows
        if split == Utterance.Split.EVALUATION and code in known
    ]
    return Material(train, dev, evaluation, left_out)


def split_families(texts: Sequence[tuple[str, str]], seed: int) -> tuple[list[str], list[str]]:
    """Split the sentences of one intent 8:2, paraphrases of one family on one side.

    Args:
        texts: At least two of (text, family); an empty family is a family of its own.

    Returns:
        Both sides, neither empty. Only an intent of one single family is split within it.
    """
    families: dict[str, list[str]] = defaultdict(list)
    for number, (text, family) in enumerate(texts):
        families[family or f"\0{number}"].append(text)
    groups = list(families.values())
    if len(groups) == 1:
        groups = [[text] for text in groups[0]]
    random.Random(seed).shuffle(groups)  # noqa: S311  (repeatable, not secret)
    wanted = round(len(texts) * DEV_SHARE)
    train: list[str] = []
    dev: list[str] = []
    for group in groups:
        (dev if len(dev) + len(group) <= wanted else train).extend(group)
    if not dev:  # each family is larger than a fifth
        smallest = min(groups, key=len)
        return [text for group in groups if group is not smallest for text in group], smallest
    return train, dev


def _require_enough(counts: dict[str, int]) -> None:
    """Refuse unless enough intents have enough utterances; `counts` is by code."""
    enough = [code for code, count in counts.items() if count >= LEAST_PER_INTENT]
    if len(enough) >= LEAST_INTENTS:
        return
    lacking = ", ".join(f"{code} ({count})" for code, count in counts.items() if code not in enough)
    raise NotEnoughUtterances(
        _(
            "A training needs at least {intents} intents with {utterances} training utterances "
            "each. Too few so far: {lacking}."
        ).format(intents=LEAST_INTENTS, utterances=LEAST_PER_INTENT, lacking=lacking or "—")
    )

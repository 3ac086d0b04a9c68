"""How well intents are understood that live on examples: each example taken away in turn.

Done by the follower when it has nothing else to do, a few texts at a time, and stored for the
admin: no page waits for it, and no customer does.
"""

import logging
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from django.db import transaction
from django.utils import timezone

from intents.inference.base import TrainedModel
from intents.inference.prototypes import Prototypes
from intents.models import Intent, LiveIntent

logger = logging.getLogger(__name__)

# Of one intent, the newest; of its text is known then how well it stands, within 10 points.
_JUDGED_MOST = 20
_AT_ONCE = 16  # texts between two looks at whether anything more urgent has come
_CONFUSIONS_KEPT = 5
# After the last change: staff save one utterance after the other. Processes begin one after the
# other, so that all but the first find the work done.
_QUIET_S = 1.0
_BETWEEN_PROCESSES_S = 0.5


@dataclass
class _Task:
    """What is to be judged, and what has come of it so far."""

    content_version: int
    prototypes: Prototypes
    model: TrainedModel | None
    begin_at: float  # time.monotonic()
    waiting: list[int] = field(default_factory=list)  # places in the prototypes
    judged: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    taken_for: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def model_version(self) -> str:
        return self.model.version if self.model else ""


class Inspector:
    """Judges the examples of one understanding after the other. Owned by one thread."""

    def __init__(self) -> None:
        self._task: _Task | None = None

    def inspect(
        self, content_version: int, prototypes: Prototypes | None, model: TrainedModel | None
    ) -> None:
        """Judge these from now on, and give up what was begun."""
        self._task = None
        if prototypes is None:
            return
        begin_at = time.monotonic() + _QUIET_S + os.getpid() % 4 * _BETWEEN_PROCESSES_S
        self._task = _Task(content_version, prototypes, model, begin_at)

    def step(self) -> bool:
        """Go on a little. Returns whether there is more to do at once. Never raises."""
        task = self._task
        if task is None or time.monotonic() < task.begin_at:
            return False
        try:
            if task.begin_at:
                task.begin_at = 0.0
                if self._is_done(task):
                    self._task = None
                    return False
                task.waiting = _places(task)
            some, task.waiting = task.waiting[:_AT_ONCE], task.waiting[_AT_ONCE:]
            if some:
                _judge(task, some)
            if not task.waiting:
                _store(task)
                self._task = None
        except Exception:
            logger.exception("How good the examples are could not be found out")
            self._task = None
        return self._task is not None

    @staticmethod
    def _is_done(task: _Task) -> bool:
        """Whether another process has judged the same."""
        stored = LiveIntent.objects.values_list("content_version", "model_version").first()
        return stored == (task.content_version, task.model_version)


def _lives_on_examples(task: _Task) -> list[int]:
    """Return the groups that the trained model has not learnt; all where there is none."""
    return [
        number
        for number, group in enumerate(task.prototypes.groups)
        if group.fresh or task.model is None
    ]


def _places(task: _Task) -> list[int]:
    return [
        place
        for group in _lives_on_examples(task)
        for place in task.prototypes.newest(group, _JUDGED_MOST)
    ]


def _judge(task: _Task, places: Sequence[int]) -> None:
    prototypes = task.prototypes
    compared = prototypes.without(np.array(places))
    alone = np.isnan(compared.scores[:, 0])
    by_intent: dict[str, np.ndarray] = {}
    if task.model is None:
        columns = zip(prototypes.groups, prototypes.probabilities(compared).T, strict=True)
        by_intent = {group.intent: column for group, column in columns}
    else:
        labels = task.model.classifier.labels
        read = task.model.classifier.read([prototypes.texts[place] for place in places])
        by_intent = prototypes.fresh_shares(compared, labels, read.probabilities)
        rest = 1.0 - sum(by_intent.values(), np.zeros(len(places)))
        for label, column in zip(labels, read.probabilities.T, strict=True):
            by_intent[label] = by_intent.get(label, 0.0) + rest * column
    intents = list(by_intent)
    likeliest = np.argmax(np.stack([by_intent[intent] for intent in intents]), axis=0)
    for place, winner, is_alone in zip(places, likeliest, alone, strict=True):
        if is_alone:
            continue  # nothing is left to know it by
        own, taken_for = prototypes.group_of(place).intent, intents[winner]
        task.judged[own] += 1
        if own == taken_for:
            task.found[own] += 1
        else:
            task.taken_for[own, taken_for] += 1


def _store(task: _Task) -> None:
    known = set(task.model.classifier.labels) if task.model else set()
    rows = []
    for number in _lives_on_examples(task):
        intent = task.prototypes.groups[number].intent
        confused = [
            (other, times) for (own, other), times in task.taken_for.most_common() if own == intent
        ]
        rows.append(
            LiveIntent(
                intent=intent,
                is_trained=intent in known,
                utterances=int(task.prototypes.sizes[number]),
                judged=task.judged[intent],
                found=task.found[intent],
                confused_with=confused[:_CONFUSIONS_KEPT],
                content_version=task.content_version,
                model_version=task.model_version,
                measured_at=timezone.now(),
            )
        )
    with transaction.atomic():
        there = set(Intent.objects.values_list("code", flat=True))
        LiveIntent.objects.all().delete()
        LiveIntent.objects.bulk_create(
            [row for row in rows if row.intent in there],
            ignore_conflicts=True,  # another process was as fast
        )

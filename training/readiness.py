"""Whether a training can end well: looked at before it is queued, and again when it starts.

What would otherwise show after minutes is asked here first, with the same reading that trains.
"""

import shutil
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from csplatform.errors import Refusal
from intents import encoder
from intents.models import Language, Utterance
from training import utterances
from training.models import TrainingRun
from training.utterances import LEAST_PER_INTENT, Material

# A finished model, and the graphs on the way to it, with the shipped encoder: measured 60 MB and
# 330 MB. Twice as much, because a larger encoder makes larger ones.
_ROOM_MB = {TrainingRun.Mode.QUICK: 150, TrainingRun.Mode.THOROUGH: 700}
# What a process takes before it learns anything, with the shipped encoder; measured 730 and 1,400.
_MEMORY_MB = {TrainingRun.Mode.QUICK: 900, TrainingRun.Mode.THOROUGH: 1_600}
_MEMINFO = Path("/proc/meminfo")
_NAMED_MOST = 8


class NotEnoughRoom(Refusal):
    """The disk of the models is full."""

    code = "not_enough_room"


class NotEnoughMemory(Refusal):
    """The machine, or the limit of a training, has not enough memory for one."""

    code = "not_enough_memory"


class EncoderMissing(Refusal):
    """There is nothing to train: the encoder cannot be had."""

    code = "encoder_missing"
    detail = gettext_lazy("The encoder is not there.")


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a run will learn from, and what people should know of it before."""

    material: Material
    warnings: list[str]  # in words for business people; none of them stops a training


def check(*, mode: str, seed: int) -> Readiness:
    """Read what a run learns from, and look for whatever would make it fail. Two queries at most.

    Raises:
        NotEnoughUtterances: Fewer than two intents have enough of them.
        EncoderMissing: The package or the directory of the encoder is not there.
        NotEnoughRoom: The disk has no room for the model.
        NotEnoughMemory: There is not enough memory to begin.
    """
    material = utterances.read(seed)
    try:
        encoder.require()
    except encoder.EncoderUnavailable as error:
        raise EncoderMissing(str(error)) from error
    _require_room(_ROOM_MB[TrainingRun.Mode(mode)])
    _require_memory(_MEMORY_MB[TrainingRun.Mode(mode)])
    return Readiness(material, [*_thin(material), *_one_sided(material), *_unmeasured(material)])


def _require_room(needed_mb: int) -> None:
    directory = Path(settings.MODEL_DIR)
    nearest = next(path for path in (directory, *directory.parents) if path.exists())
    free_mb = shutil.disk_usage(nearest).free // 1_000_000
    if free_mb < needed_mb:
        raise NotEnoughRoom(
            _(
                "A training needs {needed} MB of disk for {directory}, and {free} MB are free."
            ).format(needed=needed_mb, directory=directory, free=free_mb)
        )


def _require_memory(needed_mb: int) -> None:
    limit_mb = settings.TRAINING_MEMORY_MB
    if limit_mb and limit_mb < needed_mb:
        raise NotEnoughMemory(
            _(
                "A training needs {needed} MB of memory, and TRAINING_MEMORY_MB allows {free}."
            ).format(needed=needed_mb, free=limit_mb)
        )
    free_mb = _free_memory_mb()
    if free_mb is not None and free_mb < needed_mb:
        raise NotEnoughMemory(
            _("A training needs {needed} MB of memory, and {free} MB are free.").format(
                needed=needed_mb, free=free_mb
            )
        )


def _free_memory_mb() -> int | None:
    """Return how much memory a new process may take; None where the system does not say."""
    try:
        lines = _MEMINFO.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kilobytes = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return int(kilobytes) * 1024 // 1_000_000 if kilobytes else None


def _thin(material: Material) -> list[str]:
    if not material.left_out:
        return []
    return [
        _(
            "Fewer than {least} training utterances, so examples answer, not the model: {codes}"
        ).format(least=LEAST_PER_INTENT, codes=_named(material.left_out))
    ]


def _one_sided(material: Material) -> list[str]:
    """Name the intents that have one language only, where most have both."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in material.rows:
        if row.split == Utterance.Split.TRAIN:
            counts[row.code][row.language] += 1
    trained = {code: counts[code] for code in material.labels}
    both = [code for code, found in trained.items() if len(found) == len(Language)]
    if len(both) * 2 < len(trained):
        return []  # a shop of one language
    warnings = []
    for language in Language:
        without = [code for code, found in trained.items() if not found[language]]
        if without:
            warnings.append(
                _("Without a training utterance in {language}: {codes}").format(
                    language=language.label, codes=_named(without)
                )
            )
    return warnings


def _unmeasured(material: Material) -> list[str]:
    measured = {example.label for example in material.evaluation}
    without = [code for code in material.labels if code not in measured]
    if not without or not measured:
        return []
    return [
        _("Without an evaluation utterance, so nobody will know how well: {codes}").format(
            codes=_named(without)
        )
    ]


def _named(codes: list[str]) -> str:
    more = f", … (+{len(codes) - _NAMED_MOST})" if len(codes) > _NAMED_MOST else ""
    return ", ".join(codes[:_NAMED_MOST]) + more

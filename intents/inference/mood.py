"""How somebody who writes so feels: a second head over the vectors that the engine has anyway."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from django.conf import settings

from intents.guard import normalize
from intents.inference.base import FrozenEncoder
from intents.inference.scoring import Floats, LightHead, softmax

logger = logging.getLogger(__name__)

NEGATIVE, NEUTRAL, POSITIVE = LABELS = ("negative", "neutral", "positive")  # the head's columns
_AT_ONCE = 32  # texts in one pass


@dataclass(frozen=True, slots=True)
class Mood:
    """The mood of one text. What `negative` and `positive` leave of 1 is neither."""

    score: float  # -1 negative to 1 positive: the one probability less the other
    negative: float  # calibrated probability, 0 to 1
    positive: float  # calibrated probability, 0 to 1


def path_of(encoder_id: str) -> Path:
    """Return where the head for the vectors of an encoder lies."""
    return settings.MODEL_DIR / "moods" / f"{encoder_id}.npz"


def read(head: LightHead, encoder: FrozenEncoder, texts: Sequence[str]) -> list[Mood]:
    """Return the mood of each text.

    Vectors are those of the text as the encoder reads it everywhere; the n-grams also see
    emoji, which say nothing about what is wanted and much about moods.

    Args:
        texts: As customers wrote them.
    """
    found: list[Mood] = []
    for start in range(0, len(texts), _AT_ONCE):
        some = texts[start : start + _AT_ONCE]
        vectors = encoder.embedder.embed([normalize.for_model(text) for text in some])
        found += of_vectors(head, some, vectors)
    return found


def of_vectors(head: LightHead, texts: Sequence[str], vectors: Floats) -> list[Mood]:
    """Return the mood of each text whose vector is known, shape (n, d)."""
    logits = head.logits([normalize.spelled(text) for text in texts], vectors)
    if not np.isfinite(logits).all():
        raise ValueError("The head of moods gave no numbers.")
    return [
        Mood(score=float(positive - negative), negative=float(negative), positive=float(positive))
        for negative, _neutral, positive in softmax(logits)
    ]


class Heads:
    """The head on disk, read again when it was replaced. Safe to call from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._read: tuple[Path, int] | None = None  # and when it was written
        self._head: LightHead | None = None

    def of(self, encoder_id: str) -> LightHead | None:
        """Return the head for an encoder; None while nobody has trained one."""
        path = path_of(encoder_id)
        try:
            stamp = (path, path.stat().st_mtime_ns)
        except OSError:
            return None
        with self._lock:
            if stamp != self._read:
                self._read, self._head = stamp, _load(path)
            return self._head


def _load(path: Path) -> LightHead | None:
    try:
        head = LightHead.load(path)
    except Exception:  # zip, NumPy and keys, without a common base
        logger.exception("%s is no head for moods; none are told until it is replaced", path)
        return None
    if head.bias.shape != (len(LABELS),):
        logger.error("%s has %d columns, and moods have %d", path, len(head.bias), len(LABELS))
        return None
    return head

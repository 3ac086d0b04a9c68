"""The head that ships is built where it is first wanted, from sentences that ship."""

import fcntl
import hashlib
import logging
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from intents.guard import normalize
from intents.inference import FrozenEncoder, mood
from intents.inference.scoring import LightHead
from training.analysis.sentiment import head
from training.analysis.sentiment.starter import STARTER, Row, compose, read_rows

logger = logging.getLogger(__name__)

# Counted up where heads are fitted in another way: what ships is then built anew.
_FITTED = b"2"
_COMPOSED = 1000  # three times as many are no better on reviews, and take three times as long


def train(rows: Sequence[Row], encoder: FrozenEncoder, *, composed: int = _COMPOSED) -> LightHead:
    """Return a head fitted to labelled sentences, and to texts put together from them.

    Takes some 15 seconds with the shipped sentences on one core, nearly all of it the encoder's.

    Args:
        composed: How many texts are put together; 0 where rows are texts already.
    """
    every = [*rows, *compose(rows, composed)]
    texts = [row.text for row in every]
    vectors = encoder.embedder.embed([normalize.for_model(text) for text in texts])
    return head.fit(texts, vectors, [row.label for row in every], [row.topic for row in every])


def ensure(encoder: FrozenEncoder, source: Path = STARTER) -> Path:
    """Return where the head lies, building it first where there is none, or an outdated one.

    Safe to call from several processes and threads: one builds, the others wait for it.

    Args:
        source: Labelled sentences; a shop may bring its own (`manage.py train_moods`).

    Raises:
        BadDataset: The sentences cannot be read.
        OSError: It cannot be written.
    """
    path = mood.path_of(encoder.id)
    made_of = path.with_suffix(".made_of")
    fingerprint = hashlib.sha256(source.read_bytes() + _FITTED).hexdigest()
    if _is_of(path, made_of, fingerprint, source):
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # dropped by the kernel, however the process ends
        if not _is_of(path, made_of, fingerprint, source):
            logger.info("The head for moods is made of %s", source)
            _write(train(read_rows(source), encoder), path)
            made_of.write_text(f"{fingerprint} {source.name}\n", encoding="utf-8")
    return path


def _is_of(path: Path, made_of: Path, fingerprint: str, source: Path) -> bool:
    """Whether the head is there, and of this source; the shipped one never replaces a shop's own."""
    try:
        known, name = made_of.read_text(encoding="utf-8").split(maxsplit=1)
    except (OSError, ValueError):
        return False
    is_own = name.strip() != STARTER.name and source == STARTER
    return path.is_file() and (known == fingerprint or is_own)


def _write(made: LightHead, path: Path) -> None:
    handle, name = tempfile.mkstemp(prefix=".", suffix=".npz", dir=path.parent)
    os.close(handle)
    try:
        made.save(Path(name))
        Path(name).chmod(0o644)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)

"""Vectors of utterances: computed once, kept in the database for every process."""

import hashlib
import os
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from intents.inference.base import Floats, FrozenEncoder
from intents.models import Embedding

# Kept and stored as float16: half the size, and cosines change by less than 0.001.
_STORED = np.dtype("<f2")
_Stored = npt.NDArray[np.float16]
_AT_ONCE = 32  # texts between two looks at what other processes have stored meanwhile
_QUERY_KEYS = 500  # of one IN (...); SQLite takes 999 parameters on old builds


class Vectors:
    """The vectors of one encoder, in memory and in `Embedding`. Owned by one thread.

    Args:
        stores: Whether new ones are written to `Embedding`; False where nothing may be left behind.
    """

    def __init__(self, encoder: FrozenEncoder, *, stores: bool = True) -> None:
        self._encoder = encoder
        self._stores = stores
        self._known: dict[str, _Stored] = {}

    def load(self, texts: Iterable[str]) -> list[str]:
        """Read what is stored of `texts` and forget all others.

        Returns:
            Those that nobody has embedded yet, each once, in the order given.
        """
        wanted = dict.fromkeys(texts)
        self._known = {text: row for text, row in self._known.items() if text in wanted}
        self._read([text for text in wanted if text not in self._known])
        return [text for text in wanted if text not in self._known]

    def embed(self, missing: Sequence[str], *, most: int) -> None:
        """Embed and store up to `most` of `missing`, the last (newest) ones first.

        Processes that start together begin at different places and read each other's work.
        """
        newest = list(reversed(missing))[:most]
        batches = [newest[start : start + _AT_ONCE] for start in range(0, len(newest), _AT_ONCE)]
        # Not for the first batch: what staff saved a moment ago comes before the rest.
        turn = os.getpid() % max(1, len(batches) - 1)
        rest = batches[1:]
        for batch in [*batches[:1], *rest[turn:], *rest[:turn]]:
            self._read(batch)
            new = [text for text in batch if text not in self._known]
            if not new:
                continue
            for text, vector in zip(new, self._encoder.embedder.embed(new), strict=True):
                self._known[text] = vector.astype(_STORED)
            if not self._stores:
                continue
            Embedding.objects.bulk_create(
                [
                    Embedding(
                        encoder=self._encoder.id,
                        key=_key(text),
                        vector=self._known[text].tobytes(),
                    )
                    for text in new
                ],
                ignore_conflicts=True,  # another process was as fast
            )

    def of(self, texts: Sequence[str]) -> Floats:
        """Return the vectors of known texts, unit length, shape (n, d), n at least 1."""
        vectors: Floats = np.stack([self._known[text] for text in texts]).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def __contains__(self, text: str) -> bool:
        return text in self._known

    def _read(self, texts: Sequence[str]) -> None:
        by_key = {_key(text): text for text in texts}
        keys = list(by_key)
        for start in range(0, len(keys), _QUERY_KEYS):
            rows = Embedding.objects.filter(
                encoder=self._encoder.id, key__in=keys[start : start + _QUERY_KEYS]
            ).values_list("key", "vector")
            for key, stored in rows:
                self._known[by_key[key]] = np.frombuffer(bytes(stored), _STORED)


def stored(encoder: str, texts: Sequence[str]) -> dict[str, Floats]:
    """Return the stored vectors of texts, unit length, by text; some may be missing.

    Args:
        encoder: Its id.
    """
    by_key = {_key(text): text for text in texts}
    keys, found = list(by_key), {}
    for start in range(0, len(keys), _QUERY_KEYS):
        rows = Embedding.objects.filter(encoder=encoder, key__in=keys[start : start + _QUERY_KEYS])
        for key, vector in rows.values_list("key", "vector"):
            numbers = np.frombuffer(bytes(vector), _STORED).astype(np.float32)
            found[by_key[key]] = numbers / np.linalg.norm(numbers)
    return found


def _key(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

"""All utterances at one version, ready to be compared with a sentence; never changed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from intents.conflicts.masking import masked_key
from intents.guard import normalize
from intents.inference import FrozenEncoder
from intents.inference.base import Floats
from intents.inference.vectors import Vectors
from intents.models import Language, Utterance

# Of a language with fewer utterances than that, the mean leans towards that of all.
_PRIOR = 20
_LANGUAGES = tuple(Language.values)
# Newest utterances without a vector that are embedded when the index is made; the engine embeds
# the others at its pace, and the next version of the index has them.
EMBED_MOST = 512


@dataclass(frozen=True, slots=True)
class Entry:
    """One utterance."""

    pk: int
    intent: str  # Intent.code
    text: str
    key: str  # normalize.key
    language: str
    readable: str  # as models read it
    masked: str  # masked_key


@dataclass(frozen=True)
class Index:
    """Utterances in the order of their intents, with vectors and keys.

    Texts are compared by the cosine of their vectors after the mean of their own language is
    taken away: what all sentences have in common, the language itself above all, says nothing
    (Mu and Viswanath, "All-but-the-Top", ICLR 2018), and translations come near to each other.
    """

    version: int  # ContentVersion.understanding
    encoder: str  # FrozenEncoder.id; "" without vectors
    entries: Sequence[Entry]
    vectors: Floats  # unit length, shape (n, d); a row of zeros where none is known yet
    by_pk: Mapping[int, int] = field(default_factory=dict)
    by_key: Mapping[str, int] = field(default_factory=dict)
    by_masked: Mapping[str, Sequence[int]] = field(default_factory=dict)
    rows_of: Mapping[str, slice] = field(default_factory=dict)  # by Intent.code
    languages: npt.NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))
    means: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))  # by language
    # One over the length of each vector less its mean, 0 where there is no vector.
    scales: Floats = field(default_factory=lambda: np.zeros(0, np.float32))

    @property
    def has_vectors(self) -> bool:
        return bool(self.encoder) and len(self.entries) > 0

    @property
    def is_complete(self) -> bool:
        """Whether every utterance has a vector."""
        return bool(self.encoder) and bool(np.all(self.scales > 0))

    def centred(self, vectors: Floats, languages: Sequence[str]) -> Floats:
        """Return vectors of texts less the mean of their language, unit length, shape (m, d)."""
        moved = vectors - self.means[[language_number(each) for each in languages]]
        lengths = np.linalg.norm(moved, axis=1, keepdims=True)
        scaled: Floats = (moved / np.maximum(lengths, 1e-9)).astype(np.float32)
        return scaled

    def similarities(self, centred: Floats) -> Floats:
        """Return the cosine of each text with each utterance, -1 to 1, shape (m, n).

        Args:
            centred: Of the texts, as `centred` gives them, shape (m, d).
        """
        found = centred @ self.vectors.T
        found -= (centred @ self.means.T)[:, self.languages]
        found *= self.scales
        return found

    def own_nearest(self, rows: npt.NDArray[np.intp], intent: str) -> Floats:
        """Return the likeness of utterances to the nearest other one of their intent, shape (m,).

        Args:
            rows: Of utterances that belong to `intent`.
        """
        own = self.rows_of[intent]
        texts = self.vectors[rows] - self.means[self.languages[rows]]
        found = texts @ self.vectors[own].T - (texts @ self.means.T)[:, self.languages[own]]
        found *= self.scales[own]
        found *= self.scales[rows][:, None]
        found[np.arange(len(rows)), rows - own.start] = -1.0
        nearest: Floats = found.max(axis=1)
        return nearest


def language_number(language: str) -> int:
    """Return the row of a language in `Index.means`; what is neither counts as Chinese."""
    return _LANGUAGES.index(language) if language in _LANGUAGES else 0


def build(version: int, encoder: FrozenEncoder | None, former: Index | None = None) -> Index:
    """Read all utterances; what `former` knows of them is taken over. One query and the vectors'.

    Args:
        version: ContentVersion.understanding, read before.
        encoder: None: keys alone are compared.
    """
    rows = (
        Utterance.objects.order_by("intent__code", "pk")
        .values_list("pk", "intent__code", "text", "key", "language")
        .iterator(chunk_size=5000)
    )
    known = {entry.text: entry for entry in former.entries} if former else {}
    entries = [_entry(known.get(text), pk, code, text, *rest) for pk, code, text, *rest in rows]
    if encoder is None:
        return index_of(version, "", entries, np.zeros((len(entries), 0), np.float32))
    return index_of(version, encoder.id, entries, _vectors(entries, encoder, former))


def index_of(version: int, encoder: str, entries: Sequence[Entry], vectors: Floats) -> Index:
    """Put together what is compared with.

    Args:
        entries: In the order of their intents.
        vectors: Of the entries, shape (n, d); zeros where none is known. d may be 0.
    """
    by_masked: dict[str, list[int]] = defaultdict(list)
    starts: dict[str, int] = {}
    for row, entry in enumerate(entries):
        by_masked[entry.masked].append(row)
        starts.setdefault(entry.intent, row)
    stops = [*starts.values(), len(entries)][1:]
    languages = np.array([language_number(entry.language) for entry in entries], np.intp)
    there = np.any(vectors != 0, axis=1)
    means = _means(vectors[there], languages[there])
    lengths = np.ones(len(entries), np.float32)
    for number in range(len(_LANGUAGES)):
        of = languages == number
        lengths[of] = _lengths(vectors[of], means[number])
    return Index(
        version=version,
        encoder=encoder,
        entries=entries,
        vectors=vectors,
        by_pk={entry.pk: row for row, entry in enumerate(entries)},
        by_key={entry.key: row for row, entry in enumerate(entries)},
        by_masked=by_masked,
        rows_of={
            code: slice(start, stop)
            for (code, start), stop in zip(starts.items(), stops, strict=True)
        },
        languages=languages,
        means=means,
        scales=np.where(there, 1 / np.maximum(lengths, 1e-9), 0).astype(np.float32),
    )


def _lengths(vectors: Floats, mean: Floats) -> Floats:
    """Return the lengths of unit vectors less a mean without a copy of them, shape (n,)."""
    squares = 1.0 - 2.0 * (vectors @ mean) + mean @ mean
    lengths: Floats = np.sqrt(np.maximum(squares, 0)).astype(np.float32)
    return lengths


def _means(vectors: Floats, languages: npt.NDArray[np.intp]) -> Floats:
    """Return the mean of each language, shape (number of languages, d)."""
    if not len(vectors):
        return np.zeros((len(_LANGUAGES), vectors.shape[1]), np.float32)
    total = vectors.mean(axis=0)
    means = [
        (vectors[languages == number].sum(axis=0) + _PRIOR * total)
        / (np.count_nonzero(languages == number) + _PRIOR)
        for number in range(len(_LANGUAGES))
    ]
    return np.stack(means).astype(np.float32)


def _entry(known: Entry | None, pk: int, code: str, text: str, key: str, language: str) -> Entry:
    readable, masked = (
        (known.readable, known.masked)
        if known is not None
        else (normalize.for_model(text), masked_key(text))
    )
    return Entry(pk, code, text, key, language, readable, masked)


def _vectors(entries: Sequence[Entry], encoder: FrozenEncoder, former: Index | None) -> Floats:
    """Return the vectors of entries; those that the former index has are not read again."""
    kept = _rows_with_vectors(former) if former and former.encoder == encoder.id else {}
    new = {entry.readable for entry in entries if entry.readable not in kept}
    stored = Vectors(encoder)
    in_order = [entry.readable for entry in entries if entry.readable in new]
    missing = stored.load(in_order)
    stored.embed(missing, most=EMBED_MOST)
    read = list(dict.fromkeys(text for text in in_order if text in stored))
    width = former.vectors.shape[1] if kept and former else 0
    fresh = stored.of(read) if read else np.zeros((0, width), np.float32)
    vectors = np.zeros((len(entries), fresh.shape[1]), np.float32)
    at = {text: row for row, text in enumerate(read)}
    _put(vectors, entries, kept, former.vectors if former else fresh)
    _put(vectors, entries, at, fresh)
    return vectors


def _rows_with_vectors(index: Index) -> dict[str, int]:
    there = index.scales > 0
    return {entry.readable: row for row, entry in enumerate(index.entries) if there[row]}


def _put(vectors: Floats, entries: Iterable[Entry], at: Mapping[str, int], source: Floats) -> None:
    """Copy the rows of `source` to where the entries with their texts stand."""
    pairs = [
        (row, found)
        for row, entry in enumerate(entries)
        if (found := at.get(entry.readable)) is not None
    ]
    if pairs:
        targets, sources = np.array(pairs).T
        vectors[targets] = source[sources]

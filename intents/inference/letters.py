"""How much a text shares letters with groups of texts: TF-IDF over letter n-grams, as arrays.

Pure counting: needs no model, and a group is there as soon as its first text is.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from intents.inference.base import Floats

Ids = npt.NDArray[np.signedinteger]  # of n-grams or of texts

_SIZES = (1, 2, 3)  # letters: one to three Chinese characters, pieces of English words
MOST_CHARS = 256  # of a text: its beginning says what it is about


class Grams:
    """Numbers for n-grams, and those of each text that groups were made of. Only ever grows.

    One thread learns; any may look up meanwhile.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._of_text: dict[str, Ids] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def learn(self, texts: Sequence[str]) -> list[Ids]:
        """Return the distinct n-grams of each text by number, and forget all other texts."""
        self._of_text = {
            text: self._of_text[text] if text in self._of_text else self._numbered(text)
            for text in dict.fromkeys(texts)
        }
        return [self._of_text[text] for text in texts]

    def look_up(self, text: str) -> tuple[Ids, int]:
        """Return the known n-grams of a text by number, and how many others it has."""
        grams = _grams(text)
        known = [number for gram in grams if (number := self._numbers.get(gram)) is not None]
        return np.array(known, np.int32), len(grams) - len(known)

    def _numbered(self, text: str) -> Ids:
        numbers = self._numbers
        return np.array(
            sorted(numbers.setdefault(gram, len(numbers)) for gram in _grams(text)), np.int32
        )


class Letters:
    """The summed TF-IDF rows of groups of texts; a text's score for each is a cosine.

    A text's row has the weight ln((1 + texts) / texts with the n-gram) for each n-gram that
    it holds; a group's row is the sum of those of its texts.

    Source: Manning, Raghavan, Schuetze, "Introduction to Information Retrieval", 2008,
    sections 6.2 and 14.2 (Rocchio).
    """

    def __init__(
        self, grams: Grams, texts: Sequence[str], member: Iterable[int], groups: int
    ) -> None:
        """Count.

        Args:
            texts: As models read them.
            member: The group of each text, 0 to `groups` - 1.
        """
        self._grams = grams
        self._groups = groups
        self._rows = grams.learn(texts)
        self._member = np.fromiter(member, np.int64, len(texts))
        count = len(grams)
        flat = np.concatenate([*self._rows, np.empty(0, np.int32)]).astype(np.int64)
        frequency = np.bincount(flat, minlength=count)
        self._unknown = float(np.log(1 + len(texts)))
        rarity = self._unknown - np.log(np.maximum(frequency, 1))
        self._rarity: Floats = np.where(frequency, rarity, self._unknown).astype(np.float32)
        lengths = [len(row) for row in self._rows]
        # One entry for each n-gram of each group, those of an n-gram side by side.
        self._entries, counts = np.unique(
            flat * max(groups, 1) + np.repeat(self._member, lengths), return_counts=True
        )
        gram = self._entries // max(groups, 1)
        self._group_of_entry = self._entries % max(groups, 1)
        self._counts: Floats = counts.astype(np.float32)
        self._starts = np.searchsorted(gram, np.arange(count + 1))
        weights = self._counts * self._rarity[gram]
        self._squares = np.bincount(self._group_of_entry, weights**2, groups).astype(np.float32)
        # What an n-gram of a text adds to its product with each group that holds the n-gram.
        self._products: Floats = weights * self._rarity[gram]

    def cosines(self, texts: Sequence[str]) -> Floats:
        """Return the cosine of each text to each group, shape (n, groups), 0 to 1."""
        rows = np.zeros((len(texts), self._groups), np.float32)
        for row, text in zip(rows, texts, strict=True):
            known, others = self._grams.look_up(text)
            # Numbered after this was made: as unknown as the others.
            learned = known[known < len(self._rarity)]
            others += len(known) - len(learned)
            # Letters that no group has count against all alike.
            length = np.sqrt((self._rarity[learned] ** 2).sum() + others * self._unknown**2)
            if len(learned) and length > 0:
                row += self._product(learned) / length
        rows /= np.sqrt(np.maximum(self._squares, 1e-12))
        return rows

    def cosines_without(self, index: int, left_out: Ids) -> Floats:
        """Return the cosines of text `index` if some texts, itself among them, were not there.

        How rare n-grams are stays as it is: that changes little, and would cost much.

        Args:
            left_out: Their indices.

        Returns:
            Shape (groups,).
        """
        own = self._rows[index]
        products, squares = self._product(own), self._squares.copy()
        for group in np.unique(self._member[left_out]):
            rows = [self._rows[other] for other in left_out if self._member[other] == group]
            gone, times = np.unique(np.concatenate(rows), return_counts=True)
            places = np.searchsorted(self._entries, gone.astype(np.int64) * self._groups + group)
            before = self._counts[places]
            square = self._rarity[gone] ** 2
            squares[group] += (square * ((before - times) ** 2 - before**2)).sum()
            products[group] -= (square * times)[np.isin(gone, own, assume_unique=True)].sum()
        length = np.sqrt(np.maximum((self._rarity[own] ** 2).sum(), 1e-12))
        cosines: Floats = np.maximum(products, 0) / (length * np.sqrt(np.maximum(squares, 1e-6)))
        return cosines

    def _product(self, grams: Ids) -> Floats:
        starts, ends = self._starts[grams], self._starts[grams + 1]
        sizes = ends - starts
        # The entries of these n-grams, one range after the other.
        ranges = np.repeat(ends - np.cumsum(sizes), sizes) + np.arange(sizes.sum())
        return np.bincount(
            self._group_of_entry[ranges], self._products[ranges], self._groups
        ).astype(np.float32)


def _grams(text: str) -> set[str]:
    letters = f" {text[:MOST_CHARS].lower()} "
    return {
        gram
        for size in _SIZES
        for start in range(len(letters) - size + 1)
        if (gram := letters[start : start + size]).strip()
    }

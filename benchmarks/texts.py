"""What the clients of a load test say: real messages, each once, or with repeats."""

import itertools
import json
import random
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
_SAME = re.compile(r"[\W\d_]+")


def read(path: Path) -> list[str]:
    """Return the texts of a file: one a line, or JSON lines with `text` and perhaps `role`.

    Of rows with a role only a user's are taken: what agents write is longer.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    if path.suffix != ".jsonl":
        return [line for line in lines if line]
    rows = (json.loads(line) for line in lines)
    return [row["text"] for row in rows if row.get("role", "user") == "user"]


def distinct(texts: Iterable[str]) -> list[str]:
    """Return texts of which no two differ in punctuation, numbers, case and white space only."""
    seen: dict[str, str] = {}
    for text in texts:
        if key := _SAME.sub("", text).casefold():
            seen.setdefault(key, text)
    return list(seen.values())


class Supply:
    """Texts in a repeatable order; each `take` goes on where the last one stopped."""

    def __init__(self, texts: Iterable[str], seed: int = 7) -> None:
        self._texts = distinct(texts)
        random.Random(seed).shuffle(self._texts)  # noqa: S311  (repeatable, not secret)
        self._endless = itertools.cycle(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def take(self, number: int) -> list[str]:
        """Return the next texts, all different.

        Raises:
            ValueError: There are not so many.
        """
        if number > len(self._texts):
            raise ValueError(
                f"{number} different texts are asked for, {len(self._texts)} are there"
            )
        return list(itertools.islice(self._endless, number))


def with_repeats(texts: Sequence[str], number: int, share: float, seed: int = 7) -> list[str]:
    """Return `number` texts of which a share has come before, as customers' questions do.

    A repeat is drawn evenly from all that came before it, so a text is asked the more often the
    earlier it came (Simon 1955: the frequencies follow a power law).

    Args:
        texts: Different ones; at least `number` times (1 - share).
    """
    chance = random.Random(seed)  # noqa: S311
    repeats = round(number * share)
    is_repeat = [place < repeats for place in range(number - 1)]
    chance.shuffle(is_repeat)
    fresh, said = iter(texts), list[str]()
    for again in (False, *is_repeat):
        said.append(chance.choice(said) if again else next(fresh))
    return said

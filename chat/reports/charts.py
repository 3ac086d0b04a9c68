"""Bar charts as geometry: templates/workspace/_chart.html draws them as SVG, without a script."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 860, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 8, 12, 26
_STEPS = (2, 4, 6, 8, 10)
# More labels than this overlap.
_MOST_LABELS = 12


@dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle; `number` says which series it is of, from 1."""

    x: float
    y: float
    width: float
    height: float
    number: int
    title: str  # what a pointer that rests on it reads


@dataclass(frozen=True, slots=True)
class Mark:
    """A label of an axis; `at` is its x or its y."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars side by side, or on top of each other."""

    title: str
    series: Sequence[str]
    bars: Sequence[Bar]
    labels: Sequence[Mark]  # below
    scale: Sequence[Mark]  # at the left
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def left(self) -> int:
        return _LEFT

    @property
    def right(self) -> int:
        return self.width - _RIGHT

    @property
    def floor(self) -> int:
        return self.height - _BOTTOM


def bars(
    title: str,
    *,
    labels: Sequence[str],
    series: Sequence[tuple[str, Sequence[float | None]]],
    worded: Callable[[float], str] = lambda value: f"{value:g}",
    is_stacked: bool = False,
) -> Chart:
    """Lay out a chart.

    Args:
        labels: One for each group of bars, in order.
        series: Name and values, 0 or more, as many as labels; None: no bar.
        worded: A value as people read it.
        is_stacked: Bars of a group stand on each other.
    """
    groups = list(zip(*(values for _, values in series), strict=True))
    tops = [(sum if is_stacked else max)([value or 0.0 for value in group]) for group in groups]
    most = _above(max(tops, default=0.0))
    room, height = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    step = room / max(1, len(labels))
    beside = 1 if is_stacked else len(series)
    width = min(28.0, step * 0.72 / beside)
    drawn: list[Bar] = []
    for place, group in enumerate(groups):
        left = _LEFT + step * (place + 0.5) - width * beside / 2
        below = 0.0
        for number, value in enumerate(group):
            if not value:
                continue
            tall = height * value / most
            drawn.append(
                Bar(
                    x=round(left if is_stacked else left + width * number, 1),
                    y=round(HEIGHT - _BOTTOM - below - tall, 1),
                    width=round(max(1.0, width - 1), 1),
                    height=round(tall, 1),
                    number=number + 1,
                    title=f"{labels[place]} · {series[number][0]}: {worded(value)}",
                )
            )
            below += tall if is_stacked else 0.0
    every = math.ceil(len(labels) / _MOST_LABELS) or 1
    return Chart(
        title=title,
        series=[name for name, _ in series],
        bars=drawn,
        labels=[
            Mark(round(_LEFT + step * (place + 0.5), 1), text)
            for place, text in enumerate(labels)
            if place % every == 0
        ],
        scale=[
            Mark(round(HEIGHT - _BOTTOM - height * part, 1), worded(most * part))
            for part in (0.0, 0.5, 1.0)
        ],
    )


def _above(value: float) -> float:
    """Return a round number at or above a value, an even one: its half is on the scale, too."""
    if value <= 2:
        return 2.0
    power = 10 ** math.floor(math.log10(value))
    return next(float(step * power) for step in _STEPS if step * power >= value)

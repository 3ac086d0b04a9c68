"""The curve of a training as geometry: templates/admin/training/trainingrun/curve.html draws it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

WIDTH, HEIGHT = 300, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 26


@dataclass(frozen=True, slots=True)
class Line:
    """One measure by epoch."""

    title: str
    summary: str  # for who does not see it
    points: Sequence[tuple[float, float]]
    across: Sequence[tuple[float, str]]  # where, epoch
    upwards: Sequence[tuple[float, str]]  # where, value
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def path(self) -> str:
        return " ".join(f"{x},{y}" for x, y in self.points)


def curve_of(rows: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Return what the template draws and tabulates of TrainingRun.curve; {} for none."""
    if not rows:
        return {}
    losses, accuracies = [row[0] for row in rows], [row[1] for row in rows]
    return {
        "lines": [
            _line(_("loss"), losses, floor=0.0, worded=lambda value: f"{value:.2f}"),
            _line(
                _("right of held-back texts"),
                accuracies,
                floor=None,
                worded=lambda value: f"{100 * value:.0f} %",
            ),
        ],
        "epochs": [
            {"number": number, "loss": loss, "accuracy": accuracy}
            for number, (loss, accuracy) in enumerate(rows, start=1)
        ],
    }


def _line(title: str, values: Sequence[float], *, floor: float | None, worded: Any) -> Line:
    low = min(values) if floor is None else floor
    high = max(values)
    if high - low < 0.02:  # a straight line in the middle
        low, high = max(0.0, low - 0.05), high + 0.05
    room, height = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    step = room / max(1, len(values) - 1)

    def upwards(value: float) -> float:
        return round(_TOP + height * (1 - (value - low) / (high - low)), 1)

    every = -(-len(values) // 8)  # more labels overlap
    return Line(
        title=title,
        summary=_("{title} by epoch: first {first}, last {last}").format(
            title=title, first=worded(values[0]), last=worded(values[-1])
        ),
        points=[(round(_LEFT + step * at, 1), upwards(value)) for at, value in enumerate(values)],
        across=[(round(_LEFT + step * at, 1), str(at + 1)) for at in range(0, len(values), every)],
        upwards=[(upwards(value), worded(value)) for value in (low, (low + high) / 2, high)],
    )

"""What the admin says about the model that is answering in this very process."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from intents import inference
from intents.admin.labels import SOURCES

_STATES = {
    "loading": (_("loading"), "warning"),
    "ready": (_("ready"), "success"),
    "swapping": (_("changing models"), "warning"),
    "fallback": (_("simpler ways answer"), "warning"),
    "broken": (_("broken: simpler ways answer"), "danger"),
    "stopped": (_("not started in this process"), "warning"),
}


@dataclass(frozen=True, slots=True)
class EngineState:
    """The engine's state in words for staff."""

    text: Any
    kind: str  # success, warning or danger: the colour
    source: Any
    model_version: str
    runtime: str
    detail: str
    since: datetime | None


def engine_state() -> EngineState:
    """Return the state of this process's engine, translated."""
    status = inference.status()
    text, kind = _STATES.get(status.state, (status.state, "warning"))
    return EngineState(
        text=text,
        kind=kind,
        source=SOURCES.get(status.source, status.source),
        model_version=status.model_version,
        runtime=status.runtime,
        detail=status.detail,
        since=status.since,
    )

"""What rules find in a folded text, before it is an entity of the original."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from training.analysis.findings import Kind


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a folded text that names something; offsets are the folded text's."""

    kind: Kind
    start: int
    end: int
    value: Mapping[str, Any] = field(default_factory=dict)

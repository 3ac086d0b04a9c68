"""Tells the admin's open pages that a training has moved on; they then read the database."""

from csplatform import layers

GROUP = "training"


def hint(run_id: int) -> None:
    """Have every socket that follows trainings look. May be lost; may come twice."""
    layers.send_soon(GROUP, {"type": "training.moved", "run": run_id})

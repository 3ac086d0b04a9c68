"""The radar: utterances that probably have the wrong intent, to be put right by one key."""

from training.radar.decisions import ChangedMeanwhile, decide, undo
from training.radar.scans import (
    AlreadySearching,
    current,
    latest,
    request_if_moved,
    request_scan,
    run_scan,
)

__all__ = [
    "AlreadySearching",
    "ChangedMeanwhile",
    "current",
    "decide",
    "latest",
    "request_if_moved",
    "request_scan",
    "run_scan",
    "undo",
]

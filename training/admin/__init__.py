"""The admin's pages of models: training them, comparing them, choosing which one answers."""

from training.admin import cases, comparisons, runs, versions

__all__ = ["cases", "comparisons", "runs", "versions"]

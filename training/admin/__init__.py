"""The admin's pages of models: training them, comparing them, choosing which one answers."""

from training.admin import runs, versions

__all__ = ["runs", "versions"]

"""The head that tells moods: trained here, served by `intents.inference.moods`."""

from training.analysis.sentiment.head import fit
from training.analysis.sentiment.shipped import ensure, train
from training.analysis.sentiment.starter import STARTER, Row, read_rows

__all__ = ["STARTER", "Row", "ensure", "fit", "read_rows", "train"]

"""Long texts, understood: entities, moods and intents of each sentence, and what it comes to.

`analyse` is pure; which texts are read when, and what was found, is in `work`.
"""

from training.analysis.entities.catalogue import Catalogue, Product
from training.analysis.findings import Entity, Findings, Kind, Mood, Sentence, Summary
from training.analysis.pipeline import analyse, telling_part

__all__ = [
    "Catalogue",
    "Entity",
    "Findings",
    "Kind",
    "Mood",
    "Product",
    "Sentence",
    "Summary",
    "analyse",
    "telling_part",
]

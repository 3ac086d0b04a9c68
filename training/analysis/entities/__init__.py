"""What a customer's text names: who, where, when, how much, which order, parcel and product."""

from training.analysis.entities.catalogue import EMPTY, Catalogue, Product
from training.analysis.entities.finding import find
from training.analysis.entities.tagging import Tagger

__all__ = ["EMPTY", "Catalogue", "Product", "Tagger", "find"]

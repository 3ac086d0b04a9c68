"""What an analysis finds in one text: plain data that is stored, sent and shown.

Offsets count code points of the text as the customer wrote it, as Python does; JavaScript counts
UTF-16 units and converts (static/js/spans.js).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

# A score from here on is a positive mood, and one below its negative a negative one.
MOOD_EDGE = 0.25


class Kind(StrEnum):
    """What a piece of text names."""

    PERSON = "PERSON"
    PLACE = "PLACE"
    ORGANISATION = "ORGANISATION"
    TIME = "TIME"
    AMOUNT = "AMOUNT"
    PHONE = "PHONE"
    EMAIL = "EMAIL"
    ADDRESS = "ADDRESS"
    ORDER_NUMBER = "ORDER_NUMBER"
    TRACKING_NUMBER = "TRACKING_NUMBER"
    PRODUCT = "PRODUCT"
    BRAND = "BRAND"


@dataclass(frozen=True, slots=True)
class Entity:
    """A piece of the text that names something.

    `value` says what it means, by kind: a TIME has `start` and `end` (ISO 8601, half open), an
    AMOUNT `amount` (decimal, as text) and `currency` (ISO 4217, "" when not said), a number
    `number` and where it is known `carrier`, a PRODUCT `sku`. Empty when nothing more is known.
    """

    kind: str  # one of Kind
    text: str  # text[start:end] of what was analysed
    start: int
    end: int
    value: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Return what `as_dict` gave."""
        return cls(
            kind=stored["kind"],
            text=stored["text"],
            start=stored["start"],
            end=stored["end"],
            value=dict(stored.get("value") or {}),
        )


@dataclass(frozen=True, slots=True)
class Mood:
    """How somebody who writes so feels."""

    score: float  # -1 negative to 1 positive
    negative: float  # calibrated probability, 0 to 1
    positive: float  # calibrated probability, 0 to 1

    def as_dict(self) -> dict[str, float]:
        """Return it as JSON holds it."""
        return {
            "score": round(self.score, 4),
            "negative": round(self.negative, 4),
            "positive": round(self.positive, 4),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, float] | None) -> Self | None:
        """Return what `as_dict` gave; None for None: not known."""
        if stored is None:
            return None
        return cls(stored["score"], stored["negative"], stored["positive"])


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of the text: what it means and how it sounds."""

    start: int
    end: int
    # (Intent.code, calibrated probability), best first, three at most; empty when none is meant.
    ranked: tuple[tuple[str, float], ...] = ()
    mood: Mood | None = None  # None: nothing here knows moods
    is_wish: bool = False  # says what the customer wants done
    is_question: bool = False

    @property
    def intent(self) -> str:
        """The likeliest Intent.code, "" when nothing is known."""
        return self.ranked[0][0] if self.ranked else ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "start": self.start,
            "end": self.end,
            "ranked": [[code, round(probability, 4)] for code, probability in self.ranked],
            "mood": self.mood and self.mood.as_dict(),
            "is_wish": self.is_wish,
            "is_question": self.is_question,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Return what `as_dict` gave."""
        return cls(
            start=stored["start"],
            end=stored["end"],
            ranked=tuple((code, probability) for code, probability in stored["ranked"]),
            mood=Mood.from_dict(stored["mood"]),
            is_wish=stored["is_wish"],
            is_question=stored["is_question"],
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """The text in a few lines: what is asked, about what, when and how much."""

    # (Intent.code, its best probability in any sentence), the likeliest first.
    asked: tuple[tuple[str, float], ...] = ()
    orders: tuple[str, ...] = ()  # order numbers, as written, each once
    parcels: tuple[str, ...] = ()  # tracking numbers
    products: tuple[str, ...] = ()
    times: tuple[tuple[str, str], ...] = ()  # (as written, first moment, ISO 8601)
    amounts: tuple[tuple[str, str], ...] = ()  # (as written, "120.50 CNY")
    wishes: tuple[tuple[int, int], ...] = ()  # spans of sentences that say what is wanted

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "asked": [[code, round(probability, 4)] for code, probability in self.asked],
            "orders": [*self.orders],
            "parcels": [*self.parcels],
            "products": [*self.products],
            "times": [[*each] for each in self.times],
            "amounts": [[*each] for each in self.amounts],
            "wishes": [[*each] for each in self.wishes],
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Return what `as_dict` gave."""
        return cls(
            asked=tuple((code, probability) for code, probability in stored["asked"]),
            orders=tuple(stored["orders"]),
            parcels=tuple(stored["parcels"]),
            products=tuple(stored["products"]),
            times=tuple((text, start) for text, start in stored["times"]),
            amounts=tuple((text, amount) for text, amount in stored["amounts"]),
            wishes=tuple((start, end) for start, end in stored["wishes"]),
        )


@dataclass(frozen=True, slots=True)
class Findings:
    """All that is known of one text."""

    entities: tuple[Entity, ...] = ()  # by start; none crosses another
    sentences: tuple[Sentence, ...] = ()  # by start
    mood: Mood | None = None  # of the whole text
    summary: Summary = Summary()
    language: str = ""  # "zh", "en", "" for neither
    model_version: str = ""  # that ranked the intents

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "entities": [entity.as_dict() for entity in self.entities],
            "sentences": [sentence.as_dict() for sentence in self.sentences],
            "mood": self.mood and self.mood.as_dict(),
            "summary": self.summary.as_dict(),
            "language": self.language,
            "model_version": self.model_version,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Return what `as_dict` gave."""
        return cls(
            entities=tuple(Entity.from_dict(each) for each in stored["entities"]),
            sentences=tuple(Sentence.from_dict(each) for each in stored["sentences"]),
            mood=Mood.from_dict(stored["mood"]),
            summary=Summary.from_dict(stored["summary"]),
            language=stored["language"],
            model_version=stored["model_version"],
        )

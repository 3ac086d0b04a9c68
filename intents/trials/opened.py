"""A contender that is open: it answers texts, and says which utterances it goes by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from intents.certain import named
from intents.content import Content
from intents.decisions import decide
from intents.guard import normalize, pii
from intents.inference.base import NOTHING, Prediction
from intents.inference.understanding import Understanding
from intents.trials.answers import Answered, variants

_T = TypeVar("_T")
Run = Callable[[Callable[[], _T]], _T]

# Passes of one turn: short enough that two who try something at once do not wait for each other.
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An utterance that is like a text."""

    text: str  # as models read it
    intent: str  # Intent.code
    similarity: float  # cosine in the space in which examples are compared, -1 to 1


class Opened:
    """Content and understanding of one moment; what staff save later does not change it."""

    def __init__(self, content: Content, understanding: Understanding, run: Run[Any]) -> None:
        """Put together.

        Args:
            run: Calls a function on the thread of trials and returns what it returns.
        """
        self.content = content
        self.understanding = understanding
        self._run = run

    @property
    def model_version(self) -> str:
        """Of the trained model; "" where there is none."""
        return self.understanding.model.version if self.understanding.model else ""

    def read(self, texts: Sequence[str]) -> list[Prediction]:
        """Say what each text means, in their order, as the engine would.

        Args:
            texts: As customers wrote them; personal data is replaced here.
        """
        found: list[Prediction] = []
        redacted = [pii.redact(text) for text in texts]
        for start in range(0, len(redacted), _AT_ONCE):
            some = redacted[start : start + _AT_ONCE]
            found += self._run(lambda some=some: self.understanding.predict(some))  # type: ignore[misc]
        return found

    def answer(self, texts: Sequence[str], languages: Sequence[str]) -> list[Answered]:
        """Say what the bot would do with each text, were it the first of a conversation.

        Args:
            languages: "zh", "en" or "" for neither, of each.
        """
        certain = [
            named(normalize.for_model(pii.redact(text)), self.content) if language else NOTHING
            for text, language in zip(texts, languages, strict=True)
        ]
        unsure = [text for text, known in zip(texts, certain, strict=True) if known is None]
        read = iter(self.read(unsure))
        return [
            self._answered(next(read) if known is None else known, language)
            for known, language in zip(certain, languages, strict=True)
        ]

    def nearest(self, text: str, most: int) -> list[Neighbour]:
        """Return the utterances that are most like a text, the likest first."""
        examples = self.understanding.examples
        if examples is None or not most:
            return []
        readable = normalize.for_model(pii.redact(text))
        vectors = self._run(lambda: examples.embed([readable]))
        prototypes = examples.prototypes
        return [
            Neighbour(prototypes.texts[place], prototypes.group_of(place).intent, cosine)
            for place, cosine in prototypes.nearest(vectors[0], most)
        ]

    def _answered(self, prediction: Prediction, language: str) -> Answered:
        prediction = self.content.answered(prediction)  # as live
        decision = decide(prediction, self.content)
        said = variants(prediction, decision, self.content, language)
        return Answered(prediction, decision, said)

"""From what a text means to what the bot may say, as staff wrote it."""

from dataclasses import dataclass

from intents.content import Content
from intents.decisions import Decision, choices
from intents.inference import Prediction
from intents.models import Channel, Language, Phrase


@dataclass(frozen=True, slots=True)
class Answered:
    """How a contender answers one text."""

    prediction: Prediction  # of intents that are answered, only
    decision: Decision
    variants: tuple[str, ...]  # of which the bot says one; variables are not filled in

    @property
    def intent(self) -> str:
        return self.prediction.intent


def variants(
    prediction: Prediction, decision: Decision, content: Content, language: str
) -> tuple[str, ...]:
    """Return what the bot may say on the web: replies, or the phrase that stands for them.

    A question back is its phrase and the names on its buttons. Which of the replies is said
    depends on the customer's facts (chat.replies); this does not.

    Args:
        language: Of the text, "zh" or "en"; "" for neither.
    """
    if not language:
        unsupported = Phrase.Purpose.UNSUPPORTED
        return tuple(content.phrase(unsupported, each) for each in Language.values)
    if decision == Decision.CLARIFY:
        offered = [content.intents[code].name(language) for code in choices(prediction, content)]
        if offered:
            return (content.phrase(Phrase.Purpose.CLARIFY, language), *offered)
        return (content.phrase(Phrase.Purpose.FALLBACK, language),)
    intent = content.intents.get(prediction.intent)
    hands_over = intent is not None and intent.hands_over
    if intent is None or (decision == Decision.HAND_OVER and not hands_over):
        return (content.phrase(Phrase.Purpose.FALLBACK, language),)
    for spoken in sorted(Language.values, key=lambda each: each != language):
        if own := content.replies(intent.code, spoken, Channel.WEB):
            return tuple(own)
    missing = Phrase.Purpose.NO_REPLY if hands_over else Phrase.Purpose.FALLBACK
    return (content.phrase(missing, language),)

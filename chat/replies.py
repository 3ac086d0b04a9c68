"""From a decision and the facts to what the bot says: the seam behind which words are chosen."""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from chat.models import Handover
from intents import decisions
from intents.content import Content
from intents.decisions import Decision
from intents.inference import Prediction
from intents.models import Language, Phrase

Facts = Mapping[str, str]

_LOCALES = {Language.CHINESE: "zh-hans", Language.ENGLISH: "en"}
_VARIABLE = re.compile(r"\{([a-z_]+)\}")
_ORDER = re.compile(r"\{order_[a-z]+\}")

_TALK_TO_A_HUMAN = _("Talk to a human")
_SHALL_I_CALL = _("Shall I call a colleague for you?")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bot says to one message, ready to be stored."""

    text: str
    decision: Decision
    intent: str = ""  # Intent.code of the likeliest, also where it was not answered
    probability: float | None = None
    model_version: str = ""
    buttons: tuple[dict[str, str], ...] = ()  # {"label", "text"} or {"label", "action"}
    because: str = ""  # Handover.Because when the conversation waits for an agent from now on

    @property
    def hands_over(self) -> bool:
        return bool(self.because)


@dataclass(frozen=True, slots=True)
class Turn:
    """What is known when an answer is worded."""

    content: Content
    prediction: Prediction  # of intents that are answered, only
    decision: Decision
    language: str  # of the message: "zh", "en", or "" for neither
    channel: str
    facts: Callable[[str], Facts] = field(default=lambda language: {})  # read only when needed
    said_before: str = ""  # the bot's latest answer in this conversation
    decided_before: str = ""  # the Decision behind it
    missed_before: int = 0  # its latest answers in a row that did not even ask back
    is_files_only: bool = False  # nothing was written


class Composer(Protocol):
    """Words a turn. Never fails for what customers or staff wrote."""

    def compose(self, turn: Turn) -> Answer: ...


class Templates:
    """Says what staff wrote: one of the replies that fit, with the facts put in."""

    def __init__(self, choose: Callable[[Sequence[str]], str] = random.choice) -> None:
        self._choose = choose

    def compose(self, turn: Turn) -> Answer:
        if not turn.language:
            return self._unsupported(turn)
        if turn.is_files_only:
            return self._files_only(turn)
        if turn.decision == Decision.CLARIFY:
            return self._clarify(turn)
        intent = turn.content.intents.get(turn.prediction.intent)
        hands_over = intent is not None and intent.hands_over
        if intent is None or (turn.decision == Decision.HAND_OVER and not hands_over):
            return self._fallback(turn)
        text = self._reply(turn, intent.code)
        if not text and not hands_over:
            return self._fallback(turn)
        if not text:  # the system's own line says that a human comes
            text = turn.content.phrase(Phrase.Purpose.NO_REPLY, turn.language)
        return _answer(turn, text, because=Handover.Because.INTENT if hands_over else "")

    def _reply(self, turn: Turn, code: str) -> str:
        """Return a reply in the message's language, else a marked one in the other, else ""."""
        if text := self._variant(turn, code, turn.language):
            return text
        other = Language.CHINESE if turn.language == Language.ENGLISH else Language.ENGLISH
        if text := self._variant(turn, code, other):
            return f"{turn.content.phrase(Phrase.Purpose.NO_REPLY, turn.language)}\n{text}"
        return ""

    def _variant(self, turn: Turn, code: str, language: str) -> str:
        """Return one of the replies whose variables are all known.

        Those that name the customer's own order come before those that would do for anybody;
        among equals one that was not just said.
        """
        replies = turn.content.replies(code, language, turn.channel)
        facts: Facts = {}
        if any(_VARIABLE.search(reply) for reply in replies):
            facts = {"agent_hours": settings.CHAT_AGENT_HOURS, **turn.facts(language)}
        known = [reply for reply in replies if _is_known(reply, facts)]
        worded = {reply: filled(reply, facts) for reply in known}
        best = [reply for reply in known if _ORDER.search(reply)] or known
        fresh = [reply for reply in best if not turn.said_before.endswith(worded[reply])] or best
        return worded[self._choose(fresh)] if fresh else ""

    def _clarify(self, turn: Turn) -> Answer:
        offered = decisions.choices(turn.prediction, turn.content)
        names = [turn.content.intents[code].name(turn.language) for code in offered]
        if not names:  # nothing that one would press
            return self._fallback(turn)
        meant = [{"label": name, "text": name} for name in names]
        return self._missed(turn, turn.content.phrase(Phrase.Purpose.CLARIFY, turn.language), meant)

    def _fallback(self, turn: Turn) -> Answer:
        return self._missed(turn, turn.content.phrase(Phrase.Purpose.FALLBACK, turn.language), [])

    def _files_only(self, turn: Turn) -> Answer:
        """Say that the bot cannot look at it. A human is offered, never called: more may follow."""
        human = {"label": in_language(turn.language, _TALK_TO_A_HUMAN), "action": "human"}
        text = turn.content.phrase(Phrase.Purpose.FILES_ONLY, turn.language)
        return _answer(turn, text, buttons=[human])

    def _unsupported(self, turn: Turn) -> Answer:
        text = "\n".join(
            turn.content.phrase(Phrase.Purpose.UNSUPPORTED, language)
            for language in Language.values
        )
        button = {
            "label": " / ".join(
                in_language(language, _TALK_TO_A_HUMAN) for language in Language.values
            )
        }
        return _answer(turn, text, buttons=[{**button, "action": "human"}])

    def _missed(self, turn: Turn, text: str, meant: list[dict[str, str]]) -> Answer:
        """Offer a human; the second time in a row before everything else, and in words.

        Who HANDOVER_AFTER_MISSES times gets not even a question to his question has a human
        called.
        """
        is_missed = turn.decision == Decision.HAND_OVER
        if is_missed and turn.missed_before + 1 >= settings.HANDOVER_AFTER_MISSES:
            return _answer(turn, text, because=Handover.Because.OUT_OF_SCOPE)
        human = {"label": in_language(turn.language, _TALK_TO_A_HUMAN), "action": "human"}
        if turn.decided_before not in (Decision.CLARIFY, Decision.HAND_OVER):
            return _answer(turn, text, buttons=[*meant, human])
        text = f"{text}\n{in_language(turn.language, _SHALL_I_CALL)}"
        return _answer(turn, text, buttons=[human, *meant])


def apology(turn: Turn) -> Answer:
    """Return what can always be said, when wording a turn failed: sorry, and a human."""
    language = turn.language or Language.CHINESE
    human = {"label": in_language(language, _TALK_TO_A_HUMAN), "action": "human"}
    return _answer(turn, turn.content.phrase(Phrase.Purpose.FALLBACK, language), buttons=[human])


def in_language(language: str, text: Any) -> str:
    """Return a translatable text as customers of a language ("zh" or "en") read it."""
    with translation.override(_LOCALES[Language(language)]):
        return str(text)


def filled(reply: str, facts: Facts) -> str:
    """Return a reply with its variables replaced. An unknown one stays as it is written."""
    return _VARIABLE.sub(lambda match: facts.get(match[1], match[0]), reply)


def variables(reply: str) -> list[str]:
    """Return the names of the facts that a reply needs."""
    return _VARIABLE.findall(reply)


def _is_known(reply: str, facts: Facts) -> bool:
    return all(facts.get(variable) for variable in variables(reply))


def _answer(
    turn: Turn,
    text: str,
    *,
    buttons: Sequence[dict[str, str]] = (),
    because: str = "",
) -> Answer:
    return Answer(
        text=text,
        decision=turn.decision,
        intent=turn.prediction.intent,
        probability=turn.prediction.probability if turn.prediction.ranked else None,
        model_version=turn.prediction.model_version,
        buttons=tuple(buttons),
        because=because,
    )

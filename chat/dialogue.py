"""One turn: understand a stored message, decide, look up, compose, post.

The model runs outside any transaction: a lock held that long would keep an agent from
taking over. `services.post_answer` looks again before it writes.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import takewhile
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.db.models import Q
from django.utils import timezone

from chat import replies, services
from chat.longtexts.telling import is_long, telling_part
from chat.longtexts.turns import give_way, long_one, short_one
from chat.models import Conversation, Message
from csplatform.threads import in_thread
from csplatform.tokens import ANONYMOUS_PREFIX
from intents import content, inference, language, recall, records
from intents.certain import certainly, named
from intents.content import Content
from intents.decisions import Decision, decide, is_understood
from intents.guard import normalize, pii
from intents.recall import Understood
from knowledge import shop

logger = logging.getLogger(__name__)

# Messages of one burst that are read together; of a longer one, the latest.
_BURST_MOST = 10
_NOTHING = inference.Prediction(ranked=(), source="none", model_version="")
_COMPOSER: replies.Composer = replies.Templates()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a turn ended."""

    answer: Message | None  # None: an agent has the conversation, or was called and will read it
    prediction: inference.Prediction
    cached: bool = False


@dataclass(frozen=True, slots=True)
class _SaidBefore:
    """What the bot said last, unless an agent has spoken since."""

    text: str = ""
    decision: str = ""
    buttons: tuple[dict[str, Any], ...] = ()
    message: int | None = None  # primary key of the message that it answered
    missed: int = 0  # its latest answers in a row with the decision HAND_OVER
    # What the customer said since and is not answered, from the oldest: one answer is for all.
    unanswered: tuple[str, ...] = ()
    language: str = ""  # of the latest of those that has one


@dataclass(frozen=True, slots=True)
class _Asked:
    """A message that the bot owes an answer, and the question to the model."""

    message: Message  # with its conversation
    text: str  # of it and of what came right before it
    read: str  # of that, what the answer goes by
    language: str  # of that text: "zh", "en", or "" for neither
    content: Content
    before: _SaidBefore
    question: recall.Question
    began: float  # time.perf_counter()

    @property
    def is_files_only(self) -> bool:
        """Whether there are no words to understand; nothing is logged of it, either."""
        return not self.text.strip()


async def answer(message: int | Message) -> Outcome:
    """Answer one customer message, from a coroutine. Calling it again changes nothing.

    Args:
        message: Its primary key, or the row as it was just posted. A long one waits for its turn.
    """
    if not (isinstance(message, Message) and is_long(message.text)):
        with short_one():
            return await _concluded(await in_thread(_begin)(message))
    async with long_one():
        await give_way()
        # Read afresh: the sweep may have answered it while it waited.
        return await _concluded(await in_thread(_begin)(message.pk), give_way)


async def post_and_answer(
    post: Callable[[], services.Posted], text: str
) -> tuple[services.Posted, Outcome]:
    """Store a message and answer it; where that takes no model, in one visit to a thread.

    A long one is stored before it waits for its turn.

    Args:
        text: Of the message.
    """

    def posted_and_begun() -> tuple[services.Posted, _Asked | Outcome]:
        posted = post()
        return posted, _begin(posted.message)

    if is_long(text):
        await give_way()
        posted = await in_thread(post)()
        return posted, await answer(posted.message)
    with short_one():
        posted, asked = await in_thread(posted_and_begun)()
        return posted, await _concluded(asked)


async def _at_once() -> None:
    """Wait for nobody."""


async def _concluded(
    asked: _Asked | Outcome, before_step: Callable[[], Awaitable[None]] = _at_once
) -> Outcome:
    if isinstance(asked, Outcome):
        return asked
    await before_step()
    understood = await recall.alearned([asked.question], timeout_s=settings.CHAT_ANSWER_TIMEOUT_S)
    await before_step()
    return await in_thread(_finish)(asked, understood[0])


def answer_blocking(message: int | Message) -> Outcome:
    """Do the same from a thread: REST views and Celery."""
    asked = _begin(message)
    if isinstance(asked, Outcome):
        return asked
    understood = recall.learned([asked.question], timeout_s=settings.CHAT_ANSWER_TIMEOUT_S)
    return _finish(asked, understood[0])


def _begin(posted: int | Message) -> _Asked | Outcome:
    """Answer a message on this thread, if that takes no model; else say what to ask it."""
    began = time.perf_counter()
    message = (
        posted
        if isinstance(posted, Message)
        else Message.objects.select_related("conversation").get(pk=posted)
    )
    if not message.awaits_answer:
        return Outcome(Message.objects.answer_to(message.pk), _NOTHING)
    current = content.current()
    before = _said_before(message)
    said = "\n".join((*before.unanswered, message.text))
    spoken = message.language or before.language
    if not said.strip():  # files alone: in the language in which they talk
        spoken = message.conversation.language
    read = telling_part(said)
    text = normalize.for_model(pii.redact(read))
    question = recall.question(text, spoken)
    asked = _Asked(message, said, read, spoken, current, before, question, began)
    if not spoken or asked.is_files_only:  # no guess, so no model
        return _finish(asked, Understood(_NOTHING, cached=False))
    if (known_for_sure := certain(message, said, text, current)) is not None:
        return _finish(asked, Understood(known_for_sure, cached=False))
    (known,) = recall.recalled([asked.question])
    return asked if known is None else _finish(asked, Understood(known, cached=True))


def _said_before(message: Message) -> _SaidBefore:
    if message.seq == 1:
        return _SaidBefore()
    lines = (
        Message.objects.filter(
            Q(sender__in=(Message.Sender.BOT, Message.Sender.AGENT)) | Q(awaits_answer=True),
            conversation_id=message.conversation_id,
            seq__lt=message.seq,
        )
        .order_by("-seq")
        .values_list("text", "decision", "buttons", "answers_id", "awaits_answer", "language")
    )
    latest = list(lines[: settings.HANDOVER_AFTER_MISSES + _BURST_MOST])
    unanswered = [line for line in latest if line[4]]
    pending = _SaidBefore(
        unanswered=tuple(line[0] for line in reversed(unanswered)),
        language=next((line[5] for line in unanswered if line[5]), ""),
    )
    said = [line for line in latest if not line[4]]
    if not said or said[0][3] is None:  # an agent's line begins anew
        return pending
    text, decision, buttons, answered, *_rest = said[0]
    missed = sum(1 for _ in takewhile(_is_missed, said))
    return replace(
        pending,
        text=text,
        decision=decision,
        buttons=tuple(buttons),
        message=answered,
        missed=missed,
    )


def _is_missed(line: Sequence[Any]) -> bool:
    return line[1] == Decision.HAND_OVER and line[3] is not None


def certain(
    message: Message, said: str, text: str, current: Content
) -> inference.Prediction | None:
    """Return what needs no model: an intent's own name, or an order number that goes on with one.

    Args:
        said: What the customer said in a row, up to the message; `text` is that for the model.
    """
    return named(text, current) or _continued(message, said, current)


def _continued(message: Message, said: str, current: Content) -> inference.Prediction | None:
    """An order number alone goes on with what was spoken of: no model can tell from a number."""
    if not language.is_code(said):
        return None
    answered = Message.objects.filter(
        conversation_id=message.conversation_id,
        sender=Message.Sender.BOT,
        decision=Decision.ANSWER,
        seq__lt=message.seq,
    )
    spoken_of = answered.order_by("-seq").values_list("intent", flat=True).first()
    return certainly(spoken_of) if spoken_of in current.intents else None


# --- Deciding and posting: never from a cache, for it depends on the conversation -----------


def _finish(asked: _Asked, understood: Understood) -> Outcome:
    now = timezone.now()
    prediction = asked.content.answered(understood.prediction)
    decision = decide(prediction, asked.content)
    message = asked.message
    posted, is_decided = None, False
    if message.conversation.status == Conversation.Status.WAITING and not is_understood(
        prediction, asked.content
    ):
        # A human was called. What the bot does not understand is for him, not for a guess.
        is_decided = services.leave_to_agent(
            conversation_id=message.conversation_id, message_id=message.pk
        )
    else:
        said = _composed(asked, prediction, decision, now)
        posted = services.post_answer(message_id=message.pk, answer=said, now=now)
        # Somebody else's answer is logged by him; an agent who was faster logs nothing.
        is_decided = posted is None or posted.is_new
    if is_decided and not asked.is_files_only:
        records.record(
            message=message.pk,
            text=asked.read,
            language=asked.language,
            prediction=prediction,
            decision=decision,
            outcome=None if posted else records.Outcome.HANDED_OVER,
            content_version=asked.content.version,
            elapsed_ms=(time.perf_counter() - asked.began) * 1000,
            cached=understood.cached,
            now=now,
        )
        _note_choice(asked, prediction)
    return Outcome(posted.message if posted else None, prediction, understood.cached)


def _note_choice(asked: _Asked, prediction: inference.Prediction) -> None:
    """Log that a message is the button which says what an earlier one meant."""
    before = asked.before
    if before.decision != Decision.CLARIFY or before.message is None:
        return
    if asked.message.text in [button.get("text") for button in before.buttons]:
        records.clarified(message=before.message, meant=prediction.intent)


def _facts(uid: str, now: datetime, text: str, language: str) -> replies.Facts:
    return {} if uid.startswith(ANONYMOUS_PREFIX) else shop.facts_for(uid, language, now, text)


def _composed(
    asked: _Asked, prediction: inference.Prediction, decision: Decision, now: datetime
) -> replies.Answer:
    """Word the answer. Whatever goes wrong here, the customer gets a sentence and a human."""
    conversation = asked.message.conversation
    turn = replies.Turn(
        content=asked.content,
        prediction=prediction,
        decision=decision,
        language=asked.language,
        channel=conversation.channel,
        facts=partial(_facts, conversation.uid, now, asked.text),
        said_before=asked.before.text,
        decided_before=asked.before.decision,
        missed_before=asked.before.missed,
        is_files_only=asked.is_files_only,
    )
    try:
        return _COMPOSER.compose(turn)
    except DatabaseError:
        raise  # away for a moment: the sweep answers when it is back
    except Exception:
        logger.exception("Message %s cannot be answered as decided", asked.message.pk)
        return replies.apology(turn)

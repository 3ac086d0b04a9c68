"""One turn: understand a stored message, decide, look up, compose, post.

The model runs outside any transaction: a lock held that long would keep an agent from
taking over. `services.post_answer` looks again before it writes.
"""

import logging
import time
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from hashlib import sha256

from django.conf import settings
from django.core.cache import cache
from django.db import Error as DatabaseError
from django.db import transaction
from django.utils import timezone

from chat import replies, services
from chat.models import Conversation, Message
from csplatform.threads import in_thread
from csplatform.tokens import ANONYMOUS_PREFIX
from intents import content, inference, language, records
from intents.content import Content
from intents.decisions import Decision, decide, is_understood
from intents.guard import normalize, pii
from knowledge import shop

logger = logging.getLogger(__name__)

# Names of intents, which are compared with every message.
_key_of_name = lru_cache(maxsize=1024)(normalize.key)
_NOTHING = inference.Prediction(ranked=(), source="none", model_version="")
_COMPOSER: replies.Composer = replies.Templates()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a turn ended."""

    answer: Message | None  # None: an agent has the conversation, or was called and will read it
    prediction: inference.Prediction
    cached: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """A message that the bot owes an answer, and what is known before the model is asked."""

    message: Message  # with its conversation
    content: Content
    text: str  # as models read it, without personal data
    cache_key: str  # of the prediction; "" where the model is not asked
    known: inference.Prediction | None  # None: ask the model
    began: float  # time.perf_counter()

    @property
    def is_cached(self) -> bool:
        return bool(self.cache_key) and self.known is not None


async def answer(message: int | Message) -> Outcome:
    """Answer one customer message, from a coroutine. Calling it again changes nothing.

    Args:
        message: Its primary key, or the row as it was just posted.
    """
    asked = await in_thread(_begin)(message)
    if isinstance(asked, Outcome):
        return asked
    prediction = asked.known
    if prediction is None:
        prediction = await inference.aclassify(asked.text, timeout_s=settings.CHAT_ANSWER_TIMEOUT_S)
    return await in_thread(_finish)(asked, prediction)


def answer_blocking(message: int | Message) -> Outcome:
    """Do the same from a thread: REST views and Celery."""
    asked = _begin(message)
    if isinstance(asked, Outcome):
        return asked
    prediction = asked.known
    if prediction is None:
        prediction = inference.classify(asked.text, timeout_s=settings.CHAT_ANSWER_TIMEOUT_S)
    return _finish(asked, prediction)


def _begin(posted: int | Message) -> _Asked | Outcome:
    """Read what there is to answer, and what is known of it; an Outcome where nothing is owed."""
    began = time.perf_counter()
    message = (
        posted
        if isinstance(posted, Message)
        else Message.objects.select_related("conversation").get(pk=posted)
    )
    if not message.awaits_answer:
        return Outcome(Message.objects.filter(answers=message).first(), _NOTHING)
    current = content.current()
    text = normalize.for_model(pii.redact(message.text))
    if not message.language:  # neither language: no guess, so no model
        return _Asked(message, current, text, "", _NOTHING, began)
    if (named := _named(text, current) or _continued(message, current)) is not None:
        return _Asked(message, current, text, "", named, began)
    key = _cache_key(current, message.language, text)
    return _Asked(message, current, text, key, _recalled(key), began)


def _named(text: str, current: Content) -> inference.Prediction | None:
    """An intent's own name is certain: it is what a "did you mean" button sends."""
    key = normalize.key(text)
    for intent in current.intents.values():
        if key in (_key_of_name(intent.name_zh), _key_of_name(intent.name_en)):
            return inference.Prediction(
                ranked=((intent.code, 1.0),), source="keywords", model_version=""
            )
    return None


def _continued(message: Message, current: Content) -> inference.Prediction | None:
    """An order number alone goes on with what was spoken of: no model can tell from a number."""
    if not language.is_code(message.text):
        return None
    answered = message.conversation.messages.filter(
        sender=Message.Sender.BOT, decision=Decision.ANSWER, seq__lt=message.seq
    )
    spoken_of = answered.order_by("-seq").values_list("intent", flat=True).first()
    if not spoken_of or spoken_of not in current.intents:
        return None
    return inference.Prediction(ranked=((spoken_of, 1.0),), source="keywords", model_version="")


# --- The cache: predictions, not texts. What is said differs by customer and time, and a
# reply must not come twice in a row; composing it takes no model and under a millisecond.


def _cache_key(current: Content, language: str, text: str) -> str:
    """Name everything that a prediction depends on, so that nothing stale is ever found."""
    engine = inference.status()
    parts = (
        str(current.version),
        str(engine.content_version),
        engine.source,
        engine.model_version,
        language,
        normalize.key(text),
    )
    return "understood:" + sha256("\n".join(parts).encode()).hexdigest()


def _recalled(key: str) -> inference.Prediction | None:
    stored = cache.get(key)
    if stored is None:
        return None
    ranked, source, model_version = stored
    return inference.Prediction(
        ranked=tuple((code, probability) for code, probability in ranked),
        source=source,
        model_version=model_version,
    )


def _remember(asked: _Asked, prediction: inference.Prediction) -> None:
    """Keep a prediction, unless the engine was not itself: overloaded, late, or just swapped."""
    if prediction.source == inference.status().source and asked.cache_key == _cache_key(
        asked.content, asked.message.language, asked.text
    ):
        kept = (prediction.ranked, prediction.source, prediction.model_version)
        cache.set(asked.cache_key, kept, settings.REPLY_CACHE_S)


# --- Deciding and posting ----------------------------------------------------------------


def _finish(asked: _Asked, prediction: inference.Prediction) -> Outcome:
    now = timezone.now()
    if asked.known is None:
        _remember(asked, prediction)
    # The engine may be a moment behind: what staff switched off is never answered.
    ranked = tuple(pair for pair in prediction.ranked if pair[0] in asked.content.intents)
    prediction = inference.Prediction(
        ranked=ranked, source=prediction.source, model_version=prediction.model_version
    )
    intent = asked.content.intents.get(prediction.intent)
    decision = decide(prediction, hands_over=intent is not None and intent.hands_over)
    conversation = asked.message.conversation
    if conversation.status == Conversation.Status.WAITING and not is_understood(prediction):
        # A human was called. What the bot does not understand is for him, not for a guess.
        said = None
    else:
        said = _composed(asked, prediction, decision, now)
    elapsed_ms = (time.perf_counter() - asked.began) * 1000
    with transaction.atomic():
        posted = None
        if said is None:
            is_first = services.leave_to_agent(message_id=asked.message.pk)
        else:
            posted = services.post_answer(message_id=asked.message.pk, answer=said, now=now)
            is_first = posted is not None and posted.is_new
        if is_first:  # of web process and sweep, one
            records.record(
                text=asked.message.text,
                language=asked.message.language,
                prediction=prediction,
                decision=decision,
                elapsed_ms=elapsed_ms,
                cached=asked.is_cached,
                now=now,
            )
    return Outcome(posted.message if posted else None, prediction, asked.is_cached)


def _facts(uid: str, now: datetime, text: str, language: str) -> replies.Facts:
    return {} if uid.startswith(ANONYMOUS_PREFIX) else shop.facts_for(uid, language, now, text)


def _composed(
    asked: _Asked, prediction: inference.Prediction, decision: Decision, now: datetime
) -> replies.Answer:
    """Word the answer. Whatever goes wrong here, the customer gets a sentence and a human."""
    conversation = asked.message.conversation
    before = (
        conversation.messages.filter(sender=Message.Sender.BOT, seq__lt=asked.message.seq)
        .order_by("-seq")
        .values_list("text", "decision")
        .first()
    )
    said_before, decided_before = before or ("", "")

    turn = replies.Turn(
        content=asked.content,
        prediction=prediction,
        decision=decision,
        language=asked.message.language,
        channel=conversation.channel,
        facts=partial(_facts, conversation.uid, now, asked.message.text),
        said_before=said_before,
        missed_before=decided_before in (Decision.CLARIFY, Decision.HAND_OVER),
    )
    try:
        return _COMPOSER.compose(turn)
    except DatabaseError:
        raise  # away for a moment: the sweep answers when it is back
    except Exception:
        logger.exception("Message %s cannot be answered as decided", asked.message.pk)
        return replies.apology(turn)

"""What the bot would say to a customer whom an agent has, or is about to take.

The same understanding and the same replies as in dialogue.py, never posted: an agent reads it,
and sends what he likes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from uuid import UUID

from django.conf import settings
from django.db import transaction

from chat import access, dialogue, mentions, replies, services
from chat.models import Conversation, Message, Suggestion
from chat.services.suggestions import Draft, check_holder, message_of
from csplatform.tokens import ANONYMOUS_PREFIX
from intents import content, recall
from intents.content import Content
from intents.decisions import Decision, decide, is_understood
from intents.guard import normalize, pii
from intents.inference import Prediction
from knowledge import shop

State = Suggestion.State

# Offered when another intent was meant.
RANKED_MOST = 3
# Facts change: a parcel arrives while the customer waits.
_KEPT = timedelta(minutes=10)
# Of what the customer said in a row, and of what is read to find it.
_WORDS_MOST = 10
_LINES_READ = 30


@dataclass(frozen=True, slots=True)
class _Words:
    """What the customer has said since somebody last answered him."""

    conversation: Conversation
    lines: Sequence[Message]  # oldest first, at least one
    said_before: str  # by the bot or an agent, right before; "" for nothing
    earlier: Sequence[str]  # what he said before that, newest first

    @property
    def newest(self) -> Message:
        return self.lines[-1]

    @property
    def said(self) -> str:
        return "\n".join(line.text for line in self.lines)

    @property
    def language(self) -> str:
        return next((line.language for line in reversed(self.lines) if line.language), "")


def suggest(conversation_id: UUID, *, after: int, now: datetime) -> Suggestion | None:
    """Return the suggestion for what the customer said last; for threads.

    It is kept, so that all who look see the same and the model is asked once.

    Args:
        after: A seq; nothing is returned for a message up to it.

    Returns:
        None while the bot has the conversation or is about to answer, when somebody has
        answered, when there is nothing new, and for what was dismissed or used.

    Raises:
        NoSuchConversation: It does not exist.
    """
    words = _unanswered(access.of_agent(conversation_id))
    if words is None or words.newest.seq <= after:
        return None
    current = content.current()
    stored = Suggestion.objects.filter(message=words.newest.pk).first()
    if stored is not None:
        if stored.use not in ("", Suggestion.Use.UNUSED):
            return None
        is_chosen = stored.intent != stored.predicted and stored.intent != ""
        is_fresh = stored.content_version == current.version and now - stored.made_at < _KEPT
        if is_chosen or is_fresh:
            return stored
    return _kept(words, _understood(words, current), current, now)


def pick(
    conversation_id: UUID, *, seq: int, intent: str, agent_id: int, now: datetime
) -> Suggestion:
    """Return the reply of the intent that an agent says was meant; it is noted for reviewers.

    Raises:
        NoSuchConversation, NoSuchSuggestion: There is no such conversation or message.
        NotYours: Somebody else has the conversation, or nobody.
    """
    message = message_of(conversation_id, seq)
    current = content.current()
    if intent not in current.intents:
        raise services.NoSuchSuggestion
    conversation = access.of_agent(conversation_id)
    check_holder(conversation, agent_id)
    words = _unanswered(conversation) or _Words(conversation, [message], "", [])
    draft = _draft(words, intent, current, now)
    return services.pick_suggestion(message_id=message.pk, draft=draft, agent_id=agent_id, now=now)


# --- What was said ------------------------------------------------------------------------


def _unanswered(conversation: Conversation) -> _Words | None:
    """Return what waits for a word of an agent: all since one spoke, or the bot knew an answer."""
    if conversation.status not in (Conversation.Status.WAITING, Conversation.Status.AGENT):
        return None
    spoken = (Message.Sender.CUSTOMER, Message.Sender.BOT, Message.Sender.AGENT)
    newest_first = list(
        conversation.messages.filter(sender__in=spoken).order_by("-seq")[:_LINES_READ]
    )
    since = list(takewhile(lambda line: not _answers(line), newest_first))
    before = newest_first[len(since) :]
    words = [line for line in since if line.sender == Message.Sender.CUSTOMER]
    if not words or words[0].awaits_answer:  # the bot is about to speak
        return None
    return _Words(
        conversation=conversation,
        lines=_matter(words, since)[:_WORDS_MOST][::-1],
        said_before=before[0].text if before else "",
        earlier=[line.text for line in before if line.sender == Message.Sender.CUSTOMER],
    )


def _answers(line: Message) -> bool:
    if line.sender == Message.Sender.BOT:
        return line.decision == Decision.ANSWER
    return line.sender == Message.Sender.AGENT


def _matter(words: list[Message], since: Sequence[Message]) -> list[Message]:
    """Leave out "a human, please" where something else was said: it asks nothing of the agent."""
    current = content.current()
    calls = {
        line.answers_id
        for line in since
        if (intent := current.intents.get(line.intent)) and intent.hands_over
    }
    return [line for line in words if line.pk not in calls] or words[:1]


# --- Understanding and wording --------------------------------------------------------------


def _understood(words: _Words, current: Content) -> Prediction:
    if not words.language:
        return Prediction(ranked=(), source="none")
    text = normalize.for_model(pii.redact(words.said))
    known = dialogue.certain(words.newest, words.said, text, current)
    if known is not None:
        return known
    (understood,) = recall.classify_many(
        [text], [words.language], timeout_s=settings.CHAT_ANSWER_TIMEOUT_S
    )
    return current.answered(understood.prediction)


def _draft(words: _Words, code: str, current: Content, now: datetime) -> Draft:
    """Word the reply of an intent for this customer; an empty one where no reply fits."""
    facts: dict[str, str] = {}
    chosen: list[str] = []

    def known(language: str) -> Mapping[str, str]:
        facts.update(_facts(words, now, language))
        return facts

    def choose(fitting: Sequence[str]) -> str:
        chosen.append(fitting[0])
        return fitting[0]

    channel = words.conversation.channel
    language = words.language or words.conversation.language
    turn = replies.Turn(
        content=current,
        prediction=Prediction(ranked=((code, 1.0),), source="none"),
        decision=Decision.ANSWER,
        language=language,
        channel=channel,
        facts=known,
        said_before=words.said_before,
    )
    text = replies.Templates(choose).compose(turn).text
    # A reply in the other language would come with an excuse that is the bot's, not an agent's.
    if not chosen or chosen[0] not in current.replies(code, language, channel):
        return Draft(code)
    known_facts = {"agent_hours": settings.CHAT_AGENT_HOURS, **facts}
    return Draft(
        code,
        text,
        chosen[0],
        {name: known_facts[name] for name in replies.variables(chosen[0])},
    )


def _facts(words: _Words, now: datetime, language: str) -> Mapping[str, str]:
    """Return what the shop knows of the customer and of the order that he last named."""
    uid = words.conversation.uid
    if uid.startswith(ANONYMOUS_PREFIX):
        return {}
    named = next((text for text in (words.said, *words.earlier) if mentions.codes(text)), "")
    return shop.facts_for(uid, language, now, named)


def _kept(words: _Words, prediction: Prediction, current: Content, now: datetime) -> Suggestion:
    state, worded = _decided(prediction, current), Draft("")
    if state == State.SUGGESTED:
        worded = _draft(words, prediction.intent, current, now)
        state = state if worded.text else State.NO_REPLY
    columns = {
        "said": words.said,
        "language": words.language,
        "state": state,
        "ranked": [[code, round(p, 4)] for code, p in prediction.ranked[:RANKED_MOST]],
        "source": prediction.source,
        "model_version": prediction.model_version,
        "content_version": current.version,
        "made_at": now,
        "intent": worded.intent,
        "template": worded.template,
        "facts": worded.facts or {},
        "text": worded.text,
    }
    with transaction.atomic():
        kept, _is_new = Suggestion.objects.update_or_create(
            message_id=words.newest.pk, defaults=columns
        )
    return kept


def _decided(prediction: Prediction, current: Content) -> State:
    """Return whether the bot would answer by itself; who is less sure suggests nothing."""
    if decide(prediction, current) == Decision.ANSWER:
        return State.SUGGESTED
    intent = current.intents.get(prediction.intent)
    if intent and intent.hands_over and is_understood(prediction, current):
        return State.PEOPLE
    return State.UNSURE

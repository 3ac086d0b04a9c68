"""What agents make of a suggested reply: told by what they really send, kept for reviewers.

A suggestion is made in suggesting.py. Nothing here posts anything.
"""

from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from chat import access
from chat.models import Conversation, Message, Suggestion
from chat.services.handover import NotYours
from csplatform.errors import Refusal
from intents import records, review
from intents.models import ReviewCandidate

Use = Suggestion.Use
Verdict = ReviewCandidate.Verdict

# "As a rule of thumb, a ratio() value over 0.6 means the sequences are close matches."
# https://docs.python.org/3/library/difflib.html
_MADE_FROM_IT = 0.6
# Comparing takes time with the product of both lengths.
_MOST_COMPARED = 1000
# Facts that are too short to be told from other words of a text.
_NOT_UNFILLED = frozenset({"currency", "days_since_order"})


class NoSuchSuggestion(Refusal):
    code = "no_such_suggestion"
    status = 404
    detail = _("Nothing is suggested for this message.")


@dataclass(frozen=True, slots=True)
class Draft:
    """The reply of one intent, worded for one customer; empty where none fits."""

    intent: str  # Intent.code
    text: str = ""
    template: str = ""  # as staff wrote it
    facts: dict[str, str] | None = None  # its variables


def pick_suggestion(*, message_id: int, draft: Draft, agent_id: int, now: datetime) -> Suggestion:
    """Note which intent an agent says was meant, and suggest its reply instead.

    Raises:
        NoSuchSuggestion: Nothing was suggested for this message.
        NotYours: He does not have the conversation.
    """
    with transaction.atomic():
        suggestion = _of_agent(message_id, agent_id)
        state = Suggestion.State.SUGGESTED if draft.text else Suggestion.State.NO_REPLY
        suggestion.state, suggestion.intent = state, draft.intent
        suggestion.text, suggestion.template = draft.text, draft.template
        suggestion.facts = draft.facts or {}
        suggestion.use, suggestion.used_by_id, suggestion.used_at = "", agent_id, now
        suggestion.save()
        _propose(suggestion, _label(suggestion, Verdict.CONFIRMED), by=agent_id, now=now)
    if draft.intent != suggestion.predicted:
        records.corrected(message=message_id, meant=draft.intent)
    return suggestion


def dismiss_suggestion(*, message_id: int, agent_id: int, now: datetime) -> None:
    """Put a suggestion away for good.

    Raises:
        NoSuchSuggestion: Nothing was suggested for this message.
        NotYours: He does not have the conversation.
    """
    with transaction.atomic():
        suggestion = _of_agent(message_id, agent_id)
        if suggestion.use in (Use.VERBATIM, Use.EDITED, Use.DISMISSED):
            return
        _settle(suggestion, Use.DISMISSED, agent_id=agent_id, now=now)
        if suggestion.text:  # where nothing was suggested there is nothing to judge
            _propose(suggestion, _label(suggestion, Verdict.DISMISSED), by=agent_id, now=now)


def compare_suggestion(*, conversation_id: UUID, seq: int, now: datetime) -> None:
    """Note how what an agent has just sent relates to what was suggested to him.

    The first words need not be it ("one moment, please"): a suggestion stays open until
    something like it is sent, it is dismissed, or the customer says something new.
    """
    sent = Message.objects.select_related("conversation").get(
        conversation_id=conversation_id, seq=seq
    )
    with transaction.atomic():
        pending = Suggestion.objects.select_for_update(of=("self",)).open_in(sent.conversation)
        suggestion = pending.filter(message__seq__lt=seq).first()
        if suggestion is None or not suggestion.text or sent.author_id is None:
            return
        similarity = similarity_of(suggestion.text, sent.text)
        use = _use(suggestion.text, sent.text, similarity)
        if use == Use.UNUSED and suggestion.use == Use.UNUSED:
            return
        _settle(suggestion, use, agent_id=sent.author_id, now=now, similarity=similarity)
        if use == Use.UNUSED:
            return
        verdict = Verdict.CONFIRMED if use == Use.VERBATIM else Verdict.EDITED
        _propose(
            suggestion,
            _label(suggestion, verdict),
            by=sent.author_id,
            now=now,
            edited_reply=_unfilled(sent.text, suggestion.facts) if use == Use.EDITED else "",
            similarity=similarity,
        )


def similarity_of(suggested: str, sent: str) -> float:
    """Return what two texts have in common, 0 to 1, to two decimals.

    Twice the characters in matching blocks, by both lengths (Ratcliff and Metzener, "Pattern
    Matching: The Gestalt Approach", Dr. Dobb's Journal, July 1988), of their first 1000.
    """
    first, second = (" ".join(text.split())[:_MOST_COMPARED] for text in (suggested, sent))
    return round(SequenceMatcher(None, first, second, autojunk=False).ratio(), 2)


def _use(suggested: str, sent: str, similarity: float) -> Use:
    if sent.split() == suggested.split():
        return Use.VERBATIM
    is_made_from_it = similarity > _MADE_FROM_IT or suggested.strip() in sent
    return Use.EDITED if is_made_from_it else Use.UNUSED


def _unfilled(sent: str, facts: dict[str, str]) -> str:
    """Return what was sent with the customer's facts as variables again: a reply for anybody."""
    longest_first = sorted(facts.items(), key=lambda fact: -len(fact[1]))
    for variable, value in longest_first:
        if value and variable not in _NOT_UNFILLED:
            sent = sent.replace(value, f"{{{variable}}}")
    return sent


def _of_agent(message_id: int, agent_id: int) -> Suggestion:
    suggestion = (
        Suggestion.objects.select_for_update(of=("self",))
        .select_related("message__conversation")
        .filter(message=message_id)
        .first()
    )
    if suggestion is None:
        raise NoSuchSuggestion
    check_holder(suggestion.message.conversation, agent_id)
    return suggestion


def check_holder(conversation: Conversation, agent_id: int) -> None:
    """Let only the agent who has a conversation go on.

    Raises:
        NotYours: Somebody else has it, or nobody.
    """
    is_his = conversation.agent_id == agent_id
    if conversation.status != Conversation.Status.AGENT or not is_his:
        raise NotYours


def message_of(conversation_id: UUID, seq: int) -> Message:
    """Return the customer's message that a suggestion is for.

    Raises:
        NoSuchConversation, NoSuchSuggestion: There is none.
    """
    conversation = access.of_agent(conversation_id)
    message = conversation.messages.filter(seq=seq, sender=Message.Sender.CUSTOMER).first()
    if message is None:
        raise NoSuchSuggestion
    return message


def _settle(
    suggestion: Suggestion,
    use: Use,
    *,
    agent_id: int,
    now: datetime,
    similarity: float | None = None,
) -> None:
    suggestion.use, suggestion.similarity = use, similarity
    suggestion.used_by_id, suggestion.used_at = agent_id, now
    suggestion.save(update_fields=["use", "similarity", "used_by", "used_at"])


def _label(suggestion: Suggestion, otherwise: Verdict) -> Verdict:
    """Another intent than the predicted one weighs more than what became of its reply."""
    is_other = suggestion.intent != suggestion.predicted and suggestion.intent != ""
    return Verdict.CORRECTED if is_other else otherwise


def _propose(
    suggestion: Suggestion,
    verdict: Verdict,
    *,
    by: int,
    now: datetime,
    edited_reply: str = "",
    similarity: float | None = None,
) -> None:
    review.propose(
        message=suggestion.message_id,
        text=suggestion.said,
        language=suggestion.language,
        predicted=suggestion.predicted,
        probability=suggestion.probability,
        meant="" if verdict == Verdict.DISMISSED else suggestion.intent,
        verdict=verdict,
        by=by,
        now=now,
        model_version=suggestion.model_version,
        reply=suggestion.template,
        edited_reply=edited_reply,
        similarity=similarity,
    )

"""Canned replies: what an agent can use, worded for one customer, and his own ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from chat import access
from chat.models import CannedReply, Conversation, Message
from chat.replies import filled, in_language, variables
from chat.sockets import name_of
from csplatform.errors import Refusal
from csplatform.tokens import ANONYMOUS_PREFIX
from intents.services.replies import VARIABLES as OF_REPLIES
from intents.services.validation import validate_template
from knowledge import shop

# What a canned reply may say: the bot's variables, and who writes it.
VARIABLES: dict[str, str | Promise] = {
    **OF_REPLIES,
    "agent_name": _("name of the agent"),
    "shop_name": _("name of the shop"),
}
# Each agent's own; more are no help to anybody.
OWN_MOST = 200
# The customer's latest lines that say which order is meant.
_LATEST_LINES = 5


class NoSuchCannedReply(Refusal):
    code = "no_such_canned_reply"
    status = 404
    detail = _("There is no such canned reply.")


class TooManyCannedReplies(Refusal):
    code = "too_many_canned_replies"

    def __init__(self) -> None:
        text = _("You have %(most)s canned replies. Please remove one first.")
        super().__init__(text % {"most": OWN_MOST})


@dataclass(frozen=True, slots=True)
class Worded:
    """A canned reply as one customer would read it."""

    reply: CannedReply
    text: str  # with the variables of `missing` as they are written: {order_number}
    language: str  # of the text: the conversation's, where it is written in that
    missing: Sequence[str]  # variables that nothing is known for


def worded_for(*, conversation_id: UUID, agent_id: int, now: datetime) -> list[Worded]:
    """Return all that an agent can use, in the customer's language and with his facts.

    Six queries, however many replies.

    Raises:
        NoSuchConversation: It does not exist.
    """
    conversation = access.of_agent(conversation_id)
    replies = list(CannedReply.objects.of_agent(agent_id))
    known = {
        language: _facts(conversation, agent_id, language, now)
        for language in {one.text_in(conversation.language)[1] for one in replies}
    }
    worded = []
    for one in replies:
        text, language = one.text_in(conversation.language)
        facts = known[language]
        missing = [name for name in dict.fromkeys(variables(text)) if not facts.get(name)]
        worded.append(Worded(one, filled(text, facts), language, missing))
    return worded


def _facts(
    conversation: Conversation, agent_id: int, language: str, now: datetime
) -> dict[str, str]:
    agent = get_user_model().objects.filter(pk=agent_id).first()
    facts = {
        "agent_hours": settings.CHAT_AGENT_HOURS,
        "agent_name": name_of(agent),
        "shop_name": settings.SHOP_NAME or in_language(language, _("Seaway Store")),
    }
    if conversation.uid.startswith(ANONYMOUS_PREFIX):
        return facts
    lines = conversation.messages.filter(sender=Message.Sender.CUSTOMER).order_by("-seq")
    said = "\n".join(lines.values_list("text", flat=True)[:_LATEST_LINES])
    return {**facts, **shop.facts_for(conversation.uid, language, now, said)}


def own_of(agent_id: int) -> QuerySet[CannedReply]:
    """Return an agent's own ones."""
    return CannedReply.objects.filter(owner_id=agent_id)


def save_own(*, agent_id: int, reply_id: int | None = None, **fields: str) -> CannedReply:
    """Write a canned reply of an agent's own, or change one.

    Args:
        reply_id: None for a new one.
        fields: shortcut, title, text_zh, text_en.

    Raises:
        NoSuchCannedReply: It does not exist, or is not his own.
        TooManyCannedReplies: He has OWN_MOST already.
        ValidationError: A field is wrong, or no text is written.
    """
    if reply_id is None:
        if own_of(agent_id).count() >= OWN_MOST:
            raise TooManyCannedReplies
        reply: CannedReply | None = CannedReply(owner_id=agent_id)
    else:
        reply = own_of(agent_id).filter(pk=reply_id).first()
    if reply is None:
        raise NoSuchCannedReply
    for name, value in fields.items():
        setattr(reply, name, value.strip())
    reply.full_clean()
    check(reply)
    reply.save()
    return reply


def delete_own(*, agent_id: int, reply_id: int) -> None:
    """Delete a canned reply of an agent's own.

    Raises:
        NoSuchCannedReply: It does not exist, or is not his own.
    """
    deleted, _by_model = own_of(agent_id).filter(pk=reply_id).delete()
    if not deleted:
        raise NoSuchCannedReply


def check(reply: CannedReply) -> None:
    """Accept a reply's texts and shortcut, or say by field what is wrong.

    Raises:
        ValidationError: No text; a variable that does not exist; a shortcut that the owner, or
            the team, has already.
    """
    if not (reply.text_zh or reply.text_en):
        raise ValidationError({"text_zh": _("Write it in one language at least.")})
    for field in ("text_zh", "text_en"):
        if text := getattr(reply, field):
            try:
                validate_template(text, VARIABLES)
            except ValidationError as error:
                raise ValidationError({field: error.messages}) from None
    twins = CannedReply.objects.filter(
        shortcut__iexact=reply.shortcut, owner=reply.owner, team=reply.team
    )
    if twins.exclude(pk=reply.pk).exists():
        raise ValidationError({"shortcut": _("There is a reply with this shortcut already.")})

"""Where a conversation could be passed on to, and what the next one should know: no writes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count
from django.utils.text import Truncator
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from chat import access
from chat.models import AgentProfile, Assignment, Conversation, Handover, Message, Queue
from chat.services.hours import calendars
from chat.services.notes import agents
from chat.sockets import name_of
from intents.models import Intent

Availability = AgentProfile.Availability

_DEFAULTS = AgentProfile()  # of agents who have not opened the workspace yet
_NUMBER = re.compile(r"(?<![A-Za-z0-9])[A-Z]{0,6}[0-9]{5,}(?![A-Za-z0-9])", re.IGNORECASE)
# Of the customer's words: the latest lines, and of each line so much.
_ASKED_MOST, _LINE_MOST = 4, 160
# A summary has room for so many characters (protocol.Transfer).
_SUMMARY_MOST = 2000


@dataclass(frozen=True, slots=True)
class Colleague:
    """An agent, and whether he could take a chat."""

    user_id: int
    name: str
    availability: str  # AgentProfile.Availability
    is_present: bool | None  # None: nobody can tell
    chats: int
    capacity: int

    @property
    def is_free(self) -> bool:
        """Whether a chat would be taken up soon: there, taking chats, and with room."""
        is_there = self.is_present is not False and self.availability == Availability.AVAILABLE
        return is_there and self.chats < self.capacity


@dataclass(frozen=True, slots=True)
class OpenQueue:
    """A queue, whether people answer it now, and how many wait in it."""

    queue_id: int
    name: str
    is_open: bool
    waiting: int


def colleagues(*, present: frozenset[int] | None) -> list[Colleague]:
    """Return all agents: those who could take a chat first, the least busy before others.

    Two queries, however many.

    Args:
        present: Primary keys of the users who are there; None: unknown.
    """
    chats = dict(Assignment.objects.running().values_list("agent").annotate(Count("pk")).order_by())
    found = []
    for user in agents().select_related("agent_profile"):
        profile = getattr(user, "agent_profile", _DEFAULTS)
        found.append(
            Colleague(
                user_id=user.pk,
                name=name_of(user),
                availability=profile.availability,
                is_present=None if present is None else user.pk in present,
                chats=chats.get(user.pk, 0),
                capacity=profile.capacity,
            )
        )
    return sorted(found, key=lambda one: (not one.is_free, one.is_present is False, one.chats))


def open_queues(*, now: datetime) -> list[OpenQueue]:
    """Return all queues in their order. Four queries, however many."""
    waits = Conversation.objects.filter(status=Conversation.Status.WAITING)
    waiting = dict(waits.values_list("queue").annotate(Count("pk")).order_by())
    queues = list(Queue.objects.prefetch_related("business_hours"))
    hours = calendars(queues)
    return [
        OpenQueue(one.pk, one.name, hours[one.pk].is_open(now), waiting.get(one.pk, 0))
        for one in queues
    ]


def summary_of(conversation_id: UUID) -> str:
    """Return an extract of a conversation for the next agent, in the reader's language.

    Plain rules, nothing invented: what the customer wanted last, the order numbers he
    wrote, and his latest words. The agent edits it.

    Raises:
        NoSuchConversation: It does not exist.
    """
    conversation = access.of_agent(conversation_id)
    spoken = conversation.messages.exclude(sender=Message.Sender.SYSTEM).order_by("-seq")
    latest = list(spoken.values_list("sender", "text", "intent")[:100])
    said = [text for sender, text, _intent in latest if sender == Message.Sender.CUSTOMER]
    parts = []
    if wanted := next((intent for _sender, _text, intent in latest if intent), ""):
        parts.append(_("Wants: %(intent)s") % {"intent": _intent_name(wanted)})
    if numbers := _order_numbers(said):
        parts.append(_("Order numbers: %(numbers)s") % {"numbers": ", ".join(numbers)})
    if said:
        asked = reversed([_line(text) for text in said[:_ASKED_MOST]])
        parts.append("\n".join([_("The customer's latest words:"), *asked]))
    return "\n".join(parts)[:_SUMMARY_MOST]


def _line(text: str) -> str:
    return "- " + Truncator(" ".join(text.split())).chars(_LINE_MOST)


def _order_numbers(texts: Sequence[str]) -> list[str]:
    found = (number.upper() for text in reversed(texts) for number in _NUMBER.findall(text))
    return list(dict.fromkeys(found))[:5]


def _intent_name(code: str) -> str:
    is_english = (get_language() or "").startswith("en")
    names = Intent.objects.filter(code=code)
    name = names.values_list("name_en" if is_english else "name_zh", flat=True).first()
    return name or code


@dataclass(frozen=True, slots=True)
class PassedOn:
    """What the agent who passed a conversation on left for the next one."""

    passed_by: str  # his name, "" where nobody had it
    reason: str
    summary: str
    passed_at: datetime


def passed_on(conversation_id: UUID) -> PassedOn | None:
    """Return what was left with a conversation when it was passed on; None unless it was.

    It is shown until the conversation goes elsewhere in another way. Three queries.

    Raises:
        NoSuchConversation: It does not exist.
    """
    conversation = access.of_agent(conversation_id)
    newest = Handover.objects.filter(conversation=conversation).exclude(
        because__in=(Handover.Because.ESCALATED, Handover.Because.RETURNED)
    )
    latest = newest.order_by("-pk").first()
    if latest is None or latest.because != Handover.Because.TRANSFERRED:
        return None
    if conversation.status not in (Conversation.Status.WAITING, Conversation.Status.AGENT):
        return None
    ended = Assignment.objects.filter(
        conversation=conversation,
        ended_because=Assignment.Ended.TRANSFERRED,
        ended_at=latest.requested_at,
    )
    before = ended.select_related("agent").first()
    return PassedOn(
        passed_by=name_of(before.agent) if before else "",
        reason=latest.note,
        summary=latest.summary,
        passed_at=latest.requested_at,
    )

"""Contacts: how many customers came, how many the bot alone served, and who came back.

A contact is a customer's words and calls for a human in one conversation without a pause of
CHAT_IDLE_CLOSE_S (a day); after such a pause the same conversation is a new contact. It is
handed over when people were called within it, or an agent stepped in; else it is contained:
the bot alone answered. That alone says nothing of whether it helped, so re-contact stands
beside it: the share of contained contacts whose customer wrote again within 72 hours.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from chat.models import Handover, Message
from chat.reports.figures import Share
from chat.reports.period import Period

CAME_BACK_WITHIN = timedelta(hours=72)

_Happening = tuple[str, datetime, UUID, bool]  # uid, when, conversation, whether a hand-over


@dataclass(slots=True)
class Contact:
    """One contact of one customer."""

    uid: str
    conversation_id: UUID
    began_at: datetime
    last_at: datetime
    is_handed_over: bool
    next_at: datetime | None = None  # when the same customer's next contact began

    def came_back(self, now: datetime) -> bool | None:
        """Whether he wrote again within 72 hours; None: they have not passed yet."""
        until = self.last_at + CAME_BACK_WITHIN
        if self.next_at is not None and self.next_at <= until:
            return True
        return False if now >= until else None


@dataclass(frozen=True, slots=True)
class Containment:
    """What became of a number of contacts."""

    contacts: int
    handed_over: Share
    contained: Share
    came_back: Share  # of the contained ones whose 72 hours have passed, or who came back

    @classmethod
    def of(cls, contacts: Sequence[Contact], now: datetime) -> "Containment":
        alone = [one for one in contacts if not one.is_handed_over]
        return cls(
            contacts=len(contacts),
            handed_over=Share(len(contacts) - len(alone), len(contacts)),
            contained=Share(len(alone), len(contacts)),
            came_back=Share.of(one.came_back(now) for one in alone),
        )


def read(period: Period) -> list[Contact]:
    """Return the contacts that began in a period. Two queries."""
    idle = timedelta(seconds=settings.CHAT_IDLE_CLOSE_S)
    first, last = period.start - idle, period.end + CAME_BACK_WITHIN + idle
    said = (
        Message.objects.filter(sender=Message.Sender.CUSTOMER, sent_at__gte=first, sent_at__lt=last)
        .order_by()
        .values_list("conversation__uid", "sent_at", "conversation_id")
    )
    called = (
        Handover.objects.filter(
            because__in=[*Handover.ASKED, Handover.Because.AGENT],
            requested_at__gte=first,
            requested_at__lt=last,
        )
        .order_by()
        .values_list("conversation__uid", "requested_at", "conversation_id")
    )
    happenings: list[_Happening] = [(*row, False) for row in said.iterator()]
    happenings += [(*row, True) for row in called.iterator()]
    return [one for one in joined(happenings, idle) if period.has(one.began_at)]


def joined(happenings: Iterable[_Happening], idle: timedelta) -> list[Contact]:
    """Join what customers did into contacts, by customer and time."""
    contacts: list[Contact] = []
    for uid, at, conversation_id, is_handover in sorted(happenings, key=lambda one: one[:2]):
        latest = contacts[-1] if contacts and contacts[-1].uid == uid else None
        if (
            latest is not None
            and latest.conversation_id == conversation_id
            and at - latest.last_at <= idle
        ):
            latest.last_at = at
            latest.is_handed_over = latest.is_handed_over or is_handover
            continue
        if latest is not None:
            latest.next_at = at
        contacts.append(Contact(uid, conversation_id, at, at, is_handover))
    return contacts


def by_day(contacts: Iterable[Contact]) -> dict[date, list[Contact]]:
    """Return contacts by the day on which they began, on the clock of TIME_ZONE."""
    days: dict[date, list[Contact]] = {}
    for one in contacts:
        days.setdefault(timezone.localdate(one.began_at), []).append(one)
    return days

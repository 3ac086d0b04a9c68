"""Where customers want to be written to when they have left, and which answers are due there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _

from chat import access
from chat.models import LeftAddress, Message
from csplatform.errors import Refusal

# An address is for answers to what was asked then, not for ever.
KEPT_FOR = timedelta(days=30)
MOST_PER_SWEEP = 50


class MailIsOff(Refusal):
    code = "mail_is_off"
    detail = _("No mail can be sent from here.")


@dataclass(frozen=True, slots=True)
class Letter:
    """What one mail says."""

    email: str
    language: str  # of the conversation
    lines: Sequence[Message]  # of agents, with their authors, in order


def leave_address(*, uid: str, conversation_id: UUID, email: str, now: datetime) -> None:
    """Note where the customer wants the answer of an agent sent, should he be gone; "" nowhere.

    What was said before is not mailed.

    Raises:
        MailIsOff: EMAIL_URL is not set.
        NoSuchConversation: It does not exist, or is somebody else's.
    """
    if not settings.EMAIL_URL:
        raise MailIsOff
    conversation = access.of_customer(uid, conversation_id)
    if not email:
        LeftAddress.objects.filter(conversation=conversation).delete()
        return
    said = {"email": email, "left_at": now}
    LeftAddress.objects.update_or_create(
        conversation=conversation,
        defaults=said,
        create_defaults={**said, "mailed_seq": conversation.last_seq},
    )


def due_letters(now: datetime) -> list[int]:
    """Return the primary keys of the addresses for which an answer is due.

    It is when an agent has said something that the customer has not had on his screen, has not
    replied to, and that was the last word for CHAT_EMAIL_AFTER_S: what an agent says in one go is
    one mail.
    """
    quiet_since = now - timedelta(seconds=settings.CHAT_EMAIL_AFTER_S)
    unread = _unread(OuterRef("conversation"), OuterRef("seen_seq"))
    later = Message.objects.filter(
        conversation=OuterRef("conversation"),
        seq__gt=OuterRef("seen_seq"),
        sender__in=(Message.Sender.CUSTOMER, Message.Sender.AGENT),
        sent_at__gt=quiet_since,
    )
    due = (
        LeftAddress.objects.filter(left_at__gt=now - KEPT_FOR)
        .annotate(seen_seq=Greatest("mailed_seq", "conversation__customer_read_seq"))
        .filter(Exists(unread), ~Exists(later), conversation__last_seq__gt=F("seen_seq"))
    )
    return list(due.order_by("pk").values_list("pk", flat=True)[:MOST_PER_SWEEP])


def take_letter(address_id: int) -> Letter | None:
    """Take what is due to an address: from here on it counts as mailed, and nobody takes it again.

    At most once, not at least once: a mail that is lost with the process costs little, for the
    answer stands in the chat; one that comes twice looks like a fault or like spam.

    Returns:
        None when somebody was faster, or the customer has read it meanwhile.
    """
    address = LeftAddress.objects.select_related("conversation").filter(pk=address_id).first()
    if address is None:
        return None
    seen = max(address.mailed_seq, address.conversation.customer_read_seq)
    lines = list(_unread(address.conversation_id, seen).select_related("author").order_by("seq"))
    if not lines:
        return None
    # One UPDATE decides between two sweeps.
    as_read = LeftAddress.objects.filter(pk=address_id, mailed_seq=address.mailed_seq)
    if not as_read.update(mailed_seq=lines[-1].seq):
        return None
    return Letter(address.email, address.conversation.language, lines)


def _unread(conversation: Any, seen: Any) -> QuerySet[Message]:
    """What agents said after `seen`, was not taken back, and was not replied to."""
    replied = Message.objects.filter(
        conversation=OuterRef("conversation"),
        sender=Message.Sender.CUSTOMER,
        seq__gt=OuterRef("seq"),
    )
    return Message.objects.filter(
        ~Exists(replied),
        Q(recall=None),
        conversation=conversation,
        sender=Message.Sender.AGENT,
        seq__gt=seen,
    )


def forget_addresses(now: datetime) -> int:
    """Delete the addresses that are not used any more. Returns how many."""
    return LeftAddress.objects.filter(left_at__lte=now - KEPT_FOR).delete()[0]

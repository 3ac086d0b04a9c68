"""An agent takes a message of his back: customers and colleagues read that, and no more."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from chat.models import Message
from chat.services.conversations import add_line, locked
from chat.services.handover import NotYours
from csplatform.errors import Refusal
from intents import content
from intents.models import Phrase


class NoSuchMessage(Refusal):
    code = "no_such_message"
    status = 404
    detail = _("There is no such message.")


class TooLate(Refusal):
    code = "too_late"

    def __init__(self) -> None:
        text = _("A message can be taken back for %(seconds)s seconds only.")
        super().__init__(text % {"seconds": settings.RECALL_WITHIN_S})


def recall(*, conversation_id: UUID, agent_id: int, seq: int, now: datetime) -> None:
    """Take a message of an agent's own back. Doing it again changes nothing.

    The line itself stays as it was stored; a new line of the system refers to it, so that
    catching up brings it to every screen.

    Raises:
        NoSuchMessage: There is none with this seq.
        NotYours: Somebody else wrote it.
        TooLate: It is older than RECALL_WITHIN_S.
        NoSuchConversation: It does not exist.
    """
    with transaction.atomic():
        conversation = locked(conversation_id)
        message = conversation.messages.select_related("recall").filter(seq=seq).first()
        if message is None:
            raise NoSuchMessage
        if message.sender != Message.Sender.AGENT or message.author_id != agent_id:
            raise NotYours
        if message.recalled_at is not None:
            return
        if now - message.sent_at > timedelta(seconds=settings.RECALL_WITHIN_S):
            raise TooLate
        phrase = content.current().phrase(Phrase.Purpose.RECALLED, conversation.language)
        add_line(
            conversation,
            sender=Message.Sender.SYSTEM,
            text=phrase,
            now=now,
            recalls=message,
        )


def original(*, conversation_id: UUID, seq: int) -> str:
    """Return what a message that was taken back said: for supervisors.

    Raises:
        NoSuchMessage: There is none with this seq, or nobody took it back.
    """
    recalled = Message.objects.filter(
        conversation_id=conversation_id, seq=seq, recall__isnull=False
    )
    text = recalled.values_list("text", flat=True).first()
    if text is None:
        raise NoSuchMessage
    return text

"""What was found in a customer's long text: stored, told, and acted upon."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from chat import events
from chat.models import Conversation, Handover, Message
from chat.services import handover
from chat.services.conversations import Status, locked
from training.analysis import Findings, work


def store_findings(
    message: Message, *, claimed: work.Claim, findings: Findings, now: datetime
) -> bool:
    """Store what was found in a message, and hand its customer over if he is that upset.

    Returns:
        False when somebody else has the text by now: nothing was changed.
    """
    with transaction.atomic():
        if not work.succeed(claimed, findings, now=now):
            return False
        conversation = locked(message.conversation_id)
        if not claimed.is_bulk and _upsets(conversation, findings):
            asked = findings.summary.asked
            handover.wait_for_agent(
                conversation,
                because=Handover.Because.MOOD,
                intent=asked[0][0] if asked else "",
                now=now,
            )
        events.publish_on_commit(
            events.TextRead(
                conversation_id=conversation.pk, seq=message.seq, status=conversation.status
            )
        )
    return True


def _upsets(conversation: Conversation, findings: Findings) -> bool:
    """Whether somebody so negative, about such a matter, is to be handed over."""
    if conversation.status != Status.BOT or not settings.MOOD_HANDOVER_AT:
        return False
    if findings.mood is None or findings.mood.negative < settings.MOOD_HANDOVER_AT:
        return False
    wanted = set(settings.MOOD_HANDOVER_INTENTS)
    return not wanted or any(code in wanted for code, _probability in findings.summary.asked)

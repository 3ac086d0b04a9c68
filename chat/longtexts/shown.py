"""What was found in messages, as agents' pages and programs get it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from chat import access
from chat.models import Message
from csplatform.errors import Refusal
from training.models import TextAnalysis

Frame = dict[str, Any]

# The newest of one conversation.
MOST = 20
_LINES_READ = 500


class NotAnalysed(Refusal):
    code = "not_analysed"
    status = 404
    detail = _("This message is not read as a whole: it is short, or no customer wrote it.")


def of_message(conversation_id: UUID, seq: int) -> Frame:
    """Return how far the reading of one message is, and what was found.

    Raises:
        NoSuchConversation: It does not exist. Who may read it was checked by the caller.
        NotAnalysed: Nobody asked for it.
    """
    conversation = access.of_agent(conversation_id)
    message = conversation.messages.filter(seq=seq).values("pk")[:1]
    row = TextAnalysis.objects.filter(message=message).first()
    if row is None:
        raise NotAnalysed
    return _frame(seq, row)


def of_conversation(conversation_id: UUID) -> list[Frame]:
    """Return the same of the newest messages of a conversation that were asked for, newest first.

    Raises:
        NoSuchConversation: As in `of_message`.
    """
    said = access.of_agent(conversation_id).messages.filter(sender=Message.Sender.CUSTOMER)
    return found_in(dict(said.order_by("-seq").values_list("pk", "seq")[:_LINES_READ]))


def found_in(seqs: Mapping[int, int]) -> list[Frame]:
    """Return the same of some messages, newest first. One query.

    Args:
        seqs: Seq by primary key.
    """
    rows = TextAnalysis.objects.filter(message__in=seqs).order_by("-message")[:MOST]
    return [_frame(seqs[row.message], row) for row in rows]


def _frame(seq: int, row: TextAnalysis) -> Frame:
    return {
        "seq": seq,
        "status": row.status,
        "requested_at": row.requested_at.isoformat(),
        "finished_at": row.finished_at.isoformat() if row.finished_at else None,
        "findings": row.findings,
    }

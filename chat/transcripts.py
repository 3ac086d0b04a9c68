"""A conversation to keep: everything the customer could read, and nothing else.

Notes and whispers are no messages, so they are not in it; what an agent took back is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from chat.models import Conversation, Message
from chat.sockets import name_of

FORMATS = {"txt": "text/plain; charset=utf-8", "html": "text/html; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class _Line:
    at: datetime  # on the clock of settings.TIME_ZONE
    who: str  # "" for the system
    text: str
    is_own: bool
    files: Sequence[str]  # their names


def written(conversation: Conversation, form: str, *, now: datetime) -> tuple[str, bytes]:
    """Return a transcript in the language that is active.

    A text begins with a byte order mark: without it Notepad and Excel on Chinese Windows take
    UTF-8 for GBK, and everybody else ignores it.

    Args:
        form: One of FORMATS.

    Returns:
        The name of the file, and its bytes in UTF-8.
    """
    context = {
        "shop": settings.SHOP_NAME or _("Seaway Store"),
        "lines": _lines(conversation),
        "opened_at": timezone.localtime(conversation.opened_at),
        "written_at": timezone.localtime(now),
        "time_zone": settings.TIME_ZONE,
        "language": get_language(),
    }
    name = (
        f"{timezone.localtime(conversation.opened_at):%Y-%m-%d}-{str(conversation.pk)[:8]}.{form}"
    )
    if form == "html":
        return name, render_to_string("chat/transcript.html", context).encode()
    return name, render_to_string("chat/transcript.txt", context).encode("utf-8-sig")


def _lines(conversation: Conversation) -> list[_Line]:
    """Three queries, however long it is."""
    lines = (
        conversation.messages.filter(recall=None)
        .select_related("author")
        .prefetch_related("attachments")
        .order_by("seq")
    )
    return [
        _Line(
            at=timezone.localtime(line.sent_at),
            who=_name_of(line),
            text=line.text,
            is_own=line.sender == Message.Sender.CUSTOMER,
            files=[attachment.name for attachment in line.attachments.all()],
        )
        for line in lines
    ]


def _name_of(line: Message) -> str:
    names = {
        Message.Sender.CUSTOMER: _("You"),
        Message.Sender.BOT: _("Assistant"),
        Message.Sender.AGENT: name_of(line.author) or _("Customer service"),
    }
    return names.get(Message.Sender(line.sender), "")

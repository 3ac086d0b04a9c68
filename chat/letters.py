"""Mail to customers: an agent's answer to somebody who has left, and a transcript he asked for."""

import logging
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from chat import services, transcripts
from chat.models import Conversation
from chat.sockets import name_of

logger = logging.getLogger(__name__)

_LOCALES = {"zh": "zh-hans", "en": "en"}


def send_due(*, now: datetime) -> int:
    """Write to customers who have left and whose answer is there. One query when nothing is due.

    Returns:
        How many mails were sent. With the mail server away, nothing is taken and the next sweep
        tries again; what was taken and then failed is logged, and not sent again.
    """
    if not settings.EMAIL_URL or not (due := services.due_letters(now)):
        return 0
    sent = 0
    with mail.get_connection() as connection:  # fails before anything is taken
        for address_id in due:
            if (letter := services.take_letter(address_id)) is not None:
                sent += _send_answer(letter, connection)
    return sent


def _send_answer(letter: services.Letter, connection: BaseEmailBackend) -> int:
    with translation.override(_LOCALES.get(letter.language, settings.LANGUAGE_CODE)):
        shop = _shop()
        subject = _("%(shop)s has answered you") % {"shop": shop}
        lines = [{"who": name_of(line.author), "text": line.text} for line in letter.lines]
        context = {"shop": shop, "lines": lines, "address": settings.SITE_URL}
        body = render_to_string("chat/answer_mail.txt", context)
    message = mail.EmailMessage(subject, body, to=[letter.email], connection=connection)
    # Programs that reply to mail by themselves leave this one alone (RFC 3834).
    message.extra_headers["Auto-Submitted"] = "auto-generated"
    try:
        return int(message.send())
    except OSError:  # smtplib's errors are some
        logger.exception("An answer could not be mailed; it stands in the conversation")
        return 0


def send_transcript(*, conversation_id: UUID, email: str, language: str, now: datetime) -> None:
    """Mail a transcript to an address that the customer has typed.

    What was said is attached and not in the mail's own text: whoever gets it unasked reads
    nothing of a stranger's.

    Args:
        language: Of the reader, a Django language code.

    Raises:
        OSError: The mail server did not take it.
    """
    conversation = Conversation.objects.get(pk=conversation_id)
    with translation.override(language):
        shop = _shop()
        name, content = transcripts.written(conversation, "html", now=now)
        message = mail.EmailMessage(
            _("Your conversation with %(shop)s") % {"shop": shop},
            render_to_string("chat/transcript_mail.txt", {"shop": shop}),
            to=[email],
            headers={"Auto-Submitted": "auto-generated"},
        )
    message.attach(name, content, "text/html")
    message.send()


def _shop() -> str:
    return settings.SHOP_NAME or _("Seaway Store")

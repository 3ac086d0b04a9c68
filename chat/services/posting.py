"""Messages: of customers, of the bot, of agents. Stored first, acknowledged after the commit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from chat import access, attachments, events
from chat.longtexts.telling import is_long
from chat.models import Handover, Message
from chat.replies import Answer
from chat.services import handover, leases, numbering
from chat.services.conversations import (
    Status,
    add_line,
    insert_line,
    locked,
    open_conversation,
    opened_again,
)
from csplatform.errors import Refusal
from intents import guard, language
from intents.models import Channel, Language
from training.analysis import work


class EmptyMessage(Refusal):
    code = "empty"
    status = 400
    detail = _("There is nothing in this message.")


class TooLong(Refusal):
    code = "too_long"
    status = 413

    def __init__(self) -> None:
        most = settings.CHAT_MESSAGE_MAX_CHARS
        super().__init__(
            _("This message is too long: at most %(most)s characters.") % {"most": most}
        )


class _NotOwed(Exception):
    """The bot need not answer any more."""


@dataclass(frozen=True, slots=True)
class Posted:
    """A stored message."""

    message: Message
    is_new: bool  # False: it was posted before, and this is what was stored then


def post_customer_message(
    *,
    uid: str,
    text: str,
    now: datetime,
    client_id: UUID | None = None,
    conversation_id: UUID | None = None,
    channel: str = Channel.WEB,
    spoken: str = Language.CHINESE,
    attachment_ids: Sequence[UUID] = (),
) -> Posted:
    """Store what a customer said, with the sensitive words starred out.

    A `client_id` seen before returns the message stored then, whatever the text is now.

    Args:
        conversation_id: One of the customer's; None takes the open one, else a new one.
        channel: Of a new conversation.
        spoken: Language of a new conversation until a message says otherwise.
        attachment_ids: Files of his that are not sent yet; with some the text may be empty.

    Raises:
        EmptyMessage: White space only, and no files.
        NoSuchAttachment: One of the files is not his, or was sent before; nothing is stored.
        TooLong: More than CHAT_MESSAGE_MAX_CHARS characters.
        Blocked: It looks like an attack; nothing is stored.
        NoSuchConversation: It does not exist, or is somebody else's.
        ConversationClosed: Too late; without `conversation_id` it opens a new one.
    """
    text = checked(text, may_be_empty=bool(attachment_ids))
    guard.check(text)
    text = guard.mask(text).text
    detected = language.detect(text)
    try:
        with transaction.atomic():
            conversation = numbering.next_of_customer(
                uid, conversation_id=conversation_id, client_id=client_id, language=detected
            )
            insert = insert_line
            if conversation is None:  # a first message, a repeat, or it has ended
                if client_id is not None and (stored := _stored(uid, client_id)) is not None:
                    return Posted(stored, is_new=False)
                conversation = (
                    open_conversation(uid, channel=channel, spoken=detected or spoken, now=now)
                    if conversation_id is None
                    else locked(access.of_customer(uid, conversation_id).pk)
                )
                if conversation.status == Status.CLOSED:
                    conversation = opened_again(conversation, now=now)
                conversation.language = detected or conversation.language
                insert = add_line
            if not detected and language.is_code(text):
                detected = conversation.language
            message = insert(
                conversation,
                sender=Message.Sender.CUSTOMER,
                text=text,
                now=now,
                client_id=client_id,
                language=detected,
                awaits_answer=conversation.status != Status.AGENT,
                attach=_attaching(attachment_ids, uid=uid),
            )
            if conversation.status == Status.AGENT:
                leases.owe(conversation, now=now)
            if is_long(text):
                _have_read(message, now=now)
    except IntegrityError:  # sent twice at once, and the other was first
        if client_id is None or (stored := _stored(uid, client_id)) is None:
            raise
        return Posted(stored, is_new=False)
    return Posted(message, is_new=True)


def _have_read(message: Message, *, now: datetime) -> None:
    work.request(message=message.pk, characters=len(message.text), said_at=message.sent_at, now=now)
    events.publish_on_commit(
        events.LongTextPosted(
            conversation_id=message.conversation_id,
            seq=message.seq,
            status=message.conversation.status,
            message_id=message.pk,
        )
    )


def post_answer(*, message_id: int, answer: Answer, now: datetime) -> Posted | None:
    """Store the bot's answer, unless the message has one or the bot lost the conversation.

    It is the answer to everything that the customer said up to this message.

    With `answer.hands_over` the conversation waits for an agent from then on.

    Returns:
        The answer, new or old; None when an agent took over, or it was closed.
    """
    try:
        with transaction.atomic():
            conversation = numbering.next_of_answer(message_id)
            # One UPDATE decides between the web process and the sweep.
            if conversation is None or not _owed(conversation.pk, message_id):
                raise _NotOwed  # and the seq stays as it was
            posted = insert_line(
                conversation,
                sender=Message.Sender.BOT,
                text=answer.text,
                now=now,
                answers_id=message_id,
                decision=answer.decision,
                intent=answer.intent,
                probability=answer.probability,
                model_version=answer.model_version,
                buttons=list(answer.buttons),
            )
            if answer.hands_over:
                handover.wait_for_agent(
                    conversation,
                    because=Handover.Because(answer.because),
                    intent=answer.intent,
                    now=now,
                )
    except _NotOwed:
        stored = Message.objects.answer_to(message_id)
        return Posted(stored, is_new=False) if stored else None
    return Posted(posted, is_new=True)


def leave_to_agent(*, conversation_id: UUID, message_id: int) -> bool:
    """Let a message, and what was said right before it, go without an answer of the bot's.

    An agent was called and will read it.

    Returns:
        False when it was answered, or left, before.
    """
    return _owed(conversation_id, message_id)


def _owed(conversation_id: UUID, message_id: int) -> bool:
    """Take from the bot a message and all before it; False when it owed none of them.

    What is owed is always the end of a conversation: a message is never answered, or left,
    without those before it.
    """
    owed = Message.objects.filter(
        conversation_id=conversation_id, pk__lte=message_id, awaits_answer=True
    )
    return bool(owed.update(awaits_answer=False))


def post_agent_message(
    *,
    conversation_id: UUID,
    agent_id: int,
    text: str,
    now: datetime,
    client_id: UUID | None = None,
    attachment_ids: Sequence[UUID] = (),
) -> Message:
    """Store what an agent said. A `client_id` seen before returns the message stored then.

    Raises:
        EmptyMessage, TooLong: As for customers.
        NotYours: Somebody else has the conversation, or nobody.
        NoSuchConversation: It does not exist.
        NoSuchAttachment: As for customers.
    """
    text = checked(text, may_be_empty=bool(attachment_ids))
    with transaction.atomic():
        conversation = locked(conversation_id)
        if client_id is not None:
            stored = conversation.messages.filter(client_id=client_id, author_id=agent_id).first()
            if stored is not None:
                return stored
        if conversation.status != Status.AGENT or conversation.agent_id != agent_id:
            raise handover.NotYours
        leases.answer(conversation, now=now)
        return add_line(
            conversation,
            sender=Message.Sender.AGENT,
            text=text,
            now=now,
            client_id=client_id,
            author_id=agent_id,
            attach=_attaching(attachment_ids, agent_id=agent_id),
        )


def _attaching(attachment_ids: Sequence[UUID], **owner: Any) -> Callable[[Message], None] | None:
    """Return what adds these files of their owner to a line; None where there are none."""
    if not attachment_ids:
        return None
    return lambda message: attachments.bind(message, attachment_ids, **owner)


def checked(text: str, *, may_be_empty: bool = False) -> str:
    """Return what somebody wrote, without white space around it.

    Raises:
        EmptyMessage, TooLong: As the names say.
    """
    text = text.strip()
    if not text and not may_be_empty:
        raise EmptyMessage
    if len(text) > settings.CHAT_MESSAGE_MAX_CHARS:
        raise TooLong
    return text


def _stored(uid: str, client_id: UUID) -> Message | None:
    stored = Message.objects.filter(
        conversation__uid=uid, client_id=client_id, sender=Message.Sender.CUSTOMER
    )
    return stored.select_related("conversation").first()

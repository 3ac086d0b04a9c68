"""Background work: load nothing, decide nothing, make one call."""

import logging
import math
import threading
import time
from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.db import InterfaceError
from django.db import OperationalError as DatabaseAway
from django.utils import timezone
from kombu.exceptions import OperationalError

from chat import attachments, bursts, dialogue, letters, presence, services, webhooks
from chat.longtexts import reading
from chat.models import Message
from intents.buffering import BufferedWriter
from training.analysis import work

logger = logging.getLogger(__name__)

# One sweep; the next one is two seconds away.
_MOST_PER_SWEEP = 50
# Threads of one worker that wait for endpoints; the others are for sweeps.
_sending = threading.BoundedSemaphore(2)
_SENDING_S = 10.0  # one task; what is left is for the next
# With the broker away, asking for a task takes a second: then the sweep alone sends for a while.
_BROKER_PAUSE_S = 30.0
_broker_away_until = -math.inf  # time.monotonic()


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def answer_overdue(**_newer: object) -> None:
    """Answer customer messages that a killed or stuck web process left without an answer.

    Each once, however often this runs and whoever else is answering: that is settled in
    services.post_answer. A message that cannot be answered does not hold up the others.
    `**_newer` lets a worker of this release take a task that the next one sent.
    """
    now = timezone.now()
    overdue = now - timedelta(seconds=settings.CHAT_ANSWER_OVERDUE_S)
    latest = list(Message.objects.latest_unanswered(overdue)[:_MOST_PER_SWEEP])
    owed = Message.objects.filter(pk__in=latest).order_by("pk")
    for message_id, text, sent_at in list(owed.values_list("pk", "text", "sent_at")):
        if bursts.may_be_held(text, sent_at, now):
            continue
        try:
            dialogue.answer_blocking(message_id)
        except Exception:
            logger.exception(
                "Message %s could not be answered, the next sweep tries again", message_id
            )


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def deliver_webhooks(**_newer: object) -> None:
    """Send what is due to the endpoints of other programs; one query when nothing is.

    Each delivery by one worker, however often this runs: webhooks.deliver_next settles that.
    """
    if not _sending.acquire(blocking=False):
        return  # two threads are at it
    try:
        began = time.monotonic()
        while time.monotonic() - began < _SENDING_S:
            if not webhooks.deliver_next(now=timezone.now()):
                break
    finally:
        _sending.release()


def send_webhooks_soon() -> None:
    """Ask the worker for `deliver_webhooks`. The sweep does it anyway, a few seconds later."""
    global _broker_away_until
    if time.monotonic() < _broker_away_until:
        return
    try:
        deliver_webhooks.apply_async(expires=60)
    except OperationalError as error:
        _broker_away_until = time.monotonic() + _BROKER_PAUSE_S
        logger.warning("The broker is away, webhooks wait for the sweep: %s", error)


@shared_task(  # type: ignore[untyped-decorator]  # Celery has no types
    ignore_result=False,
    autoretry_for=(DatabaseAway, InterfaceError),
    retry_backoff=2,
    retry_backoff_max=120,
    max_retries=5,
)
def analyse_message(*, message_id: int, **_newer: object) -> bool:
    """Read one long text and store what is in it: once, however often this is delivered.

    Tried again here is what could not even be noted, with the database away; every other failure
    is noted in the text's row, and the sweep asks again.
    """
    return reading.read(message_id, clock=timezone.now)


@shared_task  # type: ignore[untyped-decorator]
def queue_analyses(**_newer: object) -> None:
    """Ask for the texts that nobody was asked for, or whose reader has died."""
    _ask_for_analyses(work.due(now=timezone.now()))


def analyse_soon(message_id: int) -> None:
    """Have the worker asked for one text, by a thread: nobody waits for a broker that is away."""
    _asked_for.add(message_id)


def _ask_for_analyses(message_ids: list[int]) -> None:
    try:
        for message_id in message_ids:
            analyse_message.apply_async(kwargs={"message_id": message_id})
    except OperationalError as error:
        logger.warning("The broker is away, long texts wait for the sweep: %s", error)


_asked_for: BufferedWriter[int] = BufferedWriter(
    _ask_for_analyses, most=10_000, together=100, every_s=0.05, dropped=lambda _count: None
)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def forget_old_webhooks(**_newer: object) -> None:
    """Delete the log of webhooks that is older than WEBHOOK_LOG_DAYS."""
    webhooks.forget_old(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def move_waiting(**_newer: object) -> None:
    """Take back what is not answered, tell supervisors of what waits too long, give out the rest."""
    now, present = timezone.now(), presence.present()
    services.return_overdue(now=now, present=present)
    services.escalate_overdue(now=now)
    services.assign_waiting(now=now, present=present)


@shared_task  # type: ignore[untyped-decorator]
def mail_answers(**_newer: object) -> None:
    """Write to customers who have left and whose answer is there."""
    letters.send_due(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def forget_old_addresses(**_newer: object) -> None:
    """Delete the addresses that are not used any more."""
    services.forget_addresses(timezone.now())


@shared_task(acks_late=False)  # type: ignore[untyped-decorator]
def mail_transcript(*, conversation: str, email: str, language: str, **_newer: object) -> None:
    """Mail a transcript, at most once: a second copy is worse than asking for it again."""
    letters.send_transcript(
        conversation_id=UUID(conversation), email=email, language=language, now=timezone.now()
    )


def mail_transcript_soon(*, conversation_id: UUID, email: str, language: str) -> None:
    """Have the worker mail a transcript.

    Raises:
        MailIsOff: The broker is away, so nobody would.
    """
    asked = {"conversation": str(conversation_id), "email": email, "language": language}
    try:
        mail_transcript.apply_async(kwargs=asked, expires=3600)
    except OperationalError as error:
        logger.warning("The broker is away, a transcript is not mailed: %s", error)
        raise services.MailIsOff from None


@shared_task  # type: ignore[untyped-decorator]
def close_idle(**_newer: object) -> None:
    """Close what nobody has said anything in for a day; the next message goes on with it."""
    now = timezone.now()
    services.close_idle(before=now - timedelta(seconds=settings.CHAT_IDLE_CLOSE_S), now=now)


@shared_task  # type: ignore[untyped-decorator]
def forget_unsent_attachments(**_newer: object) -> None:
    """Delete files that were uploaded a day ago and not sent since."""
    attachments.forget_unsent(now=timezone.now())

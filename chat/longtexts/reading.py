"""Reading one long text as a whole: what the worker does."""

import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError

from chat import services
from chat.longtexts.catalogue import current_catalogue
from chat.models import Message
from training import analysis
from training.analysis import metrics, work

logger = logging.getLogger(__name__)

# Texts that are computed at once, whatever ANALYSIS_THREADS is: one core is left to those who chat.
_room = threading.BoundedSemaphore(max(1, (os.cpu_count() or 1) - 1))


class _Renewing:
    """Keeps the lease while a text is being read: on a busy machine that takes long."""

    def __init__(self, claimed: work.Claim, clock: Callable[[], datetime]) -> None:
        self._claimed, self._clock = claimed, clock
        self._every = timedelta(seconds=settings.ANALYSIS_LEASE_S / 3)
        self._renewed_at = clock()

    def __call__(self) -> None:
        now = self._clock()
        if now - self._renewed_at > self._every:
            work.renew(self._claimed, now=now)
            self._renewed_at = now


def read(message_id: int, *, clock: Callable[[], datetime]) -> bool:
    """Read one message's text and store what is in it: once, however often this is called.

    Args:
        clock: Asked twice, for seconds lie between claiming a text and storing what was found.

    Returns:
        Whether this call stored it.

    Raises:
        OperationalError, InterfaceError: The database is away; the text is read later.
    """
    with _room:  # before the claim: a lease counts while a text is read, not while it waits
        return _read(message_id, clock)


def _read(message_id: int, clock: Callable[[], datetime]) -> bool:
    claimed = work.claim(message_id, now=clock())
    if claimed is None:
        return False
    message = Message.objects.filter(pk=message_id).first()
    if message is None:
        work.forget([message_id])
        return False
    began = time.perf_counter()
    try:
        findings = analysis.analyse(
            message.text,
            at=message.sent_at,
            language=message.language,
            catalogue=current_catalogue(),
            still_wanted=_Renewing(claimed, clock),
        )
        metrics.SECONDS.observe(time.perf_counter() - began)
        return services.store_findings(message, claimed=claimed, findings=findings, now=clock())
    except work.Lost:
        return False
    except (OperationalError, InterfaceError):
        raise  # the lease ends, and it is read again
    except Exception as error:
        logger.exception("Message %s could not be read as a whole", message_id)
        work.fail(claimed, reason=f"{type(error).__name__}: {error}", now=clock())
        return False

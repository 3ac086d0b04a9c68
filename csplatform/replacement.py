"""How a process that can no longer do its work makes room for a new one.

It ends as if it had been told to by SIGTERM: requests and transactions that are open are
finished, sockets are closed with 1012 ("service restart") and connect again. Whoever supervises
it starts it again; csplatform.supervisor does not count that as a crash.
"""

import logging
import os
import signal
import threading
import time

from django.conf import settings

logger = logging.getLogger(__name__)

# A process lives at least so many times the limit of a hang, a minute by default: where every
# model hangs, customers reconnect once a minute and not all the time.
_LEAST_HANGS = 12
_began = time.monotonic()


def ask_for_replacement() -> None:
    """End this process in order, at the latest when it is a minute old. Returns at once."""
    wait_s = max(0.0, _LEAST_HANGS * settings.INTENTS_HANG_S - (time.monotonic() - _began))
    logger.critical("This process ends in %.0f s, to be replaced", wait_s)
    timer = threading.Timer(wait_s, os.kill, (os.getpid(), signal.SIGTERM))
    timer.daemon = True
    timer.start()

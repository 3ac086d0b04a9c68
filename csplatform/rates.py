"""How often somebody may do something: counted in the cache, per person and fixed window."""

import time

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

from csplatform.errors import Refusal


class TooFast(Refusal):
    code = "too_fast"
    status = 429
    detail = _("This is too fast. Please wait a moment.")


def count(scope: str, who: str) -> None:
    """Count one request of `who`; at most settings.RATES[scope] go through.

    With the cache away everybody goes through: a limit protects the service, and must
    not be what takes it down.

    Raises:
        TooFast: Too many in this window; `retry_after_s` says when the next begins.
    """
    most, period_s = settings.RATES[scope]
    now = time.time()
    key = f"rate:{scope}:{who}:{int(now // period_s)}"
    try:
        counted = cache.incr(key)
    except ValueError:  # the first in its window
        counted = 1 if cache.add(key, 1, timeout=period_s + 1) else 2
    if (counted or 0) > most:  # None with the cache away
        refusal = TooFast()
        refusal.retry_after_s = max(1, round(period_s - now % period_s))
        raise refusal

"""How often somebody may do something: counted on the cache server, per person and fixed window."""

import time

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from redis import Redis

from csplatform import cache_server
from csplatform.errors import Refusal


class TooFast(Refusal):
    code = "too_fast"
    status = 429
    detail = _("This is too fast. Please wait a moment.")


def count(scope: str, who: str) -> None:
    """Count one request of `who`; at most settings.RATES[scope] go through.

    With the server away everybody goes through: a limit protects the service, and must
    not be what takes it down.

    Raises:
        TooFast: Too many in this window; `retry_after_s` says when the next begins.
    """
    most, period_s = settings.RATES[scope]
    now = time.time()
    key = f"rate:{scope}:{who}:{int(now // period_s)}"
    try:
        counted = cache_server.ask(lambda server: _counted(server, key, period_s))
    except cache_server.Away:
        return
    if counted > most:
        refusal = TooFast()
        refusal.retry_after_s = max(1, round(period_s - now % period_s))
        raise refusal


def _counted(server: Redis, key: str, period_s: int) -> int:
    pipeline = server.pipeline(transaction=False)
    pipeline.incr(key)
    pipeline.expire(key, period_s + 1)
    return int(pipeline.execute()[0])

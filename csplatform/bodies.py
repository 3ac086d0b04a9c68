"""How much of a request's body is taken: ASGI, around Django's handler.

Django reads a body to its end, into a temporary file, before any view can refuse it: without a
limit anybody could fill the disk, signed in or not. What is refused here is not read.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

Application = Callable[[Any, Any, Any], Awaitable[None]]

# The tables that staff import in the admin are smaller.
_LEAST = 20_000_000
# What a form adds to its file.
_BESIDES = 100_000


def most() -> int:
    """Return the size of the largest body, in bytes: one attachment, or one imported table."""
    return max(_LEAST, int(settings.ATTACHMENT_MAX_MB * 1_000_000)) + _BESIDES


class BoundedBodies:
    """ASGI: a body beyond `most` is refused with 413; the rest is for `others`."""

    def __init__(self, others: Application) -> None:
        self._others = others

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        limit = most()
        if _announced(scope) > limit:
            await _refuse(scope, send)
            return
        taken = 0
        is_answered = False

        async def bounded() -> Any:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            # Django lets go of a request whose sender has gone, and of what it has stored of it.
            return {"type": "http.disconnect"} if taken > limit else message

        async def answer(message: Any) -> None:
            nonlocal is_answered
            is_answered = True
            await send(message)

        await self._others(scope, bounded, answer)
        if taken > limit and not is_answered:
            await _refuse(scope, send)


def _announced(scope: Any) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0  # sent in pieces: it is counted


async def _refuse(scope: Any, send: Any) -> None:
    languages = dict(scope["headers"]).get(b"accept-language", b"").decode("latin-1").lower()
    with translation.override("en" if languages.startswith("en") else settings.LANGUAGE_CODE):
        detail = _("This is more than can be sent at once.")
    body = json.dumps({"code": "too_large", "detail": detail}).encode()
    headers = [
        (b"Content-Type", b"application/json"),
        (b"Content-Length", str(len(body)).encode()),
        (b"Connection", b"close"),
        (b"X-Content-Type-Options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})

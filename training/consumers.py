"""The socket of the admin's training pages: it says "look", and they read over HTTP."""

import asyncio
import contextlib
from typing import Any, ClassVar
from urllib.parse import urlsplit

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.sessions import CookieMiddleware
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils.module_loading import import_string

from csplatform import layers
from csplatform.threads import in_thread
from training import live

_NOT_YOURS = 4403
_COME_AGAIN = 4401
# The session and its permissions are looked at when a socket opens; none is older than this.
_LONGEST_S = 600.0


class TrainingConsumer(AsyncJsonWebsocketConsumer):
    """Sends {"type": "moved"} when a training has moved on, to whoever may see trainings.

    Signed in by the admin's session cookie, which browsers also send for pages of others: so the
    page must be of the same host. Nothing that a client sends changes anything.
    """

    permission: ClassVar[str] = "training.view_trainingrun"

    async def connect(self) -> None:
        self._shut: asyncio.TimerHandle | None = None
        is_ours = _is_same_host(self.scope)
        if not is_ours or not await in_thread(_may)(self.scope, self.permission):
            await self.close(_NOT_YOURS)
            return
        await self.accept()
        loop = asyncio.get_running_loop()
        self._shut = loop.call_later(_LONGEST_S, lambda: loop.create_task(self._end()))
        # With the layer away the page's own questions, every few seconds, have to do.
        with contextlib.suppress(Exception):
            joining = self.channel_layer.group_add(live.GROUP, self.channel_name)
            await asyncio.wait_for(joining, layers.TIMEOUT_S)
        await self.training_moved({})  # what moved before it was open

    async def disconnect(self, code: int) -> None:
        if self._shut is not None:
            self._shut.cancel()
            with contextlib.suppress(Exception):
                leaving = self.channel_layer.group_discard(live.GROUP, self.channel_name)
                await asyncio.wait_for(leaving, layers.TIMEOUT_S)

    async def receive(self, text_data: Any = None, bytes_data: Any = None, **_: Any) -> None:
        """Take nothing: the pages ask over HTTP."""

    async def training_moved(self, _hint: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # it has gone
            await self.send_json({"type": "moved"})

    async def _end(self) -> None:
        with contextlib.suppress(OSError):
            await self.close(_COME_AGAIN)


def _is_same_host(scope: Any) -> bool:
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    origin, host = headers.get(b"origin", ""), headers.get(b"host", "")
    return bool(host) and urlsplit(origin).netloc == host


def _may(scope: Any, permission: str) -> bool:
    """Whether the session of this scope is somebody's who comes into the admin, and may."""
    key = scope.get("cookies", {}).get(settings.SESSION_COOKIE_NAME)
    if not key:
        return False
    request = HttpRequest()
    session: SessionBase = import_string(f"{settings.SESSION_ENGINE}.SessionStore")(key)
    request.session = session
    user = get_user(request)
    return bool(user.is_active and user.is_staff and user.has_perm(permission))


def with_cookies(application: Any) -> Any:
    """Return the consumer with the cookies of its handshake read."""
    return CookieMiddleware(application)

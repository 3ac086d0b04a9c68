"""The ASGI application: HTTP to Django, WebSockets to chat's and training's routing.py, and the engine beside them."""

import asyncio
import os
import sqlite3
import warnings
from functools import cache
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csplatform.settings")
http = get_asgi_application()  # must run before anything imports a model

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.conf import settings  # noqa: E402

from chat.consumers import finish  # noqa: E402
from chat.routing import websocket_urlpatterns  # noqa: E402
from csplatform import garbage, replacement, threads  # noqa: E402
from csplatform.bodies import BoundedBodies  # noqa: E402
from csplatform.hot import HotPath  # noqa: E402
from intents import inference, records  # noqa: E402
from training.routing import websocket_urlpatterns as training_sockets  # noqa: E402

# WhiteNoise hands files to Django as ordinary iterators; they are small, and this is known.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous")

# When the sockets are closed, answers that are being made have so long.
_LAST_ANSWERS_S = 2.0

_router = ProtocolTypeRouter(
    {
        "http": HotPath(["api-chat", "classify"], others=BoundedBodies(http)),
        "websocket": AllowedHostsOriginValidator(
            URLRouter([*websocket_urlpatterns, *training_sockets])
        ),
    }
)


@cache
def _start() -> sqlite3.Connection | None:
    """Begin, once, what belongs to a serving process; not on import, which tools do too.

    Returns:
        A connection that is kept open and idle. Whoever closes the last one to a SQLite file
        writes its log back and deletes it (4 ms here), and Django closes one per request.
    """
    inference.when_unfit(replacement.ask_for_replacement)
    inference.start()
    garbage.start()
    database = settings.DATABASES["default"]
    if not database["ENGINE"].endswith("sqlite3"):
        return None
    kept = sqlite3.connect(database["NAME"], check_same_thread=False)
    kept.execute("SELECT name FROM sqlite_master LIMIT 1").fetchall()  # opens the file
    return kept


@cache
def _equip(loop: asyncio.AbstractEventLoop) -> None:
    """Give a loop, once, the threads whose database connections are kept."""
    loop.set_default_executor(threads.pool())


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve one scope. The first one, of whatever kind, starts the engine in the background."""
    _start()
    _equip(asyncio.get_running_loop())
    if scope["type"] == "lifespan":
        await _live(receive, send)
    else:
        await _router(scope, receive, send)


async def _live(receive: Any, send: Any) -> None:
    """Serve the server's own scope: with it the engine loads before the first customer comes."""
    message = {"type": ""}
    while message["type"] != "lifespan.shutdown":
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            await finish(_LAST_ANSWERS_S)
            await threads.in_thread(records.stop)()  # it writes what it still holds
        await send({"type": f"{message['type']}.complete"})

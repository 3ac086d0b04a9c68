"""The ASGI application: HTTP to Django, WebSockets to chat/routing.py, and the engine beside them."""

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

from chat.routing import websocket_urlpatterns  # noqa: E402
from intents import inference  # noqa: E402

# WhiteNoise hands files to Django as ordinary iterators; they are small, and this is known.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous")

_router = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": AllowedHostsOriginValidator(URLRouter(websocket_urlpatterns)),
    }
)


@cache
def _start() -> sqlite3.Connection | None:
    """Begin, once, what belongs to a serving process; not on import, which tools do too.

    Returns:
        A connection that is kept open and idle. Whoever closes the last one to a SQLite file
        writes its log back and deletes it (4 ms here), and Django closes one per request.
    """
    inference.start()
    database = settings.DATABASES["default"]
    if not database["ENGINE"].endswith("sqlite3"):
        return None
    kept = sqlite3.connect(database["NAME"], check_same_thread=False)
    kept.execute("SELECT name FROM sqlite_master LIMIT 1").fetchall()  # opens the file
    return kept


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve one scope. The first one, of whatever kind, starts the engine in the background."""
    _start()
    await _router(scope, receive, send)

"""The socket of the training pages: who gets in, and that it says "look" when a training moves."""

from datetime import datetime
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from tests.factories import StaffFactory
from training import services
from training.models import TrainingRun
from training.routing import websocket_urlpatterns

pytestmark = pytest.mark.django_db(transaction=True)
BACKEND = "django.contrib.auth.backends.ModelBackend"
ADDRESS = "/ws/admin/training/"


def session_of(role: str, **fields: Any) -> str:
    client = Client()
    client.force_login(StaffFactory(role=role, **fields), backend=BACKEND)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


async def opened(
    session: str, origin: str = "http://shop.test"
) -> tuple[WebsocketCommunicator, bool]:
    headers = [(b"host", b"shop.test"), (b"origin", origin.encode())]
    if session:
        headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={session}".encode()))
    socket = WebsocketCommunicator(URLRouter(websocket_urlpatterns), ADDRESS, headers)
    connected, _code = await socket.connect(10)
    return socket, connected


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("business editor", True),
        ("reviewer", True),
        ("supervisor", True),
        ("administrator", True),
        ("agent", False),
    ],
)
async def test_whoever_may_see_trainings_gets_in(role: str, may: bool) -> None:
    session = await sync_to_async(session_of)(role, is_staff=role != "agent")
    socket, connected = await opened(session)
    assert connected is may
    await socket.disconnect()


@pytest.mark.parametrize("session", ["", "no-such-session"])
async def test_nobody_gets_in_without_a_session(session: str) -> None:
    socket, connected = await opened(session)
    assert not connected
    await socket.disconnect()


@pytest.mark.parametrize("origin", ["https://evil.test", "http://shop.test.evil.test", ""])
async def test_a_page_of_somebody_else_does_not_get_in(origin: str) -> None:
    session = await sync_to_async(session_of)("administrator")
    socket, connected = await opened(session, origin)
    assert not connected
    await socket.disconnect()


async def test_it_says_look_when_a_training_moves(now: datetime) -> None:
    session = await sync_to_async(session_of)("business editor")
    run = await sync_to_async(TrainingRun.objects.create)(status="RUNNING", slot=1)
    socket, _ = await opened(session)
    assert await socket.receive_json_from(20) == {"type": "moved"}  # what it may have missed

    await sync_to_async(services.cancel)(run_id=run.pk, now=now)

    assert await socket.receive_json_from(20) == {"type": "moved"}
    await socket.send_json_to({"type": "whatever"})
    assert await socket.receive_nothing(0.1)
    await socket.disconnect()

"""The channel layer carries hints ("look"), never content, and fails open.

The database is the truth: a hint that is lost costs a client the time until its next
heartbeat. So nothing here may fail a request, or hold one up.
"""

import asyncio
import logging
import threading
import uuid
from typing import Any

from channels.layers import get_channel_layer
from channels_redis.pubsub import RedisPubSubChannelLayer

logger = logging.getLogger(__name__)

# A server that does not answer within this time is away.
TIMEOUT_S = 1.0
# Of equal hints within this time one is enough. It also keeps the sending out of the way of the
# answer that is being made in another thread.
_TOGETHER_S = 0.01
# Hints under way at once. More only pile up while the server is away, and are dropped.
_MOST_UNDER_WAY = 1000


class HintLayer(RedisPubSubChannelLayer):
    """The pub/sub layer, with which a socket can open while the server is away.

    A consumer's own channel is a queue in this process: groups deliver into it, and nobody
    sends to it by name from elsewhere. So it needs no subscription, which the original
    makes at every connect, and which fails every connect while the server is away.
    (RedisPubSubLoopLayer of channels_redis 4.3.0; tests/platform/test_layers.py.)
    """

    async def new_channel(self, prefix: str = "specific.") -> str:
        layer = self._get_layer()
        channel = f"{layer.prefix}{prefix}{uuid.uuid4().hex}"
        layer.channels[channel] = asyncio.Queue()
        return channel


class _Sender:
    """A thread with an event loop of its own, so that every thread can send without waiting."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        # By group and by what distinguishes it from others to that group.
        self._waiting: dict[tuple[str, frozenset[tuple[str, Any]]], dict[str, Any]] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._is_away = False

    def send(self, group: str, message: dict[str, Any], rising: str) -> None:
        told_by = frozenset(part for part in message.items() if part[0] != rising)
        with self._lock:
            is_due = bool(self._waiting)
            self._waiting[group, told_by] = message
            if is_due:
                return  # it goes with those before it
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="hints", daemon=True).start()
        self._loop.call_soon_threadsafe(self._loop.call_later, _TOGETHER_S, self._send_waiting)

    def _send_waiting(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for (group, _told_by), message in waiting.items():
            if len(self._under_way) >= _MOST_UNDER_WAY:
                return
            task = asyncio.get_running_loop().create_task(self._send(group, message))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _send(self, group: str, message: dict[str, Any]) -> None:
        try:
            await asyncio.wait_for(get_channel_layer().group_send(group, message), TIMEOUT_S)
        except Exception as error:
            # Once per outage: a busy site would otherwise fill the log with it.
            if not self._is_away:
                logger.warning("The channel layer is away, hints are lost: %r", error)
            self._is_away = True
        else:
            if self._is_away:
                logger.info("The channel layer is back")
            self._is_away = False


_sender = _Sender()


def send_soon(group: str, message: dict[str, Any], *, rising: str = "") -> None:
    """Send a message to a group, from any thread, without waiting; failures are logged only.

    Of equal messages within 10 ms one is sent: a message says "look".

    Args:
        message: Its values can be hashed.
        rising: A key whose value only goes up: of messages that differ in nothing else the latest
            is sent.
    """
    _sender.send(group, message, rising)

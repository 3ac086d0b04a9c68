"""When the bot answers one customer: at once, or together with what he is about to add."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from django.conf import settings

from chat import bursts
from chat.consumers.base import TYPING_EVERY_S
from chat.consumers.running import keep
from chat.models import Message

# A frame "is typing" tells of that long.
_TYPING_S = TYPING_EVERY_S + 0.5


class Answering:
    """The answer that is due to one customer.

    A message that comes before the one ahead of it is answered takes its answer over: the
    answer to the later one is for both (chat/dialogue.py).
    """

    def __init__(self, answer: Callable[[Message | int], Awaitable[None]]) -> None:
        self._answer = answer
        self._task: asyncio.Task[None] | None = None
        self._held: Message | None = None  # waits for what follows
        self._until = 0.0  # time.monotonic() from which nothing is put off any more

    def asked(self, message: Message) -> None:
        """Have a message answered, which was stored just now."""
        burst_s, now = settings.CHAT_BURST_S, time.monotonic()
        if self._task is None or self._task.done():
            self._until = now + bursts.MOST * burst_s
        elif now < self._until:
            self._task.cancel()
        self._start(message, burst_s if bursts.more_follows(message.text) else 0.0)

    def typing(self) -> None:
        """Hold on: what is held is being added to."""
        if self._held is not None and self._task is not None:
            self._task.cancel()
            self._start(self._held, max(settings.CHAT_BURST_S, _TYPING_S))

    def _start(self, message: Message, wait_s: float) -> None:
        wait_s = min(wait_s, max(0.0, self._until - time.monotonic()))
        self._held = message if wait_s else None
        self._task = keep(self._after(wait_s, message))

    async def _after(self, wait_s: float, message: Message) -> None:
        if not wait_s:
            await self._answer(message)
            return
        await asyncio.sleep(wait_s)
        self._held = None
        # Read afresh: he may have asked for a human meanwhile.
        await self._answer(message.pk)

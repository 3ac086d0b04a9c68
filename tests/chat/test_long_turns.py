"""Who may be at work on an event loop at once."""

import asyncio

import pytest
from django.utils import timezone

from chat import dialogue, services
from chat.longtexts.turns import in_turn
from chat.models import Message
from tests.chat.conftest import ScriptedEngine

LONG, SHORT = "长" * 2000, "短"


async def test_long_texts_take_turns_in_their_order_and_short_ones_pass_them():
    log: list[str] = []
    first_may_end = asyncio.Event()

    async def work(name: str, text: str) -> None:
        async with in_turn(text):
            log.append(name)
            if name == "first":
                await first_may_end.wait()

    working = [asyncio.create_task(work("first", LONG))]
    await asyncio.sleep(0)
    working += [asyncio.create_task(work(name, LONG)) for name in ("second", "third")]
    await asyncio.wait_for(work("short", SHORT), 10)
    assert log == ["first", "short"]
    first_may_end.set()
    await asyncio.gather(*working)

    assert log == ["first", "short", "second", "third"]


async def test_one_that_fails_or_goes_away_leaves_its_turn():
    async def cancelled() -> None:
        async with in_turn(LONG):
            await asyncio.sleep(3600)

    gone = asyncio.create_task(cancelled())
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)

    async with asyncio.timeout(10), in_turn(LONG):
        pass


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("talk")
async def test_it_is_stored_before_its_turn_and_read_once_if_it_was_answered_meanwhile(
    engine: ScriptedEngine,
):
    def post() -> services.Posted:
        return services.post_customer_message(
            uid="anon-1", text="我的快递到哪了，" * 80, now=timezone.now()
        )

    async with in_turn(LONG):
        waiting = asyncio.create_task(dialogue.post_and_answer(post))
        async with asyncio.timeout(10):
            while (stored := await Message.objects.filter(awaits_answer=True).afirst()) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        swept = await asyncio.to_thread(dialogue.answer_blocking, stored.pk)

    posted, outcome = await asyncio.wait_for(waiting, 10)
    assert posted.message == stored
    assert outcome.answer == swept.answer
    assert len(engine.asked) == 1

"""Who may be at work on an event loop at once."""

import asyncio

import pytest
from django.utils import timezone

from chat import dialogue, services
from chat.longtexts import turns
from chat.longtexts.turns import give_way, long_one, short_one
from chat.models import Message
from tests.chat.conftest import ScriptedEngine


async def test_long_texts_take_turns_in_their_order():
    log: list[str] = []
    first_may_end = asyncio.Event()

    async def work(name: str) -> None:
        async with long_one():
            log.append(name)
            if name == "first":
                await first_may_end.wait()

    working = [asyncio.create_task(work("first"))]
    await asyncio.sleep(0)
    working += [asyncio.create_task(work(name)) for name in ("second", "third")]
    await asyncio.sleep(0)
    assert log == ["first"]
    first_may_end.set()
    await asyncio.gather(*working)

    assert log == ["first", "second", "third"]


async def test_one_that_fails_or_goes_away_leaves_its_turn():
    async def cancelled() -> None:
        async with long_one():
            await asyncio.sleep(3600)

    gone = asyncio.create_task(cancelled())
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)

    async with asyncio.timeout(10), long_one():
        pass


class TestGivingWay:
    @pytest.fixture(autouse=True)
    def patient(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(turns, "_PATIENCE_S", 3600)

    async def test_a_step_of_a_long_text_waits_until_the_last_short_one_is_answered(self):
        with short_one():
            with short_one():
                waiting = asyncio.create_task(give_way())
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.01)
            assert not waiting.done()
        await asyncio.wait_for(waiting, 10)

    async def test_with_nobody_else_nothing_waits(self):
        with short_one():
            pass
        async with asyncio.timeout(10):
            await give_way()

    async def test_a_short_one_that_fails_holds_up_nobody(self):
        with pytest.raises(ValueError, match="failed"), short_one():
            raise ValueError("failed")
        async with asyncio.timeout(10):
            await give_way()

    @pytest.mark.parametrize("ticks", [0, 1, 2, 3])
    async def test_whoever_goes_away_at_the_last_moment_is_gone(self, ticks: int):
        with short_one():
            waiting = asyncio.create_task(give_way())
            await asyncio.sleep(0.01)
        for _ in range(ticks):
            await asyncio.sleep(0)
        is_too_late = waiting.done()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

        assert waiting.cancelled() or is_too_late

    async def test_a_long_text_is_not_put_off_for_ever(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(turns, "_PATIENCE_S", 0.01)

        with short_one():
            await asyncio.wait_for(give_way(), 10)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("talk", "engine")
async def test_a_short_message_is_answered_while_a_long_one_has_its_turn():
    def post() -> services.Posted:
        return services.post_customer_message(
            uid="anon-2", text="我的快递到哪了", now=timezone.now()
        )

    async with long_one():
        _posted, outcome = await asyncio.wait_for(
            dialogue.post_and_answer(post, "我的快递到哪了"), 10
        )

    assert outcome.answer is not None


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("talk")
async def test_it_is_stored_before_its_turn_and_read_once_if_it_was_answered_meanwhile(
    engine: ScriptedEngine,
):
    text = "我的快递到哪了，" * 80

    def post() -> services.Posted:
        return services.post_customer_message(uid="anon-1", text=text, now=timezone.now())

    async with long_one():
        waiting = asyncio.create_task(dialogue.post_and_answer(post, text))
        async with asyncio.timeout(10):
            while (stored := await Message.objects.filter(awaits_answer=True).afirst()) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        swept = await asyncio.to_thread(dialogue.answer_blocking, stored.pk)

    posted, outcome = await asyncio.wait_for(waiting, 10)
    assert posted.message == stored
    assert outcome.answer == swept.answer
    assert len(engine.asked) == 1

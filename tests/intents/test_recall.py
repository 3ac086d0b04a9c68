"""The reply cache: one inference for one sentence, and never anything stale or personal."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import REGISTRY

from csplatform import cache_server
from intents import inference, recall
from tests.chat.conftest import ScriptedEngine
from tests.databases import Running


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedEngine]:
    scripted = ScriptedEngine()
    monkeypatch.setattr(inference, "_engine", scripted)
    yield scripted
    scripted.stop()


@pytest.fixture
def silent(settings: Any) -> Iterator[None]:
    """The cache server accepts and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        settings.CACHE_TIMEOUT_S = 0.02
        settings.CACHE_URL = f"redis://127.0.0.1:{listening.getsockname()[1]}/0"
        yield


def classify(*texts: str, language: str = "zh") -> list[recall.Understood]:
    return recall.classify_many(texts, [language] * len(texts))


def counted(result: str) -> float:
    return REGISTRY.get_sample_value("intents_reply_cache_total", {"result": result}) or 0.0


def eventually(condition: Any) -> None:
    for _ in range(2000):
        if condition():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it never came about")


def test_one_sentence_in_many_spellings_is_understood_once(engine: ScriptedEngine):
    before = counted("hit"), counted("miss")
    found = [classify(text)[0] for text in ("快递到哪了", "快递到哪了？？", " 快递 到哪了")]

    assert engine.asked == ["快递到哪了"]
    assert [one.cached for one in found] == [False, True, True]
    assert len({one.prediction for one in found}) == 1
    assert (counted("hit") - before[0], counted("miss") - before[1]) == (2, 1)


async def test_coroutines_and_threads_share_what_is_known(engine: ScriptedEngine):
    (first,) = await recall.aclassify_many(["快递到哪了"], ["zh"])
    second = await asyncio.to_thread(classify, "快递到哪了")
    (third,) = await recall.aclassify_many(["快递到哪了"], ["zh"])

    assert [first.cached, second[0].cached, third.cached] == [False, True, True]
    assert len(engine.asked) == 1


def test_many_come_back_in_their_order_and_only_the_new_are_asked(engine: ScriptedEngine):
    engine.says = {"二": (("invoice", 0.9),), "三": (("coupon", 0.9),)}
    classify("二")

    found = classify("一", "二", "三", "一")

    assert [one.prediction.intent for one in found] == [
        "logistics",
        "invoice",
        "coupon",
        "logistics",
    ]
    assert [one.cached for one in found] == [False, True, False, True]
    assert engine.asked == ["二", "一", "三"]


async def test_long_texts_are_named_on_a_thread(engine: ScriptedEngine):
    """256 of them, in languages to be found out, held the event loop for a second."""
    threads: list[int] = []

    def languages() -> Iterator[str]:
        for language in ("zh", "en"):
            threads.append(threading.get_ident())
            yield language

    for length in (1, 5000):
        found = await recall.aclassify_many(["字" * length, "b"], languages())
        assert [one.prediction.intent for one in found] == ["logistics", "logistics"]

    here = threading.get_ident()
    assert [one == here for one in threads] == [True, True, False, False]


@pytest.mark.parametrize("what", ["content", "model", "language", "release"])
def test_what_it_depends_on_is_in_its_name(engine: ScriptedEngine, what: str):
    classify("快递到哪了")
    if what == "content":
        engine.content_version += 1
    elif what == "model":
        engine.version = "v2"
    elif what == "release":  # which stored something else

        def spoil(server: Any) -> None:
            for key in server.keys("understood:*"):
                server.set(key, json.dumps({"ranked": [["logistics", 0.9]], "colour": "red"}))

        cache_server.ask(spoil)

    (again,) = classify("快递到哪了", language="en" if what == "language" else "zh")

    assert not again.cached
    assert len(engine.asked) == 2


def test_it_is_kept_for_the_time_that_is_set(engine: ScriptedEngine, settings: Any):
    settings.REPLY_CACHE_S = 77

    classify("快递到哪了")

    left = cache_server.ask(lambda server: [server.ttl(key) for key in server.keys("understood:*")])
    assert len(left) == 1
    assert 70 < left[0] <= 77


def test_nothing_is_kept_where_that_is_off(engine: ScriptedEngine, settings: Any):
    settings.REPLY_CACHE_S = 0

    assert [classify("快递到哪了")[0].cached for _ in range(2)] == [False, False]


def test_what_the_engine_said_in_distress_is_not_kept(engine: ScriptedEngine):
    engine.source = "keywords"

    assert [classify("快递到哪了")[0].cached for _ in range(2)] == [False, False]


def test_nor_what_it_said_while_a_model_was_swapped(engine: ScriptedEngine):
    engine.go.clear()
    asking = Running(lambda: classify("快递到哪了"))
    eventually(engine.thinking.is_set)
    engine.version = "v2"
    engine.go.set()
    asking.outcome()

    assert not classify("快递到哪了")[0].cached


class TestManyAtOnce:
    def test_threads_ask_once(self, engine: ScriptedEngine):
        engine.go.clear()
        before = counted("joined")
        asking = [Running(lambda: classify("快递到哪了")) for _ in range(8)]
        eventually(lambda: counted("joined") - before == 7)
        engine.go.set()

        found = [one.outcome().result[0] for one in asking]

        assert len(engine.asked) == 1
        assert sorted(one.cached for one in found) == [False] + [True] * 7

    async def test_coroutines_ask_once(self, engine: ScriptedEngine):
        engine.go.clear()
        before = counted("joined")
        asking = [
            asyncio.ensure_future(recall.aclassify_many(["快递到哪了"], ["zh"])) for _ in range(8)
        ]
        await asyncio.to_thread(eventually, lambda: counted("joined") - before == 7)
        engine.go.set()

        found = [understood for (understood,) in await asyncio.gather(*asking)]

        assert len(engine.asked) == 1
        assert sorted(one.cached for one in found) == [False] + [True] * 7

    async def test_when_the_one_who_asks_goes_the_others_ask_themselves(
        self, engine: ScriptedEngine
    ):
        engine.go.clear()
        leader = asyncio.ensure_future(recall.aclassify_many(["快递到哪了"], ["zh"]))
        await asyncio.to_thread(eventually, engine.thinking.is_set)
        before = counted("joined")
        follower = asyncio.ensure_future(recall.aclassify_many(["快递到哪了"], ["zh"]))
        await asyncio.to_thread(eventually, lambda: counted("joined") > before)

        leader.cancel()
        await asyncio.gather(leader, return_exceptions=True)
        engine.go.set()

        ((understood),) = await follower
        assert understood.prediction.intent == "logistics"
        assert recall._flights == {}

    def test_when_it_fails_for_the_one_who_asks_nobody_waits_for_ever(
        self, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
    ):
        def fail(texts: object, timeout_s: object = None) -> None:
            raise RuntimeError

        monkeypatch.setattr(engine, "classify_many", fail)

        with pytest.raises(RuntimeError):
            classify("快递到哪了")

        assert recall._flights == {}


@pytest.mark.usefixtures("silent")
class TestWithoutACacheServer:
    def test_a_thread_is_answered(self, engine: ScriptedEngine):
        before = counted("error")

        found = [classify("快递到哪了")[0] for _ in range(2)]

        assert [one.prediction.intent for one in found] == ["logistics", "logistics"]
        assert [one.cached for one in found] == [False, False]
        assert counted("error") - before == 2

    async def test_a_coroutine_is_answered(self, engine: ScriptedEngine):
        (understood,) = await recall.aclassify_many(["快递到哪了"], ["zh"])

        assert (understood.prediction.intent, understood.cached) == ("logistics", False)

"""The process's engine: always an answer, in time, by the best there is."""

import asyncio
import gc
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from intents import inference, starter
from intents.inference import artifacts, loading
from intents.inference.engine import Engine
from intents.models import Intent
from intents.services import content_changed
from tests.intents.models_of_tests import (
    POISON,
    SENTENCES,
    FixedClassifier,
    Shelf,
    eventually,
    write_content,
)

pytestmark = pytest.mark.django_db(transaction=True)

TAUGHT = [text for texts in SENTENCES.values() for text in texts]
LABELS = ("coupon", "invoice", "logistics")


@pytest.fixture
def shelf(transactional_db: None) -> Iterator[Shelf]:
    shelf = Shelf()
    yield shelf
    shelf.stop()


def ready(engine: Engine, state: str, **expected: Any) -> Engine:
    """Wait until the engine is in a state, and is as expected."""

    def arrived() -> bool:
        status = engine.status()
        return status.state == state and all(
            getattr(status, name) == value for name, value in expected.items()
        )

    eventually(arrived)
    return engine


class TestTheCascade:
    def test_without_content_nothing_is_known(self, shelf: Shelf):
        engine = ready(shelf.engine(), "fallback")

        prediction = engine.classify("我的快递到哪了")

        assert (prediction.ranked, prediction.source) == ((), "none")
        assert (prediction.intent, prediction.probability) == ("", 0.0)

    def test_without_a_model_prototypes_answer(self, shelf: Shelf):
        write_content()
        engine = ready(shelf.engine(), "fallback", source="prototypes", utterances=15)

        prediction = engine.classify("请问快递到哪里了")

        assert (prediction.intent, prediction.source) == ("logistics", "prototypes")
        assert prediction.model_version == ""
        assert sum(probability for _, probability in prediction.ranked) == pytest.approx(1)

    def test_without_an_encoder_keywords_answer_and_the_reason_is_told(self, shelf: Shelf):
        write_content()
        shelf.encoder_error = OSError("no space left")
        engine = ready(shelf.engine(), "fallback", source="keywords")

        prediction = engine.classify("请问快递到哪里了")

        assert (prediction.intent, prediction.source) == ("logistics", "keywords")
        assert prediction.probability <= 0.8
        assert engine.status().detail == "no space left"

    def test_the_active_model_answers_under_its_version(self, shelf: Shelf):
        write_content()
        shelf.put("v1", FixedClassifier(LABELS), TAUGHT)
        shelf.active = "v1"
        engine = ready(shelf.engine(), "ready")

        prediction = engine.classify("完全不同的话")

        assert prediction.ranked[0] == ("coupon", pytest.approx(0.9))
        assert (prediction.source, prediction.model_version) == ("model", "v1")

    def test_a_model_that_cannot_be_loaded_leaves_prototypes_and_says_why(self, shelf: Shelf):
        write_content()
        shelf.active = "absent"
        engine = ready(shelf.engine(), "broken", source="prototypes")

        prediction = engine.classify("请问快递到哪里了")

        assert (prediction.intent, prediction.source) == ("logistics", "prototypes")
        assert engine.status().detail == "absent: absent has no manifest"

    def test_a_model_that_raises_is_stood_in_for_by_prototypes(self, shelf: Shelf):
        write_content()
        classifier = FixedClassifier(LABELS)
        shelf.put("v1", classifier, TAUGHT)
        shelf.active = "v1"
        engine = ready(shelf.engine(), "ready")
        eventually(lambda: engine._understanding.examples)
        classifier.broken = True

        prediction = engine.classify("请问快递到哪里了")

        assert (prediction.intent, prediction.source) == ("logistics", "prototypes")

    def test_a_model_that_gives_no_numbers_is_stood_in_for(self, shelf: Shelf):
        write_content()
        classifier = FixedClassifier(LABELS)
        shelf.put("v1", classifier, TAUGHT)
        shelf.active = "v1"
        engine = ready(shelf.engine(), "ready")
        eventually(lambda: engine._understanding.examples)
        classifier.sure = float("nan")

        assert engine.classify("请问快递到哪里了").source == "prototypes"

    def test_a_labelled_sentence_is_what_staff_said_in_any_spelling(self, shelf: Shelf):
        write_content()
        shelf.put("v1", FixedClassifier(LABELS), TAUGHT)
        shelf.active = "v1"
        engine = ready(shelf.engine(), "ready")

        prediction = engine.classify(" 怎麼開發票？？")

        assert (prediction.intent, prediction.probability) == ("invoice", pytest.approx(0.97))
        assert sum(probability for _, probability in prediction.ranked) == pytest.approx(1)

    @pytest.mark.parametrize("text", ["", " ", "\ud800", "😂", "字" * 10_000, "\x00"])
    def test_no_text_raises(self, shelf: Shelf, text: str):
        write_content()
        engine = ready(shelf.engine(), "fallback", source="prototypes")

        assert engine.classify(text).source in ("prototypes", "keywords", "none")


class TestInTime:
    def test_a_slow_model_is_not_waited_for(self, shelf: Shelf):
        write_content()
        classifier = FixedClassifier(LABELS)
        shelf.put("v1", classifier, TAUGHT)
        shelf.active = "v1"
        engine = ready(shelf.engine(), "ready")
        classifier.go.clear()

        started = time.monotonic()
        prediction = engine.classify("请问快递到哪里了", timeout_s=0.1)

        assert time.monotonic() - started < 10  # the model would take 20
        assert (prediction.intent, prediction.source) == ("logistics", "keywords")
        assert engine.status().counters["timed_out"] == 1
        classifier.go.set()

    def test_beyond_the_queue_keywords_answer_at_once(self, shelf: Shelf, settings: Any):
        settings.INTENTS_QUEUE_MAX_TEXTS = 1
        write_content()
        classifier = FixedClassifier(LABELS)
        shelf.put("v1", classifier, TAUGHT)
        shelf.active = "v1"
        engine = ready(shelf.engine(), "ready")
        classifier.go.clear()
        with ThreadPoolExecutor(2) as callers:
            running = callers.submit(engine.classify, "a", timeout_s=20)
            eventually(lambda: ["a"] in classifier.seen)
            queued = callers.submit(engine.classify, "b", timeout_s=20)
            eventually(lambda: engine.status().queue_length == 1)

            started = time.monotonic()
            refused = engine.classify("请问快递到哪里了", timeout_s=20)

            assert time.monotonic() - started < 10  # of the 20 that it may take
            assert refused.source == "keywords"
            assert engine.status().counters["overloaded"] == 1
            classifier.go.set()
            assert {running.result(20).source, queued.result(20).source} == {"model"}

    def test_a_stopped_engine_answers_by_keywords(self, shelf: Shelf):
        write_content()
        engine = ready(shelf.engine(), "fallback", source="prototypes")

        engine.stop()

        assert engine.classify("请问快递到哪里了").source == "keywords"
        assert engine.status().state == "stopped"

    def test_the_first_text_of_a_process_waits_a_moment_for_the_model(self, shelf: Shelf):
        write_content()
        shelf.put("v1", FixedClassifier(LABELS), TAUGHT)
        shelf.active, shelf.load_s = "v1", 0.3

        assert shelf.engine().classify("请问快递到哪里了").source == "model"

    def test_and_gets_another_answer_when_the_model_takes_longer(self, shelf: Shelf):
        write_content()
        shelf.put("v1", FixedClassifier(LABELS), TAUGHT)
        shelf.active, shelf.load_s = "v1", 3.0

        started = time.monotonic()
        prediction = shelf.engine().classify("请问快递到哪里了")

        assert time.monotonic() - started < shelf.load_s
        assert (prediction.intent, prediction.source) == ("logistics", "prototypes")

    def test_many_texts_come_back_in_their_order(self, shelf: Shelf, settings: Any):
        settings.INTENTS_QUEUE_MAX_TEXTS = 70
        write_content()
        engine = ready(shelf.engine(), "fallback", source="prototypes")
        texts = [f"{text}{number}" for number in range(20) for text in TAUGHT]

        predictions = engine.classify_many(texts)

        expected = [code for code, sentences in SENTENCES.items() for _ in sentences] * 20
        right = sum(
            prediction.intent == code
            for prediction, code in zip(predictions, expected, strict=True)
        )
        assert right >= 0.9 * len(texts)
        assert {prediction.source for prediction in predictions} == {"prototypes"}


class TestCoroutines:
    async def test_the_event_loop_goes_on_while_the_model_thinks(self, shelf: Shelf):
        await asyncio.to_thread(write_content)
        classifier = FixedClassifier(LABELS)
        shelf.put("v1", classifier, TAUGHT)
        shelf.active = "v1"
        engine = await asyncio.to_thread(ready, shelf.engine(), "ready")
        await asyncio.to_thread(eventually, lambda: engine._understanding.examples)
        classifier.slow_s = 0.5
        lags: list[float] = []

        async def tick() -> None:
            while True:
                before = time.perf_counter()
                await asyncio.sleep(0.005)
                lags.append(time.perf_counter() - before - 0.005)

        # All that pytest has loaded is a long walk for the collector; it is not measured here.
        gc.collect()
        gc.disable()
        try:
            ticking = asyncio.create_task(tick())
            predictions = await asyncio.gather(
                *(engine.aclassify(f"话{n}", timeout_s=20) for n in range(200))
            )
            ticking.cancel()
        finally:
            gc.enable()

        assert {prediction.source for prediction in predictions} == {"model"}
        assert len(lags) > 20
        assert max(lags) < 0.9 * classifier.slow_s  # a call of the model holds nobody up
        await asyncio.to_thread(shelf.stop)

    async def test_a_slow_model_is_not_waited_for(self, shelf: Shelf):
        await asyncio.to_thread(write_content)
        classifier = FixedClassifier(LABELS)
        shelf.put("v1", classifier, TAUGHT)
        shelf.active = "v1"
        engine = await asyncio.to_thread(ready, shelf.engine(), "ready")
        classifier.go.clear()

        prediction = await engine.aclassify("请问快递到哪里了", timeout_s=0.1)

        assert (prediction.intent, prediction.source) == ("logistics", "keywords")
        classifier.go.set()
        await asyncio.to_thread(shelf.stop)

    async def test_a_cancelled_caller_costs_no_model_time(self, shelf: Shelf):
        await asyncio.to_thread(write_content)
        classifier = FixedClassifier(LABELS)
        shelf.put("v1", classifier, TAUGHT)
        shelf.active = "v1"
        engine = await asyncio.to_thread(ready, shelf.engine(), "ready")
        classifier.go.clear()
        held = asyncio.create_task(engine.aclassify("held", timeout_s=20))
        await asyncio.to_thread(eventually, lambda: ["held"] in classifier.seen)
        gone = asyncio.create_task(engine.aclassify("gone", timeout_s=20))
        await asyncio.to_thread(eventually, lambda: engine.status().queue_length == 1)

        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        classifier.go.set()

        assert (await held).source == "model"
        await engine.aclassify("next")
        assert ["gone"] not in classifier.seen
        await asyncio.to_thread(shelf.stop)


class TestFaults:
    def test_a_text_on_which_the_model_raises_costs_its_neighbours_nothing(self, shelf: Shelf):
        write_content()
        shelf.put("v1", FixedClassifier(LABELS), TAUGHT)
        shelf.active = "v1"
        engine = ready(shelf.engine(), "ready")
        eventually(lambda: engine._understanding.examples)

        answers = engine.classify_many(
            ["一句话", f"{POISON} 快递到哪了", "又一句话", "再一句"] + ["话"] * 40
        )

        sources = [one.source for one in answers]
        assert sources == ["model", "prototypes"] + ["model"] * 42
        assert answers[1].intent == "logistics"
        assert engine.status().state == "ready"

    def test_a_file_that_was_cut_leaves_the_old_model_in_service(
        self, shelf: Shelf, tmp_path: Path, settings: Any
    ):
        settings.MODEL_DIR = tmp_path
        (tmp_path / "v2").mkdir()
        for name in (artifacts.CLASSIFIER, artifacts.TOKENIZER):
            (tmp_path / "v2" / name).write_bytes(b"x" * 1000)
        manifest = artifacts.Manifest("v2", "letters", LABELS, 64, "", 0.0, 1.0, 0.0)
        artifacts.write_manifest(tmp_path / "v2", manifest)
        os.truncate(tmp_path / "v2" / artifacts.CLASSIFIER, 500)
        write_content()
        shelf.put("v1", FixedClassifier(LABELS), TAUGHT)
        shelf.active = "v1"
        engine = ready(shelf.engine(), "ready")
        shelf.load_real, shelf.active = loading.trained_model, "v2"

        ready(engine, "broken")

        assert "classifier.onnx is not what training wrote" in engine.status().detail
        assert engine.classify("完全不同的话").model_version == "v1"

    def test_a_model_that_raises_on_everything_is_called_broken_and_loaded_afresh(
        self, shelf: Shelf
    ):
        write_content()
        broken = FixedClassifier(LABELS)
        shelf.put("v1", broken, TAUGHT)
        shelf.active = "v1"
        engine = ready(shelf.engine(), "ready")
        eventually(lambda: engine._understanding.examples)
        shelf.put("v1", FixedClassifier(LABELS), TAUGHT)  # what a reload finds

        broken.broken = True
        sources = [engine.classify("请问快递到哪里了").source for _ in range(3)]

        assert sources == ["prototypes"] * 3
        eventually(lambda: engine.classify("请问快递到哪里了").source == "model")
        assert engine.status().state == "ready"

    def test_a_model_that_hangs_is_replaced_by_a_fresh_one(self, shelf: Shelf, settings: Any):
        settings.INTENTS_HANG_S = 0.2
        write_content()
        stuck = FixedClassifier(LABELS)
        shelf.put("v1", stuck, TAUGHT)
        shelf.active = "v1"
        engine = ready(shelf.engine(), "ready")
        shelf.put("v1", FixedClassifier(LABELS), TAUGHT)
        warmed_up = len(stuck.seen)
        stuck.go.clear()
        with ThreadPoolExecutor(2) as callers:
            held = callers.submit(engine.classify, "请问快递到哪里了", timeout_s=20)
            eventually(lambda: len(stuck.seen) > warmed_up)

            queued = callers.submit(engine.classify, "发票怎么开", timeout_s=20)

            assert held.result(20).source == "keywords"
            assert queued.result(20).source == "model"
        assert engine.status().counters["hangs"] == 1
        assert engine.status().is_fit
        ready(engine, "ready")
        stuck.go.set()

    def test_one_that_hangs_again_is_done_without_and_the_process_is_told(
        self, shelf: Shelf, settings: Any
    ):
        settings.INTENTS_HANG_S = 0.2
        write_content()
        first, second = FixedClassifier(LABELS), FixedClassifier(LABELS)
        shelf.put("v1", first, TAUGHT)
        shelf.active = "v1"
        told = threading.Event()
        engine = ready(shelf.engine(on_unfit=told.set), "ready")
        shelf.put("v1", second, TAUGHT)

        first.go.clear()
        assert engine.classify("请问快递到哪里了", timeout_s=20).source == "keywords"
        eventually(lambda: engine.classify("请问快递到哪里了").source == "model")
        assert not told.is_set()
        second.go.clear()
        assert engine.classify("请问快递到哪里了", timeout_s=20).source == "keywords"

        assert told.wait(20)
        status = engine.status()
        assert (status.state, status.source, status.is_fit) == ("broken", "keywords", False)
        assert "hung again" in status.detail
        assert engine.classify("请问快递到哪里了", timeout_s=20).intent == "logistics"
        first.go.set()
        second.go.set()

    async def test_ten_thousand_requests_across_swaps_are_all_answered_by_a_model(
        self, shelf: Shelf
    ):
        await asyncio.to_thread(write_content)
        for number in range(1, 6):
            shelf.put(f"v{number}", FixedClassifier(LABELS), TAUGHT)
        shelf.active = "v1"
        engine = await asyncio.to_thread(ready, shelf.engine(), "ready")
        await asyncio.to_thread(eventually, lambda: engine._understanding.examples)
        versions: list[str] = []

        async def call(number: int) -> None:
            for turn in range(100):
                prediction = await engine.aclassify(f"话{number}-{turn}", timeout_s=10)
                assert prediction.source == "model"
                versions.append(prediction.model_version)
                shelf.active = f"v{1 + 5 * len(versions) // 10_001}"

        await asyncio.gather(*(call(number) for number in range(100)))

        assert len(versions) == 10_000
        assert len(set(versions)) > 1
        assert not set(engine.status().counters) & {"timed_out", "deadline", "overloaded"}
        await asyncio.to_thread(ready, engine, "ready", model_version="v5")
        await asyncio.to_thread(shelf.stop)

    def test_a_scrape_shows_all_of_it(self, client: Any):
        write_content()
        inference.start()
        try:
            eventually(lambda: inference.status().utterances)
            inference.classify("请问快递到哪里了")

            page = client.get("/metrics").content.decode()
        finally:
            inference.stop()

        state = inference.status().state
        assert state == "stopped"
        for name in (
            *("intents_queue_texts 0.0", "intents_fit 1.0", "intents_hangs_total"),
            *("intents_queue_seconds_bucket", "intents_prepare_seconds_bucket"),
            *("intents_tokenise_seconds_bucket", "intents_infer_seconds"),
            *("intents_batch_texts_bucket", "intents_batch_tokens_bucket"),
            *("intents_tokens_total", "intents_refused_total", "intents_swaps_total"),
            *("intents_warm_up_seconds", 'intents_state{state="stopped"} 0.0'),
        ):
            assert name in page, name
        assert page.count('intents_state{state="') == 6
        assert (
            sum(
                float(line.split()[1])
                for line in page.splitlines()
                if line.startswith("intents_state")
            )
            == 1.0
        )


class TestNewModels:
    def test_a_swap_under_load_fails_and_slows_nobody(self, shelf: Shelf):
        write_content()
        for number in range(1, 4):
            shelf.put(f"v{number}", FixedClassifier(LABELS, sure=0.5 + number / 10), TAUGHT)
        shelf.active, shelf.load_s = "v1", 2.0  # longer than any answer may take
        engine = ready(shelf.engine(), "ready")
        eventually(lambda: engine._understanding.examples)
        seconds: list[float] = []
        versions: list[str] = []
        over = threading.Event()

        def call() -> None:
            while not over.is_set():
                started = time.perf_counter()
                prediction = engine.classify("完全不同的话")
                seconds.append(time.perf_counter() - started)
                versions.append(prediction.model_version)

        callers = [threading.Thread(target=call) for _ in range(4)]
        for caller in callers:
            caller.start()
        for version in ("v2", "v3"):
            shelf.active = version
            ready(engine, "ready", model_version=version)
        eventually(lambda: "v3" in versions)
        over.set()
        for caller in callers:
            caller.join()

        assert set(versions) == {"v1", "v2", "v3"}  # and never "" : keywords, prototypes
        assert max(seconds) < shelf.load_s
        assert versions == sorted(versions) or versions.index("v3") > versions.index("v1")

    def test_while_the_next_one_loads_the_old_one_answers(self, shelf: Shelf):
        write_content()
        shelf.put("v1", FixedClassifier(LABELS), TAUGHT)
        shelf.put("v2", FixedClassifier(LABELS), TAUGHT)
        shelf.active = "v1"
        engine = ready(shelf.engine(), "ready")
        shelf.load_s, shelf.active = 0.5, "v2"

        ready(engine, "swapping")

        assert engine.classify("完全不同的话").model_version == "v1"
        ready(engine, "ready", model_version="v2")

    def test_a_broken_successor_leaves_the_old_one_in_service(self, shelf: Shelf):
        write_content()
        shelf.put("v1", FixedClassifier(LABELS), TAUGHT)
        shelf.active = "v1"
        engine = ready(shelf.engine(), "ready")

        shelf.active = "absent"
        ready(engine, "broken")

        assert engine.classify("完全不同的话").model_version == "v1"
        shelf.active = "v1"
        ready(engine, "ready", detail="")

    def test_pointing_to_nothing_brings_the_prototypes_back(self, shelf: Shelf):
        write_content()
        shelf.put("v1", FixedClassifier(LABELS), TAUGHT)
        shelf.active = "v1"
        engine = ready(shelf.engine(), "ready")

        shelf.active = None

        ready(engine, "fallback", source="prototypes")
        assert engine.classify("请问快递到哪里了").intent == "logistics"


class TestNewContent:
    def test_a_new_intent_is_answered_beside_the_model(self, shelf: Shelf):
        write_content()
        shelf.put("v1", FixedClassifier(LABELS), TAUGHT)
        shelf.active = "v1"
        engine = ready(shelf.engine(), "ready")
        wrapped = [
            "可以礼品包装吗",
            "有没有礼盒包装",
            "礼品包装多少钱",
            "想要礼物包装",
            "包装成礼物",
        ]

        write_content({"gift_wrap": wrapped})
        eventually(lambda: engine.classify("能礼品包装一下吗").intent == "gift_wrap")

        prediction = engine.classify("能礼品包装一下吗")
        assert prediction.source == "model"
        assert sum(probability for _, probability in prediction.ranked) == pytest.approx(1)
        # The old ones keep what the model gives them, but for a trace.
        assert engine.classify("物流怎么还不更新啊").ranked[0] == (
            "coupon",
            pytest.approx(0.9, abs=0.05),
        )

    def test_one_new_utterance_of_an_old_intent_is_answered(self, shelf: Shelf):
        write_content()
        shelf.put("v1", FixedClassifier(LABELS), TAUGHT)
        shelf.active = "v1"
        engine = ready(shelf.engine(), "ready")
        assert engine.classify("东西卡在海关动不了").intent == "coupon"

        write_content({"logistics": ["东西卡在海关动不了"]})

        eventually(
            lambda: (
                engine.classify("东西卡在海关动不了").ranked[0]
                == ("logistics", pytest.approx(0.97))
            )
        )
        eventually(lambda: engine.classify("东西卡在海关动不了呀").intent == "logistics")

    def test_what_is_switched_off_is_named_by_no_source(self, shelf: Shelf):
        write_content()
        classifier = FixedClassifier(("logistics", "coupon", "invoice"))
        shelf.put("v1", classifier, TAUGHT)
        shelf.active = "v1"
        engine = ready(shelf.engine(), "ready")
        assert engine.classify("请问快递到哪里了").intent == "logistics"

        Intent.objects.filter(code="logistics").update(is_active=False)
        content_changed(understanding=True)
        ready(engine, "ready", intents=2)
        eventually(lambda: engine._understanding.examples)

        by_model = engine.classify("请问快递到哪里了")
        classifier.broken = True
        by_prototypes = engine.classify("请问快递到哪里了")
        labelled = engine.classify("我的快递到哪了")
        engine.stop()
        by_keywords = engine.classify("请问快递到哪里了")

        answers = [by_model, by_prototypes, labelled, by_keywords]
        assert [one.source for one in answers] == ["model", "prototypes", "prototypes", "keywords"]
        for prediction in answers:
            assert {code for code, _ in prediction.ranked} == {"coupon", "invoice"}
            # What it would have got is given to nobody else.
            assert prediction.probability < 0.45

    def test_what_is_deleted_is_not_named_though_the_model_knows_it(self, shelf: Shelf):
        write_content()
        shelf.put("v1", FixedClassifier(LABELS), TAUGHT)
        shelf.active = "v1"
        engine = ready(shelf.engine(), "ready")

        Intent.objects.filter(code="coupon").delete()
        content_changed(understanding=True)
        ready(engine, "ready", intents=2)

        assert {code for code, _ in engine.classify("随便").ranked} == {"invoice", "logistics"}

    def test_without_new_utterances_the_model_is_asked_alone(self, shelf: Shelf):
        write_content()
        shelf.put("v1", FixedClassifier(LABELS), TAUGHT)
        shelf.active = "v1"
        engine = ready(shelf.engine(), "ready")
        eventually(lambda: engine._understanding.examples)

        engine.classify("一句没见过的话")

        assert "一句没见过的话" not in shelf.embedder.embedded

    def test_while_prototypes_are_made_the_version_is_another_one(self, shelf: Shelf):
        """Or a cache would keep what was answered without them."""
        write_content()
        engine = ready(shelf.engine(), "fallback", source="prototypes")
        before = engine.status().content_version
        shelf.embedder.slow_s = 0.3

        write_content({"repair": ["屏幕碎了能修吗"]})
        eventually(lambda: engine.status().content_version != before)
        during = engine.status().content_version
        eventually(lambda: engine.status().content_version > before)

        assert during < 0
        assert engine.status().content_version == -during

    def test_no_utterance_is_embedded_twice_on_this_database(self, shelf: Shelf):
        write_content()
        ready(shelf.engine(), "fallback", source="prototypes")
        shelf.stop()

        ready(shelf.engine(), "fallback", source="prototypes")

        assert sorted(text for text in shelf.embedder.embedded if text in TAUGHT) == sorted(TAUGHT)

    def test_a_database_that_goes_away_and_comes_back_is_followed_again(
        self, shelf: Shelf, caplog: pytest.LogCaptureFixture
    ):
        write_content()
        engine = ready(shelf.engine(), "fallback", source="prototypes")
        name = connections.settings["default"]["NAME"]
        connections.settings["default"]["NAME"] = "/nowhere/at/all.sqlite3"
        try:
            # Each look opens a connection of its own.
            eventually(lambda: "Content cannot be read" in caplog.text)
            during = engine.classify("请问快递到哪里了")
        finally:
            connections.settings["default"]["NAME"] = name
        write_content({"repair": ["屏幕碎了能修吗"]})

        assert during.intent == "logistics"
        eventually(lambda: engine.classify("屏幕碎了能修吗").intent == "repair")


class TestTheProcesssOwnEngine:
    @pytest.fixture(autouse=True)
    def _stopped(self) -> Iterator[None]:
        yield
        inference.stop()

    def test_status_starts_nothing(self):
        threads = threading.active_count()

        assert inference.status().state == "stopped"
        assert threading.active_count() == threads

    def test_stop_and_start_may_be_repeated(self):
        inference.stop()
        inference.start()
        inference.start()

        assert inference.status().state in ("loading", "fallback")
        inference.stop()
        inference.stop()
        assert inference.status().state == "stopped"


@pytest.mark.model
class TestWithTheRealEncoder:
    def test_a_question_is_understood_and_a_new_intent_is_live_in_seconds(
        self, settings: Any, tmp_path: Path
    ):
        settings.MODEL_DIR = tmp_path  # no trained model
        content: dict[str, list[str]] = {}
        for row in starter.rows("utterances"):
            texts = content.setdefault(row["intent"], [])
            if row["split"] == "train" and row["language"] == "zh" and len(texts) < 20:
                texts.append(row["text"])
        write_content(content)
        try:
            inference.start()
            eventually(lambda: inference.status().source == "prototypes", within_s=120)
            assert inference.classify("麻烦看下我的包裹走到哪里了").intent == "logistics"

            write_content(
                {
                    "gift_wrap": [
                        "可以帮我包成礼物吗",
                        "有礼品包装服务吗",
                        "送人用的，能加个礼盒吗",
                        "礼盒包装要多少钱",
                        "可以附一张贺卡吗",
                    ]
                }
            )
            saved_at = time.monotonic()
            eventually(lambda: inference.classify("想要一个礼物包装盒").intent == "gift_wrap")

            assert time.monotonic() - saved_at < 10  # 3 where nothing else runs
            assert inference.classify("麻烦看下我的包裹走到哪里了").intent == "logistics"
        finally:
            inference.stop()


PRODUCT = """
import os, sys, time
import django
django.setup()
from django.db import connections
connections.settings["default"]["NAME"] = sys.argv[1]
from intents import inference
from intents.inference.watches import Sources
from tests.intents.models_of_tests import Shelf, eventually
shelf = Shelf()
inference._sources = lambda: Sources(shelf._encoder, lambda: None, shelf._model)
"""


def process(program: str) -> "subprocess.Popen[str]":
    """Start a process of the product on this test's database, with the tests' encoder."""
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            PRODUCT + textwrap.dedent(program),
            str(connections["default"].settings_dict["NAME"]),
        ],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "csplatform.settings"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


class TestProcesses:
    def test_a_child_forked_from_a_live_engine_refuses_and_says_what_to_do(self):
        write_content()
        forking = process("""
            inference.start()
            eventually(lambda: inference.status().source == "prototypes")
            child = os.fork()
            if child == 0:
                refused = 0
                for call in (inference.start, lambda: inference.classify("请问快递到哪里了")):
                    try:
                        call()
                    except inference.EngineInherited as error:
                        refused += "start the engine after forking, not before" in str(error)
                os._exit(7 if refused == 2 and inference.status().state == "broken" else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
            assert inference.classify("请问快递到哪里了").source == "prototypes"
            inference.stop()
            print("the parent answered")
        """)

        said, _ = forking.communicate(timeout=60)

        assert (said, forking.returncode) == ("the parent answered\n", 0)

    def test_a_child_forked_before_the_engine_starts_its_own(self):
        write_content()
        forking = process("""
            child = os.fork()
            eventually(lambda: inference.classify("请问快递到哪里了").source == "prototypes")
            assert inference.classify("请问快递到哪里了").intent == "logistics"
            inference.stop()
            if child == 0:
                os._exit(7)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
            print("both answered")
        """)

        said, _ = forking.communicate(timeout=60)

        assert (said, forking.returncode) == ("both answered\n", 0)

    def test_a_new_intent_is_live_in_another_process_within_seconds(self):
        write_content()
        other = process("""
            eventually(lambda: inference.classify("能礼品包装一下吗").source == "prototypes")
            print(inference.classify("能礼品包装一下吗").intent, flush=True)
            eventually(lambda: inference.classify("能礼品包装一下吗").intent == "gift_wrap")
            print(time.time(), flush=True)
            inference.stop()
        """)
        assert other.stdout is not None
        assert other.stdout.readline().strip() in SENTENCES
        wrapped = [
            "可以礼品包装吗",
            "有没有礼盒包装",
            "礼品包装多少钱",
            "想要礼物包装",
            "包装成礼物",
        ]

        write_content({"gift_wrap": wrapped})
        saved_at = time.time()
        live_at = float(other.stdout.readline())

        assert live_at - saved_at < 10  # 3 where nothing else runs
        assert other.wait(20) == 0

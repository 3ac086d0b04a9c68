"""Models and drafts on trial: they answer as they would live, and leave no trace."""

import os
import threading
from collections.abc import Iterator

import pytest
import redis
from django.apps import apps
from django.conf import settings

from intents import content as contents
from intents import inference, records
from intents.decisions import Decision
from intents.inference.engine import Engine
from intents.models import Channel, Intent, Phrase, Reply, Utterance
from intents.services import content_changed
from intents.trials import Contender, ContenderUnavailable, open_contender, read, variants
from intents.trials.opening import Opener
from tests.intents.models_of_tests import Shelf, eventually, write_content
from tests.intents.trials_of_tests import a_draft, put_trained, trials_with

pytestmark = pytest.mark.django_db

TEXTS = ["我的快递到哪了", "发票抬头填错了怎么办", "礼物可以包装吗", "电话13800138000的快递"]


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    made = Shelf()
    yield made
    made.stop()


@pytest.fixture
def opener(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opener]:
    write_content()
    put_trained(shelf, "v1", "logistics", "invoice", "coupon")
    put_trained(shelf, "v2", "invoice", "logistics", "coupon")
    shelf.active = "v1"
    with trials_with(shelf, monkeypatch) as made:
        yield made


class TestContender:
    @pytest.mark.parametrize("key", ["active", "version:v1-2026", "draft:7"])
    def test_is_found_again_by_its_key(self, key: str):
        assert Contender.from_key(key).key == key

    @pytest.mark.parametrize("key", ["", "version:", "draft:x", "draft:", "another:1"])
    def test_a_wrong_key_names_none(self, key: str):
        with pytest.raises(ValueError, match="names no contender"):
            Contender.from_key(key)


class TestRead:
    def test_each_model_answers_with_live_content(self, opener: Opener):
        first = read(Contender(), TEXTS[:1])
        second = read(Contender(version="v2"), ["快递的事"])
        assert (first[0].intent, first[0].model_version) == ("logistics", "v1")
        assert (second[0].intent, second[0].model_version) == ("invoice", "v2")

    def test_a_draft_answers_as_if_it_were_published(self, opener: Opener):
        draft = a_draft()
        before = open_contender().answer(["礼品包装有吗"], ["zh"])[0]
        after = open_contender(Contender(draft=draft.pk)).answer(["礼品包装有吗"], ["zh"])[0]
        assert before.intent == "logistics"
        assert (after.intent, after.variants) == ("gift", ("可以包",))

    @pytest.mark.django_db(transaction=True)  # the engine reads content on a thread of its own
    def test_answers_are_those_of_the_live_engine(self, opener: Opener, shelf: Shelf):
        Utterance.objects.create(
            intent=Intent.objects.get(code="coupon"),
            text="红包怎么领",
            key="红包怎么领",
            language="zh",
        )
        content_changed(understanding=True)
        asked = [*TEXTS, "红包怎么领", "红包领取", "快递坏了"]
        tried = read(Contender(), asked)
        engine: Engine = shelf.engine()
        eventually(lambda: engine.status().state == "ready" and engine.status().content_version > 0)
        live = engine.classify_many(asked)
        assert [one.intent for one in tried] == [one.intent for one in live]
        assert [one.probability for one in tried] == pytest.approx(
            [one.probability for one in live], abs=2e-3
        )

    def test_what_is_saved_meanwhile_is_seen_by_the_next(self, opener: Opener):
        assert read(Contender(), ["红包怎么领"])[0].intent == "logistics"
        Utterance.objects.create(
            intent=Intent.objects.get(code="coupon"),
            text="红包怎么领",
            key="红包怎么领",
            language="zh",
        )
        content_changed(understanding=True)
        assert read(Contender(), ["红包怎么领"])[0].intent == "coupon"

    def test_sentences_of_an_intent_that_a_draft_switches_off_still_take_part(self, opener: Opener):
        draft = a_draft(is_active=False)
        opened = open_contender(Contender(draft=draft.pk))
        assert "gift" not in {code for code, _ in opened.read(["礼品包装有吗"])[0].ranked}
        assert "gift" in {one.intent for one in opened.understanding.catalogue.sentences}

    def test_a_name_of_an_intent_is_certain_without_a_model(self, opener: Opener):
        draft = a_draft()
        [answered] = open_contender(Contender(draft=draft.pk)).answer(["礼品包装"], ["zh"])
        assert (answered.intent, answered.prediction.probability) == ("gift", 1.0)

    def test_neither_language_is_guessed(self, opener: Opener):
        [answered] = open_contender().answer(["こんにちは、元気ですか"], [""])
        assert (answered.intent, answered.decision) == ("", Decision.HAND_OVER)

    @pytest.mark.parametrize("contender", [Contender(version="v9"), Contender(draft=99)])
    def test_what_is_gone_is_refused(self, opener: Opener, contender: Contender):
        with pytest.raises(ContenderUnavailable):
            read(contender, TEXTS)

    def test_without_encoder_keywords_answer(self, opener: Opener, shelf: Shelf):
        shelf.encoder_error = OSError("no weights")
        assert read(Contender(), ["优惠券怎么用"])[0].source == "keywords"

    def test_without_a_model_prototypes_answer(self, opener: Opener, shelf: Shelf):
        shelf.active = None
        [prediction] = read(Contender(), ["发票抬头"])
        assert (prediction.intent, prediction.source) == ("invoice", "prototypes")


class TestNearest:
    def test_the_likest_utterance_comes_first(self, opener: Opener):
        found = open_contender().nearest("电子发票哪里下载", 3)
        assert found[0].text == "电子发票在哪里下载"
        assert found[0].intent == "invoice"
        assert found[0].similarity >= found[1].similarity >= found[2].similarity


class TestStore:
    def test_contenders_with_one_model_share_a_pass(self, opener: Opener, shelf: Shelf):
        draft = a_draft()
        active, with_draft = open_contender(), open_contender(Contender(draft=draft.pk))
        classifier = shelf.models["v1"].classifier
        before = len(classifier.seen)
        active.read(TEXTS)
        with_draft.read(TEXTS)
        assert len(classifier.seen) == before + 1

    def test_few_models_are_kept_open(self, opener: Opener, shelf: Shelf):
        for number in range(3, 7):
            put_trained(shelf, f"v{number}", "coupon", "logistics", "invoice")
            read(Contender(version=f"v{number}"), TEXTS)
        assert len(opener._models) <= 2
        assert len(opener._understandings) <= 3

    def test_all_is_let_go_when_nobody_tries_anything(self, opener: Opener):
        opener._idle_s = 0.05
        read(Contender(), TEXTS)
        eventually(lambda: not opener._models and opener._encoder is None)
        assert read(Contender(), TEXTS[:1])[0].intent == "logistics"

    def test_passes_yield_to_customers(self, opener: Opener):
        own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        there = opener._run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        assert there == max(own, settings.TRAINING_NICE)


def everything_stored() -> dict[str, list[object]]:
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for model in apps.get_models(include_auto_created=True)
    }


def test_a_trial_leaves_no_trace(opener: Opener):
    draft = a_draft()
    records.flush()
    before = everything_stored()
    engine_before = inference._engine
    for contender in (Contender(), Contender(version="v2"), Contender(draft=draft.pk)):
        opened = open_contender(contender)
        opened.read(TEXTS)
        opened.answer(TEXTS, ["zh"] * len(TEXTS))
        opened.nearest(TEXTS[0], 5)
    records.flush()
    assert everything_stored() == before
    assert inference._engine is engine_before
    with redis.Redis.from_url(settings.CACHE_URL) as server:
        assert server.dbsize() == 0


class TestVariants:
    @pytest.fixture(autouse=True)
    def _replies(self, opener: Opener) -> None:
        intent = Intent.objects.get(code="logistics")
        Reply.objects.create(intent=intent, language="zh", text="在路上")
        Reply.objects.create(
            intent=intent, language="zh", channel=Channel.WEB, text="在路上（网页）"
        )
        Reply.objects.create(intent=intent, language="en", text="On its way")
        Phrase.objects.create(purpose="fallback", language="zh", text="没听懂")
        Phrase.objects.create(purpose="clarify", language="zh", text="您是想问")
        content_changed(understanding=False)

    def test_are_the_replies_for_the_web(self):
        opened = open_contender()
        assert opened.answer(["我的快递到哪了"], ["zh"])[0].variants == ("在路上（网页）",)

    def test_another_language_stands_in(self):
        Reply.objects.filter(language="en").delete()
        contents.forget()
        prediction = read(Contender(), ["where is my parcel"])[0]
        now = open_contender().content
        assert variants(prediction, Decision.ANSWER, now, "en") == ("在路上（网页）",)

    def test_a_question_back_is_its_phrase_and_its_buttons(self):
        opened = open_contender()
        prediction = inference.Prediction((("logistics", 0.5), ("invoice", 0.4)), source="model")
        said = variants(prediction, Decision.CLARIFY, opened.content, "zh")
        assert said == ("您是想问", "logistics", "invoice")

    def test_what_is_not_understood_is_the_phrase_for_it(self):
        nothing = inference.Prediction((), source="none")
        said = variants(nothing, Decision.HAND_OVER, open_contender().content, "zh")
        assert said == ("没听懂",)

"""Right after an intent is renamed, merged or split the model in service answers by the codes of now."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.utils import timezone

from intents import content, services
from intents.content import IntentInfo
from intents.inference import Prediction
from intents.inference.base import Read, TrainedModel
from intents.inference.succession import succeeded
from intents.lineage import Step, heir, heirs
from intents.models import Intent, IntentMigration, Utterance
from intents.trials import ACTIVE
from intents.trials.opening import Opener
from tests.intents.models_of_tests import FixedClassifier, Shelf, eventually, write_content
from tests.intents.test_engine import LABELS, SENTENCES, TAUGHT, ready

THEN = datetime(2026, 11, 1, tzinfo=UTC)
UNKNOWN = "完全不同的话"  # no utterance is like it: the model alone answers


def step(source: str, *targets: str, days: int = 0) -> Step:
    return Step(THEN + timedelta(days=days), source, targets)


class TestHeirs:
    def test_a_code_is_followed_through_all_its_steps(self):
        steps = [step("a", "b"), step("b", "c"), step("d", "c")]
        assert [heir(code, steps) for code in "abcde"] == ["c", "c", "c", "c", "e"]

    def test_of_a_split_intent_the_one_that_kept_the_code_is_the_heir(self):
        assert heir("a", [step("a", "a", "part"), step("a", "b")]) == "b"

    def test_a_code_that_is_used_again_starts_anew(self):
        steps = [step("a", "b"), step("a", "c")]
        assert heirs(steps) == {"a": "c"}
        assert heir("b", steps) == "b"

    def test_renamed_and_back_is_itself(self):
        assert heirs([step("a", "b"), step("b", "a")]) == {"a": "a", "b": "a"}


class TestSucceeded:
    def model(self, taught_at: datetime | None = THEN) -> TrainedModel:
        directions = np.eye(3, dtype=np.float32)
        return TrainedModel(
            "v1",
            FixedClassifier(("a", "b", "c"), sure=0.6),
            frozenset(),
            directions=directions,
            taught_at=taught_at,
        )

    def read(self, model: TrainedModel) -> Read:
        return model.classifier.read(["x"])

    def test_two_that_became_one_share_a_column(self):
        merged = succeeded(self.model(), [step("a", "c", days=1)])
        assert list(merged.classifier.labels) == ["c", "b"]
        assert self.read(merged).probabilities[0] == pytest.approx([0.8, 0.2])
        assert merged.directions is not None
        assert merged.directions[0] == pytest.approx([0.5**0.5, 0, 0.5**0.5])

    def test_where_nothing_happened_it_is_the_model_itself(self):
        model = self.model()
        assert succeeded(model, [step("z", "a", days=1)]) is model

    def test_what_happened_before_the_model_was_taught_is_in_it_already(self):
        model = self.model()
        # "a" was given up, and is another intent's code in the model.
        assert succeeded(model, [step("a", "b", days=-1)]) is model
        assert succeeded(self.model(taught_at=None), [step("a", "b", days=-1)]) is not model


def test_content_reads_what_an_engine_says_that_is_a_moment_behind() -> None:
    known = {code: IntentInfo(code, code, code, False, True) for code in ("b", "c")}
    now = content.Content(
        version=1,
        intents=known,
        masker=None,  # type: ignore[arg-type]
        _replies={},
        _phrases={},
        _suggestions={},
        _heirs={"a": "b", "off": "gone"},
    )
    said = Prediction((("c", 0.4), ("a", 0.35), ("b", 0.15), ("off", 0.1)), "model", "v1")
    assert now.answered(said).ranked == (("b", 0.5), ("c", 0.4))
    of_now = Prediction((("c", 0.4), ("b", 0.35)), "model")
    assert now.answered(of_now) is of_now
    assert [now.code_of_now(code) for code in ("a", "b", "off", "")] == ["b", "b", "gone", ""]


@pytest.fixture
def shelf(transactional_db: None) -> Iterator[Shelf]:
    shelf = Shelf()
    write_content()
    shelf.put("v1", FixedClassifier(LABELS, sure=0.8), TAUGHT)  # says "coupon"
    shelf.active = "v1"
    yield shelf
    shelf.stop()
    content.forget()


class TestTheEngine:
    def test_a_renamed_intent_answers_under_its_new_code_at_once(self, shelf: Shelf):
        engine = ready(shelf.engine(), "ready")
        assert engine.classify(UNKNOWN).intent == "coupon"

        services.rename_intent(
            Intent.objects.get(code="coupon"), code="voucher", now=timezone.now()
        )

        eventually(lambda: engine.classify(UNKNOWN).intent == "voucher")
        prediction = engine.classify(UNKNOWN)
        assert prediction.probability == pytest.approx(0.8)
        assert (prediction.source, prediction.model_version) == ("model", "v1")
        # Its utterances are none that the model lacks.
        eventually(lambda: engine.status().content_version > 0)
        assert not engine._understanding.examples.any_fresh

    def test_a_merged_intent_gives_what_the_model_says_to_the_other(self, shelf: Shelf):
        engine = ready(shelf.engine(), "ready")
        coupon, invoice = (Intent.objects.get(code=code) for code in ("coupon", "invoice"))

        services.merge_intent(coupon, into=invoice, now=timezone.now())

        eventually(lambda: engine.classify(UNKNOWN).intent == "invoice")
        ranked = dict(engine.classify(UNKNOWN).ranked)
        assert ranked == {"invoice": pytest.approx(0.9), "logistics": pytest.approx(0.1)}

    def test_a_merger_that_was_taken_back_is_passed_over_at_once(self, shelf: Shelf):
        engine = ready(shelf.engine(), "ready")
        coupon, invoice = (Intent.objects.get(code=code) for code in ("coupon", "invoice"))
        own = list(coupon.utterances.values_list("pk", flat=True))
        services.merge_intent(coupon, into=invoice, now=timezone.now())
        eventually(lambda: engine.classify(UNKNOWN).intent == "invoice")

        services.move_utterances(Utterance.objects.filter(pk__in=own), coupon)
        services.switch_on(coupon)

        eventually(lambda: engine.classify(UNKNOWN).intent == "coupon")
        assert IntentMigration.steps() == ()

    def test_the_parts_of_a_split_intent_are_told_apart_by_their_utterances(self, shelf: Shelf):
        engine = ready(shelf.engine(), "ready")
        coupon = Intent.objects.get(code="coupon")
        moving = coupon.utterances.filter(text__in=SENTENCES["coupon"][3:])
        part = Intent(code="coupon_trouble", name_zh="券用不了", name_en="Coupon trouble")

        services.split_intent(
            coupon,
            part=part,
            utterances=moving.values_list("pk", flat=True),
            now=timezone.now(),
        )

        eventually(lambda: engine.classify("优惠券过期了吧").intent == "coupon_trouble")
        assert engine.classify(UNKNOWN).intent == "coupon"

    def test_the_bot_says_the_renamed_intents_reply(self, shelf: Shelf, settings):
        settings.CONTENT_POLL_S = 0.05
        engine = ready(shelf.engine(), "ready")
        content.forget()
        services.rename_intent(
            Intent.objects.get(code="coupon"), code="voucher", now=timezone.now()
        )
        # Whoever comes first, engine or content: what may be said is the renamed intent's.
        answered = content.current().answered(engine.classify(UNKNOWN))
        assert answered.intent == "voucher"

    def test_what_is_tried_is_read_as_what_serves(self, shelf: Shelf):
        services.rename_intent(
            Intent.objects.get(code="coupon"), code="voucher", now=timezone.now()
        )
        opener = Opener(shelf.engine()._follower._sources)
        try:
            assert opener.open(ACTIVE).read([UNKNOWN])[0].intent == "voucher"
        finally:
            opener.close()

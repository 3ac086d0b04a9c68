"""Utterances that no training has learnt: answered at once, judged, and shown to staff."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group as Staff
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from intents.inference import follower
from intents.inference.engine import Engine
from intents.models import ContentVersion, Intent, LiveIntent
from tests.intents.models_of_tests import (
    SENTENCES,
    FixedClassifier,
    Shelf,
    eventually,
    write_content,
)

pytestmark = pytest.mark.django_db(transaction=True)

TAUGHT = [text for texts in SENTENCES.values() for text in texts]
LABELS = ("coupon", "invoice", "logistics")
GIFT = {"gift_wrap": ["能礼品包装吗", "礼盒包装要钱吗", "帮我包装成礼物", "礼物盒有吗", "要礼品袋"]}


@pytest.fixture
def shelf(transactional_db: None) -> Iterator[Shelf]:
    shelf = Shelf()
    yield shelf
    shelf.stop()


def settled(engine: Engine) -> Engine:
    """Wait until what is answered follows the content."""
    eventually(lambda: engine.status().content_version == _version())
    return engine


def _version() -> int:
    return ContentVersion.objects.get().understanding


def measured() -> dict[str, LiveIntent]:
    eventually(lambda: LiveIntent.objects.filter(content_version=_version()).exists(), within_s=20)
    return {live.intent: live for live in LiveIntent.objects.all()}


class TestAnswering:
    def test_prototypes_that_cannot_be_fitted_leave_those_of_before(
        self, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
    ):
        write_content()
        shelf.put("v1", FixedClassifier(LABELS), TAUGHT)
        shelf.active = "v1"
        engine = settled(shelf.engine())
        write_content(GIFT)
        settled(engine)
        assert engine.classify("请问能礼品包装一下吗").intent == "gift_wrap"

        real, asked = follower.examples_of, []

        def broken(*given: Any) -> Any:
            asked.append(given)
            if len(asked) == 1:
                raise FloatingPointError("not today")
            return real(*given)

        monkeypatch.setattr(follower, "examples_of", broken)
        monkeypatch.setattr(follower, "_REFIT_S", 1.0)
        write_content(
            {"repair": ["手机坏了能修吗", "保修多久", "维修点在哪里", "屏幕碎了", "返修进度"]}
        )
        eventually(lambda: asked)

        assert engine.classify("请问能礼品包装一下吗").intent == "gift_wrap"
        eventually(lambda: len(asked) > 1)
        eventually(lambda: engine.classify("请问手机坏了能修一下吗").intent == "repair")


class TestMeasuring:
    def test_without_a_model_every_intent_is_judged(self, shelf: Shelf):
        write_content()
        settled(shelf.engine())

        found = measured()

        assert sorted(found) == sorted(SENTENCES)
        coupon = found["coupon"]
        assert (coupon.is_trained, coupon.utterances, coupon.judged) == (False, 5, 5)
        assert (coupon.model_version, 0 <= coupon.found <= 5) == ("", True)
        assert coupon.found + sum(times for _, times in coupon.confused_with) == coupon.judged

    def test_with_a_model_only_what_it_has_not_learnt_is_judged(self, shelf: Shelf):
        write_content()
        shelf.put("v1", FixedClassifier(LABELS), TAUGHT)
        shelf.active = "v1"
        engine = settled(shelf.engine())
        write_content({**GIFT, "coupon": ["券能送人吗"]})
        settled(engine)

        found = measured()

        assert sorted(found) == ["coupon", "gift_wrap"]
        assert (found["coupon"].is_trained, found["coupon"].utterances) == (True, 1)
        # Taken away, it has no other: the model alone would answer, and nothing is learnt of it.
        assert (found["coupon"].judged, found["coupon"].confused_with) == (0, [])
        assert (found["gift_wrap"].is_trained, found["gift_wrap"].judged) == (False, 5)
        assert found["gift_wrap"].model_version == "v1"

    def test_the_next_training_takes_them_off_the_list(self, shelf: Shelf):
        write_content({**SENTENCES, **GIFT})
        shelf.put("v1", FixedClassifier(LABELS), TAUGHT)
        shelf.put("v2", FixedClassifier((*LABELS, "gift_wrap")), [*TAUGHT, *GIFT["gift_wrap"]])
        shelf.active = "v1"
        settled(shelf.engine())
        assert list(measured()) == ["gift_wrap"]

        shelf.active = "v2"

        eventually(lambda: not LiveIntent.objects.exists())


@pytest.mark.urls("csplatform.urls")
class TestAdmin:
    @pytest.fixture
    def editor(self) -> Client:
        user = User.objects.create_user("editor", is_staff=True)
        user.groups.add(Staff.objects.get(name="business editor"))
        client = Client()
        client.force_login(user)
        return client

    @pytest.fixture
    def gift(self) -> Intent:
        write_content({**SENTENCES, **GIFT})
        self.live("gift_wrap", found=2, confused_with=[["coupon", 3]])
        return Intent.objects.get(code="gift_wrap")

    def live(self, code: str, **changed: Any) -> None:
        values = {
            "is_trained": False,
            "utterances": 5,
            "judged": 5,
            "found": 4,
            "content_version": _version(),
            "measured_at": timezone.now(),
        }
        LiveIntent.objects.create(intent=code, **{**values, **changed})

    @pytest.mark.parametrize(
        ("values", "advice"),
        [
            ({"utterances": 2, "judged": 2, "found": 0}, "Add 3 utterances."),
            ({"utterances": 9}, "Add 1 utterance."),
            (
                {"utterances": 12, "judged": 12, "found": 5, "confused_with": [["coupon", 7]]},
                "Add utterances that tell it from “coupon”, then train again.",
            ),
            (
                {"utterances": 12, "judged": 12, "found": 11},
                "Train again: the model then learns it.",
            ),
        ],
    )
    def test_it_says_what_to_do_next(self, editor: Client, values: dict[str, Any], advice: str):
        write_content()
        self.live("logistics", **values)

        response = editor.get(reverse("admin:live_intents"), headers={"Accept-Language": "en"})

        assert [row.advice for row in response.context["rows"]] == [advice]

    def test_the_intents_page_and_the_list_tell_how_good_it_is(self, editor: Client, gift: Intent):
        english = {"Accept-Language": "en"}
        page = editor.get(reverse("admin:intents_intent_change", args=[gift.pk]), headers=english)
        listed = editor.get(reverse("admin:intents_intent_changelist"), headers=english)

        assert "40.0 %" in page.text
        assert "Confused with: coupon (3)." in page.text
        assert "examples, 2 of 5 found" in listed.text
        assert reverse("admin:live_intents") in listed.text

    def test_the_page_asks_as_often_for_one_as_for_many(
        self, editor: Client, gift: Intent, django_assert_max_num_queries: Any
    ):
        for code in SENTENCES:
            self.live(code)

        with django_assert_max_num_queries(8):  # session, person, rights, the four of the page
            response = editor.get(reverse("admin:live_intents"))

        assert response.context["rows"][0].code == gift.code  # the weakest first
        assert len(response.context["rows"]) == 4

    def test_what_was_deleted_since_is_not_shown(self, editor: Client, gift: Intent):
        self.live("gone")

        response = editor.get(reverse("admin:live_intents"))

        assert [row.code for row in response.context["rows"]] == ["gift_wrap"]

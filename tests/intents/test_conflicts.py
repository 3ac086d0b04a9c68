"""Hints: what stands against a sentence in an intent, and what becomes of it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from intents import conflicts, inference, services
from intents.admin import hints
from intents.conflicts import Hint, Kind
from intents.conflicts.hints import Sentence, find
from intents.conflicts.index import Entry, index_of
from intents.conflicts.masking import has_masks, masked_key
from intents.guard import normalize
from intents.models import Intent, KeptPair, Utterance
from intents.services import content_changed
from tests.factories import StaffFactory
from tests.intents.models_of_tests import LetterEmbedder, Shelf, eventually, write_content
from tests.intents.test_review_inbox import item as review_item

SENTENCES = {
    "logistics": ["我的快递到哪了", "订单12345到哪了", "包裹什么时候到", "物流怎么不更新"],
    "invoice": ["怎么开发票", "发票抬头填错了", "补开发票", "电子发票在哪里下载"],
}


@pytest.fixture
def shelf(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    shelf = Shelf()
    engine = shelf.engine()
    monkeypatch.setattr(inference, "_engine", engine)
    conflicts.forget()
    write_content(SENTENCES)
    eventually(inference.encoder)
    yield shelf
    shelf.stop()
    conflicts.forget()


class TestMasking:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("订单12345到哪了", "订单 99 到哪了？"),
            ("我11月11号买的还没发货", "我昨天买的，还没发货"),
            ("从199元降到99块了", "从¥20降到15元了"),
            ("王先生的订单到哪了", "李女士的订单到哪了"),
            ("三天了还没到", "5天了还没到"),
            ("My order CS-20261122-0001 is late", "my order CS-20261101-0042 is late!"),
            ("I paid $20.50 on May 3rd", "I paid €7 on June 12th"),
            ("打我电话13812345678", "打我电话 139 8765 4321"),
        ],
    )
    def test_numbers_names_money_and_dates_make_no_difference(self, one: str, other: str):
        assert masked_key(one) == masked_key(other)
        assert has_masks(masked_key(one))

    @pytest.mark.parametrize(
        "text", ["怎么开发票", "一下子就坏了", "Where is my parcel?", "万一丢了"]
    )
    def test_a_sentence_without_any_is_its_own_key(self, text: str):
        assert not has_masks(masked_key(text))

    def test_different_kinds_are_told_apart(self):
        assert masked_key("我付了20元") != masked_key("我付了20次")


class TestHints:
    def test_the_same_sentence_in_another_intent_is_named_first(self, shelf: Shelf):
        [first, *_] = conflicts.look("怎么，开发票？", "logistics")
        assert (first.kind, first.text, first.intent) == (Kind.DUPLICATE, "怎么开发票", "invoice")
        assert first.similarity == 1.0

    def test_another_number_is_the_same_sentence_of_another_intent(self, shelf: Shelf):
        [first, *_] = conflicts.look("订单678到哪了", "invoice")
        assert (first.kind, first.intent) == (Kind.MASKED, "logistics")

    def test_other_numbers_in_its_own_intent_are_welcome(self, shelf: Shelf):
        assert conflicts.look("订单678到哪了", "logistics") == []

    def test_an_utterance_is_not_held_against_itself(self, shelf: Shelf):
        own = Utterance.objects.get(text="怎么开发票")
        assert conflicts.look("怎么开发票", "invoice", utterance=own.pk) == []

    def test_one_that_says_the_same_in_another_intent_is_named_with_its_effect(self, shelf: Shelf):
        hints = conflicts.look("补开一下发票", "logistics")
        [hint] = [hint for hint in hints if hint.text == "补开发票"]
        assert hint.kind == Kind.CONFLICT
        assert hint.effect is not None
        assert hint.effect.of == 4
        assert hint.effect.drawn >= 1
        assert hint.effect.there > (hint.effect.here or 0)

    def test_a_pair_that_was_kept_is_not_named_again(self, shelf: Shelf, now: datetime):
        by = StaffFactory()
        conflicts.keep("怎么开发票！", "怎么开发票", by=by, now=now)
        conflicts.keep("怎么开发票", "怎么开发票", by=by, now=now)
        assert KeptPair.objects.count() == 1
        kinds = [hint.kind for hint in conflicts.look("怎么开发票", "logistics")]
        assert Kind.DUPLICATE not in kinds

    def test_what_is_saved_is_compared_with_soon(self, shelf: Shelf):
        assert conflicts.look("能刷卡吗", "invoice") == []
        write_content({"payment": ["能刷卡吗"]})
        eventually(lambda: [h.kind for h in conflicts.look("能刷卡吗", "invoice")])

    def test_without_an_encoder_keys_are_compared(
        self, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(inference, "encoder", lambda: None)
        conflicts.forget()
        [hint] = conflicts.look("怎么开发票", "logistics")
        assert (hint.kind, hint.effect) == (Kind.DUPLICATE, None)

    def test_several_intents_are_compared_at_once_and_each_utterance_named_once(self, shelf: Shelf):
        [(first, against), *_] = conflicts.compare("怎么开发票", ["logistics", "invoice", ""])
        assert (first.kind, first.text) == (Kind.DUPLICATE, "怎么开发票")
        assert against == ["logistics", ""]  # its own intent has it already
        read = shelf.embedder.embedded.count("怎么开发票")
        conflicts.compare("怎么开发票", ["logistics", "invoice", "", "coupon"])
        assert shelf.embedder.embedded.count("怎么开发票") == read + 1

    def test_no_content_gives_no_hint(self, shelf: Shelf):
        Intent.objects.all().delete()
        content_changed(understanding=True)
        conflicts.forget()
        assert conflicts.look("怎么开发票", "logistics") == []


def test_a_translation_is_near_once_the_languages_are_taken_away():
    chance = np.random.default_rng(7)
    meanings = chance.normal(size=(400, 64))
    tongue = {"zh": 2 * chance.normal(size=64), "en": 2 * chance.normal(size=64)}

    def vector(meaning: int, language: str) -> np.ndarray:
        raw = meanings[meaning] + tongue[language] + 0.1 * chance.normal(size=64)
        return (raw / np.linalg.norm(raw)).astype(np.float32)

    spoken = [(m, language) for language in ("zh", "en") for m in range(400)]
    entries = [
        Entry(n, f"{language}{m % 4}", f"{m}{language}", f"{n}", language, f"{n}", f"k{n}")
        for n, (m, language) in enumerate(spoken)
    ]
    order = sorted(range(len(entries)), key=lambda n: entries[n].intent)
    index = index_of(
        1, "e", [entries[n] for n in order], np.stack([vector(*spoken[n]) for n in order])
    )
    asked = Sentence("7zh anew", "other", "zh")
    [hints] = find(index, [asked], vector(7, "zh")[None])
    assert [(h.kind, h.text) for h in hints] == [
        (Kind.CONFLICT, "7zh"),
        (Kind.TRANSLATION, "7en"),
    ]


def test_the_nearest_of_its_own_intent_is_never_itself():
    texts = ["退货", "退货吗", "开发票", "发票抬头"]
    codes = ["a", "a", "b", "b"]
    entries = [
        Entry(n, code, text, normalize.key(text), "zh", text, text)
        for n, (text, code) in enumerate(zip(texts, codes, strict=True))
    ]
    index = index_of(1, "letters", entries, LetterEmbedder().embed(texts))
    nearest = index.own_nearest(np.array([2, 3]), "b")
    similar = index.similarities(index.centred(index.vectors[[2]], ["zh"]))[0]
    assert similar[2] == pytest.approx(1.0, abs=1e-5)
    assert nearest[0] == pytest.approx(similar[3], abs=1e-5)
    assert nearest[0] < 1


class TestPage:
    def post(self, client: Client, name: str, body: object) -> Any:
        answer = client.post(reverse(f"admin:{name}"), body, content_type="application/json")
        return answer.json() if answer.status_code == 200 else answer.status_code

    @pytest.fixture
    def editor(self) -> Client:
        client = Client(headers={"accept-language": "en"})
        client.force_login(StaffFactory(role="business editor"))
        return client

    def test_hints_come_with_words_and_what_can_be_done(self, shelf: Shelf, editor: Client):
        body = {"intent": "logistics", "texts": [["怎么开发票", None], ["你们几点下班", None]]}
        answer = self.post(editor, "utterance_hints", body)
        [[hint, *_], _none] = answer["hints"]
        assert hint["says"] == "“invoice” has the same sentence"
        assert hint["can_move"] is True
        assert answer["intent"] == "logistics"

    def test_an_intent_may_be_named_by_its_key(self, shelf: Shelf, editor: Client):
        pk = Intent.objects.get(code="invoice").pk
        answer = self.post(
            editor, "utterance_hints", {"intent": pk, "texts": [["怎么开发票", None]]}
        )
        [[hint]] = answer["hints"]
        assert (answer["intent"], hint["says"]) == ("invoice", "This intent has it already")
        assert hint["can_move"] is False

    def test_one_moves_once_and_back(self, shelf: Shelf, editor: Client):
        row = Utterance.objects.get(text="怎么开发票")
        there = {"utterance": row.pk, "source": "invoice", "target": "logistics"}
        opened = dict(Intent.objects.values_list("code", "revision"))
        first = self.post(editor, "move_utterance", there)
        assert first["moved"]
        assert first["revisions"] == {code: opened[code] + 1 for code in ("invoice", "logistics")}
        assert not self.post(editor, "move_utterance", there)["moved"]
        back = {"utterance": row.pk, "source": "logistics", "target": "invoice"}
        assert self.post(editor, "move_utterance", back)["moved"]
        row.refresh_from_db()
        assert row.intent.code == "invoice"

    def test_kept_is_kept(self, shelf: Shelf, editor: Client):
        body = {"text": "怎么开发票", "other": "怎么开发票"}
        assert self.post(editor, "keep_utterances", body) == {"kept": True}
        assert KeptPair.objects.get().kept_by.groups.get().name == "business editor"

    @pytest.mark.parametrize(
        ("name", "body"),
        [
            ("utterance_hints", {"intent": "a", "texts": "x"}),
            ("utterance_hints", {"intent": "a", "texts": [["x", None]] * 51}),
            ("utterance_hints", {"intent": [], "texts": []}),
            ("utterance_hints", {"intent": "a", "texts": [["  ", None]]}),
            ("keep_utterances", {"text": "x"}),
            ("move_utterance", {"utterance": "1", "source": "invoice", "target": "logistics"}),
            ("move_utterance", {"utterance": 1, "source": "invoice", "target": "gone"}),
            ("utterance_hints", []),
        ],
    )
    def test_what_the_page_never_sends_is_refused(
        self, shelf: Shelf, editor: Client, name: str, body: object
    ):
        assert self.post(editor, name, body) == 400

    @pytest.mark.parametrize("role", ["supervisor", "agent"])
    def test_who_may_not_change_utterances_is_refused(self, shelf: Shelf, role: str):
        client = Client()
        client.force_login(StaffFactory(role=role))
        body = {"intent": "logistics", "texts": [["怎么开发票", None]]}
        assert self.post(client, "utterance_hints", body) in (302, 403)
        there = {"utterance": 1, "source": "invoice", "target": "logistics"}
        assert self.post(client, "move_utterance", there) in (302, 403)


class TestInTheReviewInbox:
    def asked(self, role: str, pk: int, *intents: str) -> Any:
        client = Client(headers={"accept-language": "en"})
        client.force_login(StaffFactory(role=role))
        answer = client.get(reverse("admin:review_hints", args=[pk]), {"intent": intents})
        return answer.json() if answer.status_code == 200 else answer.status_code

    def test_what_stands_against_each_choice_is_told(self, shelf: Shelf, now: datetime):
        item = review_item("补开发票", now)
        answer = self.asked("reviewer", item.pk, "logistics", "invoice", "")
        [first, *_] = answer["hints"]
        assert first["says"] == "“invoice” has the same sentence"
        assert (first["text"], first["against"], first["moves"]) == (
            "补开发票",
            ["logistics", ""],
            True,
        )
        assert answer["behind"] is False

    def test_what_leans_elsewhere_names_no_this_intent(self, shelf: Shelf):
        other = Utterance.objects.get(text="补开发票")
        leans = Hint(Kind.NEIGHBOUR, other.pk, other.text, "invoice", "zh", 0.5, None)
        with translation.override("en"):
            [shown] = hints.of_review([(leans, ["logistics"])])
        assert shown["says"] == "“invoice” is nearer to it"
        assert shown["moves"] is False

    def test_only_who_decides_is_told(self, shelf: Shelf, now: datetime):
        item = review_item("补开发票", now)
        assert self.asked("supervisor", item.pk, "logistics") in (302, 403)
        assert self.asked("reviewer", item.pk + 1, "logistics") == 404

    def test_a_decision_compares_nothing(self, shelf: Shelf, now: datetime):
        item, _next = review_item("包裹呢", now, priority=9000), review_item("快递呢", now)
        client = Client()
        client.force_login(StaffFactory(role="reviewer"))
        for name, body in (
            ("review_next", {}),
            ("review_decide", {"action": "ignore", "items": [item.pk]}),
        ):
            answer = client.post(reverse(f"admin:{name}"), body, content_type="application/json")
            assert answer.json()["item"]
        assert not {"包裹呢", "快递呢"} & set(shelf.embedder.embedded)


@pytest.mark.django_db
def test_moving_tells_every_process_and_those_who_have_the_page_open():
    write_content(SENTENCES)
    row = Utterance.objects.get(text="补开发票")
    before = {intent.code: intent.revision for intent in Intent.objects.all()}
    assert services.move_utterance(row.pk, source="invoice", target="logistics")
    assert not services.move_utterance(row.pk, source="invoice", target="logistics")
    for intent in Intent.objects.all():
        assert intent.revision == before[intent.code] + 1

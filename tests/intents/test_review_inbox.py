"""Each sentence of the review inbox goes to one person, and what he decides is undone exactly."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.forms.models import model_to_dict

from intents import services
from intents.models import (
    Draft,
    Intent,
    ReviewCandidate,
    ReviewCluster,
    ReviewDecision,
    ReviewItem,
    ReviewSighting,
    Utterance,
)
from intents.review import clusters, deciding, inbox
from intents.review.reasons import Reason
from tests.databases import at_once, interleave
from tests.factories import IntentFactory, StaffFactory

Kind = ReviewDecision.Kind


def person() -> User:
    return StaffFactory(role="business editor")


def item(text: str, now: datetime, **columns: Any) -> ReviewItem:
    usual = {
        "key": text,
        "language": "zh",
        "messages": 1,
        "priority": 5000,
        "ranked": [["logistics", 0.5]],
        "first_at": now,
        "last_at": now,
    }
    return ReviewItem.objects.create(text=text, **{**usual, **columns})


def state() -> list[Any]:
    """Everything that a decision may change, as rows."""
    models = (Intent, Utterance, ReviewCandidate, ReviewCluster)
    rows: list[Any] = [[model_to_dict(row) for row in m.objects.order_by("pk")] for m in models]
    items = ReviewItem.objects.order_by("pk").values()
    rows.append([{**row, "claimed_by_id": None, "claimed_until": None} for row in items])
    return rows


@pytest.mark.django_db
class TestClaiming:
    def test_the_weightiest_comes_first_and_of_equals_the_older(self, now: datetime):
        light, heavy, equal = (
            item("一", now, priority=1),
            item("二", now, priority=9),
            item("三", now, priority=9),
        )
        got = [inbox.claim_next(by=person().pk, now=now) for _ in range(4)]
        assert got == [heavy, equal, light, None]

    def test_a_claim_is_kept_when_its_holder_asks_again(self, now: datetime):
        item("一", now), item("二", now)
        one = person()
        assert inbox.claim_next(by=one.pk, now=now) == inbox.claim_next(by=one.pk, now=now)

    def test_it_runs_out(self, now: datetime):
        only = item("一", now)
        inbox.claim_next(by=person().pk, now=now)
        other = person().pk
        assert inbox.claim_next(by=other, now=now) is None
        assert inbox.claim_next(by=other, now=now + inbox.LEASE + timedelta(seconds=1)) == only

    def test_what_is_skipped_comes_back_later_to_anybody(self, now: datetime):
        only, one = item("一", now), person().pk
        inbox.claim_next(by=one, now=now)
        inbox.skip(only.pk, by=one, now=now)
        assert inbox.claim_next(by=one, now=now) is None
        later = now + inbox.SKIPPED_FOR + timedelta(seconds=1)
        assert inbox.claim_next(by=person().pk, now=later) == only

    def test_nobody_skips_or_decides_what_another_has(self, now: datetime):
        IntentFactory(code="logistics")
        only = item("一", now)
        inbox.claim_next(by=person().pk, now=now)
        other = person()
        with pytest.raises(inbox.NotClaimed):
            inbox.skip(only.pk, by=other.pk, now=now)
        before = state()
        with pytest.raises(inbox.NotClaimed):
            deciding.label([only.pk], intent="logistics", by=other, now=now)
        assert state() == before
        assert not ReviewDecision.objects.exists()

    def test_a_lease_that_ran_out_counts_until_somebody_else_takes_it(self, now: datetime):
        IntentFactory(code="logistics")
        only, one = item("一", now), person()
        inbox.claim_next(by=one.pk, now=now)
        deciding.label([only.pk], intent="logistics", by=one, now=now + timedelta(hours=1))
        assert inbox.left() == 0

    def test_the_next_one_takes_few_queries_however_many_are_claimed(
        self, django_assert_max_num_queries: Any, now: datetime
    ):
        for number in range(12):
            item(f"{number}", now)
            inbox.claim_next(by=person().pk, now=now)
        item("这一句", now)
        who = person().pk
        with django_assert_max_num_queries(4):  # his own, the free ones, the claim, the row
            assert inbox.claim_next(by=who, now=now).text == "这一句"


@pytest.mark.django_db(transaction=True)
class TestTwoPeople:
    def test_who_ask_at_once_get_different_sentences(self, both_databases: str, now: datetime):
        for number in range(3):
            item(f"{number}", now)
        people = [person().pk for _ in range(3)]
        got = at_once(*(lambda who=who: inbox.claim_next(by=who, now=now) for who in people))
        assert len({one.result.pk for one in got}) == 3

    def test_the_second_goes_on_to_the_next(self, both_databases: str, now: datetime):
        first, second = item("一", now, priority=9), item("二", now)
        one, other = person().pk, person().pk
        got = interleave(
            lambda: inbox.claim_next(by=one, now=now),
            lambda: inbox.claim_next(by=other, now=now),
            at='UPDATE "intents_reviewitem"',
        )
        assert {outcome.result.pk for outcome in got} == {first.pk, second.pk}

    def test_of_two_decisions_about_one_sentence_one_stands(
        self, both_databases: str, now: datetime
    ):
        IntentFactory(code="logistics")
        only, who = item("一", now), person()
        inbox.claim_next(by=who.pk, now=now)
        got = interleave(
            lambda: deciding.label([only.pk], intent="logistics", by=who, now=now),
            lambda: deciding.put_away([only.pk], out_of_scope=False, by=who, now=now),
            at='UPDATE "intents_reviewitem"',
        )
        assert sorted(one.refusal for one in got) == ["", "not_claimed"]
        assert ReviewDecision.objects.count() == 1

    def test_of_two_undos_one_works(self, both_databases: str, now: datetime):
        only, who = item("一", now), person()
        inbox.claim_next(by=who.pk, now=now)
        deciding.put_away([only.pk], out_of_scope=False, by=who, now=now)
        got = interleave(
            lambda: deciding.undo(by=who, now=now),
            lambda: deciding.undo(by=who, now=now),
            at='UPDATE "intents_reviewdecision"',
        )
        assert sorted(one.refusal for one in got) == ["", "nothing_to_undo"]


@pytest.mark.django_db
class TestDeciding:
    @pytest.fixture
    def who(self) -> User:
        return person()

    def claimed(self, who: User, now: datetime, *texts: str, **columns: Any) -> list[int]:
        keys = [item(text, now, **columns).pk for text in texts]
        inbox.claim(keys, by=who.pk, now=now)
        return keys

    def test_accepted_is_an_utterance_that_says_where_it_is_from(self, who: User, now: datetime):
        IntentFactory(code="logistics")
        keys = self.claimed(who, now, "包裹呢")
        decision = deciding.label(keys, intent="logistics", by=who, now=now)

        utterance = Utterance.objects.get()
        assert (utterance.text, utterance.intent.code) == ("包裹呢", "logistics")
        assert (utterance.origin, utterance.split) == ("review", "train")
        assert (decision.kind, decision.by, decision.at) == (Kind.ACCEPTED, who, now)
        assert decision.came_of == {"added": [utterance.pk], "moved": []}
        assert inbox.left() == 0

    def test_an_agents_intent_is_accepted_another_is_a_move(self, who: User, now: datetime):
        IntentFactory(code="payment"), IntentFactory(code="refund")
        [one] = self.claimed(who, now, "一", votes={"agent:payment": 1})
        [two] = self.claimed(who, now, "二", votes={"agent:payment": 1})
        assert deciding.label([one], intent="payment", by=who, now=now).kind == Kind.ACCEPTED
        assert deciding.label([two], intent="refund", by=who, now=now).kind == Kind.MOVED

    def test_an_intent_that_is_gone_changes_nothing(self, who: User, now: datetime):
        keys = self.claimed(who, now, "包裹呢")
        before = state()
        with pytest.raises(deciding.NoSuchIntent):
            deciding.label(keys, intent="gone", by=who, now=now)
        assert state() == before

    def test_a_new_intent_from_chosen_sentences(self, who: User, now: datetime):
        keys = self.claimed(who, now, "能货到付款吗", "可以到付吗")
        decision = deciding.new_intent(
            keys,
            intent=Intent(code="cash_on_delivery", name_zh="货到付款", name_en="Cash on delivery"),
            by=who,
            now=now,
        )
        made = Intent.objects.get(code="cash_on_delivery")
        assert sorted(made.utterances.values_list("text", flat=True)) == [
            "可以到付吗",
            "能货到付款吗",
        ]
        assert (decision.kind, decision.sentences) == (Kind.NEW_INTENT, 2)

    def test_a_code_that_is_taken_changes_nothing(self, who: User, now: datetime):
        IntentFactory(code="logistics")
        keys = self.claimed(who, now, "能货到付款吗")
        before = state()
        with pytest.raises(ValidationError):
            deciding.new_intent(
                keys, intent=Intent(code="logistics", name_zh="一", name_en="a"), by=who, now=now
            )
        assert state() == before

    def test_where_four_eyes_are_asked_for_a_new_intent_waits_in_a_draft(
        self, settings: Any, who: User, now: datetime
    ):
        settings.CONTENT_FOUR_EYES = True
        keys = self.claimed(who, now, "能货到付款吗")
        made = Intent(code="cash_on_delivery", name_zh="货到付款", name_en="Cash on delivery")
        deciding.new_intent(keys, intent=made, by=who, now=now)
        draft = Draft.objects.get()
        assert not Intent.objects.exists()
        assert sorted(draft.edits.values_list("kind", flat=True)) == ["intent", "utterance"]

        deciding.undo(by=who, now=now)
        draft.refresh_from_db()
        assert draft.status == Draft.Status.WITHDRAWN
        assert inbox.left() == 1

    def test_none_of_our_topics_is_kept_as_an_example(self, who: User, now: datetime):
        deciding.put_away(self.claimed(who, now, "今天天气"), out_of_scope=True, by=who, now=now)
        deciding.put_away(self.claimed(who, now, "asdf"), out_of_scope=False, by=who, now=now)
        assert deciding.out_of_scope_examples() == [("今天天气", "zh")]
        assert not Utterance.objects.exists()

    def test_agents_words_are_marked_as_reviewed(self, who: User, now: datetime):
        candidate = ReviewCandidate.objects.create(
            message=7, text="包裹呢", verdict="CORRECTED", decided_at=now
        )
        other = ReviewCandidate.objects.create(
            message=8, text="别的", verdict="CORRECTED", decided_at=now
        )
        [key] = self.claimed(who, now, "包裹呢", reasons={"corrected": 1})
        ReviewSighting.objects.create(
            message=7, item_id=key, at=now, reasons=int(Reason.CORRECTED), wrongness=1
        )
        deciding.put_away([key], out_of_scope=False, by=who, now=now)
        candidate.refresh_from_db(), other.refresh_from_db()
        assert (candidate.status, other.status) == ("REVIEWED", "NEW")
        deciding.undo(by=who, now=now)
        candidate.refresh_from_db()
        assert candidate.status == "NEW"


@pytest.mark.django_db
class TestUndo:
    @pytest.mark.parametrize("what", ["label", "move", "new intent", "out of scope", "ignore"])
    def test_it_puts_back_exactly_what_was(self, what: str, now: datetime):
        who = person()
        logistics, refund = IntentFactory(code="logistics"), IntentFactory(code="refund")
        services.save_utterance(Utterance(intent=refund, text="退钱", language="zh"))
        cluster = ReviewCluster.objects.create(encoder="e", total=b"", members=2, changed_at=now)
        keys = [
            item(text, now, cluster=cluster, key=text).pk
            for text in ("包裹呢", "退钱" if what == "move" else "快递呢")
        ]
        clusters.count_again([cluster.pk])
        inbox.claim(keys, by=who.pk, now=now)
        before = state()
        if what in ("label", "move"):
            deciding.label(keys, intent=logistics.code, by=who, now=now)
        elif what == "new intent":
            new = Intent(code="lost", name_zh="丢件", name_en="Lost parcels")
            deciding.new_intent(keys, intent=new, by=who, now=now)
        else:
            deciding.put_away(keys, out_of_scope=what == "out of scope", by=who, now=now)
        assert state() != before

        decision = deciding.undo(by=who, now=now)
        assert state() == before
        assert (decision.undone_by, decision.undone_at) == (who, now)
        assert ReviewItem.objects.filter(claimed_by=who).count() == 2

    def test_it_takes_back_one_after_the_other_and_then_nothing(self, now: datetime):
        who = person()
        for text in ("一", "二"):
            key = item(text, now).pk
            inbox.claim([key], by=who.pk, now=now)
            now += timedelta(seconds=1)
            deciding.put_away([key], out_of_scope=False, by=who, now=now)
        deciding.undo(by=who, now=now)
        deciding.undo(by=who, now=now)
        with pytest.raises(deciding.NothingToUndo):
            deciding.undo(by=who, now=now)
        assert inbox.left() == 2

    def test_what_somebody_has_changed_since_stays_as_he_left_it(self, now: datetime):
        who = person()
        IntentFactory(code="logistics")
        key = item("包裹呢", now).pk
        inbox.claim([key], by=who.pk, now=now)
        deciding.label([key], intent="logistics", by=who, now=now)
        utterance = Utterance.objects.get()
        utterance.intent = IntentFactory(code="refund")
        services.save_utterance(utterance)
        before = state()
        with pytest.raises(deciding.ChangedSince):
            deciding.undo(by=who, now=now)
        assert state() == before

    def test_a_new_intent_that_somebody_went_on_with_stays(self, now: datetime):
        who = person()
        key = item("丢件了", now).pk
        inbox.claim([key], by=who.pk, now=now)
        new = Intent(code="lost", name_zh="丢件", name_en="Lost parcels")
        deciding.new_intent([key], intent=new, by=who, now=now)
        services.save_utterance(Utterance(intent=new, text="包裹丢了", language="zh"))
        before = state()
        with pytest.raises(deciding.ChangedSince):
            deciding.undo(by=who, now=now)
        assert state() == before

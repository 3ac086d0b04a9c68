"""Drafts: proposed, checked, approved, published once, taken back."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from intents import content, drafts, services
from intents.drafts import Proposal
from intents.models import ContentVersion, Draft, Intent, Reply, Utterance
from tests.databases import at_once, interleave
from tests.factories import IntentFactory, StaffFactory

Status = Draft.Status
VERSION = "intents_contentversion"
MINUTE = timedelta(minutes=1)

NEW_INTENT = {
    "code": "invoice",
    "name_zh": "发票",
    "name_en": "Invoice",
    "description_zh": "",
    "description_en": "",
    "is_active": True,
    "hands_over": False,
    "is_offered": True,
    "position": 5,
}


def new(kind: str, **values: Any) -> Proposal:
    return Proposal(kind, "save", None, values, None)


def new_reply(code: str, text: str) -> Proposal:
    return new("reply", intent=code, language="zh", channel="", text=text, is_active=True)


def new_utterance(code: str, text: str) -> Proposal:
    return new("utterance", intent=code, text=text, language="zh", family="", split="train")


def changed(row: Any, **values: Any) -> Proposal:
    row = type(row).objects.get(pk=row.pk)
    base = drafts.values_of(row)
    for name, value in values.items():
        setattr(row, name, value)
    return Proposal.to_save(row, base)


@pytest.fixture
def editor(db: None) -> User:
    return StaffFactory(role="business editor")


@pytest.fixture
def reviewer(db: None) -> User:
    return StaffFactory(role="reviewer")


@pytest.fixture
def logistics(db: None) -> Intent:
    return IntentFactory(code="logistics", name_zh="物流", name_en="Delivery", position=10)


@pytest.fixture
def reply(logistics: Intent) -> Reply:
    return Reply.objects.create(intent=logistics, language="zh", text="在路上")


@pytest.fixture
def draft(editor: User, now: datetime) -> Draft:
    return drafts.begin("双十一", by=editor, now=now)


class TestOverlay:
    def test_a_draft_shows_what_would_be_and_touches_nothing(
        self, draft: Draft, editor: User, reply: Reply, logistics: Intent, now: datetime
    ) -> None:
        moved = Utterance.objects.create(
            intent=logistics, language="zh", text="开票", key="开票", family="f"
        )
        drafts.propose(
            draft.pk,
            [
                new("intent", **NEW_INTENT),
                new_reply("invoice", "马上开"),
                new_utterance("invoice", "要发票"),
                changed(reply, text="已发货"),
                changed(moved, intent=Intent(code="invoice")),
            ],
            by=editor,
            now=now,
        )

        would_be = drafts.content_with(draft.pk)

        assert list(would_be.intents) == ["invoice", "logistics"]  # by their position
        assert would_be.replies("invoice", "zh", "web") == ["马上开"]
        assert would_be.replies("logistics", "zh", "web") == ["已发货"]
        assert [(each.code, each.text) for each in drafts.utterances_with(draft.pk)] == [
            ("invoice", "开票"),
            ("invoice", "要发票"),
        ]
        assert drafts.utterances_with(None) == [
            drafts.LabelledText("logistics", "开票", "zh", "f", "train")
        ]
        assert list(content.current().intents) == ["logistics"]
        assert Reply.objects.get().text == "在路上"

    def test_an_intent_that_is_switched_off_or_goes_is_not_answered(
        self, draft: Draft, editor: User, reply: Reply, logistics: Intent, now: datetime
    ) -> None:
        Utterance.objects.create(intent=logistics, language="zh", text="到哪了", key="到哪了")
        other = IntentFactory(code="other")
        proposals = [changed(logistics, is_active=False), Proposal.to_delete(other)]
        drafts.propose(draft.pk, proposals, by=editor, now=now)

        assert drafts.content_with(draft.pk).intents == {}
        assert drafts.content_with(draft.pk).replies("logistics", "zh", "web") == []
        assert drafts.utterances_with(draft.pk) == []

    def test_queries_do_not_grow_with_the_draft(
        self,
        draft: Draft,
        editor: User,
        reply: Reply,
        now: datetime,
        django_assert_num_queries: Any,
    ) -> None:
        rows = [new_utterance("logistics", f"第{n}句") for n in range(30)]
        rows += [new_reply("logistics", f"第{n}条") for n in range(30)]
        drafts.propose(draft.pk, rows, by=editor, now=now)
        # draft, edits, utterances, intents
        with django_assert_num_queries(4):
            assert len(drafts.utterances_with(draft.pk)) == 30
        # the version and eight tables of today; draft, edits, intents, replies, questions, phrases
        with django_assert_num_queries(9 + 1 + 6):
            drafts.content_with(draft.pk)


class TestProposing:
    @pytest.mark.parametrize(
        ("proposal", "message"),
        [
            (new_reply("logistics", "订单{order}"), "{order}"),
            (new_reply("nowhere", "好"), "nowhere"),
            (new_utterance("logistics", "到哪了"), "到哪了"),  # another intent has it
            (new("intent", **{**NEW_INTENT, "code": "In voice"}), ""),
        ],
    )
    def test_what_a_direct_save_would_refuse_is_refused(
        self,
        draft: Draft,
        editor: User,
        logistics: Intent,
        now: datetime,
        proposal: Proposal,
        message: str,
    ) -> None:
        other = IntentFactory(code="other")
        services.save_utterance(Utterance(intent=other, text="到哪了", language="zh"))
        with pytest.raises(ValidationError) as refused:
            drafts.propose(draft.pk, [proposal], by=editor, now=now)
        assert message in " ".join(refused.value.messages)
        assert not draft.edits.exists()

    def test_edits_of_one_row_are_laid_over_each_other(
        self, draft: Draft, editor: User, logistics: Intent, now: datetime
    ) -> None:
        drafts.propose(draft.pk, [changed(logistics, name_zh="快递")], by=editor, now=now)
        drafts.propose(draft.pk, [changed(logistics, position=3)], by=editor, now=now)
        edit = draft.edits.get()
        assert edit.values == {"name_zh": "快递", "position": 3}
        assert edit.base["name_zh"] == "物流"

    def test_what_changes_nothing_is_no_edit(
        self, draft: Draft, editor: User, logistics: Intent, now: datetime
    ) -> None:
        with pytest.raises(drafts.NothingProposed):
            drafts.propose(draft.pk, [changed(logistics)], by=editor, now=now)

    def test_the_same_new_sentence_is_one_edit(
        self, draft: Draft, editor: User, logistics: Intent, now: datetime
    ) -> None:
        both = [new_utterance("logistics", "到哪了"), new_utterance("logistics", "到哪了 ")]
        drafts.propose(draft.pk, both, by=editor, now=now)
        assert draft.edits.count() == 1

    def test_only_its_author_changes_it_and_only_while_it_is_open(
        self, draft: Draft, editor: User, logistics: Intent, now: datetime
    ) -> None:
        somebody = StaffFactory(role="business editor")
        with pytest.raises(drafts.MayNot):
            drafts.propose(draft.pk, [changed(logistics, position=3)], by=somebody, now=now)
        drafts.propose(draft.pk, [changed(logistics, position=3)], by=editor, now=now)
        drafts.submit(draft.pk, by=editor, now=now)
        with pytest.raises(drafts.WrongStatus):
            drafts.propose(draft.pk, [changed(logistics, position=4)], by=editor, now=now)
        with pytest.raises(drafts.MayNot):
            drafts.begin("x", by=StaffFactory(role="reviewer"), now=now)

    def test_a_new_intent_takes_with_it_what_the_draft_puts_into_it(
        self, draft: Draft, editor: User, reply: Reply, now: datetime
    ) -> None:
        edits = drafts.propose(
            draft.pk,
            [
                new("intent", **NEW_INTENT),
                new_reply("invoice", "马上开"),
                changed(reply, text="已发货"),
            ],
            by=editor,
            now=now,
        )
        drafts.remove(edits[0].pk, by=editor, now=now)
        assert [edit.kind for edit in draft.edits.all()] == ["reply"]

    def test_an_edit_can_be_revised_and_is_checked_again(
        self, draft: Draft, editor: User, reply: Reply, now: datetime
    ) -> None:
        [edit] = drafts.propose(draft.pk, [changed(reply, text="已发货")], by=editor, now=now)
        with pytest.raises(ValidationError):
            drafts.revise(edit.pk, {"text": "{nothing}"}, by=editor, now=now)
        drafts.revise(edit.pk, {"text": "发货了"}, by=editor, now=now)
        assert draft.edits.get().values == {"text": "发货了"}

    def test_an_edit_is_not_revised_over_what_somebody_else_made_of_it(
        self, draft: Draft, editor: User, reply: Reply, now: datetime
    ) -> None:
        [edit] = drafts.propose(draft.pk, [changed(reply, text="已发货")], by=editor, now=now)
        later = now + MINUTE
        drafts.revise(edit.pk, {"text": "发货了"}, by=editor, now=later, seen=now)
        with pytest.raises(drafts.ChangedMeanwhile):
            drafts.revise(edit.pk, {"text": "旧页面"}, by=editor, now=later, seen=now)
        drafts.settle(edit.pk, keep="draft", by=editor, now=later + MINUTE)
        with pytest.raises(drafts.ChangedMeanwhile):
            drafts.revise(edit.pk, {"text": "旧页面"}, by=editor, now=later, seen=later)
        assert draft.edits.get().values == {"text": "发货了"}


class TestPublishing:
    def test_all_edits_are_live_at_once_and_the_version_moves_once(
        self, draft: Draft, editor: User, reply: Reply, now: datetime
    ) -> None:
        drafts.propose(
            draft.pk,
            [
                new_utterance("invoice", "要发票"),
                new_reply("invoice", "马上开"),
                new("intent", **NEW_INTENT),
                changed(reply, text="已发货"),
            ][::-1],
            by=editor,
            now=now,
        )
        revision = reply.intent.revision
        before = ContentVersion.objects.values_list("answers", flat=True).first() or 0

        with CaptureQueriesContext(connection) as queries:
            published = drafts.publish(draft.pk, by=editor, now=now)

        assert published.status == Status.PUBLISHED
        assert (published.publisher, published.published_at) == (editor, now)
        assert Reply.objects.get(pk=reply.pk).text == "已发货"
        made = Intent.objects.get(code="invoice")
        assert made.replies.get().text == "马上开"
        assert made.utterances.get().text == "要发票"
        assert ContentVersion.objects.get().answers > before
        assert (
            len([one for one in queries if "UPDATE" in one["sql"] and VERSION in one["sql"]]) == 1
        )
        # Whoever has the page of the reply's intent open is told.
        assert Intent.objects.get(pk=reply.intent_id).revision == revision + 1
        for row in (made, made.replies.get(), made.utterances.get()):
            record = row.history.get()
            assert record.history_user == editor
            assert str(draft.pk) in record.history_change_reason

    def test_publishing_twice_is_publishing_once(
        self, draft: Draft, editor: User, logistics: Intent, now: datetime
    ) -> None:
        drafts.propose(draft.pk, [new_reply("logistics", "好")], by=editor, now=now)
        drafts.publish(draft.pk, by=editor, now=now)
        again = drafts.publish(draft.pk, by=editor, now=now + MINUTE)
        assert again.published_at == now
        assert Reply.objects.count() == 1

    def test_what_became_live_meanwhile_is_not_overwritten(
        self, draft: Draft, editor: User, reply: Reply, now: datetime
    ) -> None:
        [edit] = drafts.propose(
            draft.pk, [changed(reply, text="已发货", is_active=False)], by=editor, now=now
        )
        reply.text = "明天到"
        services.save_reply(reply)

        with pytest.raises(drafts.Conflicting):
            drafts.publish(draft.pk, by=editor, now=now)

        assert Draft.objects.get().status == Status.OPEN
        assert Reply.objects.get().text == "明天到"
        [comparison] = drafts.compare([edit])
        text, in_use = comparison.changes
        assert (text.base, text.live, text.draft) == ("在路上", "明天到", "已发货")
        assert text.conflicts
        assert not in_use.conflicts
        assert comparison.conflict == drafts.Conflict.CHANGED

    @pytest.mark.parametrize(("keep", "text"), [("draft", "已发货"), ("live", "明天到")])
    def test_a_conflict_is_settled_for_one_side(
        self, draft: Draft, editor: User, reply: Reply, now: datetime, keep: str, text: str
    ) -> None:
        [edit] = drafts.propose(
            draft.pk, [changed(reply, text="已发货", is_active=False)], by=editor, now=now
        )
        reply.text = "明天到"
        services.save_reply(reply)
        drafts.settle(edit.pk, keep=keep, by=editor, now=now)
        drafts.publish(draft.pk, by=editor, now=now)
        saved = Reply.objects.get()
        assert (saved.text, saved.is_active) == (text, False)

    def test_other_fields_that_changed_meanwhile_stay(
        self, draft: Draft, editor: User, logistics: Intent, now: datetime
    ) -> None:
        drafts.propose(draft.pk, [changed(logistics, name_zh="快递")], by=editor, now=now)
        logistics.name_en = "Parcel"
        services.save_intent(logistics)
        drafts.publish(draft.pk, by=editor, now=now)
        saved = Intent.objects.get()
        assert (saved.name_zh, saved.name_en) == ("快递", "Parcel")

    @pytest.mark.parametrize(("keep", "texts"), [("draft", ["已发货"]), ("live", [])])
    def test_a_row_that_is_gone_is_a_conflict(
        self, draft: Draft, editor: User, reply: Reply, now: datetime, keep: str, texts: list[str]
    ) -> None:
        [edit] = drafts.propose(draft.pk, [changed(reply, text="已发货")], by=editor, now=now)
        drafts.propose(draft.pk, [changed(reply.intent, position=1)], by=editor, now=now)
        services.delete_reply(reply)
        [comparison] = drafts.compare([edit])
        assert comparison.conflict == drafts.Conflict.GONE
        with pytest.raises(drafts.Conflicting):
            drafts.publish(draft.pk, by=editor, now=now)
        drafts.settle(edit.pk, keep=keep, by=editor, now=now)
        drafts.publish(draft.pk, by=editor, now=now)
        assert [each.text for each in Reply.objects.all()] == texts

    def test_a_new_intent_whose_code_is_taken_meanwhile_is_a_conflict(
        self, draft: Draft, editor: User, now: datetime
    ) -> None:
        [edit] = drafts.propose(draft.pk, [new("intent", **NEW_INTENT)], by=editor, now=now)
        IntentFactory(code="invoice", name_zh="开票")
        assert drafts.compare([edit])[0].conflict == drafts.Conflict.TAKEN
        drafts.settle(edit.pk, keep="draft", by=editor, now=now)
        drafts.publish(draft.pk, by=editor, now=now)
        assert Intent.objects.get().name_zh == "发票"

    def test_one_edit_that_is_refused_keeps_all_back(
        self, draft: Draft, editor: User, logistics: Intent, reply: Reply, now: datetime
    ) -> None:
        drafts.propose(
            draft.pk,
            [changed(reply, text="已发货"), Proposal.to_delete(IntentFactory(code="other"))],
            by=editor,
            now=now,
        )
        services.KNOWN_LABELS.append(lambda: ["other"])
        try:
            with pytest.raises(drafts.NotValid) as refused:
                drafts.publish(draft.pk, by=editor, now=now)
        finally:
            services.KNOWN_LABELS.pop()
        assert list(refused.value.problems) == [draft.edits.get(kind="intent").pk]
        assert Reply.objects.get().text == "在路上"
        assert Draft.objects.get().status == Status.OPEN

    def test_five_hundred_sentences_are_published_with_few_statements(
        self, draft: Draft, editor: User, logistics: Intent, now: datetime
    ) -> None:
        rows = [new_utterance("logistics", f"第{n}句") for n in range(500)]
        drafts.propose(draft.pk, rows, by=editor, now=now)
        with CaptureQueriesContext(connection) as queries:
            drafts.publish(draft.pk, by=editor, now=now)
        assert len(queries) < 60
        assert Utterance.objects.count() == Utterance.history.count() == 500


class TestFourEyes:
    @pytest.fixture(autouse=True)
    def _four_eyes(self, settings: Any) -> None:
        settings.CONTENT_FOUR_EYES = True

    def test_a_second_person_has_to_approve(
        self, draft: Draft, editor: User, reviewer: User, logistics: Intent, now: datetime
    ) -> None:
        drafts.propose(draft.pk, [changed(logistics, position=1)], by=editor, now=now)
        with pytest.raises(drafts.NeedsApproval):
            drafts.publish(draft.pk, by=editor, now=now)
        drafts.submit(draft.pk, by=editor, now=now)
        with pytest.raises(drafts.WrongStatus):
            drafts.publish(draft.pk, by=editor, now=now)
        drafts.approve(draft.pk, by=reviewer, comment="好", now=now)
        drafts.publish(draft.pk, by=editor, now=now)
        assert Intent.objects.get().position == 1

    def test_nobody_approves_what_he_wrote(
        self, logistics: Intent, reviewer: User, now: datetime
    ) -> None:
        admin = StaffFactory(role="administrator")
        draft = drafts.begin("t", by=admin, now=now)
        drafts.propose(draft.pk, [changed(logistics, position=1)], by=admin, now=now)
        drafts.submit(draft.pk, by=admin, now=now)
        with pytest.raises(drafts.MayNot):
            drafts.approve(draft.pk, by=admin, comment="", now=now)
        assert Draft.objects.get().status == Status.IN_REVIEW

    def test_an_approval_is_void_once_it_is_written_on(
        self, draft: Draft, editor: User, reviewer: User, logistics: Intent, now: datetime
    ) -> None:
        drafts.propose(draft.pk, [changed(logistics, position=1)], by=editor, now=now)
        drafts.submit(draft.pk, by=editor, now=now)
        drafts.approve(draft.pk, by=reviewer, comment="", now=now)
        drafts.reopen(draft.pk, by=editor, now=now)
        with pytest.raises(drafts.NeedsApproval):
            drafts.publish(draft.pk, by=editor, now=now)

    def test_only_what_was_read_is_approved_and_published(
        self, draft: Draft, editor: User, reviewer: User, logistics: Intent, now: datetime
    ) -> None:
        drafts.propose(draft.pk, [changed(logistics, position=1)], by=editor, now=now)
        drafts.submit(draft.pk, by=editor, now=now)
        drafts.reopen(draft.pk, by=editor, now=now)
        drafts.propose(draft.pk, [changed(logistics, position=2)], by=editor, now=now)
        later = now + MINUTE
        drafts.submit(draft.pk, by=editor, now=later)
        for review in (drafts.approve, drafts.reject):
            with pytest.raises(drafts.ChangedMeanwhile):
                review(draft.pk, by=reviewer, comment="", now=later, seen=now)
        drafts.approve(draft.pk, by=reviewer, comment="", now=later, seen=later)
        with pytest.raises(drafts.ChangedMeanwhile):
            drafts.publish(draft.pk, by=editor, now=later, seen=now)
        assert Draft.objects.get().status == Status.APPROVED
        drafts.publish(draft.pk, by=editor, now=later, seen=later)
        # Who presses twice is not told that somebody else was faster.
        assert drafts.publish(draft.pk, by=editor, now=later, seen=now).published_at == later

    def test_who_may_save_directly(self, editor: User, reviewer: User) -> None:
        assert drafts.needs_draft(editor)
        assert not drafts.needs_draft(StaffFactory(role="administrator"))

    def test_what_was_scheduled_without_approval_waits_once_four_eyes_are_asked_for(
        self, draft: Draft, editor: User, logistics: Intent, now: datetime, settings: Any
    ) -> None:
        settings.CONTENT_FOUR_EYES = False
        drafts.propose(draft.pk, [changed(logistics, position=1)], by=editor, now=now)
        drafts.schedule(draft.pk, publish_at=now + MINUTE, expires_at=None, by=editor, now=now)
        settings.CONTENT_FOUR_EYES = True
        assert drafts.publish_due(now=now + MINUTE) == []
        assert Draft.objects.get().status == Status.OPEN


class TestClock:
    def test_a_draft_is_published_at_its_time_and_taken_back_at_another(
        self, draft: Draft, editor: User, reply: Reply, now: datetime
    ) -> None:
        drafts.propose(
            draft.pk,
            [
                changed(reply, text="双十一包邮"),
                new_reply("logistics", "今天发"),
                new("intent", **NEW_INTENT),
                new_utterance("invoice", "要发票"),
                Proposal.to_delete(IntentFactory(code="other")),
            ],
            by=editor,
            now=now,
        )
        drafts.schedule(
            draft.pk, publish_at=now + MINUTE, expires_at=now + 3 * MINUTE, by=editor, now=now
        )
        assert drafts.publish_due(now=now) == []
        assert drafts.publish_due(now=now + MINUTE) == [draft.pk]
        assert drafts.publish_due(now=now + MINUTE) == []
        assert Reply.objects.get(pk=reply.pk).text == "双十一包邮"
        assert Reply.objects.get(pk=reply.pk).history.first().history_user == editor
        assert not Intent.objects.filter(code="other").exists()
        assert drafts.take_back_due(now=now + 2 * MINUTE) == []
        assert drafts.take_back_due(now=now + 3 * MINUTE) == [draft.pk]
        assert drafts.take_back_due(now=now + 3 * MINUTE) == []
        assert [each.text for each in Reply.objects.all()] == ["在路上"]
        assert set(Intent.objects.values_list("code", flat=True)) == {"logistics", "other"}
        assert not Utterance.objects.exists()
        assert Draft.objects.get().status == Status.TAKEN_BACK
        assert {edit.outcome for edit in draft.edits.all()} == {""}

    def test_what_somebody_changed_since_is_left_and_said(
        self, draft: Draft, editor: User, reply: Reply, now: datetime
    ) -> None:
        drafts.propose(
            draft.pk,
            [changed(reply, text="双十一包邮"), new("intent", **NEW_INTENT)],
            by=editor,
            now=now,
        )
        drafts.publish(draft.pk, by=editor, now=now, expires_at=now + MINUTE)
        reply.refresh_from_db()
        reply.text = "双十二包邮"
        services.save_reply(reply)
        Reply.objects.create(intent=Intent.objects.get(code="invoice"), language="zh", text="好")

        drafts.take_back_due(now=now + MINUTE)

        assert Reply.objects.get(pk=reply.pk).text == "双十二包邮"
        assert not Intent.objects.get(code="invoice").is_active  # it has a reply of somebody else
        outcomes = {edit.kind: edit.outcome for edit in draft.edits.all()}
        assert all(outcomes.values())

    def test_an_intent_that_a_draft_deleted_comes_back_with_what_was_in_it(
        self, draft: Draft, editor: User, reply: Reply, now: datetime
    ) -> None:
        services.save_utterance(Utterance(intent=reply.intent, text="到哪了", language="zh"))
        drafts.propose(draft.pk, [Proposal.to_delete(reply.intent)], by=editor, now=now)
        drafts.publish(draft.pk, by=editor, now=now)
        assert not Intent.objects.exists()
        drafts.take_back(draft.pk, by=editor, now=now)
        intent = Intent.objects.get()
        assert (intent.replies.get().text, intent.utterances.get().text) == ("在路上", "到哪了")

    def test_a_draft_that_cannot_be_published_at_its_time_is_given_back_with_the_reason(
        self, draft: Draft, editor: User, reviewer: User, reply: Reply, now: datetime
    ) -> None:
        drafts.propose(draft.pk, [changed(reply, text="已发货")], by=editor, now=now)
        drafts.submit(draft.pk, by=editor, now=now)
        drafts.approve(draft.pk, by=reviewer, comment="", now=now)
        drafts.schedule(draft.pk, publish_at=now + MINUTE, expires_at=None, by=editor, now=now)
        reply.text = "明天到"
        services.save_reply(reply)
        assert drafts.publish_due(now=now + MINUTE) == []
        given_back = Draft.objects.get()
        assert (given_back.status, given_back.publish_at) == (Status.APPROVED, None)
        assert given_back.problem
        assert Reply.objects.get().text == "明天到"

    def test_times_have_to_make_sense(
        self, draft: Draft, editor: User, logistics: Intent, now: datetime
    ) -> None:
        drafts.propose(draft.pk, [changed(logistics, position=1)], by=editor, now=now)
        for publish_at, expires_at in [(now, None), (now + MINUTE, now + MINUTE)]:
            with pytest.raises(ValidationError):
                drafts.schedule(
                    draft.pk, publish_at=publish_at, expires_at=expires_at, by=editor, now=now
                )
        assert Draft.objects.get().status == Status.OPEN


class TestRaces:
    @pytest.fixture
    def people(self, both_databases: str) -> tuple[User, User]:
        return StaffFactory(role="business editor"), StaffFactory(role="reviewer")

    @pytest.fixture
    def filled(self, people: tuple[User, User], now: datetime) -> Draft:
        draft = drafts.begin("t", by=people[0], now=now)
        logistics = IntentFactory(code="logistics")
        reply = Reply.objects.create(intent=logistics, language="zh", text="在路上")
        proposals = [changed(reply, text="已发货"), new_reply("logistics", "好")]
        drafts.propose(draft.pk, proposals, by=people[0], now=now)
        return draft

    def test_two_publish_at_once_and_it_is_published_once(
        self, filled: Draft, people: tuple[User, User], now: datetime
    ) -> None:
        def publish() -> Any:
            return drafts.publish(filled.pk, by=people[0], now=now)

        outcomes = interleave(publish, publish, at='INSERT INTO "intents_reply"')
        assert [each.result.status for each in outcomes] == [Status.PUBLISHED] * 2
        assert sorted(Reply.objects.values_list("text", flat=True)) == ["好", "已发货"]

    def test_the_clock_and_a_person_at_once(
        self, filled: Draft, people: tuple[User, User], now: datetime
    ) -> None:
        then = now + MINUTE
        drafts.schedule(filled.pk, publish_at=then, expires_at=None, by=people[0], now=now)
        clock, person = at_once(
            lambda: drafts.publish_due(now=then),
            lambda: drafts.publish(filled.pk, by=people[1], now=then),
        )
        assert clock.result in ([], [filled.pk])
        assert person.result.status == Status.PUBLISHED
        assert Reply.objects.count() == 2

    def test_somebody_saves_while_it_is_published(
        self, filled: Draft, people: tuple[User, User], now: datetime
    ) -> None:
        def save() -> None:
            with transaction.atomic():
                reply = Reply.objects.get(text="在路上")
                services.raise_revisions({reply.intent_id})
                reply.text = "明天到"
                services.save_reply(reply)

        saved, published = interleave(
            save,
            lambda: drafts.publish(filled.pk, by=people[0], now=now),
            at='UPDATE "intents_reply"',
        )
        assert saved.error is None
        assert published.refusal == "draft_conflicts"
        assert sorted(Reply.objects.values_list("text", flat=True)) == ["明天到"]

    def test_an_edit_comes_while_it_is_published(
        self, filled: Draft, people: tuple[User, User], now: datetime
    ) -> None:
        published, proposed = interleave(
            lambda: drafts.publish(filled.pk, by=people[0], now=now),
            lambda: drafts.propose(
                filled.pk, [new_reply("logistics", "迟到")], by=people[0], now=now
            ),
            at='INSERT INTO "intents_reply"',
        )
        assert published.refusal == ""
        assert proposed.refusal == "draft_status"
        assert not Reply.objects.filter(text="迟到").exists()

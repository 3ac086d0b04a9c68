"""Side by side and replay: what is compared, what a kill costs, what reviewers decide."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from intents.decisions import Decision
from intents.inference import Prediction
from intents.models import Intent, PredictionRecord, Reply, Utterance
from intents.services import content_changed
from intents.trials import Answered
from tests.factories import StaffFactory
from tests.intents.models_of_tests import Shelf, write_content
from tests.intents.trials_of_tests import a_draft, put_trained, trials_with
from training import registry
from training.comparisons import judging, results, sentences, services, work
from training.comparisons.results import Filters
from training.comparisons.texts import Asked, gather
from training.gate import cases
from training.models import (
    ActiveModel,
    ChangedAnswer,
    Comparison,
    ComparisonChunk,
    ModelVersion,
    RegressionCase,
)

pytestmark = pytest.mark.django_db

BACKEND = "django.contrib.auth.backends.ModelBackend"
DAY = timedelta(days=1)


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """Models "v1" in service, which takes everything for logistics, and "v2" (invoice)."""
    made = Shelf()
    write_content()
    for code in ("logistics", "invoice", "coupon"):
        intent = Intent.objects.get(code=code)
        Reply.objects.create(intent=intent, language="zh", text=f"{code} 的答复")
    content_changed(understanding=False)
    put_trained(made, "v1", "logistics", "invoice", "coupon")
    put_trained(made, "v2", "invoice", "logistics", "coupon")
    made.active = "v1"
    for name in ("v1", "v2"):
        ModelVersion.objects.create(name=name)
    ActiveModel.objects.create(pk=registry.ACTIVE, version=ModelVersion.objects.get(name="v1"))
    with trials_with(made, monkeypatch):
        yield made
    made.stop()


def said(text: str, at: datetime, **columns: Any) -> None:
    PredictionRecord.objects.create(
        **{
            "text": text,
            "language": "zh",
            "intent": "logistics",
            "decision": "ANSWER",
            "source": "model",
            "elapsed_ms": 1,
            "created_at": at,
            **columns,
        }
    )


def replayed(now: datetime, after: str = "version:v2") -> Comparison:
    asked = services.request_replay(after=after, since=now - 7 * DAY, until=now, now=now)
    claimed = services.claim(now=now)
    assert claimed is not None
    assert claimed.pk == asked.pk
    work.carry_out(claimed)
    claimed.refresh_from_db()
    return claimed


class TestTexts:
    def test_spellings_of_one_sentence_are_read_once_with_how_often_they_were_said(
        self, now: datetime
    ):
        for text in ("快递到哪了", "快递到哪了？", "快递到哪了！！", "开发票"):
            said(text, now - DAY)
        comparison = Comparison(kind="REPLAY", since=now - 2 * DAY, until=now)
        assert [(one.text, one.times) for one in gather(comparison)] == [
            ("快递到哪了！！", 3),  # as it was said last
            ("开发票", 1),
        ]

    def test_a_replay_takes_what_customers_asked_in_its_period_only(self, now: datetime):
        said("之前", now - 3 * DAY)
        said("其中", now - DAY)
        said("程序问的", now - DAY, origin="API")
        said("der Rest", now - DAY, language="")
        said("20261122001", now - DAY)  # a number alone goes on with what came before
        said("之后", now)
        comparison = Comparison(kind="REPLAY", since=now - 2 * DAY, until=now)
        assert [one.text for one in gather(comparison)] == ["其中"]

    def test_side_by_side_takes_labelled_texts_first_and_the_newest_of_customers(
        self, now: datetime
    ):
        write_content()
        cases.keep(text="券在哪里", intent="coupon", now=now)
        Utterance.objects.create(
            intent=Intent.objects.get(code="invoice"),
            text="票呢",
            key="票呢",
            language="zh",
            split="evaluation",
        )
        for number in range(3):
            said(f"第{'一二三'[number]}句", now - number * DAY)
        found = gather(Comparison(kind="SIDE_BY_SIDE", newest=2))
        assert [(one.text, one.expected) for one in found] == [
            ("券在哪里", "coupon"),
            ("票呢", "invoice"),
            ("第一句", ""),
            ("第二句", ""),
        ]


def answered(intent: str, decision: str = "ANSWER", *variants: str) -> Answered:
    prediction = Prediction(((intent, 0.9),) if intent else (), source="model")
    return Answered(prediction, Decision(decision), variants)


class TestDifference:
    ASKED = Asked("text", "zh", "CUSTOMER")

    def test_the_same_answer_is_none(self):
        same = answered("a", "ANSWER", "one", "two")
        assert work.difference(self.ASKED, same, answered("a", "ANSWER", "two", "one")) is None

    def test_another_guess_that_nobody_acts_on_is_none(self):
        before, after = (answered(code, "HAND_OVER", "sorry") for code in "ab")
        assert work.difference(self.ASKED, before, after) is None
        labelled = Asked("text", "zh", "EVALUATION", expected="b")
        assert work.difference(labelled, before, after) is not None

    @pytest.mark.parametrize(
        ("after", "flags"),
        [
            (answered("a", "ANSWER", "new"), (False, False, True)),
            (answered("b", "ANSWER", "old"), (True, False, False)),
            (answered("a", "CLARIFY", "what?"), (False, True, True)),
        ],
    )
    def test_each_kind_is_marked(self, after: Answered, flags: tuple[bool, ...]):
        row = work.difference(self.ASKED, answered("a", "ANSWER", "old"), after)
        assert row is not None
        assert (row.intent_differs, row.decision_differs, row.reply_differs) == flags


class TestReplay:
    def test_changed_answers_are_grouped_and_counted(self, shelf: Shelf, now: datetime):
        for text in ("快递在哪", "快递在哪？", "东西呢"):
            said(text, now - DAY)
        done = replayed(now)
        assert (done.status, done.texts, done.turns) == ("DONE", 2, 3)
        assert (done.read_texts, done.changed_texts, done.changed_turns) == (2, 2, 3)
        found = Filters().of(done)
        assert [(one.text, one.times) for one in found] == [("快递在哪？", 2), ("东西呢", 1)]
        [group] = results.groups(found)
        assert (group.before, group.after, group.texts, group.times) == (
            *("logistics", "invoice"),
            *(2, 3),
        )

    def test_a_draft_changes_what_it_is_about_and_nothing_else(self, shelf: Shelf, now: datetime):
        said("有礼品包装吗？", now - DAY)
        said("快递在哪", now - DAY)
        done = replayed(now, f"draft:{a_draft().pk}")
        [change] = done.changes.all()
        assert (change.intent_after, change.replies_after) == ("gift", ["可以包"])

    def test_leaves_no_trace_but_its_result(self, shelf: Shelf, now: datetime):
        said("快递在哪", now - DAY)
        before = list(PredictionRecord.objects.values())
        replayed(now)
        assert list(PredictionRecord.objects.values()) == before

    def test_after_a_kill_it_goes_on_where_it_stopped(
        self, shelf: Shelf, now: datetime, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(work, "CHUNK_TEXTS", 2)
        for text in ("一号件", "二号件", "三号件", "四号件", "五号件"):
            said(text, now - DAY)
        services.request_replay(after="version:v2", since=now - 7 * DAY, until=now, now=now)
        claimed = services.claim(now=now)
        assert claimed is not None
        store = work._store

        def dies_after_the_first(chunk: ComparisonChunk, changed: Any) -> None:
            store(chunk, changed)
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(work, "_store", dies_after_the_first)
            with pytest.raises(KeyboardInterrupt):
                work.carry_out(claimed)
        assert services.claim(now=now) is None, "its slot is taken while it may live"
        later = now + timedelta(minutes=10)
        Comparison.objects.update(heartbeat_at=now)
        services.recover(now=later)
        again = services.claim(now=later)
        assert again is not None
        assert (again.pk, again.read_texts, again.attempts) == (claimed.pk, 2, 2)
        work.carry_out(again)
        again.refresh_from_db()
        assert (again.status, again.read_texts, again.changed_texts) == ("DONE", 5, 5)
        assert again.changes.count() == 5

    def test_a_chunk_that_two_have_read_counts_once(self, shelf: Shelf, now: datetime):
        said("快递在哪", now - DAY)
        done = replayed(now)
        chunk = done.chunks.get()
        chunk.asked = [Asked("快递在哪", "zh", "CUSTOMER").as_dict()]
        work._store(chunk, [])
        done.refresh_from_db()
        assert done.read_texts == 1

    def test_one_that_dies_again_and_again_is_given_up(self, shelf: Shelf, now: datetime):
        services.request_replay(after="version:v2", since=now - DAY, until=now, now=now)
        Comparison.objects.update(
            status="RUNNING", slot=1, attempts=services.ATTEMPTS_MOST, heartbeat_at=now
        )
        services.recover(now=now + DAY)
        assert Comparison.objects.get().status == "FAILED"

    def test_a_cancelled_one_stops_and_keeps_what_it_found(self, shelf: Shelf, now: datetime):
        said("快递在哪", now - DAY)
        asked = services.request_replay(after="version:v2", since=now - DAY, until=now, now=now)
        claimed = services.claim(now=now)
        assert claimed is not None
        assert services.cancel(comparison_id=asked.pk, now=now)
        work.carry_out(claimed)
        asked.refresh_from_db()
        assert (asked.status, asked.read_texts, asked.slot) == ("CANCELLED", 0, None)

    def test_a_model_that_is_gone_is_said(self, shelf: Shelf, now: datetime):
        said("快递在哪", now - DAY)
        ModelVersion.objects.create(name="v3")
        done = replayed(now, "version:v3")
        assert done.status == "FAILED"
        assert done.failure

    def test_one_runs_at_a_time(self, shelf: Shelf, now: datetime):
        for _ in range(2):
            services.request_replay(after="version:v2", since=now - DAY, until=now, now=now)
        assert services.claim(now=now) is not None
        assert services.claim(now=now) is None

    @pytest.mark.parametrize("days", [0, -1])
    def test_an_empty_period_is_refused(self, shelf: Shelf, now: datetime, days: int):
        with pytest.raises(ValidationError):
            services.request_replay(after="version:v2", since=now, until=now + days * DAY, now=now)
        assert not Comparison.objects.exists()

    def test_two_of_the_same_are_refused(self, shelf: Shelf, now: datetime):
        with pytest.raises(ValidationError):
            services.request_side_by_side(before="active", after="active", newest=1, now=now)


@pytest.fixture
def change(shelf: Shelf, now: datetime) -> ChangedAnswer:
    said("快递在哪", now - DAY)
    return replayed(now).changes.get()


class TestJudging:
    def test_an_accepted_answer_is_held_to_by_the_gate(self, change: ChangedAnswer, now: datetime):
        judging.accept(change_id=change.pk, now=now, by=StaffFactory())
        case = RegressionCase.objects.get()
        assert (case.text, case.intent, case.decision, case.origin) == (
            *("快递在哪", "invoice"),
            *("ANSWER", "REPLAY"),
        )

    def test_of_two_reviewers_the_first_decides(self, change: ChangedAnswer, now: datetime):
        first, second = StaffFactory(), StaffFactory()
        judging.reject(change_id=change.pk, now=now, by=first)
        with pytest.raises(judging.AlreadyJudged):
            judging.accept(change_id=change.pk, now=now, by=second)
        change.refresh_from_db()
        assert (change.verdict, change.decided_by) == ("REJECTED", first)
        assert not RegressionCase.objects.exists()

    def test_twice_is_once(self, change: ChangedAnswer, now: datetime):
        reviewer = StaffFactory()
        for _ in range(2):
            judging.accept(change_id=change.pk, now=now, by=reviewer)
        assert RegressionCase.objects.count() == 1

    def test_ones_own_verdict_can_be_taken_back_and_no_other(
        self, change: ChangedAnswer, now: datetime
    ):
        reviewer = StaffFactory()
        judging.accept(change_id=change.pk, now=now, by=reviewer)
        with pytest.raises(judging.NotYours):
            judging.take_back(change_id=change.pk, by=StaffFactory())
        judging.take_back(change_id=change.pk, by=reviewer)
        change.refresh_from_db()
        assert change.verdict == "OPEN"
        assert not RegressionCase.objects.get().is_active

    def test_taken_back_a_sentence_expects_what_it_did_before(
        self, change: ChangedAnswer, now: datetime
    ):
        author, reviewer = StaffFactory(), StaffFactory()
        cases.keep(text="快递在哪？", intent="logistics", by=author, now=now - DAY)
        before = RegressionCase.objects.values().get()
        for is_active in (True, False):
            RegressionCase.objects.update(is_active=is_active)
            judging.accept(change_id=change.pk, now=now, by=reviewer)
            assert RegressionCase.objects.get().intent == "invoice"
            judging.take_back(change_id=change.pk, by=reviewer)
            assert RegressionCase.objects.values().get() == {**before, "is_active": is_active}

    def test_taken_back_an_author_who_is_gone_stays_gone(
        self, change: ChangedAnswer, now: datetime
    ):
        author, reviewer = StaffFactory(), StaffFactory()
        cases.keep(text="快递在哪", intent="logistics", by=author, now=now - DAY)
        judging.accept(change_id=change.pk, now=now, by=reviewer)
        author.delete()
        judging.take_back(change_id=change.pk, by=reviewer)
        case = RegressionCase.objects.get()
        assert (case.intent, case.created_by, case.is_active) == ("logistics", None, True)

    def test_what_somebody_wrote_since_is_not_taken_back(
        self, change: ChangedAnswer, now: datetime
    ):
        reviewer = StaffFactory()
        cases.keep(text="快递在哪", intent="logistics", now=now - DAY)
        judging.accept(change_id=change.pk, now=now, by=reviewer)
        cases.keep(text="快递在哪", decision="CLARIFY", now=now + DAY)
        judging.take_back(change_id=change.pk, by=reviewer)
        case = RegressionCase.objects.get()
        assert (case.intent, case.decision, case.is_active) == ("", "CLARIFY", True)

    @pytest.mark.parametrize("order", [(0, 1), (1, 0)])
    @pytest.mark.parametrize("was_there", [True, False])
    def test_of_two_who_accepted_it_the_last_to_take_it_back_restores_it(
        self, change: ChangedAnswer, now: datetime, order: tuple[int, int], was_there: bool
    ):
        if was_there:
            cases.keep(text="快递在哪", intent="logistics", now=now - DAY)
        changes = [change, replayed(now).changes.get()]
        reviewers = [StaffFactory(), StaffFactory()]
        for each, reviewer in zip(changes, reviewers, strict=True):
            judging.accept(change_id=each.pk, now=now, by=reviewer)
        first, last = order
        judging.take_back(change_id=changes[first].pk, by=reviewers[first])
        case = RegressionCase.objects.get()
        assert (case.intent, case.created_by, case.is_active) == ("invoice", reviewers[last], True)
        judging.take_back(change_id=changes[last].pk, by=reviewers[last])
        case = RegressionCase.objects.get()
        assert case.is_active == was_there
        assert not was_there or case.intent == "logistics"

    def test_what_a_former_release_accepted_counts_no_longer(
        self, change: ChangedAnswer, now: datetime
    ):
        reviewer = StaffFactory()
        judging.accept(change_id=change.pk, now=now, by=reviewer)
        ChangedAnswer.objects.update(case_before=None, case_after=None)  # it noted neither
        judging.take_back(change_id=change.pk, by=reviewer)
        assert not RegressionCase.objects.get().is_active

    def test_an_intent_of_a_draft_is_held_to_once_it_is_published(
        self, shelf: Shelf, now: datetime
    ):
        said("有礼品包装吗？", now - DAY)
        change = replayed(now, f"draft:{a_draft().pk}").changes.get()
        judging.accept(change_id=change.pk, now=now, by=StaffFactory())
        assert not RegressionCase.objects.exists()
        Intent.objects.create(code="gift", name_zh="礼品", name_en="Gift")
        assert judging.keep_waiting(now=now) == 1
        assert RegressionCase.objects.get().intent == "gift"
        RegressionCase.objects.all().delete()
        assert judging.keep_waiting(now=now) == 0, "who deletes a sentence has the last word"

    def test_what_is_too_long_to_be_kept_is_said_at_once_and_holds_up_nobody(
        self, shelf: Shelf, now: datetime
    ):
        said("有礼品包装吗？", now - DAY)
        said("能包成礼品吗？", now - DAY)
        long, short = replayed(now, f"draft:{a_draft().pk}").changes.order_by("pk")
        ChangedAnswer.objects.filter(pk=long.pk).update(text="有礼品包装吗？" * 90)
        with pytest.raises(ValidationError):
            judging.accept(change_id=long.pk, now=now, by=StaffFactory())
        long.refresh_from_db()
        assert long.verdict == "OPEN"

        judging.accept(change_id=short.pk, now=now, by=StaffFactory())
        # As a former release accepted it.
        ChangedAnswer.objects.filter(pk=long.pk).update(verdict="ACCEPTED", awaits_intent=True)
        Intent.objects.create(code="gift", name_zh="礼品", name_en="Gift")
        assert judging.keep_waiting(now=now) == 1
        assert [case.text for case in RegressionCase.objects.all()] == [short.text]
        assert not ChangedAnswer.objects.filter(awaits_intent=True).exists()

    def test_a_question_back_is_held_to_by_its_decision_alone(self, change: ChangedAnswer):
        change.decision_after = "CLARIFY"
        assert judging.expectation(change) == {"intent": "", "decision": "CLARIFY"}


class TestSentences:
    def test_each_passes_or_fails_for_each_contender(self, shelf: Shelf, now: datetime):
        from intents.trials import Contender, open_contender

        cases.keep(text="快递在哪", intent="logistics", now=now)
        cases.keep(text="票呢", intent="invoice", decision="ANSWER", now=now)
        outcomes = sentences.run([open_contender(), open_contender(Contender(version="v2"))])
        found = {one.case.text: [held.passes for held in one.held] for one in outcomes}
        assert found == {"快递在哪": [True, False], "票呢": [False, True]}
        lines = list(sentences.rows(outcomes, ["now", "v2"]))
        assert lines[1][:4] == ["票呢", "zh", "invoice", "ANSWER"]
        assert lines[1][4] == "no"


class TestPages:
    @pytest.fixture
    def reviewer(self, client: Client) -> Client:
        client.force_login(StaffFactory(role="reviewer"), backend=BACKEND)
        return client

    def test_a_replay_is_asked_for(self, reviewer: Client, shelf: Shelf):
        asked = {"kind": "replay", "replay-after": "version:v2"}
        asked |= {"replay-first": "2026-11-16", "replay-last": "2026-11-22"}
        response = reviewer.post(reverse("admin:training_comparison_add"), asked)
        comparison = Comparison.objects.get()
        assert response["Location"] == reverse(
            "admin:training_comparison_change", args=[comparison.pk]
        )
        assert comparison.until - comparison.since == 7 * DAY

    def test_who_may_only_read_asks_for_nothing(self, client: Client, shelf: Shelf):
        client.force_login(StaffFactory(role="supervisor"), backend=BACKEND)
        assert client.post(reverse("admin:training_comparison_add")).status_code == 403
        assert not Comparison.objects.exists()

    def test_the_result_takes_the_same_queries_however_long_it_is(
        self, reviewer: Client, change: ChangedAnswer, django_assert_max_num_queries: Any
    ):
        address = reverse("admin:training_comparison_change", args=[change.comparison_id])
        rows = [
            ChangedAnswer(
                comparison_id=change.comparison_id,
                number=number,
                text=f"text {number}",
                origin="CUSTOMER",
                intent_after="invoice",
                decision_before="ANSWER",
                decision_after="ANSWER",
            )
            for number in range(1000, 1060)
        ]
        ChangedAnswer.objects.bulk_create(rows, batch_size=40)
        with django_assert_max_num_queries(16):
            page = reviewer.get(address)
        assert page.context["page"].paginator.num_pages == 3
        assert len(page.context["lines"]) == 30

    @pytest.mark.parametrize(
        ("asked", "count"),
        [
            ({"what": "intent"}, 1),
            ({"what": "fixed"}, 0),
            ({"verdict": "ACCEPTED"}, 0),
            ({"before": "logistics", "after": "invoice"}, 1),
            ({"before": "coupon"}, 0),
        ],
    )
    def test_filters_leave_what_fits(
        self, reviewer: Client, change: ChangedAnswer, asked: dict[str, str], count: int
    ):
        address = reverse("admin:training_comparison_change", args=[change.comparison_id])
        assert reviewer.get(address, asked).context["page"].paginator.count == count

    def test_a_verdict_comes_back_as_its_line(self, reviewer: Client, change: ChangedAnswer):
        address = reverse("admin:judge_answer", args=[change.pk])
        response = reviewer.post(address, {"verdict": "accept"}, headers={"HX-Request": "true"})
        assert f'id="answer-{change.pk}"' in response.content.decode()
        assert 'data-verdict="ACCEPTED"' in response.content.decode()
        assert RegressionCase.objects.count() == 1

    @pytest.mark.parametrize(("filters", "left"), [("", 1), ("?verdict=OPEN", 0)])
    def test_and_with_it_the_counts_that_the_page_shows(
        self, reviewer: Client, change: ChangedAnswer, filters: str, left: int
    ):
        page = reverse("admin:training_comparison_change", args=[change.comparison_id])
        key = f"{change.intent_before}-{change.intent_after}"
        assert f'<span id="judged-{key}">0</span>' in reviewer.get(page).content.decode()
        address = reverse("admin:judge_answer", args=[change.pk])
        headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{page}{filters}"}
        told = reviewer.post(address, {"verdict": "reject"}, headers=headers).content.decode()
        assert '<span id="standing-rejected" hx-swap-oob="true">1</span>' in told
        assert '<span id="standing-open" hx-swap-oob="true">0</span>' in told
        for name in ("texts", "judged"):
            assert f'<span id="{name}-{key}" hx-swap-oob="true">{left}</span>' in told

    def test_a_supervisor_judges_nothing(self, client: Client, change: ChangedAnswer):
        client.force_login(StaffFactory(role="supervisor"), backend=BACKEND)
        address = reverse("admin:judge_answer", args=[change.pk])
        assert client.post(address, {"verdict": "accept"}).status_code == 403
        change.refresh_from_db()
        assert change.verdict == "OPEN"

    def test_csv_is_no_formula(self, reviewer: Client, change: ChangedAnswer):
        ChangedAnswer.objects.update(text="=1+1")
        address = reverse("admin:comparison_csv", args=[change.comparison_id])
        lines = b"".join(reviewer.get(address).streaming_content).decode("utf-8-sig").splitlines()
        assert lines[0].startswith("text,language,origin,times")
        assert lines[1].startswith("'=1+1,zh,CUSTOMER,1")

    def test_progress_ends_with_a_fresh_page(self, reviewer: Client, change: ChangedAnswer):
        address = reverse("admin:comparison_progress", args=[change.comparison_id])
        assert reviewer.get(address)["HX-Refresh"] == "true"
        Comparison.objects.update(status="RUNNING", slot=1, read_texts=0)
        response = reviewer.get(address)
        assert "HX-Refresh" not in response
        assert "0 %" in response.content.decode()

    def test_all_sentences_are_run_at_once(self, reviewer: Client, shelf: Shelf, now: datetime):
        cases.keep(text="快递在哪", intent="logistics", now=now)
        address = reverse("admin:regression_run")
        assert reviewer.get(address).context["tried"] == 0
        page = reviewer.get(address, {"beside": "version:v2"})
        assert [passed for _name, passed in page.context["contenders"]] == [1, 0]
        table = reviewer.get(address, {"beside": "version:v2", "csv": "1", "show": "differs"})
        assert "快递在哪" in b"".join(table.streaming_content).decode()


def test_what_waits_in_a_chunk_is_plain_json() -> None:
    asked = Asked("文", "zh", "CUSTOMER", 3, "a", "b")
    assert Asked(**json.loads(json.dumps(asked.as_dict()))) == asked

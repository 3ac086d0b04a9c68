"""Verdicts in the database: kept, shown, in a refused version's way, and overridden by name."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from intents.encoder import EncoderDirectory
from intents.models import IntentMigration
from intents.review import deciding, inbox
from tests.factories import IntentFactory, StaffFactory
from tests.intents.test_review_inbox import item as review_item
from training import registry
from training.gate import overriding, recording, wording
from training.gate.evidence import Evidence
from training.gate.statistics import Paired
from training.gate.verdict import (
    BrokenCase,
    Cause,
    Flip,
    IntentResult,
    Measured,
    Outcome,
    Reading,
    Reason,
    SetResult,
    Suspect,
    Verdict,
)
from training.models import GateOverride, GateVerdict, ModelVersion, RegressionCase
from training.utterances import Row

pytestmark = pytest.mark.django_db

REASON = "旧模型不认识新的退款规则，先让它回答再补语料"
ONE = Paired(40, 36, 20, 17, 1)


def verdict(outcome: Outcome = Outcome.REFUSED, **changes: Any) -> Verdict:
    """One that has something of everything."""
    readings = [
        Reading(
            f"句子{number}", "refund", "zh", ("refund", 0.9, 0.1), ("coupon", 0.6, 0.2), True, False
        )
        for number in range(12)
    ]
    return Verdict(
        outcome=outcome,
        reasons=[
            Reason(
                "intent_fell", {"intent": "refund", "texts": 40, "active": 0.9, "candidate": 0.5}
            )
        ]
        if outcome == Outcome.REFUSED
        else [],
        doubts=[Reason("intents_open", {"intents": ["coupon"], "more": 12})],
        sets=[SetResult("frozen", ONE, 0.001), SetResult("zh", ONE, 0.002)],
        intents=[
            IntentResult("refund", ONE, 12, 0.001, "fallen"),
            IntentResult("coupon", Paired(9, 0, 6, 0, 6), 9, 1.0, "new"),
        ],
        flips=[Flip("怎么退款", "refund", "coupon", is_frozen=True)],
        causes=[Cause("relabelled", "refund", "coupon", 16, 40, 9.0, ["钱退回来了吗"])],
        suspects=[Suspect("钱退回来了吗", "coupon", ["refund"], 3, 2.5)],
        broken_cases=[BrokenCase("退钱", "refund", "", "coupon", "", is_new=True)],
        cases=3,
        accuracy=Measured(0.9, 0.5),
        calibration=Measured(0.02, 0.1),
        wrongly_accepted=Measured(0.1, 0.2),
        wrongly_accepted_again=Measured(0.3, 0.6),
        milliseconds=Measured(4.0, 4.1),
        size=Measured(40e6, 41e6),
        learning_curve=[(0.1, 0.5), (0.4, 0.7), (1.0, 0.8)],
        readings=readings,
        **changes,
    )


@pytest.fixture
def version(now: datetime) -> ModelVersion:
    """A version that the gate refused."""
    for code in ("refund", "coupon"):
        IntentFactory(code=code, name_zh={"refund": "退款", "coupon": "优惠券"}[code])
    made = ModelVersion.objects.create(name="v2", labels=["refund", "coupon"])
    recording.store(verdict(), version=made, active=ModelVersion.objects.create(name="v1"), now=now)
    return made


def signed_in(client: Client, role: str) -> Client:
    client.force_login(StaffFactory(role=role), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_refused_version_does_not_answer_until_somebody_answers_for_it(
    trained: Any, now: datetime
) -> None:
    version = trained("v2")
    recording.store(verdict(), version=version, active=None, now=now)

    with pytest.raises(overriding.RefusedByGate):
        registry.activate(version_id=version.pk, now=now)

    reviewer = StaffFactory(role="reviewer")
    overriding.override(version_id=version.pk, by=reviewer, reason=REASON, now=now)
    registry.activate(version_id=version.pk, now=now, by=reviewer)
    assert registry.active() == version
    kept = GateOverride.objects.get()
    assert (kept.by, kept.at, kept.reason) == (reviewer, now, REASON)


def test_an_open_verdict_leaves_the_choice_to_people(trained: Any, now: datetime) -> None:
    version = trained("v2")
    recording.store(verdict(Outcome.INCONCLUSIVE), version=version, active=None, now=now)
    registry.activate(version_id=version.pk, now=now)
    assert registry.active() == version


def test_a_version_of_an_older_release_has_no_verdict_and_may_answer(
    trained: Any, now: datetime
) -> None:
    version = trained("v1")
    registry.activate(version_id=version.pk, now=now)
    assert registry.active() == version


@pytest.mark.parametrize("reason", ["", "ok ok ok ok ok", "because I say so", "可以上线"])
def test_a_reason_that_says_nothing_is_refused(
    version: ModelVersion, now: datetime, reason: str
) -> None:
    with pytest.raises(overriding.ReasonTooShort):
        overriding.override(
            version_id=version.pk, by=StaffFactory(role="reviewer"), reason=reason, now=now
        )
    assert not GateOverride.objects.exists()


def test_whoever_may_not_override_does_not(version: ModelVersion, now: datetime) -> None:
    with pytest.raises(PermissionDenied):
        overriding.override(
            version_id=version.pk, by=StaffFactory(role="business editor"), reason=REASON, now=now
        )


def test_what_was_not_refused_needs_no_override(now: datetime) -> None:
    passed = ModelVersion.objects.create(name="v3")
    recording.store(verdict(Outcome.PASSED), version=passed, active=None, now=now)
    with pytest.raises(overriding.NothingToOverride):
        overriding.override(
            version_id=passed.pk, by=StaffFactory(role="reviewer"), reason=REASON, now=now
        )


def test_the_page_names_reasons_causes_sentences_and_draws_them(
    client: Client, version: ModelVersion
) -> None:
    url = reverse("admin:training_modelversion_change", args=[version.pk])
    page = signed_in(client, "reviewer").get(url, headers={"accept-language": "zh-hans"})
    text = page.content.decode()
    for told in ("退款", "钱退回来了吗", "怎么退款", "90.0%", "50.0%", "v1"):
        assert told in text
    assert text.count("<svg") >= 4
    assert reverse("admin:training_modelversion_override", args=[version.pk]) in text


def test_the_page_reads_as_much_for_many_intents_as_for_few(
    client: Client, version: ModelVersion, django_assert_max_num_queries: Any
) -> None:
    IntentFactory.create_batch(30)
    url = reverse("admin:training_modelversion_change", args=[version.pk])
    signed_in(client, "reviewer")
    with django_assert_max_num_queries(25):
        client.get(url)


def test_the_override_is_written_from_the_page_and_shown_with_its_author(
    client: Client, version: ModelVersion
) -> None:
    signed_in(client, "reviewer")
    url = reverse("admin:training_modelversion_override", args=[version.pk])

    client.post(url, {"reason": REASON})

    page = client.get(reverse("admin:training_modelversion_change", args=[version.pk]))
    text = page.content.decode()
    assert REASON in text
    assert "override-reason" not in text


def test_a_get_overrides_nothing_and_an_editor_is_sent_away(
    client: Client, version: ModelVersion
) -> None:
    url = reverse("admin:training_modelversion_override", args=[version.pk])
    assert signed_in(client, "business editor").post(url, {"reason": REASON}).status_code == 403
    signed_in(client, "reviewer").get(url, {"reason": REASON})
    assert not GateOverride.objects.exists()


def test_a_page_without_a_verdict_shows_none(client: Client) -> None:
    made = ModelVersion.objects.create(name="v0")
    url = reverse("admin:training_modelversion_change", args=[made.pk])
    assert 'id="gate"' not in signed_in(client, "reviewer").get(url).content.decode()


def test_codes_that_an_intent_had_are_shown_by_its_name_of_today(
    client: Client, version: ModelVersion, now: datetime
) -> None:
    IntentMigration.objects.create(kind="RENAMED", source="old_code", targets=["refund"])
    stored = GateVerdict.objects.get()
    stored.report["flips"][0]["taken_for"] = "old_code"
    stored.save()
    url = reverse("admin:training_modelversion_change", args=[version.pk])
    assert "old_code" not in signed_in(client, "reviewer").get(url).content.decode()


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("too_inaccurate", {"share": 0.5, "least": 0.7}),
        ("shrunk", {"fp32": 0.8, "int8": 0.7}),
        ("no_frozen_texts", {}),
        ("frozen_worse", {"name": "frozen", "texts": 9, "active": 0.8, "candidate": 0.7}),
        ("data_worse", {"name": "data", "texts": 9, "active": 0.8, "candidate": 0.7}),
        ("language_worse", {"name": "en", "texts": 9, "active": 0.8, "candidate": 0.7}),
        ("perhaps_worse", {"texts": 9, "worst": 0.1, "most": 0.05, "more": 1}),
        ("intent_missing", {"intent": "refund", "texts": 9}),
        ("new_intent_weak", {"intent": "refund", "texts": 9, "share": 0.3, "least": 0.5}),
        ("cases_broken", {"cases": 1, "of": 3, "first": "退钱"}),
        ("cases_missed", {"cases": 1, "of": 3, "first": "退钱"}),
        ("worse_calibrated", {"active": 0.02, "candidate": 0.2}),
        ("accepts_more", {"active": 0.02, "candidate": 0.2, "texts": 100}),
        ("accepts_again", {"active": 0.02, "candidate": 0.2, "texts": 100}),
        ("larger", {"active": 10, "candidate": 40}),
        ("slower", {"active": 2.0, "candidate": 9.0}),
    ],
)
def test_every_reason_has_words(kind: str, values: dict[str, Any]) -> None:
    told = wording.reason(Reason(kind, values), {"refund": "退款"})
    assert told
    assert "{" not in told


@pytest.mark.parametrize("kind", ["removed", "relabelled", "copied", "added", "alike", "scattered"])
def test_every_cause_has_words(kind: str) -> None:
    told = wording.cause(Cause(kind, "refund", "coupon", 4, 10, 1.0, []), {"refund": "退款"})
    assert told
    assert "{" not in told


def test_what_reviewers_set_aside_is_evidence_until_it_is_an_utterance(now: datetime) -> None:
    by = StaffFactory(role="reviewer")
    aside = [review_item(text, now) for text in ("今天天气怎么样", "能货到付款吗")]
    ignored = review_item("啊啊啊", now)
    for one in (*aside, ignored):
        inbox.claim([one.pk], by=by.pk, now=now)
    deciding.put_away([one.pk for one in aside], out_of_scope=True, by=by, now=now)
    deciding.put_away([ignored.pk], out_of_scope=False, by=by, now=now)
    rows = [Row("payment", "能货到付款吗？", "zh", "", "train")]

    assert recording.set_aside([]) == ["今天天气怎么样", "能货到付款吗"]
    assert recording.set_aside(rows) == ["今天天气怎么样"]


def test_rows_that_were_read_before_a_step_are_judged_by_the_codes_of_now(
    now: datetime, tmp_path: Path
) -> None:
    IntentMigration.objects.create(
        kind="RENAMED", source="old_code", targets=["refund"], at=now - timedelta(minutes=1)
    )
    RegressionCase.objects.create(
        text="退钱", key="退钱", language="zh", intent="old_code", created_at=now
    )
    rows = [Row("old_code", "怎么退款", "zh", "", "evaluation")]
    encoder = EncoderDirectory("none", tmp_path, tmp_path, tmp_path, "", 64)

    def found(read_at: datetime) -> Evidence:
        return recording.evidence(rows, None, encoder, read_at=read_at)

    assert [one.intent for one in found(now - timedelta(hours=1)).frozen] == ["refund"]
    assert [one.intent for one in found(now).frozen] == ["old_code"]  # a new one, of this code
    [step] = found(now).steps
    assert (step.source, step.targets) == ("old_code", ("refund",))
    assert [(one.intent, one.added_at) for one in found(now).cases] == [("old_code", now)]


def test_a_verdict_of_an_older_release_is_shown(client: Client, version: ModelVersion) -> None:
    stored = GateVerdict.objects.get()
    del stored.report["wrongly_accepted_again"]
    stored.save()
    signed_in(client, "reviewer")
    url = reverse("admin:training_modelversion_change", args=[version.pk])
    assert client.get(url).status_code == 200

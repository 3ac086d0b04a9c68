"""The gate on real models of real sentences: a few intents of a public set, trained quickly."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks import trained_model
from benchmarks.gate import BAD, Seeded, Trainer, examine, seeded, summary_of
from intents import encoder
from intents.inference import artifacts
from intents.lineage import Step
from training.datasets import Example
from training.gate.evidence import Case, Evidence, Labelled
from training.gate.judging import judge
from training.gate.verdict import Outcome, Verdict

pytestmark = pytest.mark.model
INTENTS = 12
FOREIGN: list[str] = []


@pytest.fixture(scope="module")
def data() -> dict[str, list[Example]]:
    folder = Path(__file__).resolve().parents[3] / "shared" / "data" / "intent_zh_jddc"
    if not folder.is_dir():
        pytest.skip("public data set intent_zh_jddc is not beside this checkout")
    rows = {name: trained_model.read(folder / f"{name}.csv") for name in ("train", "dev")}
    codes = trained_model.codes(label for _, label in rows["train"])
    kept = set(sorted(codes.values())[:INTENTS])
    return {
        name: [Example(text, codes[label]) for text, label in part if codes.get(label) in kept]
        for name, part in rows.items()
    }


@pytest.fixture(scope="module")
def trainer(tmp_path_factory: pytest.TempPathFactory) -> Trainer:
    return Trainer(tmp_path_factory.mktemp("models"), encoder.ensure(), is_thorough=False)


@pytest.fixture
def judged(data: Any, trainer: Trainer) -> Callable[[str, int], tuple[Verdict, Seeded]]:
    def judge_one(kind: str, seed: int) -> tuple[Verdict, Seeded]:
        candidate = seeded(kind, seed, data["train"], FOREIGN)
        if kind == "polluted":  # 500 of 700 would be no pollution
            candidate = dataclasses.replace(
                candidate, candidate=[*candidate.candidate[:150], *data["train"][150:]]
            )
        return examine(candidate, trainer, data["dev"])[0], candidate

    return judge_one


@pytest.mark.parametrize("kind", BAD)
def test_a_seeded_fault_is_refused_and_named(judged: Any, kind: str) -> None:
    verdict, candidate = judged(kind, 7)
    assert verdict.outcome == Outcome.REFUSED
    assert any(candidate.is_named_by(cause) for cause in verdict.causes[:5])
    if kind == "deleted":
        assert verdict.fallen[0] == candidate.intents[0]


@pytest.mark.parametrize("kind", ["more data", "another seed"])
def test_a_model_as_good_passes(judged: Any, kind: str) -> None:
    verdict, _ = judged(kind, 7)
    assert verdict.outcome != Outcome.REFUSED
    assert verdict.fallen == []


@pytest.fixture
def evidence(data: Any, trainer: Trainer) -> Evidence:
    def labelled(name: str) -> list[Labelled]:
        return [Labelled(one.text, one.label, "zh") for one in data[name]]

    return Evidence(
        frozen=labelled("dev"),
        candidate_data=labelled("train"),
        active_data=labelled("train"),
        intents=frozenset(one.label for one in data["train"]),
        embed=lambda texts: trainer.kept.read(texts)[0],
    )


def test_a_first_model_is_judged_by_itself(data: Any, trainer: Trainer, evidence: Evidence) -> None:
    model = trainer.make(data["train"], 0)
    assert judge(model, None, evidence).outcome == Outcome.PASSED
    [reason] = judge(model, None, evidence, measured=(0.5, 0.5)).reasons
    assert reason.kind == "too_inaccurate"


def test_what_quantization_costs_has_a_limit(
    data: Any, trainer: Trainer, evidence: Evidence
) -> None:
    model = trainer.make(data["train"], 0)
    [reason] = judge(model, None, evidence, measured=(0.9, 0.87)).reasons
    assert reason.kind == "shrunk"
    assert not judge(model, None, evidence, measured=(0.9, 0.88)).reasons


def test_without_evaluation_texts_nobody_knows(
    data: Any, trainer: Trainer, evidence: Evidence
) -> None:
    model = trainer.make(data["train"], 0)
    verdict = judge(model, model, dataclasses.replace(evidence, frozen=[]))
    assert (verdict.outcome, [one.kind for one in verdict.doubts]) == (
        Outcome.INCONCLUSIVE,
        ["no_frozen_texts"],
    )


def test_frozen_texts_that_a_model_has_learned_from_do_not_count(
    data: Any, trainer: Trainer, evidence: Evidence
) -> None:
    model = trainer.make(data["train"], 0)
    leaked = dataclasses.replace(evidence, frozen=[*evidence.frozen, *evidence.candidate_data])
    verdict = judge(model, model, leaked)
    assert len(verdict.readings) <= len(evidence.frozen)


def test_a_regression_sentence_that_is_lost_refuses(
    data: Any, trainer: Trainer, evidence: Evidence
) -> None:
    active = trainer.make(data["train"], 0)
    lacking = [one for one in data["train"] if one.label != data["train"][0].label]
    candidate = trainer.make(lacking, 0)
    cases = [Case(data["train"][0].text, data["train"][0].label), Case("完全不相干", "no_such")]
    verdict = judge(candidate, active, dataclasses.replace(evidence, cases=cases))
    assert [one.is_new for one in verdict.broken_cases] == [True, False]
    assert "cases_broken" in [one.kind for one in verdict.reasons]


def test_a_regression_sentence_of_a_new_intent_that_is_missed_leaves_it_open(
    data: Any, trainer: Trainer, evidence: Evidence
) -> None:
    new = data["train"][0].label
    active = trainer.make([one for one in data["train"] if one.label != new], 0)
    candidate = trainer.make(data["train"], 0)
    other = next(one.text for one in data["train"] if one.label != new)
    verdict = judge(candidate, active, dataclasses.replace(evidence, cases=[Case(other, new)]))
    assert "cases_missed" in [one.kind for one in verdict.doubts]
    assert "cases_broken" not in [one.kind for one in verdict.reasons]


def test_of_two_intents_neither_is_taken_for_the_other_since_they_are_two_again(
    data: Any, trainer: Trainer, evidence: Evidence
) -> None:
    model = trainer.make(data["train"], 0)
    one, other = sorted({each.label for each in data["train"]})[:2]
    own = next(each.text for each in data["train"] if each.label == one)
    taught_at = artifacts.load_manifest(model).taught_at
    assert taught_at is not None
    merged = Step(taught_at - timedelta(days=1), one, (other,))
    cases = [
        Case(own, one, added_at=taught_at),
        Case(own, other, added_at=taught_at),
        Case(own, one, added_at=merged.at - timedelta(days=1)),
    ]
    verdict = judge(model, model, dataclasses.replace(evidence, cases=cases, steps=[merged]))
    assert [case.intent for case in verdict.broken_cases] == [other, one]
    verdict = judge(model, model, dataclasses.replace(evidence, cases=cases))
    assert [case.intent for case in verdict.broken_cases] == [other]


def test_what_reviewers_set_aside_must_not_be_taken_for_an_intent(
    data: Any, trainer: Trainer, evidence: Evidence
) -> None:
    taught, known = data["train"][0].label, data["train"][1].label
    assert taught != known
    active = trainer.make([one for one in data["train"] if one.label != taught], 0)
    strangers = [Example(one.text, known) for one in data["train"] if one.label == taught]
    rest = [one for one in data["train"] if one.label != taught]
    candidate = trainer.make([*rest, *strangers], 0)
    asked = [one.text for part in data.values() for one in part if one.label == taught]
    verdict = judge(candidate, active, dataclasses.replace(evidence, set_aside=asked))
    assert verdict.wrongly_accepted is None  # none of the texts written for it here
    assert verdict.wrongly_accepted_again is not None
    assert verdict.wrongly_accepted_again.candidate > verdict.wrongly_accepted_again.active
    assert "accepts_again" in [one.kind for one in verdict.reasons]
    assert "accepts_more" not in [one.kind for one in verdict.reasons]


def test_what_reviewers_set_aside_may_be_what_a_new_intent_is_for(
    data: Any, trainer: Trainer, evidence: Evidence
) -> None:
    taught = data["train"][0].label
    active = trainer.make([one for one in data["train"] if one.label != taught], 0)
    candidate = trainer.make(data["train"], 0)
    asked = [one.text for part in data.values() for one in part if one.label == taught]
    verdict = judge(candidate, active, dataclasses.replace(evidence, set_aside=asked))
    assert "accepts_again" not in [one.kind for one in verdict.reasons]


@pytest.mark.parametrize(
    ("bad", "good", "passes"),
    [
        ("REFUSED", "PASSED", True),
        ("PASSED", "PASSED", False),  # the gate is switched off
        ("INCONCLUSIVE", "PASSED", False),
        ("REFUSED", "INCONCLUSIVE", False),
    ],
)
def test_a_gate_that_does_nothing_misses_the_bar(bad: str, good: str, passes: bool) -> None:
    results = [
        {"is_bad": True, "outcome": bad, "is_right": bad == "REFUSED", "is_named": True},
        {"is_bad": False, "outcome": good, "is_right": good == "PASSED", "is_named": False},
    ] * 10
    assert summary_of(results)["passed"] is passes

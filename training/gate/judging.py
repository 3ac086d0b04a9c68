"""The verdict on a candidate: pure, from two model directories and the evidence."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from intents.guard import normalize
from intents.inference import Prediction, artifacts
from intents.lineage import Lineage
from training.evaluate import calibration_error
from training.gate import acceptance
from training.gate.evidence import Case, Evidence, Labelled
from training.gate.kinship import Kinship, Labels
from training.gate.limits import (
    CONFIDENCE,
    FEW_TEXTS,
    FEW_TEXTS_DOUBT,
    INT8_LOSS_MAX,
    INTENTS_DOUBT,
    INTENTS_RISK,
    ROUNDING,
    WHOLE_RISK,
    Limits,
)
from training.gate.readings import Answer, Contender, race
from training.gate.statistics import NO_TEXTS, Paired, holm, paired, wilson
from training.gate.teaching import Teaching
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

# What follows from a prediction; without content every text is answered.
Decide = Callable[[Prediction], str]

_LEAST_TEXTS_OF_A_LANGUAGE = 30
_RESAMPLES = 400
_FLIPS_KEPT = 200


def judge(
    candidate: Path,
    active: Path | None,
    evidence: Evidence,
    *,
    limits: Limits | None = None,
    decide: Decide | None = None,
    measured: tuple[float, float] | None = None,
) -> Verdict:
    """Compare a candidate with the active model.

    Args:
        active: None when nothing answers yet: then the candidate's own accuracy decides.
        decide: For regression sentences that expect a decision; without it these are left out.
        measured: The candidate's accuracy before quantization and as it serves, 0 to 1, as its
            training measured it; None: as it reads the frozen texts.

    Raises:
        BrokenArtifact: The candidate cannot be loaded. An active model that cannot be loaded
            answers nobody, and counts as none.
    """
    return _Trial(candidate, active, evidence, limits or Limits(), decide, measured).verdict()


class _Trial:
    """One judgement: collects reasons and doubts, part by part."""

    def __init__(
        self,
        candidate: Path,
        active: Path | None,
        evidence: Evidence,
        limits: Limits,
        decide: Decide | None,
        measured: tuple[float, float] | None,
    ) -> None:
        self._evidence, self._limits, self._decide = evidence, limits, decide
        self._measured = measured
        self._candidate = Contender(candidate)
        self._active = _opened(active)
        self._reasons: list[Reason] = []
        self._doubts: list[Reason] = []
        self._kinship = Kinship(
            active=self._labels(self._active) if self._active else Labels(),
            candidate=self._labels(self._candidate),
            answered=evidence.intents | {each.intent for each in evidence.frozen},
        )

    def _labels(self, model: Contender) -> Labels:
        since = Lineage.since(self._evidence.steps, model.manifest.taught_at)
        return Labels(model.labels, since)

    def verdict(self) -> Verdict:
        frozen = self._unseen()
        texts = [each.text for each in frozen]
        after = self._candidate.read(texts)
        before = self._active.read(texts) if self._active else None
        readings = [
            self._reading(each, before[at] if before else None, after[at])
            for at, each in enumerate(frozen)
        ]
        data = Teaching(self._evidence, self._active, readings, self._kinship)
        self._check_accuracy(readings)
        sets = self._check_sets(readings, data)
        intents = self._check_intents(readings, data)
        flips = self._flips(readings, data, intents)
        broken = self._check_cases()
        calibration = self._check_calibration(readings)
        accepted, reasons = acceptance.compare(
            self._evidence,
            self._active,
            self._candidate,
            self._kinship,
            self._limits.out_of_scope_loss_max,
        )
        self._reasons += reasons
        size = self._check_size()
        milliseconds = self._check_speed(texts)
        found: tuple[list[Cause], list[Suspect]] = ([], [])
        if self._reasons or self._doubts:
            missing = [each.intent for each in intents if each.state == "missing"]
            found = data.causes(flips, missing)
        outcome = (
            Outcome.REFUSED
            if self._reasons
            else Outcome.INCONCLUSIVE
            if self._doubts
            else Outcome.PASSED
        )
        return Verdict(
            outcome=outcome,
            reasons=self._reasons,
            doubts=self._doubts,
            sets=sets,
            intents=intents,
            flips=flips[:_FLIPS_KEPT],
            causes=found[0],
            suspects=found[1],
            broken_cases=broken,
            cases=len(self._evidence.cases),
            accuracy=_accuracy(readings),
            calibration=calibration,
            wrongly_accepted=accepted.get(acceptance.WRITTEN),
            wrongly_accepted_again=accepted.get(acceptance.SET_ASIDE),
            milliseconds=milliseconds,
            size=size,
            learning_curve=data.learning_curve(),
            readings=readings,
        )

    # --- What is looked at -----------------------------------------------------------------

    def _unseen(self) -> list[Labelled]:
        """Return the frozen texts that neither model has learned from or was chosen by."""
        seen = _seen(self._candidate) | (_seen(self._active) if self._active else frozenset())
        return [
            each
            for each in self._evidence.frozen
            if artifacts.key_hash(normalize.key(normalize.for_model(each.text))) not in seen
            and artifacts.key_hash(normalize.key(each.text)) not in seen
        ]

    def _reading(self, meant: Labelled, before: Answer | None, after: Answer) -> Reading:
        by_active, by_candidate = self._kinship.right(meant.intent)
        return Reading(
            text=meant.text,
            intent=meant.intent,
            language=meant.language,
            active=_brief(before) if before else None,
            candidate=_brief(after),
            active_right=before is not None and before.intent in by_active,
            candidate_right=after.intent in by_candidate,
        )

    # --- Whole sets --------------------------------------------------------------------------

    def _check_accuracy(self, readings: Sequence[Reading]) -> None:
        if not readings and self._active:
            self._doubts.append(Reason("no_frozen_texts"))
        if not readings and not self._measured:
            return
        share = _share(each.candidate_right for each in readings)
        fp32, int8 = self._measured or (share, share)
        if int8 < self._limits.accuracy_min - ROUNDING:
            self._refuse("too_inaccurate", share=int8, least=self._limits.accuracy_min)
        if fp32 - int8 > INT8_LOSS_MAX + ROUNDING:
            self._refuse("shrunk", fp32=fp32, int8=int8)

    def _check_sets(self, readings: Sequence[Reading], data: Teaching) -> list[SetResult]:
        if self._active is None:
            return []
        known = [each for each in readings if self._kinship.is_known(each.intent)]
        results = {"frozen": _paired(known), "data": data.result}
        by_language: dict[str, list[Reading]] = defaultdict(list)
        for each in known:
            by_language[each.language].append(each)
        if len(by_language) > 1:
            for language, rows in sorted(by_language.items()):
                if language and len(rows) >= _LEAST_TEXTS_OF_A_LANGUAGE:
                    results[language] = _paired(rows)
        results = {name: result for name, result in results.items() if result.texts}
        corrected = holm({name: result.p_worse for name, result in results.items()})
        for name, result in results.items():
            if corrected[name] <= WHOLE_RISK and result.loss > self._limits.tolerance + ROUNDING:
                self._refuse(
                    f"{name if name in ('frozen', 'data') else 'language'}_worse",
                    name=name,
                    texts=result.texts,
                    active=result.active_right / result.texts,
                    candidate=result.candidate_right / result.texts,
                    p=corrected[name],
                )
        frozen = results.get("frozen", NO_TEXTS)
        worst = frozen.worst_loss(CONFIDENCE)
        if frozen.texts and worst > self._limits.loss_max:
            needed = frozen.texts_to_exclude(self._limits.loss_max, CONFIDENCE)
            self._doubts.append(
                Reason(
                    "perhaps_worse",
                    {
                        "texts": frozen.texts,
                        "loss": frozen.loss,
                        "worst": worst,
                        "most": self._limits.loss_max,
                        "more": max(0, needed - frozen.texts),
                    },
                )
            )
        return [SetResult(name, result, corrected[name]) for name, result in results.items()]

    # --- Intents -----------------------------------------------------------------------------

    def _check_intents(self, readings: Sequence[Reading], data: Teaching) -> list[IntentResult]:
        frozen: dict[str, list[Reading]] = defaultdict(list)
        for each in readings:
            frozen[each.intent].append(each)
        codes = sorted(frozen.keys() | self._evidence.intents | data.by_intent.keys())
        compared: dict[str, Paired] = {}
        results: list[IntentResult] = []
        for code in codes:
            if self._kinship.is_missing(code):
                results.append(self._missing(code, _paired(frozen[code])))
                continue
            result = _paired(frozen[code])
            if result.texts < self._limits.intent_texts:
                result += data.by_intent.get(code, NO_TEXTS)
            if self._active is None or not self._kinship.is_known(code):
                results.append(self._new(code, frozen[code], data))
            else:
                compared[code] = result
        corrected = holm({code: result.p_worse for code, result in compared.items()})
        for code, result in compared.items():
            state = self._state(result, corrected[code])
            if state == "fallen":
                self._refuse(
                    "intent_fell",
                    intent=code,
                    texts=result.texts,
                    active=result.active_right / result.texts,
                    candidate=result.candidate_right / result.texts,
                )
            results.append(IntentResult(code, result, len(frozen[code]), corrected[code], state))
        self._doubt_open(results, len(compared))
        order = {"missing": 0, "fallen": 1, "weak": 2, "open": 3}
        results.sort(key=lambda each: (order.get(each.state, 4), -each.result.loss, each.intent))
        return results

    def _state(self, result: Paired, p: float) -> str:
        if result.loss < self._limits.intent_loss_max - ROUNDING:
            return ""
        if p <= INTENTS_RISK:
            return "fallen"
        few = result.texts < FEW_TEXTS and result.p_worse <= FEW_TEXTS_DOUBT
        return "open" if few or p <= INTENTS_DOUBT else ""

    def _missing(self, code: str, result: Paired) -> IntentResult:
        self._refuse("intent_missing", intent=code, texts=result.texts)
        return IntentResult(code, result, result.texts, 0.0, "missing")

    def _new(self, code: str, frozen: Sequence[Reading], data: Teaching) -> IntentResult:
        """Judge an intent without an old figure by its own minimum."""
        right, texts = sum(each.candidate_right for each in frozen), len(frozen)
        if texts < self._limits.intent_texts:
            own_right, own_texts = data.of_new(code)
            right, texts = right + own_right, texts + own_texts
        result = Paired(texts, 0, right, 0, right)
        state, least = "new", self._limits.new_intent_min
        if self._active is not None and texts and right / texts < least - ROUNDING:
            state = "weak"
            reason = Reason(
                "new_intent_weak",
                {"intent": code, "texts": texts, "share": right / texts, "least": least},
            )
            surely = wilson(right, texts)[1] < least
            (self._reasons if surely else self._doubts).append(reason)
        return IntentResult(code, result, len(frozen), 1.0, state)

    def _doubt_open(self, results: Sequence[IntentResult], compared: int) -> None:
        still_open = [each for each in results if each.state == "open"]
        if still_open:
            more = {
                each.intent: max(
                    1,
                    each.result.texts_to_show(INTENTS_RISK / max(1, compared)) - each.result.texts,
                )
                for each in still_open
            }
            self._doubts.append(
                Reason(
                    "intents_open",
                    {"intents": [each.intent for each in still_open], "more": sum(more.values())},
                )
            )

    # --- Single sentences --------------------------------------------------------------------

    def _flips(
        self, readings: Sequence[Reading], data: Teaching, intents: Sequence[IntentResult]
    ) -> list[Flip]:
        """Return the sentences that flipped, those of the intents that fell first."""
        if self._active is None:
            return []
        fallen = {each.intent for each in intents if each.state in ("fallen", "missing", "open")}
        flips = [
            Flip(
                each.text,
                each.intent,
                self._kinship.candidate.name(each.candidate[0]),
                is_frozen=True,
            )
            for each in readings
            if each.active_right and not each.candidate_right
        ]
        flips += data.flips
        flips.sort(key=lambda flip: (flip.intent not in fallen, not flip.is_frozen))
        return flips

    def _check_cases(self) -> list[BrokenCase]:
        cases = [
            case for case in self._evidence.cases if case.intent or (case.decision and self._decide)
        ]
        texts = [case.text for case in cases]
        after = self._candidate.read(texts)
        before = self._active.read(texts) if self._active else [None] * len(texts)
        broken: list[BrokenCase] = []
        missed: list[str] = []
        for case, old, new in zip(cases, before, after, strict=True):
            meant = Lineage.since(self._evidence.steps, case.added_at).now(case.intent)
            if self._meets(case, meant, new, self._kinship.candidate):
                continue
            # Examples answer a new intent until a model knows it, and may know the sentence.
            if any(self._kinship.is_new(intent) for intent in meant):
                missed.append(case.text)
            broken.append(
                BrokenCase(
                    case.text,
                    case.intent,
                    case.decision,
                    got=new.intent,
                    got_decision=self._decision(new, self._kinship.candidate),
                    is_new=old is not None and self._meets(case, meant, old, self._kinship.active),
                )
            )
        if lost := [case.text for case in broken if case.is_new]:
            self._refuse("cases_broken", cases=len(lost), of=len(cases), first=lost[0])
        if self._active is not None and missed:
            values = {"cases": len(missed), "of": len(cases), "first": missed[0]}
            self._doubts.append(Reason("cases_missed", values))
        return broken

    def _meets(self, case: Case, meant: frozenset[str], answer: Answer, labels: Labels) -> bool:
        if case.intent and not labels.may_be(answer.intent, meant):
            return False
        return (
            not case.decision or not self._decide or self._decision(answer, labels) == case.decision
        )

    def _decision(self, answer: Answer, labels: Labels) -> str:
        if self._decide is None:
            return ""
        ranked = [(labels.name(code), share) for code, share in answer.ranked]
        return str(self._decide(replace(answer.prediction(), ranked=tuple(ranked))))

    # --- Everything else ---------------------------------------------------------------------

    def _check_calibration(self, readings: Sequence[Reading]) -> Measured | None:
        if not readings:
            return None
        after = np.array([each.candidate[1] for each in readings])
        right = np.array([each.candidate_right for each in readings])
        candidate = calibration_error(after, right)
        if self._active is None:
            return Measured(None, candidate)
        old = np.array([each.active[1] for each in readings if each.active])
        old_right = np.array([each.active_right for each in readings])
        active = calibration_error(old, old_right)
        draw = np.random.default_rng(0)  # repeatable
        differences = []
        for _ in range(_RESAMPLES):
            rows = draw.integers(0, len(readings), len(readings))
            differences.append(
                calibration_error(after[rows], right[rows])
                - calibration_error(old[rows], old_right[rows])
            )
        least = float(np.quantile(differences, WHOLE_RISK / 2))
        if least > self._limits.calibration_loss_max:
            self._refuse("worse_calibrated", active=active, candidate=candidate)
        return Measured(active, candidate)

    def _check_size(self) -> Measured:
        size = Measured(self._active.bytes if self._active else None, self._candidate.bytes)
        if size.active and size.candidate > self._limits.larger_max * size.active:
            self._refuse("larger", active=size.active, candidate=size.candidate)
        return size

    def _check_speed(self, texts: Sequence[str]) -> Measured | None:
        spoken = texts or [each.text for each in self._evidence.candidate_data[:40]]
        if not spoken:
            return None
        before, after = race(self._active, self._candidate, spoken)
        if before and after > self._limits.slower_max * before:
            self._refuse("slower", active=before, candidate=after)
        return Measured(before, after)

    def _refuse(self, kind: str, **values: object) -> None:
        self._reasons.append(Reason(kind, values))


def _opened(active: Path | None) -> Contender | None:
    if active is None:
        return None
    try:
        return Contender(active)
    except artifacts.BrokenArtifact:
        return None


def _seen(contender: Contender) -> frozenset[str]:
    manifest = contender.manifest
    return manifest.seen | (manifest.learned or frozenset())


def _brief(answer: Answer) -> tuple[str, float, float]:
    return answer.intent, round(answer.probability, 5), round(answer.out_of_scope, 5)


def _paired(readings: Sequence[Reading]) -> Paired:
    return paired(
        [each.active_right for each in readings], [each.candidate_right for each in readings]
    )


def _accuracy(readings: Sequence[Reading]) -> Measured | None:
    if not readings:
        return None
    before = _share(each.active_right for each in readings)
    has_active = readings[0].active is not None
    return Measured(
        before if has_active else None, _share(each.candidate_right for each in readings)
    )


def _share(values: Iterable[bool]) -> float:
    rows = list(values)
    return sum(rows) / len(rows) if rows else 0.0

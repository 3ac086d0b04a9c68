"""What the gate said of a version, on the version's page, and the form that overrides it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from csplatform.errors import Refusal
from intents.lineage import Lineage
from intents.models import Intent, IntentMigration
from training.admin import verdict_charts
from training.gate import overriding, wording
from training.models import GateReadings, GateVerdict, ModelVersion

CAUSES_SHOWN, SUSPECTS_SHOWN, FLIPS_SHOWN = 5, 10, 20
_COLOURS = {"PASSED": "cs-success", "REFUSED": "cs-danger", "INCONCLUSIVE": "cs-warning"}
_STATES = {
    "fallen": _("fell"),
    "open": _("perhaps worse"),
    "missing": _("no longer known"),
    "new": _("new"),
    "weak": _("new and weak"),
}
_SETS = {
    "frozen": _("evaluation texts"),
    "data": _("what the utterances teach"),
    "zh": _("evaluation texts in Chinese"),
    "en": _("evaluation texts in English"),
}


def verdict_of(version: ModelVersion) -> dict[str, Any]:
    """Return what the page shows of the gate's verdict; {} for a version without one.

    Five queries.
    """
    verdict = (
        GateVerdict.objects.select_related("active")
        .prefetch_related("overrides__by")
        .filter(version=version)
        .first()
    )
    if verdict is None:
        return {}
    names = _names()
    report = verdict.report
    rows = GateReadings.objects.filter(verdict=verdict).values_list("rows", flat=True).first() or []
    shown = verdict_charts.bars(report["intents"], names)
    overrides = list(verdict.overrides.all())
    return {
        "verdict": verdict,
        "colour": _COLOURS[verdict.outcome],
        "reasons": [wording.reason(each, names) for each in report["reasons"]],
        "doubts": [wording.reason(each, names) for each in report["doubts"]],
        "causes": [
            {"text": wording.cause(each, names), "examples": each["examples"]}
            for each in report["causes"][:CAUSES_SHOWN]
        ],
        "suspects": [
            {
                **each,
                "intent": names.get(each["intent"], each["intent"]),
                "former": [names.get(code, code) for code in each["former"]],
            }
            for each in report["suspects"][:SUSPECTS_SHOWN]
        ],
        "flips": [
            {
                **each,
                "intent": names.get(each["intent"], each["intent"]),
                "taken_for": names.get(each["taken_for"], each["taken_for"]),
            }
            for each in report["flips"][:FLIPS_SHOWN]
        ],
        "broken_cases": [
            {**each, "got": names.get(each["got"], each["got"])} for each in report["broken_cases"]
        ],
        "cases": report["cases"],
        "sets": [_set_row(each) for each in report["sets"]],
        "intents": [_intent_row(each, names) for each in report["intents"]],
        "numbers": _numbers(report),
        "matrix": verdict_charts.matrix(_pairs(rows), names) if rows else None,
        "bars": shown,
        "bars_height": verdict_charts.bars_height(shown),
        "reliability": _reliability(rows),
        "learning": verdict_charts.learning(report["learning_curve"])
        if report["learning_curve"]
        else None,
        "curve_rows": report["learning_curve"],
        "overrides": overrides,
        "may_be_overridden": verdict.outcome == GateVerdict.Outcome.REFUSED and not overrides,
    }


def override(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down that a refused version may answer, and why."""
    if not request.user.has_perm(overriding.PERMISSION):
        raise PermissionDenied
    version = get_object_or_404(ModelVersion, pk=pk)
    if request.method == "POST":
        try:
            overriding.override(
                version_id=pk,
                by=request.user,
                reason=request.POST.get("reason", ""),
                now=timezone.now(),
            )
        except Refusal as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(
                request, gettext("Written down. The version can now be activated by hand.")
            )
    return redirect("admin:training_modelversion_change", version.pk)


def _names() -> dict[str, str]:
    """Return names of intents by code, also by codes that they had."""
    language = (get_language() or "")[:2]
    names = {intent.code: intent.name(language) for intent in Intent.objects.all()}
    steps = IntentMigration.objects.order_by("pk").values_list("source", "targets")
    lineage = Lineage.of(steps)
    for source, _targets in steps:
        if source not in names:
            names[source] = " / ".join(
                names.get(code, code) for code in sorted(lineage.now(source))
            )
    return names


def _set_row(each: Mapping[str, Any]) -> dict[str, Any]:
    result = each["result"]
    texts = result["texts"]
    return {
        "name": _SETS.get(each["name"], each["name"]),
        "texts": texts,
        "active": result["active_right"] / texts,
        "candidate": result["candidate_right"] / texts,
        "lost": result["lost"],
        "won": result["won"],
        "p": each["p"],
    }


def _intent_row(each: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    result = each["result"]
    texts = result["texts"]
    is_known = each["state"] not in ("new", "weak")
    return {
        "name": names.get(each["intent"], each["intent"]),
        "state": _STATES.get(each["state"], ""),
        "is_bad": each["state"] in ("fallen", "missing", "weak"),
        "texts": texts,
        "frozen": each["frozen"],
        "active": result["active_right"] / texts if texts and is_known else None,
        "candidate": result["candidate_right"] / texts if texts else None,
        "low": each["intervals"][1][0],
        "high": each["intervals"][1][1],
        "lost": result["lost"],
        "won": result["won"],
    }


def _numbers(report: Mapping[str, Any]) -> list[tuple[Any, str, str]]:
    def percent(value: float) -> str:
        return f"{100 * value:.1f} %"

    found = [
        (_("right in evaluation texts"), "accuracy", percent),
        (_("calibration error"), "calibration", percent),
        (_("texts about something else taken for an intent"), "wrongly_accepted", percent),
        (_("texts set aside in review taken for an intent"), "wrongly_accepted_again", percent),
        (_("time for a text"), "milliseconds", lambda value: f"{value:.1f} ms"),
        (_("size"), "size", lambda value: f"{value / 1_000_000:.0f} MB"),
    ]
    return [
        (
            name,
            worded(report[key]["active"]) if report[key]["active"] is not None else "—",
            worded(report[key]["candidate"]),
        )
        for name, key, worded in found
        if report.get(key)  # a verdict of an older release lacks some
    ]


def _pairs(rows: Sequence[Sequence[Any]]) -> list[tuple[str, str]]:
    """Return intent meant and intent taken for; what is right by lineage counts as the same."""
    return [(row[1], row[1] if row[6] else row[4][0]) for row in rows]


def _reliability(rows: Sequence[Sequence[Any]]) -> verdict_charts.Plot | None:
    if not rows:
        return None
    series = [("cs-curve", [row[4][1] for row in rows], [row[6] for row in rows])]
    if all(row[3] for row in rows):
        series.insert(0, ("cs-before", [row[3][1] for row in rows], [row[5] for row in rows]))
    return verdict_charts.reliability(series)

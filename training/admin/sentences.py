"""Regression sentences, all tried at once."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import get_language, gettext

from csplatform.tables import csv_download
from intents.admin.labels import DECISIONS
from intents.models import Intent
from intents.trials import ContenderUnavailable, open_contender
from training import contenders
from training.comparisons import sentences
from training.models import RegressionCase


def regression_run(request: HttpRequest) -> HttpResponseBase:
    """Show which sentences pass, in service and by whoever is chosen beside it.

    GET `beside` (a Contender.key), `show` ("failed", "differs" or nothing), `csv`.
    """
    if not request.user.has_perm("training.view_regressioncase"):
        raise PermissionDenied
    chosen, problem = [contenders.active()], ""
    if beside := request.GET.get("beside", ""):
        try:
            chosen.append(contenders.find(beside))
        except ContenderUnavailable as gone:
            problem = str(gone)
    outcomes: list[sentences.Outcome] = []
    if request.GET:
        try:
            opened = [open_contender(choice.contender) for choice in chosen]
            outcomes = sentences.run(opened)
        except ContenderUnavailable as gone:
            problem = str(gone)
    shown = [one for one in outcomes if _is_shown(one, request.GET.get("show", ""))]
    if "csv" in request.GET:
        headings = [choice.name for choice in chosen]
        return csv_download("regression-sentences.csv", sentences.rows(shown, headings))
    names, names_of_contenders = _names(), [choice.name for choice in chosen]
    asked = request.GET.copy()
    asked["csv"] = "1"
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": gettext("Regression sentences, all at once"),
        "offered": [*contenders.versions(), *contenders.waiting_drafts()],
        "beside": beside,
        "show": request.GET.get("show", ""),
        "is_run": bool(request.GET) and not problem,
        "problem": problem,
        "contenders": [
            (choice.name, sum(one.held[place].passes for one in outcomes))
            for place, choice in enumerate(chosen)
        ],
        "tried": len(outcomes),
        "lines": [_line(one, names_of_contenders, names) for one in shown],
        "count": RegressionCase.objects.filter(is_active=True).count(),
        "most": sentences.MOST,
        "csv": asked.urlencode(),
    }
    return TemplateResponse(request, "admin/training/regressioncase/run.html", context)


def _is_shown(outcome: sentences.Outcome, which: str) -> bool:
    if which == "failed":
        return not outcome.passes
    return outcome.differs if which == "differs" else True


def _names() -> dict[str, str]:
    language = (get_language() or "")[:2]
    return {intent.code: intent.name(language) for intent in Intent.objects.all()}


def _line(
    outcome: sentences.Outcome, contenders: Sequence[str], names: dict[str, str]
) -> dict[str, Any]:
    case = outcome.case
    return {
        "case": case,
        "differs": outcome.differs,
        "intent": names.get(case.intent, case.intent),
        "decision": DECISIONS.get(case.decision, ""),  # type: ignore[call-overload]
        "held": [
            {
                "name": name,
                "passes": one.passes,
                "intent": names.get(one.answered.intent, one.answered.intent),
                "probability": one.answered.prediction.probability,
                "decision": DECISIONS[one.answered.decision],
            }
            for name, one in zip(contenders, outcome.held, strict=True)
        ],
    }

"""The radar's page: utterances that probably have the wrong intent, the worst first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import get_language, gettext

from csplatform.errors import Refusal
from intents.inference.catalogue import current_version
from intents.models import Intent
from training import radar
from training.models import Suspect

PER_PAGE = 25
_UNDO = "UNDO"
_PAGE = "admin:radar"


@dataclass(frozen=True, slots=True)
class Row:
    """A suspect in words."""

    suspect: Suspect
    labelled: str  # name of the intent that it has
    believed: str  # name of the intent that the others give it


def label_radar(request: HttpRequest) -> HttpResponse:
    """Show the open suspects of the last search. Six queries, however many there are."""
    if not request.user.has_perm("intents.view_utterance"):
        raise PermissionDenied
    scan = radar.latest()
    suspects = (
        scan.suspects.filter(decision=Suspect.Decision.OPEN).order_by("rank")
        if scan
        else Suspect.objects.none()
    )
    page = Paginator(suspects, PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": gettext("Likely wrong labels"),
        "scan": scan,
        "running": radar.current(),
        "is_behind": scan is not None and scan.content_version != current_version(),
        "page": page,
        "rows": _rows(list(page)),
        "may_change": request.user.has_perm("intents.change_utterance"),
        "may_delete": request.user.has_perm("intents.delete_utterance"),
    }
    return TemplateResponse(request, "admin/training/radar.html", context)


def request_scan(request: HttpRequest) -> HttpResponse:
    """Search now."""
    if not request.user.has_perm("intents.change_utterance"):
        raise PermissionDenied
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        radar.request_scan(requested_by=request.user, now=timezone.now())
    except Refusal as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, gettext("The search has begun. It takes a minute or two."))
    return redirect(_PAGE)


def decide_suspect(request: HttpRequest, pk: int) -> HttpResponse:
    """Move, keep or delete one utterance, or undo that; JSON for the page's script."""
    decision = request.POST.get("decision", "")
    needed = "delete" if decision == Suspect.Decision.DELETED else "change"
    if not request.user.has_perm(f"intents.{needed}_utterance"):
        raise PermissionDenied
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    wants_json = request.headers.get("Accept", "").startswith("application/json")
    try:
        if decision == _UNDO:
            radar.undo(pk)
        elif decision in {each for each in Suspect.Decision.values if each}:
            radar.decide(pk, Suspect.Decision(decision), by=request.user, now=timezone.now())
        else:
            return HttpResponse(status=400)
    except Refusal as refusal:
        if wants_json:
            return JsonResponse({"detail": str(refusal)}, status=refusal.status)
        messages.warning(request, str(refusal))
    except Suspect.DoesNotExist:
        return JsonResponse(
            {"detail": gettext("A newer search has replaced this one.")}, status=404
        )
    if wants_json:
        return JsonResponse({"decision": decision})
    return redirect(_PAGE)


def _rows(suspects: Sequence[Suspect]) -> list[Row]:
    codes = {code for each in suspects for code in (each.labelled, each.believed)}
    language = "zh" if (get_language() or "").startswith("zh") else "en"
    names = {each.code: each.name(language) for each in Intent.objects.filter(code__in=codes)}
    return [
        Row(each, names.get(each.labelled, each.labelled), names.get(each.believed, each.believed))
        for each in suspects
    ]

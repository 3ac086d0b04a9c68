"""The page of the review inbox, and what its script asks for. Decides nothing itself."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from csplatform.errors import Refusal
from intents import conflicts
from intents.admin import hints
from intents.admin.records import shown_language
from intents.models import Intent, ReviewCluster, ReviewItem
from intents.review import clusters, deciding, inbox, reasons

# What the bot took a sentence for: more guesses are not read.
_GUESSES = 4
_CLUSTERS_SHOWN = 20
# Intents that are compared with a sentence in one request: its proposals, and a new one.
_COMPARED_MOST = 6
REASON_NAMES = {
    "asked_back": _("asked back"),
    "unsure": _("unsure"),
    "out_of_scope": _("none of our topics"),
    "handed_over": _("handed over"),
    "rated_down": _("rated down"),
    "corrected": _("corrected by an agent"),
    "confirmed": _("confirmed by an agent"),
    "chosen": _("chosen by the customer"),
}
_VIEW, _DECIDE = "intents.view_reviewitem", "intents.change_reviewitem"


def review_inbox(request: HttpRequest) -> HttpResponse:
    """Show the page; its script asks for the first sentence."""
    if not request.user.has_perm(_VIEW):
        raise PermissionDenied
    language = shown_language()
    intents = Intent.objects.filter(is_active=True).order_by("position", "code")
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": gettext("Review inbox"),
        "left": inbox.left(),
        "may_decide": request.user.has_perm(_DECIDE),
        "may_add_intents": request.user.has_perm("intents.add_intent"),
        "intents": [
            {
                "code": intent.code,
                "name": intent.name(language),
                "names": [intent.name_zh, intent.name_en],
            }
            for intent in intents
        ],
        "reason_names": {name: str(text) for name, text in REASON_NAMES.items()},
    }
    return TemplateResponse(request, "admin/intents/review_inbox.html", context)


# --- For the script ----------------------------------------------------------------------------


def _answers(
    method: str, *permissions: str
) -> Callable[[Callable[..., dict[str, Any]]], Callable[..., HttpResponse]]:
    """Have a function answered as JSON: its dict, or what it refuses, to whoever may."""

    def decorate(view: Callable[..., dict[str, Any]]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def answered(request: HttpRequest, **of_address: Any) -> HttpResponse:
            if not request.user.has_perms(permissions):
                raise PermissionDenied
            if request.method != method:
                return HttpResponseNotAllowed([method])
            try:
                return JsonResponse(view(request, **of_address))
            except Refusal as refusal:
                body = {"code": refusal.code, "detail": str(refusal)}
                return JsonResponse(body, status=refusal.status)
            except ValidationError as error:
                body = {"code": "invalid", "detail": " ".join(error.messages)}
                return JsonResponse(body, status=400)

        return never_cache(answered)

    return decorate


def _asked(request: HttpRequest) -> dict[str, Any]:
    """Return the body of a request.

    Raises:
        ValidationError: It is no JSON object, or its items are no list of numbers.
    """
    try:
        body = json.loads(request.body or b"{}")
        items = body.setdefault("items", [])
        is_good = all(type(key) is int for key in items)
    except (ValueError, AttributeError, TypeError):
        is_good = False
    if not is_good:
        raise ValidationError(_("This is not understood."))
    return dict(body)


def _next(request: HttpRequest, **more: Any) -> dict[str, Any]:
    item = inbox.claim_next(by=_person(request), now=timezone.now())
    return {"item": _shown(item) if item else None, "left": inbox.left(), **more}


def _person(request: HttpRequest) -> int:
    return int(request.user.pk or 0)


def _shown(item: ReviewItem) -> dict[str, Any]:
    """Return a sentence as the script shows it; names of intents it has."""
    meant = reasons.proposed(item.votes)
    return {
        "id": item.pk,
        "text": item.text,
        "language": item.language,
        "messages": item.messages,
        "handed_over": item.handed_over,
        "last": date_format(timezone.localtime(item.last_at), "SHORT_DATETIME_FORMAT"),
        "reasons": item.reasons,
        "meant": meant,
        "by_agent": any(vote == f"agent:{meant}" for vote in item.votes),
        "votes": sum(count for vote, count in item.votes.items() if vote.endswith(f":{meant}")),
        "guesses": item.ranked[:_GUESSES],
        "out_of_scope": round(item.out_of_scope, 2),
        "cluster": item.cluster_id,
        "alike": item.cluster.open_items - 1 if item.cluster else 0,
    }


@_answers("POST", _DECIDE)
def next_item(request: HttpRequest) -> dict[str, Any]:
    """Claim the next sentence."""
    return _next(request)


@_answers("POST", _DECIDE)
def decide(request: HttpRequest) -> dict[str, Any]:
    """Decide about sentences, and claim the next one."""
    asked, now = _asked(request), timezone.now()
    keys, action = asked["items"], asked.get("action")
    if action == "skip":
        for key in keys:
            inbox.skip(key, by=_person(request), now=now)
        return _next(request)
    got = inbox.claim_those(keys[: deciding.MOST_TOGETHER], by=_person(request), now=now)
    if not got:
        raise inbox.NotClaimed
    if action == "label":
        code = str(asked.get("intent", ""))
        made = deciding.label(got, intent=code, by=request.user, now=now)
    elif action in ("out_of_scope", "ignore"):
        is_outside = action == "out_of_scope"
        made = deciding.put_away(got, out_of_scope=is_outside, by=request.user, now=now)
    else:
        raise ValidationError(_("This is not understood."))
    return _next(request, decision=made.pk, decided=len(got), taken=len(keys) - len(got))


@_answers("POST", _DECIDE, "intents.add_intent")
def new_intent(request: HttpRequest) -> dict[str, Any]:
    """Make an intent of sentences, and claim the next one."""
    asked, now = _asked(request), timezone.now()
    keys = asked["items"]
    got = inbox.claim_those(keys[: deciding.MOST_TOGETHER], by=_person(request), now=now)
    if not got:
        raise inbox.NotClaimed
    names = {name: str(asked.get(name, "")).strip() for name in ("code", "name_zh", "name_en")}
    made = deciding.new_intent(got, intent=Intent(**names), by=request.user, now=now)
    shown: dict[str, Any] = {"code": names["code"], "name": names[f"name_{shown_language()}"]}
    shown["names"] = [names["name_zh"], names["name_en"]]
    return _next(
        request,
        decision=made.pk,
        decided=len(got),
        taken=len(keys) - len(got),
        draft=made.came_of.get("draft"),
        intent=shown,
    )


@_answers("POST", _DECIDE)
def undo(request: HttpRequest) -> dict[str, Any]:
    """Undo this person's latest decision, and give him its sentence again."""
    inbox.let_go(by=_person(request))
    made = deciding.undo(by=request.user, now=timezone.now())
    return _next(
        request,
        undone=made.get_kind_display(),
        sentences=made.sentences,
        gone=made.intent if made.kind == deciding.Kind.NEW_INTENT else "",
    )


@_answers("GET", _DECIDE, "intents.view_utterance")
def hints_of(request: HttpRequest, pk: int) -> dict[str, Any]:
    """Return the utterances that stand against a sentence, for the intents that `intent` names.

    Asked after the sentence is shown: a decision never waits for it. "" is an intent that is to be
    made. Each utterance comes once, the plainest first, with the intents that it stands against.
    """
    text = get_object_or_404(ReviewItem.objects.only("text"), pk=pk).text
    codes = list(dict.fromkeys(request.GET.getlist("intent")))[:_COMPARED_MOST]
    return {
        "hints": hints.of_review(conflicts.compare(text, codes)),
        # What was saved a moment ago may be missing: the page asks once more.
        "behind": conflicts.is_behind(),
    }


@_answers("GET", _VIEW)
def state(request: HttpRequest) -> dict[str, Any]:
    """Say how many are left, for whoever looks on."""
    return {"left": inbox.left()}


@_answers("GET", _VIEW)
def cluster_list(request: HttpRequest) -> dict[str, Any]:
    """Return the weightiest clusters of two sentences and more."""
    found = list(
        ReviewCluster.objects.filter(open_items__gt=1).order_by("-priority", "pk")[:_CLUSTERS_SHOWN]
    )
    typical = clusters.typical([one.pk for one in found])
    return {
        "clusters": [
            {
                "id": one.pk,
                "sentences": one.open_items,
                "messages": one.messages,
                "handed_over": one.handed_over / one.messages if one.messages else 0.0,
                "typical": typical[one.pk],
            }
            for one in found
        ]
    }


@_answers("GET", _VIEW)
def cluster(request: HttpRequest, pk: int) -> dict[str, Any]:
    """Return the sentences of a cluster, the most typical ones first."""
    items = inbox.of_cluster(pk, most=deciding.MOST_TOGETHER)
    return {"items": [{"id": one.pk, "text": one.text, "messages": one.messages} for one in items]}


def urls(view: Callable[[Any], Any]) -> list[URLPattern]:
    """Return the addresses, each behind the admin's door."""
    return [
        path("inbox/", view(review_inbox), name="review_inbox"),
        path("inbox/next/", view(next_item), name="review_next"),
        path("inbox/decide/", view(decide), name="review_decide"),
        path("inbox/new-intent/", view(new_intent), name="review_new_intent"),
        path("inbox/undo/", view(undo), name="review_undo"),
        path("inbox/<int:pk>/hints/", view(hints_of), name="review_hints"),
        path("inbox/state/", view(state), name="review_state"),
        path("inbox/clusters/", view(cluster_list), name="review_clusters"),
        path("inbox/clusters/<int:pk>/", view(cluster), name="review_cluster"),
    ]

"""What stands against a sentence while it is typed, as JSON for the page's script."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from intents import conflicts, services
from intents.admin.records import shown_language
from intents.conflicts import Effect, Hint, Kind
from intents.models import Intent

_TEXTS_MOST = 50  # sentences of one request
_CHARS_MOST = 500  # of one sentence, as an utterance has


class _BadRequest(Exception):
    """What was sent is not what the page's script sends."""


def _for_editors(
    view: Callable[[HttpRequest, dict[str, Any]], JsonResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Let those in who may change utterances, and read the JSON object that they post."""

    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm("intents.change_utterance"):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            body = json.loads(request.body)
            if not isinstance(body, dict):
                raise _BadRequest
            return view(request, body)
        except (ValueError, _BadRequest):
            return JsonResponse({"error": "invalid"}, status=400)

    return checked


@_for_editors
def utterance_hints(request: HttpRequest, body: dict[str, Any]) -> JsonResponse:
    """Return the hints of up to 50 sentences; without any, have the index made.

    Body: {"intent": Intent.code or primary key, "texts": [[text, primary key or null], …]}.
    """
    intent, texts = _code(body.get("intent", "")), body.get("texts", [])
    if not isinstance(texts, list) or len(texts) > _TEXTS_MOST:
        raise _BadRequest
    if not texts:
        return JsonResponse({"hints": [], "ready": conflicts.prepare()})
    sentences = [_sentence(each) for each in texts]
    found = conflicts.look_many(
        [(text, intent) for text, _pk in sentences], utterances=[pk for _text, pk in sentences]
    )
    codes = {hint.intent for hints in found for hint in hints}
    intents = {each.code: each for each in Intent.objects.filter(code__in={*codes, intent})}
    shown = [[_shown(hint, intent, intents) for hint in hints] for hints in found]
    # What was saved a moment ago may be missing: the page asks once more.
    return JsonResponse({"intent": intent, "hints": shown, "behind": conflicts.is_behind()})


@_for_editors
def keep_utterances(request: HttpRequest, body: dict[str, Any]) -> JsonResponse:
    """Leave two sentences in their intents. Body: {"text": …, "other": …}."""
    conflicts.keep(
        _text(body.get("text")), _text(body.get("other")), by=request.user, now=timezone.now()
    )
    return JsonResponse({"kept": True})


@_for_editors
def move_utterance(request: HttpRequest, body: dict[str, Any]) -> JsonResponse:
    """Move an utterance. Body: {"utterance": primary key, "source": code, "target": code}.

    Tells the revisions of both intents: whoever has the page of one open goes on with it.
    """
    pk, source, target = (body.get(name) for name in ("utterance", "source", "target"))
    if not (isinstance(pk, int) and isinstance(source, str) and isinstance(target, str)):
        raise _BadRequest
    try:
        moved = services.move_utterance(pk, source=source, target=target)
    except Intent.DoesNotExist:
        raise _BadRequest from None
    intents = Intent.objects.filter(code__in=(source, target))
    revisions = dict(intents.values_list("code", "revision"))
    return JsonResponse({"moved": moved, "revisions": revisions})


def _code(value: Any) -> str:
    match value:
        case str():
            return value
        case int():
            return Intent.objects.filter(pk=value).values_list("code", flat=True).first() or ""
    raise _BadRequest


def _sentence(each: Any) -> tuple[str, int | None]:
    match each:
        case [str(text), int() | None as pk]:
            return _text(text), pk
    raise _BadRequest


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _BadRequest
    return value.strip()[:_CHARS_MOST]


def _shown(hint: Hint, own: str, intents: Mapping[str, Intent]) -> dict[str, Any]:
    other = intents.get(hint.intent)
    name = other.name(shown_language()) if other else hint.intent
    return {
        "kind": hint.kind,
        "utterance": hint.pk,
        "text": hint.text,
        "intent": hint.intent,
        "name": name,
        "says": says(hint, name, is_own=hint.intent == own),
        "does": does(hint.effect, name) if hint.effect else "",
        "edit": reverse("admin:intents_utterance_change", args=[hint.pk]),
        # Only from one intent that there is to another one.
        "can_move": own in intents and hint.intent != own,
    }


def of_review(found: Sequence[tuple[Hint, Sequence[str]]]) -> list[dict[str, Any]]:
    """Return hints about a sentence of the review inbox as its page shows them. One query.

    Args:
        found: Hints, each with the codes of the intents that it stands against.
    """
    intents = Intent.objects.in_bulk({hint.intent for hint, _ in found}, field_name="code")
    language = shown_language()
    shown = []
    for hint, against in found:
        other = intents.get(hint.intent)
        name = other.name(language) if other else hint.intent
        shown.append(
            {
                "kind": hint.kind,
                "text": hint.text,
                "language": hint.language,
                "says": (
                    gettext("“%(intent)s” is nearer to it") % {"intent": name}
                    if hint.kind == Kind.NEIGHBOUR  # which of the choices is "this intent"?
                    else says(hint, name, is_own=False)
                ),
                "against": [*against],
                # Accepted for another intent, the sentence goes there: one has one intent.
                "moves": hint.kind == Kind.DUPLICATE and bool(against),
                "edit": reverse("admin:intents_utterance_change", args=[hint.pk]),
            }
        )
    return shown


def says(hint: Hint, name: str, *, is_own: bool) -> str:
    """Say in words how an utterance stands to the sentence.

    Args:
        name: Of the intent that has it.
    """
    if is_own:
        return gettext("This intent has it already")
    words = {
        Kind.DUPLICATE: gettext("“%(intent)s” has the same sentence"),
        Kind.MASKED: gettext("“%(intent)s” has the same but for numbers, names or dates"),
        Kind.CONFLICT: gettext("“%(intent)s” has one that says the same"),
        Kind.TRANSLATION: gettext("“%(intent)s” has one that says the same in the other language"),
        Kind.NEIGHBOUR: gettext("“%(intent)s” is nearer to it than this intent"),
    }
    return words[hint.kind] % {"intent": name}


def does(effect: Effect, name: str) -> str:
    """Say in words what it would do to both intents if the sentence stayed."""
    parts = []
    if effect.here is not None:
        parts.append(
            gettext("Likeness to this intent %(here).0f %%, to “%(intent)s” %(there).0f %%.")
            % {
                "here": 100 * max(0.0, effect.here),
                "there": 100 * max(0.0, effect.there),
                "intent": name,
            }
        )
    if effect.drawn:
        parts.append(
            ngettext(
                "%(number)d of %(of)d utterances there would be nearer to it than to its own.",
                "%(number)d of %(of)d utterances there would be nearer to it than to their own.",
                effect.drawn,
            )
            % {"number": effect.drawn, "of": effect.of}
        )
    return " ".join(parts)

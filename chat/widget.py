"""The chat inside other sites' pages: the script that a shop embeds, and the page in its frame.

docs/embedding.md is the shop's side of it. What the two say to each other is described in
static/js/widget.js.
"""

import hashlib
import json
from functools import cache

from csp.constants import SELF
from csp.decorators import csp_replace
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import condition, require_safe

from chat.pages import chat_context
from csplatform.languages import in_frames_language
from csplatform.roles import ANYONE, roles_required

_SCRIPT = settings.BASE_DIR / "static" / "js" / "widget.js"
_PLACE_OF_TEXTS = "const TEXTS = {};"
_FRESH_S, _STALE_S = 300, 24 * 3600


def _texts() -> dict[str, str]:
    """Return what the script says, in the language that is active."""
    return {
        "name": gettext("Customer service"),
        "open": gettext("Ask customer service"),
        "close": gettext("Close the chat"),
        "unread": gettext("New messages: {count}"),
        "loading": gettext("Loading the conversation…"),
        "failed": gettext("The chat cannot be shown here."),
        "instead": gettext("Open it in a new window"),
    }


@cache
def script_text() -> bytes:
    """Return the script with its texts in all languages, as UTF-8."""
    texts = {}
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            texts[code.partition("-")[0]] = _texts()
    source = _SCRIPT.read_text(encoding="utf-8")
    filled = f"const TEXTS = {json.dumps(texts, ensure_ascii=False)};"
    return source.replace(_PLACE_OF_TEXTS, filled, 1).encode()


@cache
def _etag() -> str:
    return f'"{hashlib.sha256(script_text()).hexdigest()[:20]}"'


@roles_required(ANYONE)
@require_safe
# Everybody's visitors load it: a browser has it for five minutes, and uses the old one for a day
# while it asks for a new one.
@cache_control(public=True, max_age=_FRESH_S, stale_while_revalidate=_STALE_S)
@condition(etag_func=lambda _request: _etag())
def script(_request: HttpRequest) -> HttpResponse:
    """The script of the shops' pages."""
    response = HttpResponse(script_text(), content_type="text/javascript; charset=utf-8")
    response["Cross-Origin-Resource-Policy"] = (
        "cross-origin"  # pages that are isolated load it, too
    )
    return response


@roles_required(ANYONE)
@in_frames_language
@require_safe
@never_cache
@xframe_options_exempt  # it knows one origin at most; frame-ancestors says which
def page(request: HttpRequest) -> HttpResponseBase:
    """The chat in a frame, on the pages of WIDGET_ORIGINS and our own."""

    @csp_replace({"frame-ancestors": [SELF, *settings.WIDGET_ORIGINS]})
    def framed(request: HttpRequest) -> HttpResponseBase:
        origins = " ".join(settings.WIDGET_ORIGINS)
        context = {**chat_context(), "in_widget": True, "origins": origins}
        response = render(request, "chat/widget.html", context)
        # What a page with a Cross-Origin-Embedder-Policy of its own asks of its frames.
        response["Cross-Origin-Embedder-Policy"] = "require-corp"
        response["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    return framed(request)

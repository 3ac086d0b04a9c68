"""A page in the language that its address asks for: `?lang=en`, kept in a cookie for the next ones."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation

_SPELLINGS = {"zh": "zh-hans", **{code: code for code, _name in settings.LANGUAGES}}


def in_asked_language(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let `?lang=zh` or `?lang=en` choose the language of a page, before cookie and browser do.

    A link does it, not a form: it also works inside a shop's frame, where browsers
    withhold the cookie that a form's protection needs. Unknown languages change nothing.
    """

    @wraps(view)
    def speaking(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = _in_asked_language(view, request, *args, **kwargs)
        if (asked := _asked_in(request)) is None:
            return response
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            asked,
            max_age=365 * 24 * 3600,
            secure=settings.HTTPS,
            samesite="Lax",
        )
        return response

    return speaking


def in_frames_language(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let `?lang=` choose the language of this page only: a shop's page asks, not the customer.

    What he chose on other pages stays as it is.
    """

    @wraps(view)
    def speaking(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return _in_asked_language(view, request, *args, **kwargs)

    return speaking


def _asked_in(request: HttpRequest) -> str | None:
    return _SPELLINGS.get(request.GET.get("lang", ""))


def _in_asked_language(
    view: Callable[..., HttpResponseBase], request: HttpRequest, *args: Any, **kwargs: Any
) -> HttpResponseBase:
    asked = _asked_in(request)
    if asked is not None:
        translation.activate(asked)
        request.LANGUAGE_CODE = asked
    return view(request, *args, **kwargs)

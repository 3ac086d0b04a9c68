"""The hot path: addresses asked hundreds of times a second, answered on the event loop.

Django's handler changes threads three times a request and passes fourteen middlewares, most
of them for people with a browser: 2 ms of processor here, where the rest of a request takes
less than one. A POST to a `HotView` passes neither. `HotPath` stands before Django's handler
and calls the view's coroutine; what the middlewares do for such a request (host, language,
metrics, headers, a failure that becomes a 500) is done here, once.

In the URL map a HotView is an ordinary view of the REST framework: other methods, the OpenAPI
page and the test client meet it there, and a POST runs the same coroutine.
"""

import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from http import HTTPStatus
from io import BytesIO
from typing import Any, ClassVar

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import resolve, reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django_prometheus.middleware import Metrics
from rest_framework import exceptions
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from csplatform import tokens
from csplatform.errors import Refusal, exception_handler
from csplatform.roles import Role, may
from csplatform.threads import in_thread
from csplatform.tokens import Bearer

logger = logging.getLogger("django.request")

# Up to this size a body is read within a millisecond; a larger one is read on a thread.
_BYTES_ON_THE_LOOP = 16_384
_HEADERS = {
    "Vary": "Accept-Language, Cookie",
    "X-Content-Type-Options": "nosniff",
}

# A character takes at most twelve bytes in JSON (two \uXXXX); the rest is for other fields.
_BYTES_PER_CHARACTER, _BYTES_BESIDES = 12, 4096

Application = Callable[[Any, Any, Any], Awaitable[None]]
# Returns a request's body, at most so many bytes of it.
Read = Callable[[int], Awaitable[bytes]]


def most_bytes_of(characters: int) -> int:
    """Return how many bytes of JSON a text of so many characters may take, other fields included."""
    return characters * _BYTES_PER_CHARACTER + _BYTES_BESIDES


class BodyTooLarge(Refusal):
    code = "too_large"
    status = 413
    detail = _("This is more than can be sent at once.")


class HotView(APIView):
    """A REST view whose POST is a coroutine, called without DRF's own cycle.

    A subclass states its roles (not ANYONE) and sizes, and defines `post`.
    """

    roles: ClassVar[frozenset[Role]]
    most_bytes: ClassVar[int]  # of a body; beyond, `too_large` is raised before it is read
    too_large: ClassVar[type[Refusal]] = BodyTooLarge

    async def post(self, request: HttpRequest, bearer: Bearer) -> HttpResponse:
        """Answer whoever has one of the roles; `sent` and `answer` are for it.

        Never blocks: what uses the database goes through `in_thread`.

        Raises:
            Refusal, APIException: Becomes a refusal as everywhere (csplatform.errors).
        """
        raise NotImplementedError

    async def dispatch(  # type: ignore[override]  # Django asks `view_is_async`
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Answer as the URL map's view."""
        if request.method != "POST":
            return await in_thread(super().dispatch)(request, *args, **kwargs)

        async def read(most: int) -> bytes:
            return request.read(most)

        return await self.answered(request, read)

    async def answered(self, request: HttpRequest, read: Read) -> HttpResponse:
        """Check who asks, and let `post` answer or refuse.

        Args:
            read: Asked by `sent`, so nothing is read for those who may not ask.

        Raises:
            Exception: What is no refusal: a failure.
        """
        self._read = read
        try:
            bearer = await tokens.abearer(request)
            if bearer is None:
                raise exceptions.NotAuthenticated
            if not may(bearer, self.roles):
                raise exceptions.PermissionDenied
            return await self.post(request, bearer)
        except Exception as error:
            return _refusal(error)

    async def sent(self, request: HttpRequest, shape: Serializer[Any]) -> dict[str, Any]:
        """Return the JSON of a request, checked and converted.

        Args:
            shape: Made once for all requests: half of DRF's time goes into copying fields.

        Raises:
            Refusal: `too_large`.
            APIException: It is no JSON, or not of that shape.
        """
        if _announced(request) > self.most_bytes:
            raise self.too_large
        body = await self._read(self.most_bytes + 1)
        if len(body) > self.most_bytes:
            raise self.too_large
        if len(body) > _BYTES_ON_THE_LOOP:
            return await in_thread(_checked)(body, request.content_type, shape)
        return _checked(body, request.content_type, shape)

    @staticmethod
    def answer(body: Mapping[str, Any], status: int = HTTPStatus.OK) -> HttpResponse:
        """Return a response of JSON."""
        try:
            content = JSONRenderer().render(body)
        except UnicodeEncodeError:  # half a character, quoted from what was sent
            content = json.dumps(body, cls=JSONRenderer.encoder_class).encode()
        return HttpResponse(content, status=status, content_type="application/json")


def _announced(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0  # then it is counted


def _checked(body: bytes, media_type: str | None, shape: Serializer[Any]) -> dict[str, Any]:
    sent: Any = {}
    if body:
        if media_type != "application/json":
            raise exceptions.UnsupportedMediaType(media_type or "")
        try:
            sent = JSONParser().parse(BytesIO(body), parser_context={})
        except RecursionError:
            raise exceptions.ParseError from None  # [[[[…
    return dict(shape.run_validation({} if sent is None else sent))


def _refusal(error: Exception) -> HttpResponse:
    """Return the response that DRF would give; raises the error when it is no refusal."""
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        error.auth_header = "Bearer"  # type: ignore[union-attr]
    refused = exception_handler(error, {})
    if refused is None:
        raise error
    response = HotView.answer(refused.data, refused.status_code)
    for name, value in refused.headers.items():
        if name != "Content-Type":
            response.headers[name] = value
    return response


class HotPath:
    """ASGI: a POST to the address of a HotView is answered here, the rest by `others`.

    Args:
        names: Of the addresses, in the URL map.
        others: Django's handler.
    """

    def __init__(self, names: Iterable[str], others: Application) -> None:
        self._others = others
        self._hot: dict[str, tuple[str, type[HotView]]] = {}
        for name in names:
            address = reverse(name)
            self._hot[address] = name, resolve(address).func.cls  # type: ignore[attr-defined]

    async def __call__(
        self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        hot = self._hot.get(scope["path"]) if scope["method"] == "POST" else None
        if hot is None:
            await self._others(scope, receive, send)
            return
        name, view = hot
        began = time.perf_counter()
        try:
            request = ASGIRequest(scope, BytesIO())
        except UnicodeDecodeError:  # in the query string; Django refuses that
            await self._others(scope, receive, send)
            return
        try:
            response = await _respond(view, request, partial(_read, receive))
        except _Gone:
            return
        _count(name, response.status_code, time.perf_counter() - began)
        headers = [(name.encode(), value.encode("latin-1")) for name, value in response.items()]
        headers.append((b"Content-Length", str(len(response.content)).encode()))
        await send(
            {
                "type": "http.response.start",
                "status": response.status_code,
                "headers": headers,
                "trailers": False,
            }
        )
        await send({"type": "http.response.body", "body": response.content, "more_body": False})


class _Gone(Exception):
    """The client went before it had asked."""


async def _read(receive: ASGIReceiveCallable, most: int) -> bytes:
    """Return the first `most` bytes of a body; what is beyond is not waited for."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise _Gone
        body += message.get("body", b"")
        if len(body) >= most or not message.get("more_body", False):
            return bytes(body[:most])


async def _respond(view: type[HotView], request: HttpRequest, read: Read) -> HttpResponse:
    """Answer what came past Django's handler, and its failures, as that does."""
    # For the rest of this request; override would look up first what nobody has set.
    translation.activate(translation.get_language_from_request(request))
    try:
        request.get_host()
        response = await view().answered(request, read)
    except _Gone:
        raise
    except DisallowedHost as error:
        logger.warning("Bad Request: %s: %s", request.path, error)
        response = _failure("bad_host", _("This server has another name."), 400)
    except (OperationalError, InterfaceError):
        # The database is away, or locked for long.
        logger.exception("Service Unavailable: %s", request.path)
        response = _failure("unavailable", Refusal.detail, 503)
    except Exception:
        logger.exception("Internal Server Error: %s", request.path)
        response = _failure("failed", _("Something went wrong on our side."), 500)
    response.headers["Content-Language"] = translation.get_language()
    for name, value in _HEADERS.items():
        response.headers[name] = value
    return response


def _failure(code: str, detail: Any, status: int) -> HttpResponse:
    return HotView.answer({"code": code, "detail": str(detail)}, status)


def _count(name: str, status: int, seconds: float) -> None:
    """Count into the series of django-prometheus that dashboards read."""
    metrics = Metrics.get_instance()
    metrics.requests_total.inc()
    metrics.responses_total.inc()
    metrics.requests_latency_by_view_method.labels(view=name, method="POST").observe(seconds)
    metrics.responses_by_status_view_method.labels(
        status=str(status), view=name, method="POST"
    ).inc()

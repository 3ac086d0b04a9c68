"""/healthz, /readyz and /metrics: is it alive, what works, how much is it doing."""

import logging
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django_prometheus.exports import ExportToDjangoView
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from csplatform.roles import ANYONE, Role, StatedRoles
from intents import inference

logger = logging.getLogger(__name__)

_TIMEOUT_S = 0.5
_MODEL_IS_FINE = ("ready", "swapping")
_REDIS = ("redis", "rediss", "unix")


class Alive(APIView):
    """The process answers. Asks nothing of anybody else.

    503 where it cannot recover by itself: the model hung a second time, and the process should
    be replaced, which it asks for itself, too.
    """

    roles = ANYONE
    authentication_classes: list[Any] = []

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        if not inference.status().is_fit:
            return Response({"status": "unfit"}, status=503)
        return Response({"status": "alive"})


class Ready(APIView):
    """Each dependency and the model, with its state.

    503 only without the database, the one thing nothing works without. Without a Valkey
    or a trained model customers are still answered: "degraded", and 200.
    """

    roles = ANYONE
    authentication_classes: list[Any] = []

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        checks = {
            "database": _check(_ask_database, DatabaseError),
            "cache": _check_url(settings.CACHE_URL),
            "broker": _check_url(settings.BROKER_URL),
            "results": _check_url(settings.RESULT_URL),
            "channel_layer": _check_url(settings.CHANNEL_LAYER_URL),
        }
        model = inference.status()
        checks["model"] = {
            "ok": model.state in _MODEL_IS_FINE,
            "state": model.state,
            "since": model.since and model.since.isoformat(timespec="seconds"),
            "source": model.source,  # what answers meanwhile
            "version": model.model_version,
            "runtime": model.runtime,
            "queue_length": model.queue_length,
            "warm_up_ms": round(model.warm_up_ms),
        }
        if model.detail and _FromThisMachine().has_permission(request, self):
            checks["model"]["detail"] = model.detail  # paths and addresses: not for everybody
        is_up = checks["database"]["ok"]
        is_whole = all(check["ok"] for check in checks.values())
        status = "ready" if is_whole else "degraded" if is_up else "unavailable"
        return Response({"status": status, "checks": checks}, status=200 if is_up else 503)


def _check(ask: Callable[[], object], *failures: type[Exception]) -> dict[str, Any]:
    """Ask one dependency. The page is public: it names the kind of failure, the log all of it."""
    try:
        ask()
    except failures as error:
        logger.warning("Not ready: %r", error)
        return {"ok": False, "detail": type(error).__name__}
    return {"ok": True}


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _check_url(url: str) -> dict[str, Any]:
    if not url.startswith(tuple(f"{scheme}:" for scheme in _REDIS)):
        return {"ok": True, "detail": "not checked"}  # an AMQP broker

    def ask() -> None:
        with redis.Redis.from_url(
            url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S
        ) as client:
            client.ping()

    return _check(ask, redis.RedisError)


class _FromThisMachine(BasePermission):
    """A request that came straight from here, not through a proxy that runs here."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        is_near = request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1")
        return is_near and not {"HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED"} & set(request.META)


class Metrics(APIView):
    """Prometheus. A scraper elsewhere brings a service token (`authorization` in its job)."""

    roles = frozenset({Role.SERVICE, Role.ADMINISTRATOR})
    permission_classes = [_FromThisMachine | StatedRoles]

    @extend_schema(exclude=True)
    def get(self, request: HttpRequest) -> HttpResponse:
        page: HttpResponse = ExportToDjangoView(request)
        return page

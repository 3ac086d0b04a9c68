"""Refusals: what a person may be told, in one shape for every interface."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler


class Refusal(Exception):
    """The request was understood and is not allowed now.

    Subclasses live beside the service that raises them. `code` is stable and
    public: clients, tests and docs/protocol.md match on it, never on the text,
    which is in the reader's language.
    """

    code = "refused"
    status = 409
    detail: Any = _("This is not possible right now.")
    retry_after_s: int | None = None

    def __init__(self, detail: Any = None) -> None:
        self.detail = detail if detail is not None else type(self).detail
        super().__init__(self.detail)

    def __str__(self) -> str:
        return str(self.detail)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer over REST as {"code", "detail"}; field errors add {"fields"}."""
    if isinstance(error, Refusal):
        headers = {"Retry-After": str(error.retry_after_s)} if error.retry_after_s else None
        body = {"code": error.code, "detail": str(error)}
        return Response(body, status=error.status, headers=headers)
    response = drf_exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        response.data = {
            "code": "invalid",
            "detail": str(_("Some of the data is missing or wrong.")),
            "fields": response.data,
        }
    elif isinstance(error, exceptions.APIException):
        codes = error.get_codes()
        code = codes if isinstance(codes, str) else getattr(error, "default_code", "error")
        detail = response.data.get("detail", str(error)) if isinstance(response.data, dict) else ""
        response.data = {"code": code, "detail": str(detail)}
    else:  # Django's own Http404 and PermissionDenied
        code = "not_found" if response.status_code == 404 else "permission_denied"
        response.data = {"code": code, "detail": str(response.data.get("detail", ""))}
    return response

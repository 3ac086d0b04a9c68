"""/api/schema/ and /api/docs/, and what drf-spectacular cannot see by itself."""

from typing import Any

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from django.utils.decorators import method_decorator
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework import serializers

from csplatform.roles import ANYONE


class RefusalBody(serializers.Serializer):
    """The body of every refusal (csplatform/errors.py)."""

    code = serializers.CharField(help_text="Stable; match on it, never on the text.")
    detail = serializers.CharField(help_text="In the language of Accept-Language.")
    fields = serializers.DictField(required=False, help_text="What is wrong with which field.")  # type: ignore[assignment]


class Schema(SpectacularAPIView):
    """The OpenAPI document."""

    roles = ANYONE


@method_decorator(csp_update({"style-src": [UNSAFE_INLINE]}), name="dispatch")
class Docs(SpectacularSwaggerSplitView):
    """The same to read and to try; its script has an address of its own, for the script policy.

    Swagger UI writes style attributes, so this page alone allows them.
    """

    roles = ANYONE
    template_name = "api_docs.html"


class BearerToken(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    """How to send a token, for "Authorize"."""

    target_class = "csplatform.tokens.TokenAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The access token of POST /api/login, or a service token (svc_…).",
        }

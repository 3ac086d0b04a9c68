"""POST /api/login and /api/login/refresh: tokens for visitors, customers and staff."""

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.auth import authenticate
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import services
from csplatform import rates, tokens
from csplatform.errors import Refusal
from csplatform.roles import ANYONE
from csplatform.schema import RefusalBody


class BadSignature(Refusal):
    code = "bad_signature"
    status = 401
    detail = _("This customer is not signed by the shop.")


class SignatureExpired(Refusal):
    code = "signature_expired"
    status = 401
    detail = _("The shop's signature has expired. Please open the chat again from the shop.")


class BadCredentials(Refusal):
    code = "bad_credentials"
    status = 401
    detail = _("User name and password do not belong together.")


class LockedOut(Refusal):
    code = "locked_out"
    status = 429
    detail = _("Too many failed attempts. Please try again later.")


class LoginRequest(serializers.Serializer):
    """Nothing (visitor), `uid` and `signature` (customer), or `username` and `password` (staff).

    A signature that runs out comes with the `expires` that it covers.
    """

    uid = serializers.CharField(max_length=64, required=False)
    signature = serializers.CharField(max_length=128, required=False)
    expires = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=2**53,
        help_text="Unix time in seconds; the signature is then of uid, line break, expires.",
    )
    visitor = serializers.CharField(
        max_length=4096,
        required=False,
        help_text="Refresh token of the visitor that the customer was; his conversations join.",
    )
    username = serializers.CharField(max_length=150, required=False)
    password = serializers.CharField(max_length=128, required=False, trim_whitespace=False)

    def validate_uid(self, uid: str) -> str:
        if uid.startswith(tokens.ANONYMOUS_PREFIX):
            raise serializers.ValidationError(_("This uid is a visitor's."))
        if "\n" in uid:  # what is signed ends at one
            raise serializers.ValidationError(_("A uid has no line breaks."))
        return uid

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        customer, staff = {"uid", "signature"}, {"username", "password"}
        given = set(attrs)
        if given - {"visitor", "expires"} not in (set(), customer, staff) or (
            given & {"visitor", "expires"} and "uid" not in given
        ):
            raise serializers.ValidationError(
                _("Send nothing, uid and signature, or username and password.")
            )
        return attrs


class TokenPair(serializers.Serializer):
    """An access token, what renews it, and the seconds until it has to be."""

    token = serializers.CharField()
    refresh = serializers.CharField()
    expires_in = serializers.IntegerField()


class RefreshRequest(serializers.Serializer):
    """The refresh token of a pair."""

    refresh = serializers.CharField(max_length=4096)


class _SigningIn(APIView):
    roles = ANYONE
    authentication_classes: list[Any] = []  # an expired token must not keep anybody out

    def get_authenticate_header(self, request: Request) -> str:
        return "Bearer"  # without one, DRF would answer 403 for 401


class Login(_SigningIn):
    """Sign in, as one of three."""

    @extend_schema(
        operation_id="login",
        request=LoginRequest,
        responses={
            200: TokenPair,
            400: OpenApiResponse(RefusalBody, "Fields that do not belong together."),
            401: OpenApiResponse(RefusalBody, "Wrong signature or password."),
            429: OpenApiResponse(RefusalBody, "Too fast, or locked out; see Retry-After."),
        },
        auth=[],
    )
    def post(self, request: Request) -> Response:
        rates.count("login", str(request.META.get("REMOTE_ADDR", "")))
        asked = LoginRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        fields = asked.validated_data
        if "username" in fields:
            return Response(_staff(request, fields["username"], fields["password"]))
        if "uid" in fields:
            return Response(_customer(**fields))
        visitor = f"{tokens.ANONYMOUS_PREFIX}{uuid4().hex}"
        return Response(tokens.issue(subject=visitor, kind=tokens.CUSTOMER))


def _customer(
    *, uid: str, signature: str, expires: int | None = None, visitor: str = ""
) -> dict[str, Any]:
    now = timezone.now()
    if not tokens.is_signed(uid, signature, expires):
        raise BadSignature
    if expires is not None and expires <= now.timestamp():
        raise SignatureExpired
    visitor_uid = tokens.uid_of_refresh(visitor) if visitor else ""
    if visitor_uid:
        services.join_visitor(visitor_uid=visitor_uid, uid=uid, now=now)
    return tokens.issue(subject=uid, kind=tokens.CUSTOMER)


def _staff(request: Request, username: str, password: str) -> dict[str, Any]:
    """Check a password; django-axes counts failures by user name and address."""
    http = request._request
    user = authenticate(http, username=username, password=password)
    if getattr(http, "axes_locked_out", False):
        # Answered here, as JSON; left set, the middleware would answer with its page.
        http.axes_locked_out = False  # type: ignore[attr-defined]
        refusal = LockedOut()
        refusal.retry_after_s = int(settings.AXES_COOLOFF_TIME.total_seconds())
        raise refusal
    if user is None:
        raise BadCredentials
    return tokens.issue(subject=str(user.pk), kind=tokens.STAFF)


class Refresh(_SigningIn):
    """Trade a refresh token for a new pair."""

    @extend_schema(
        operation_id="login_refresh",
        request=RefreshRequest,
        responses={
            200: TokenPair,
            401: OpenApiResponse(RefusalBody, "Broken or expired: sign in again."),
            429: OpenApiResponse(RefusalBody, "Too fast; see Retry-After."),
        },
        auth=[],
    )
    def post(self, request: Request) -> Response:
        rates.count("login", str(request.META.get("REMOTE_ADDR", "")))
        asked = RefreshRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response(tokens.refreshed(asked.validated_data["refresh"]))

"""Access and refresh tokens: who bears them, how they are made and checked.

Claims: `sub` (a customer's uid or a user's id), `kind` (customer or staff). Customers
are not Django users, so their tokens stand for themselves.
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from csplatform.lookups import Lookups
from csplatform.models import SERVICE_TOKEN_PREFIX, ServiceToken, digest
from csplatform.roles import Role, roles_of
from csplatform.threads import in_thread

CUSTOMER = "customer"
STAFF = "staff"
ANONYMOUS_PREFIX = "anon-"


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whoever a valid access token speaks for."""

    roles: frozenset[Role]
    uid: str = ""  # of a customer or visitor
    user_id: int | None = None  # of staff
    expires_at: float | None = None  # Unix time; None for a service token, which is revoked
    is_active: bool = True
    is_authenticated: bool = True

    @property
    def pk(self) -> str:
        """What request throttles count by."""
        return self.uid or f"user-{self.user_id}"

    @property
    def is_anonymous_visitor(self) -> bool:
        return self.uid.startswith(ANONYMOUS_PREFIX)


def sign(uid: str, expires: int | None = None) -> str:
    """Return the signature of a uid as the shop's server makes it: hex HMAC-SHA256 (RFC 2104).

    Args:
        uid: Without line breaks: one would let "C1\n1790000000" pass for C1.
        expires: Unix time in seconds until which the signature signs in; None is for ever.
    """
    said = uid if expires is None else f"{uid}\n{expires}"
    return hmac.new(settings.SHOP_SECRET.encode(), said.encode(), hashlib.sha256).hexdigest()


def is_signed(uid: str, signature: str, expires: int | None = None) -> bool:
    """Check a shop signature in constant time; whether it has expired is for the caller to see."""
    return hmac.compare_digest(sign(uid, expires).encode(), signature.encode())


def issue(*, subject: str, kind: str) -> dict[str, Any]:
    """Make a pair of tokens, in the shape of POST /api/login."""
    refresh = RefreshToken()
    refresh["sub"] = subject
    refresh["kind"] = kind
    return {
        "token": str(refresh.access_token),
        "refresh": str(refresh),
        "expires_in": int(settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"].total_seconds()),
    }


def refreshed(refresh: str) -> dict[str, Any]:
    """Trade a refresh token for a new pair.

    Raises:
        AuthenticationFailed: It is broken or expired, or its user may not come in any more.
    """
    try:
        token = RefreshToken(refresh)  # type: ignore[arg-type]
    except TokenError:
        raise AuthenticationFailed(_("Please sign in again."), code="token_expired") from None
    _bearer(token)
    return issue(subject=str(token["sub"]), kind=str(token["kind"]))


def bearer_of(token: str) -> Bearer:
    """Return whom a token speaks for. Staff and programs are looked up: both may be shut out.

    Raises:
        AuthenticationFailed: It is broken or expired, or its user may not come in any more.
    """
    if token.startswith(SERVICE_TOKEN_PREFIX):
        return _program(is_valid=_is_valid(token))
    return _bearer(_verified(token))


async def abearer(request: HttpRequest) -> Bearer | None:
    """Return whom a request's token speaks for, None without one; changes threads only to look up.

    Raises:
        AuthenticationFailed: As `bearer_of`.
    """
    token = _token_of(request)
    if token is None:
        return None
    if token.startswith(SERVICE_TOKEN_PREFIX):
        return _program(is_valid=await _lookups.of(token))
    verified = _verified(token)
    if verified.get("kind") == CUSTOMER:
        return _bearer(verified)
    return await in_thread(_bearer)(verified)


def _is_valid(service_token: str) -> bool:
    return ServiceToken.objects.filter(digest=digest(service_token), revoked_at=None).exists()


# A program that has a hundred requests under way sends the same token with each.
_lookups = Lookups(in_thread(_is_valid))


def _program(*, is_valid: bool) -> Bearer:
    if is_valid:
        return Bearer(roles=frozenset({Role.SERVICE}), uid="")
    raise AuthenticationFailed(_("This service token is not valid."), code="token_revoked")


def _verified(token: str) -> AccessToken:
    try:
        return AccessToken(token)  # type: ignore[arg-type]
    except TokenError:
        raise AuthenticationFailed(
            _("The access token is broken or has expired."), code="token_expired"
        ) from None


def _token_of(request: Request | HttpRequest) -> str | None:
    """Return the token of `Authorization: Bearer …`, None where the request brings none."""
    parts = get_authorization_header(request).split()  # type: ignore[arg-type]
    if not parts or parts[0].lower() != b"bearer":
        return None
    if len(parts) != 2:
        raise AuthenticationFailed(_("The access token is broken or has expired."))
    return parts[1].decode("ascii", "replace")


def uid_of_refresh(refresh: str) -> str:
    """Return the uid that a refresh token proves, or "" when it proves none."""
    try:
        token = RefreshToken(refresh)  # type: ignore[arg-type]
    except TokenError:
        return ""
    return str(token.get("sub", "")) if token.get("kind") == CUSTOMER else ""


def _bearer(token: AccessToken | RefreshToken) -> Bearer:
    kind, subject = token.get("kind"), str(token.get("sub", ""))
    if kind == CUSTOMER and subject:
        return Bearer(roles=frozenset({Role.CUSTOMER}), uid=subject, expires_at=token["exp"])
    if kind == STAFF:
        user = get_user_model().objects.filter(pk=subject, is_active=True).first()
        if user is not None:
            return Bearer(roles=roles_of(user), user_id=user.pk, expires_at=token["exp"])
    raise AuthenticationFailed(_("Please sign in again."), code="token_expired")


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer …`, and nothing else: a REST call never rides on a cookie."""

    def authenticate(self, request: Request) -> tuple[Bearer, None] | None:
        token = _token_of(request)
        return None if token is None else (bearer_of(token), None)

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"

"""Who a person is to the platform, and what each page, endpoint and socket asks for.

Every view states its roles (`roles = {...}` on a class, `@roles_required(...)` on a
function); a request without one of them is refused. tests/test_roles.py walks the
URL map and holds every address to what it states.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.permissions import BasePermission

if TYPE_CHECKING:  # DRF's views import their defaults, which import this module
    from rest_framework.request import Request
    from rest_framework.views import APIView


class Role(StrEnum):
    """Everybody there is. The five of staff are Django groups of the same name."""

    ANYONE = "anyone"  # without signing in
    CUSTOMER = "customer"  # of the shop, or a visitor: has a token with a uid
    SERVICE = "service"  # a program with a service token
    EDITOR = "business editor"
    REVIEWER = "reviewer"
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"


ANYONE = frozenset({Role.ANYONE})
CUSTOMERS = frozenset({Role.CUSTOMER})
STAFF = frozenset({Role.EDITOR, Role.REVIEWER, Role.AGENT, Role.SUPERVISOR, Role.ADMINISTRATOR})
AGENTS = frozenset({Role.AGENT, Role.SUPERVISOR, Role.ADMINISTRATOR})
SUPERVISORS = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR})
PROGRAMS = STAFF | {Role.SERVICE}


def roles_of(user: Any) -> frozenset[Role]:
    """Return the roles of a Django user, a token's bearer, or None (nobody signed in).

    A superuser is an administrator. One query for a Django user, none for a bearer.
    """
    if user is None or not getattr(user, "is_active", False):
        return frozenset()
    if (own := getattr(user, "roles", None)) is not None:
        return frozenset(own)
    found = {
        Role(name) for name in user.groups.values_list("name", flat=True) if name in set(STAFF)
    }
    if user.is_superuser:
        found.add(Role.ADMINISTRATOR)
    return frozenset(found)


def may(person: Any, stated: Iterable[Role]) -> bool:
    """Whether a Django user, a token's bearer, or None has one of the roles that a view states."""
    wanted = frozenset(stated)
    return Role.ANYONE in wanted or bool(wanted & roles_of(person))


class StatedRoles(BasePermission):
    """Let in whoever has one of the roles that the view states; a view that states none is shut."""

    def has_permission(self, request: "Request", view: "APIView") -> bool:
        return may(request.user, getattr(view, "roles", ()))


def roles_required(
    stated: Iterable[Role],
) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """State the roles of a page: a stranger is sent to sign in, the wrong role gets 403."""
    wanted = frozenset(stated)

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if Role.ANYONE not in wanted:
                if not request.user.is_authenticated:
                    return redirect_to_login(request.get_full_path())
                if not wanted & roles_of(request.user):
                    raise PermissionDenied
            return view(request, *args, **kwargs)

        checked.roles = wanted  # type: ignore[attr-defined]
        return checked

    return decorate

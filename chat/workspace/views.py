"""The agents' pages: sign in, the workspace, and the token with which it opens its socket."""

from django.conf import settings
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from csplatform import tokens
from csplatform.languages import in_asked_language
from csplatform.roles import AGENTS, ANYONE, SUPERVISORS, roles_of, roles_required
from intents.models import Intent


class _Login(LoginView):
    """Sign-in of staff; where it leads depends on what they may do."""

    template_name = "workspace/login.html"
    redirect_authenticated_user = True

    def get_default_redirect_url(self) -> str:
        if roles_of(self.request.user) & AGENTS:
            return reverse("workspace")
        return reverse("admin:index")


login = roles_required(ANYONE)(in_asked_language(_Login.as_view()))
logout = roles_required(ANYONE)(LogoutView.as_view(next_page="login"))


@roles_required(AGENTS)
@in_asked_language
@require_safe
@never_cache
def workspace(request: HttpRequest) -> HttpResponse:
    """Conversations that wait for an agent or are with one. The page itself is empty: its socket fills it."""
    english = (get_language() or "").startswith("en")
    names = Intent.objects.values_list("code", "name_en" if english else "name_zh")
    return render(
        request,
        "workspace/workspace.html",
        {
            "intent_names": dict(names),
            "message_max_chars": settings.CHAT_MESSAGE_MAX_CHARS,
            "recall_within_s": settings.RECALL_WITHIN_S,
            "needs_disposition": settings.CLOSE_NEEDS_DISPOSITION,
            "watch_is_told": settings.WATCH_IS_TOLD,
            "is_supervisor": bool(roles_of(request.user) & SUPERVISORS),
        },
    )


@roles_required(AGENTS)
@require_POST
@never_cache
def token(request: HttpRequest) -> JsonResponse:
    """Trade the session for an access token. No refresh token: the session itself is one."""
    issued = tokens.issue(subject=str(request.user.pk), kind=tokens.STAFF)
    return JsonResponse({"token": issued["token"], "expires_in": issued["expires_in"]})

"""The supervisors' pages: what happens now, and what happened. Agents see their own figures."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth import get_user_model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chat import monitor as monitoring
from chat import reports
from chat.models import Queue
from chat.reports.report import intent_names
from chat.services import notes
from chat.sockets import name_of
from csplatform.languages import in_asked_language
from csplatform.roles import AGENTS, SUPERVISORS, roles_of, roles_required

_PERIODS = (1, 7, 30, 90)  # days, today included


@roles_required(SUPERVISORS)
@in_asked_language
@require_safe
@never_cache
def monitor(request: HttpRequest) -> HttpResponse:
    """What happens now. The page itself is empty: its script asks /api/workspace/monitor."""
    agents = [(user.pk, name_of(user)) for user in notes.agents()]
    return render(
        request,
        "workspace/monitor.html",
        {
            "queues": Queue.objects.values_list("pk", "name"),
            "agents": agents,
            "open_statuses": monitoring.OPEN,
        },
    )


class _Asked(forms.Form):
    """What a report is to be of."""

    first = forms.DateField(label=_("From"))
    last = forms.DateField(label=_("Until"))
    queue = forms.ModelChoiceField(Queue.objects.all(), required=False)
    agent = forms.ModelChoiceField(get_user_model().objects.none(), required=False)
    intent = forms.CharField(required=False, max_length=40)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        agents = self.fields["agent"]
        assert isinstance(agents, forms.ModelChoiceField)  # noqa: S101  (declared above)
        agents.queryset = notes.agents()

    def clean(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().clean() or {}
        if "first" in fields and "last" in fields:
            try:
                fields["period"] = reports.Period(fields["first"], fields["last"])
            except reports.PeriodTooLong as refusal:
                raise forms.ValidationError(str(refusal.detail)) from None
        return fields


@roles_required(AGENTS)
@in_asked_language
@require_safe
@never_cache
def report(request: HttpRequest) -> HttpResponse:
    """Figures of a period; of an agent, his own."""
    now = timezone.now()
    form = _form(request, reports.Period.up_to(now))
    is_own = not _is_supervisor(request)
    asked = _asked_of(request, form)
    made = reports.of(asked, now=now, is_own=is_own) if asked else None
    return render(
        request,
        "workspace/reports.html",
        {
            "report": made,
            "asked": asked,
            "form": form,
            "is_own": is_own,
            "queues": Queue.objects.values_list("pk", "name"),
            "agents": [] if is_own else [(user.pk, name_of(user)) for user in notes.agents()],
            "intents": sorted(intent_names().items(), key=lambda one: one[1]),
            "periods": [_period(days, asked, now) for days in _PERIODS],
            "query": _query(asked) if asked else "",
            "keep_query": _query(asked) if asked else "",
            "most_days": reports.MOST_DAYS,
        },
    )


@roles_required(AGENTS)
@require_safe
@never_cache
@in_asked_language
def report_csv(request: HttpRequest) -> HttpResponse:
    """One table of the report as CSV, named by `table`; of an agent, of his own."""
    now = timezone.now()
    asked = _asked_of(request, _form(request, reports.Period.up_to(now)))
    slug = request.GET.get("table", "")
    made = reports.of(asked, now=now, is_own=not _is_supervisor(request)) if asked else None
    table = made.table(slug) if made else None
    if table is None or asked is None:
        raise Http404
    name = f"{slug}-{asked.period.first:%Y%m%d}-{asked.period.last:%Y%m%d}.csv"
    return HttpResponse(
        table.csv().encode(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _is_supervisor(request: HttpRequest) -> bool:
    return bool(roles_of(request.user) & SUPERVISORS)


def _form(request: HttpRequest, usual: reports.Period) -> _Asked:
    given = {key: request.GET.get(key, "") for key in ("queue", "agent", "intent")}
    given["first"] = request.GET.get("first") or usual.first.isoformat()
    given["last"] = request.GET.get("last") or usual.last.isoformat()
    return _Asked(given)


def _asked_of(request: HttpRequest, form: _Asked) -> reports.Asked | None:
    """Return what is asked for; None where the form is wrong. Who is no supervisor asks for himself."""
    if not form.is_valid():
        return None
    fields = form.cleaned_data
    agent_id = fields["agent"].pk if fields["agent"] else None
    return reports.Asked(
        period=fields["period"],
        queue_id=fields["queue"].pk if fields["queue"] else None,
        agent_id=agent_id if _is_supervisor(request) else request.user.pk,
        intent=fields["intent"],
    )


def _query(asked: reports.Asked, **changed: Any) -> str:
    """Return what is asked for as a query string."""
    fields = {
        "first": asked.period.first,
        "last": asked.period.last,
        "queue": asked.queue_id,
        "agent": asked.agent_id,
        "intent": asked.intent,
        **changed,
    }
    return urlencode({key: value for key, value in fields.items() if value})


def _period(days: int, asked: reports.Asked | None, now: datetime) -> dict[str, Any]:
    """Return one of the usual periods for the page: its days, its address, whether it is shown."""
    period = reports.Period.up_to(now, days)
    whole = asked or reports.Asked(period)
    return {
        "days": days,
        "query": _query(whole, first=period.first, last=period.last),
        "is_shown": asked is not None and asked.period == period,
    }

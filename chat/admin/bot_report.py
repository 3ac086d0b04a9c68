"""How the bot is doing, for business staff."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chat.reports import MOST_DAYS, Period, PeriodTooLong, bot_report
from chat.reports.bot import Filters
from intents import drift
from intents.models import Channel, Language

_PERIODS = (1, 7, 30, 90)  # days, today included
_PERMISSION = "intents.view_predictionrecord"


class AskedForm(forms.Form):
    """Which days, and whose messages."""

    first = forms.DateField(label=_("From"))
    last = forms.DateField(label=_("Until"))
    language = forms.ChoiceField(
        label=_("language"), required=False, choices=[("", _("All")), *Language.choices]
    )
    channel = forms.ChoiceField(
        label=_("channel"),
        required=False,
        choices=[("", _("All")), *[one for one in Channel.choices if one[0]]],
    )

    def clean(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().clean() or {}
        if "first" in fields and "last" in fields:
            try:
                fields["period"] = Period(fields["first"], fields["last"])
            except PeriodTooLong as refusal:
                raise forms.ValidationError(str(refusal.detail)) from None
        return fields


@require_safe
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """Show the report of the days that are asked for."""
    _check(request)
    now = timezone.now()
    form = _form(request)
    period, filters = _asked(form)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": gettext("How the bot is doing"),
        "form": form,
        "report": bot_report.of(period, filters, now=now) if period else None,
        "query": _query(period, filters) if period else "",
        "periods": [
            {"days": days, "query": _query(asked, filters), "is_shown": asked == period}
            for days, asked in ((days, Period.up_to(now, days)) for days in _PERIODS)
        ],
        "most_days": MOST_DAYS,
        "drift": drift.latest(),
    }
    return TemplateResponse(request, "admin/chat/bot_report.html", context)


@require_safe
@never_cache
def table(request: HttpRequest) -> HttpResponse:
    """Give one table of the report as CSV, named by `table`."""
    _check(request)
    period, filters = _asked(_form(request))
    slug = request.GET.get("table", "")
    made = bot_report.of(period, filters, now=timezone.now()) if period else None
    found = made.table(slug) if made else None
    if found is None or period is None:
        raise Http404
    name = f"{slug}-{period.first:%Y%m%d}-{period.last:%Y%m%d}.csv"
    return HttpResponse(
        found.csv().encode(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _check(request: HttpRequest) -> None:
    if not request.user.has_perm(_PERMISSION):
        raise PermissionDenied


def _form(request: HttpRequest) -> AskedForm:
    usual = Period.up_to(timezone.now())
    given = {key: request.GET.get(key, "") for key in ("language", "channel")}
    given["first"] = request.GET.get("first") or usual.first.isoformat()
    given["last"] = request.GET.get("last") or usual.last.isoformat()
    return AskedForm(given)


def _asked(form: AskedForm) -> tuple[Period | None, Filters]:
    if not form.is_valid():
        return None, Filters()
    fields = form.cleaned_data
    return fields["period"], Filters(fields["language"], fields["channel"])


def _query(period: Period, filters: Filters) -> str:
    return urlencode(
        {
            "first": period.first.isoformat(),
            "last": period.last.isoformat(),
            "language": filters.language,
            "channel": filters.channel,
        }
    )

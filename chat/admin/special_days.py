"""Special days in and out as a file: checked first, then entered as a whole."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminFileFieldWidget

from chat.services import special_day_files
from chat.services.special_day_files import BYTES_MOST, BadTable, Effect
from csplatform.tables import csv_download


class _FileForm(forms.Form):
    file = forms.FileField(
        label=_("CSV file"),
        widget=UnfoldAdminFileFieldWidget,
        max_length=200,
        allow_empty_file=True,
    )


def import_page(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Choose a file, see row by row what it would do, then enter it.

    What was checked comes back in the page's own form and is read again: nothing lies about.
    """
    if not _may_enter(model_admin, request):
        raise PermissionDenied
    form = _FileForm(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {
        **model_admin.admin_site.each_context(request),
        "title": gettext("Special days from a file"),
        "opts": model_admin.model._meta,
        "form": form,
    }
    if request.method == "POST":
        try:
            checked = _sent(request, form)
            if checked is not None:
                rows = special_day_files.read(checked)
                has_errors = any(row.effect == Effect.ERROR for row in rows)
                if "enter" in request.POST and not has_errors:
                    added, changed = special_day_files.enter(rows)
                    text = gettext("Days added: %(added)d, changed: %(changed)d.")
                    told = text % {"added": added, "changed": changed}
                    model_admin.message_user(request, told, messages.SUCCESS)
                    return redirect("admin:chat_specialday_changelist")
                news = sum(row.effect in (Effect.NEW, Effect.CHANGED) for row in rows)
                context |= {
                    "rows": rows,
                    "has_errors": has_errors,
                    "news": news,
                    "checked": "" if has_errors else _canonical(rows),
                }
        except BadTable as bad:
            form.add_error("file", str(bad))
    return render(request, "admin/chat/specialday/import.html", context)


def _may_enter(model_admin: ModelAdmin, request: HttpRequest) -> bool:
    return model_admin.has_add_permission(request) and model_admin.has_change_permission(request)


def _sent(request: HttpRequest, form: _FileForm) -> bytes | None:
    """Return the file, or what was checked before; None: neither."""
    if "checked" in request.POST:
        return request.POST["checked"].encode()
    if not form.is_valid():
        return None
    file = form.cleaned_data["file"]
    return bytes(file.read(BYTES_MOST + 1))


def _canonical(rows: list[special_day_files.Row]) -> str:
    """Return the rows as CSV again, a few kilobytes."""
    days = [row.day for row in rows if row.day is not None]
    quoted = [day.name.replace('"', '""') for day in days]
    lines = [
        f'{day.date.isoformat()},{day.kind},"{name}"'
        for day, name in zip(days, quoted, strict=True)
    ]
    return "\n".join([",".join(special_day_files.COLUMNS), *lines])


def export(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponseBase:
    """Return all special days as a file that the import reads."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    name = f"special-days-{timezone.localdate():%Y%m%d}.csv"
    return csv_download(name, special_day_files.lines())

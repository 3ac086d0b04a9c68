"""Pages on which files are brought in and everything is taken out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from csplatform.errors import Refusal
from intents.exchange import export, jobs
from intents.exchange.sentences import BadFile
from intents.models import ImportJob, ImportRow, Intent

_SHOWN = 20  # imports on the list
_PER_PAGE = 100
_EXPORTED = ("intent", "reply", "utterance", "phrase", "suggestedquestion", "sensitiveword")
_EXPORTS = {
    "xlsx": export.workbook,
    "csv": export.tables_zip,
    "csv-gb18030": lambda: export.tables_zip(encoding="gb18030"),
    "rasa": export.rasa_zip,
}


class FileForm(forms.Form):
    """A file of another program, or a table."""

    format = forms.ChoiceField(
        label=_("format"), choices=ImportJob.Format.choices, widget=UnfoldAdminSelectWidget
    )
    file = forms.FileField(label=_("file"), widget=UnfoldAdminFileFieldWidget)
    makes_intents = forms.BooleanField(
        label=_("make the intents that we do not have"), required=False
    )


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the file as the page shows it; staff know intents by their names."""

    row: ImportRow
    names: Mapping[str, str]  # of Intent.code

    @property
    def intent(self) -> str:
        return self.names.get(self.row.code, self.row.code or self.row.intent)

    @property
    def hints(self) -> list[tuple[str, str]]:
        """What stands against it: name of the other intent, and its sentence."""
        return [(self.names.get(code, code), text) for _kind, text, code in self.row.hints]


def _require(request: HttpRequest, *permissions: str) -> None:
    if not request.user.has_perms(permissions):
        raise PermissionDenied


def imports(request: HttpRequest) -> HttpResponse:
    """Take a file, and list the latest ones."""
    _require(request, "intents.add_utterance", "intents.change_utterance")
    posted = request.method == "POST"
    form = FileForm(request.POST, request.FILES) if posted else FileForm()
    if posted and form.is_valid():
        makes = form.cleaned_data["makes_intents"]
        if makes:
            _require(request, "intents.add_intent")
        file = form.cleaned_data["file"]
        try:
            job = jobs.begin(
                file.read(),
                name=file.name,
                file_format=form.cleaned_data["format"],
                makes_intents=makes,
                by=request.user,
                now=timezone.now(),
            )
        except BadFile as error:
            form.add_error("file", str(error))
        except Refusal as refusal:
            form.add_error("makes_intents", str(refusal))
        else:
            return redirect("admin:import_job", pk=job.pk)
    context = {
        **admin.site.each_context(request),
        "title": gettext("Import and export"),
        "form": form,
        "jobs": ImportJob.objects.select_related("requested_by").order_by("-pk")[:_SHOWN],
        "exports": list(_EXPORTS),
    }
    return TemplateResponse(request, "admin/intents/imports.html", context)


def import_job(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what became of each row; bring in or cancel. Seven queries, however many rows."""
    _require(request, "intents.add_utterance", "intents.change_utterance")
    job = get_object_or_404(ImportJob.objects.select_related("requested_by"), pk=pk)
    if request.method == "POST":
        if job.makes_intents:
            _require(request, "intents.add_intent")
        try:
            if request.POST.get("do") == "confirm":
                jobs.confirm(job.pk, by=request.user)
            elif request.POST.get("do") == "cancel":
                jobs.cancel(job.pk, now=timezone.now())
        except Refusal as refusal:
            messages.warning(request, str(refusal))
        return redirect("admin:import_job", pk=job.pk)
    counts = dict(job.rows.values_list("outcome").annotate(number=Count("pk")).order_by())
    chosen = request.GET.get("outcome", "")
    rows = job.rows.order_by("number")
    if chosen == "hints":
        rows = rows.filter(has_hints=True)
    elif chosen in ImportRow.Outcome.values and chosen:
        rows = rows.filter(outcome=chosen)
    done = job.rows_total - counts.get(
        ImportRow.Outcome.UNKNOWN if job.status == "CHECKING" else ImportRow.Outcome.NEW, 0
    )
    page = Paginator(rows, _PER_PAGE).get_page(request.GET.get("page"))
    language = (get_language() or "")[:2]
    names = {intent.code: intent.name(language) for intent in Intent.objects.all()}
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": gettext("Import and export"),
        "job": job,
        "is_working": job.status in ("CHECKING", "WRITING"),
        "done": done,
        "counts": [
            (value, label, counts.get(value, 0))
            for value, label in ImportRow.Outcome.choices
            if counts.get(value)
        ],
        "new": counts.get(ImportRow.Outcome.NEW, 0),
        "wrong": counts.get(ImportRow.Outcome.WRONG, 0),
        "chosen": chosen,
        "hinted": job.rows.filter(has_hints=True).count(),
        "page": page,
        "lines": [Line(row, names) for row in page],
    }
    fragment = "fragment" in request.GET
    template = "admin/intents/import_progress.html" if fragment else "admin/intents/import_job.html"
    response = TemplateResponse(request, template, context)
    if fragment and not context["is_working"]:
        response["HX-Refresh"] = "true"  # the report is there: load the whole page
    return response


def export_everything(request: HttpRequest, kind: str) -> HttpResponse:
    """Give all content as one file, to whoever may read all of it."""
    _require(request, *(f"intents.view_{name}" for name in (*_EXPORTED, "allowedphrase")))
    if kind not in _EXPORTS:
        raise Http404
    name = export.name_of(kind, timezone.localtime())
    response = HttpResponse(_EXPORTS[kind](), content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response

"""Import and export in Unfold's look, for those who may write what they import."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from import_export.admin import ImportExportMixin
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from intents.admin.formats import FORMATS, Workbook


class TableForm(ImportForm):
    """A file to import, refused where it is no table or lacks a column."""

    def __init__(self, formats: list[Any], resources: list[Any], **kwargs: Any) -> None:
        super().__init__(formats, resources, **kwargs)
        self._formats = formats
        [self._resource] = resources
        self.passed_over: list[str] = []  # headings that are not ours

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        file = cleaned["import_file"]
        try:
            dataset = self._formats[int(cleaned["format"])]().create_dataset(file.read())
            self.passed_over = self._resource.check_headings(dataset.headers)
        except ValidationError as error:
            self.add_error("import_file", error)
        except ValueError as error:
            self.add_error("import_file", str(error))
        else:
            if not dataset:
                self.add_error("import_file", _("The file has headings, but no row under them."))
        file.seek(0)
        return cleaned


class SpreadsheetMixin(ImportExportMixin):
    """A file is first read without saving, with a report for each row; then confirmed."""

    import_form_class = TableForm
    export_form_class = ExportForm
    import_template_name = "admin/intents/import.html"
    skip_admin_log = True

    def get_import_formats(self) -> list[Any]:
        return FORMATS

    def get_export_formats(self) -> list[Any]:
        return FORMATS

    def has_import_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_add_permission(request) and self.has_change_permission(request))

    def has_export_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_view_permission(request))

    def get_urls(self) -> list[URLPattern]:
        name = "{}_{}_import_template".format(*self.get_model_info())
        view = self.admin_site.admin_view(self.import_template)
        return [path("import/template/", view, name=name), *super().get_urls()]

    def import_template(self, request: HttpRequest) -> HttpResponse:
        """Give a workbook to fill in: the headings, and no row."""
        return self._do_file_export(Workbook(), request, self.model._default_manager.none())

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        response = super().import_action(request, **kwargs)
        if passed_over := response.context_data["form"].passed_over:
            messages.warning(
                request,
                _("Columns that are not known and are passed over: %s.") % ", ".join(passed_over),
            )
        return response

    def get_export_filename(
        self, request: HttpRequest, queryset: QuerySet[Any], file_format: Any
    ) -> str:
        name = self.model._meta.verbose_name_plural
        return f"{name}-{timezone.localdate():%Y-%m-%d}.{file_format.get_extension()}"

    def _do_file_export(
        self, file_format: Any, request: HttpRequest, queryset: QuerySet[Any], **kwargs: Any
    ) -> HttpResponse:
        response = super()._do_file_export(file_format, request, queryset, **kwargs)
        # The library writes the name as it is, which no browser reads unless it is ASCII.
        name = self.get_export_filename(request, queryset, file_format)
        response["Content-Disposition"] = content_disposition_header(
            as_attachment=True, filename=name
        )
        return response

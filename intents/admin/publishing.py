"""What all pages of content share: every write goes through intents.services.

A service says no while the transaction of the save is open, when Django's forms have
been checked already. So the save is undone, and the page is built once more from the
same input, now with the refusal at its field: nothing that was typed is lost, and no
rule stands in a form as well.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import BaseFormSet, BaseModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from simple_history.template_utils import HistoricalRecordContextHelper
from unfold.admin import ModelAdmin

from csplatform.errors import Refusal
from intents.admin.history import ChangesInWords

MAIN_FORM = ""


class NotSaved(Exception):
    """Ends the transaction of a save that a service refused."""


class Refusals:
    """What services refused of one request: errors by the prefix of the form."""

    def __init__(self) -> None:
        self.errors: dict[str, ValidationError] = {}
        self.refusal: Refusal | None = None  # of the main form, when it was one
        # Texts of rows that somebody else has deleted or moved, by the prefix of their formset.
        self.lost: dict[str, list[str]] = {}

    def refuse(self, refusal: Refusal) -> None:
        """Refuse the main form before anything is checked or saved."""
        self.errors[MAIN_FORM] = ValidationError(refusal.detail)
        self.refusal = refusal

    @contextmanager
    def noted(self, form: BaseModelForm) -> Iterator[None]:
        """Keep what the block refuses, for the form that shows it."""
        try:
            with transaction.atomic():
                yield
        except ValidationError as error:
            self.errors[form.prefix or MAIN_FORM] = error
        except Refusal as refusal:
            self.errors[form.prefix or MAIN_FORM] = ValidationError(refusal.detail)
            self.refusal = refusal


class ServiceForm(BaseModelForm):
    """A form that shows what a service refused of it."""

    refusals: Refusals | None = None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        error = self.refusals and self.refusals.errors.get(self.prefix or MAIN_FORM)
        if not error:
            return cleaned
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return cleaned
        for field, errors in error.error_dict.items():
            self.add_error(field if field in self.fields else None, errors)
        return cleaned


class ContentAdmin(ModelAdmin):
    """Pages whose rows the bot speaks from; the forms are ServiceForms.

    Subclasses name the services that write their rows.
    """

    live_note = _("Live in every chat within two seconds.")

    def save_content(self, request: HttpRequest, obj: Any, form: Any) -> None:
        """Write one row by its service."""
        raise NotImplementedError

    def delete_content(self, obj: Any) -> None:
        """Delete one row by its service."""
        raise NotImplementedError

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        request.refusals = Refusals()  # type: ignore[attr-defined]
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except NotSaved:
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, **kwargs)
        form.refusals = getattr(request, "refusals", None)
        return form

    def get_formsets_with_inlines(self, request: HttpRequest, obj: Any = None) -> Iterator[Any]:
        for formset, inline in super().get_formsets_with_inlines(request, obj):
            formset.form.refusals = getattr(request, "refusals", None)
            yield formset, inline

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        refusals: Refusals = request.refusals  # type: ignore[attr-defined]
        with refusals.noted(form):
            self.save_content(request, obj, form)
        if refusals.errors:
            raise NotSaved

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Sequence[BaseFormSet], change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        if request.refusals.errors:  # type: ignore[attr-defined]
            raise NotSaved

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        self.delete_content(obj)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for obj in queryset:
            self.delete_content(obj)

    def message_user(
        self,
        request: HttpRequest,
        message: Any,
        level: Any = messages.INFO,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        if level == messages.SUCCESS:
            message = format_html("{} {}", message, self.live_note)
        super().message_user(request, message, level, *args, **kwargs)


class ContentHistoryAdmin(SimpleHistoryAdmin, ContentAdmin):
    """Pages of content that keep their earlier versions.

    Restoring is a save like any other: it is checked, it becomes a version of its own, and
    it is live as soon.
    """

    history_list_per_page = 30
    object_history_list_template = "admin/intents/history_list.html"
    object_history_form_template = "admin/intents/history_form.html"

    def get_historical_record_context_helper(
        self, request: HttpRequest, historical_record: Any
    ) -> HistoricalRecordContextHelper:
        return ChangesInWords(self.model, historical_record)

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: Any = None
    ) -> HttpResponse:
        request.refusals = Refusals()  # type: ignore[attr-defined]
        with transaction.atomic():
            try:
                with transaction.atomic():
                    return super().history_form_view(request, object_id, version_id, extra_context)
            except NotSaved:
                return super().history_form_view(request, object_id, version_id, extra_context)

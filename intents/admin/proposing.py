"""Saving into a draft instead of saving: the same forms, the same services, nothing live.

The save is done as always, each row is noted beside what was live, and then all of it is rolled
back and put into the draft. So a form refuses for a draft what it refuses at once.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import BaseFormSet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from csplatform.errors import Refusal
from intents import drafts
from intents.admin.forms import OwnPageForm, RowChangedMeanwhile
from intents.admin.publishing import MAIN_FORM, ContentAdmin, NotSaved
from intents.drafts import Proposal
from intents.models import Draft, Intent

TITLE_MAX_CHARS = 80


class Proposed(Exception):
    """Ends the transaction of a save that goes into a draft."""


def proposals_of(request: HttpRequest) -> list[Proposal] | None:
    """Return what has been noted for a draft; None where the request saves at once."""
    return getattr(request, "proposals", None)


class ProposesDrafts(ContentAdmin):
    """Pages of content whose saves may go, or have to go, into a draft."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        page = super().changeform_view
        return self._proposing(request, lambda: page(request, object_id, form_url, extra_context))

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: Any = None
    ) -> HttpResponse:
        request.is_restoring = True  # type: ignore[attr-defined]
        page = super().history_form_view
        return self._proposing(request, lambda: page(request, object_id, version_id, extra_context))

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        page = super().delete_view
        return self._proposing(request, lambda: page(request, object_id, extra_context))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        page = super().changelist_view
        if request.method != "POST":
            return page(request, extra_context)
        # Django logs what an action is about to delete, before it asks us.
        with transaction.atomic():
            return self._proposing(request, lambda: page(request, extra_context))

    def _proposing(self, request: HttpRequest, page: Callable[[], HttpResponse]) -> HttpResponse:
        if request.method != "POST" or not self._goes_into_draft(request):
            return page()
        request.proposals = []  # type: ignore[attr-defined]
        try:
            with transaction.atomic():
                return page()
        except Proposed:
            pass
        try:
            draft = self._put_into_draft(request)
        except ValidationError as error:
            request.draft_refused = error  # type: ignore[attr-defined]
        except Refusal as refusal:
            request.draft_refused = ValidationError(refusal.detail)  # type: ignore[attr-defined]
        else:
            return redirect("admin:intents_draft_change", draft.pk)
        request.proposals = []  # type: ignore[attr-defined]
        try:
            return page()  # once more, now with the refusal at its form
        except Proposed:  # a list or a deletion has no form to show it at
            refused: ValidationError = request.draft_refused  # type: ignore[attr-defined]
            self.message_user(request, " ".join(refused.messages), messages.ERROR)
            return redirect(request.get_full_path())

    def _goes_into_draft(self, request: HttpRequest) -> bool:
        return "_draft" in request.POST or drafts.needs_draft(request.user)

    def _put_into_draft(self, request: HttpRequest) -> Draft:
        proposals, now = proposals_of(request) or [], timezone.now()
        with transaction.atomic():
            chosen = request.POST.get("draft", "")
            if chosen.isdecimal():
                draft_id = int(chosen)
            elif "_draft" not in request.POST and (
                latest := drafts.open_drafts_of(request.user).first()
            ):
                draft_id = latest.pk
            else:
                title = getattr(request, "proposed_title", "") or _("Changes")
                title = Truncator(title).chars(TITLE_MAX_CHARS)
                draft_id = drafts.begin(title, by=request.user, now=now).pk
            drafts.propose(draft_id, proposals, by=request.user, now=now)
        draft = Draft.objects.get(pk=draft_id)
        text = _("Saved in the draft “%(draft)s”; nothing of it is live yet.") % {"draft": draft}
        super().message_user(request, text, messages.INFO)
        return draft

    # --- Each row -------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        self._end_if_refused(request)
        proposals = proposals_of(request)
        # What the editor had before him: `save_content` refuses him where it is not.
        base = None if proposals is None else live_values(obj)
        super().save_model(request, obj, form, change)
        if proposals is None:
            return
        proposals.append(Proposal.to_save(obj, base))
        request.proposed_title = str(obj)  # type: ignore[attr-defined]
        if getattr(request, "is_restoring", False):  # nothing follows that could end it
            raise Proposed

    def refuse_if_changed(self, request: HttpRequest, form: OwnPageForm) -> None:
        """Refuse to save a row over what its editor has not seen; for `save_content`.

        An earlier version is restored whatever is live: that is what restoring is for.
        """
        if not getattr(request, "is_restoring", False):
            form.refuse_if_changed()

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Sequence[BaseFormSet], change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        if proposals_of(request) is not None:
            raise Proposed

    def _end_if_refused(self, request: HttpRequest) -> None:
        if error := getattr(request, "draft_refused", None):
            request.refusals.errors[MAIN_FORM] = error  # type: ignore[attr-defined]
            raise NotSaved

    def save_row(self, request: HttpRequest, row: Any, save: Callable[[Any], Any]) -> None:
        """Save one row of a formset, and note it where it is for a draft."""
        proposals = proposals_of(request)
        base = None if proposals is None else live_values(row)
        save(row)
        if proposals is not None:
            proposals.append(Proposal.to_save(row, base))

    def delete_row(self, request: HttpRequest, row: Any, delete: Callable[[Any], None]) -> None:
        """Delete one row of a formset, and note it where it is for a draft."""
        proposals = proposals_of(request)
        if proposals is not None:
            proposals.append(Proposal.to_delete(type(row).objects.get(pk=row.pk)))
        delete(row)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        if proposals_of(request) is not None:
            self._propose_deletions(request, [obj])
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        if proposals_of(request) is not None:
            self._propose_deletions(request, queryset)
        super().delete_queryset(request, queryset)

    def _propose_deletions(self, request: HttpRequest, rows: Iterable[Any]) -> None:
        self.propose(request, [Proposal.to_delete(row) for row in rows], ", ".join(map(str, rows)))

    def propose(self, request: HttpRequest, proposals: list[Proposal], title: str) -> None:
        """End the request with these proposals instead of what it was about to do."""
        request.proposals = proposals  # type: ignore[attr-defined]
        request.proposed_title = title  # type: ignore[attr-defined]
        raise Proposed

    # --- The pages ------------------------------------------------------------------------

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> Any:
        if request.user.has_perm("intents.add_draft"):
            context["may_draft"] = True
            context["my_drafts"] = drafts.open_drafts_of(request.user)
            context["chosen_draft"] = request.POST.get("draft") or request.GET.get("draft", "")
            context["needs_draft"] = drafts.needs_draft(request.user)
        if original := context.get("original"):
            context["waiting_drafts"] = waiting_for(original)
        refusals = getattr(request, "refusals", None)
        if refusals and isinstance(refusals.refusal, RowChangedMeanwhile):
            context["saved_meanwhile"] = context["adminform"].form.saved_meanwhile()
        return super().render_change_form(request, context, *args, **kwargs)

    def render_history_view(
        self, request: HttpRequest, template: str, context: Any, **kwargs: Any
    ) -> HttpResponse:
        context["may_draft"] = request.user.has_perm("intents.add_draft")
        context["needs_draft"] = drafts.needs_draft(request.user)
        return super().render_history_view(request, template, context, **kwargs)


def live_values(row: Any) -> dict[str, Any] | None:
    """Return what is live of a row; None if it is new, or gone."""
    live = type(row).objects.filter(pk=row.pk).first() if row.pk else None
    return None if live is None else drafts.values_of(live)


def waiting_for(row: Any) -> QuerySet[Draft]:
    """Return the drafts that would change this intent with what belongs to it, or this row."""
    if isinstance(row, Intent):
        return drafts.waiting_for(intent=row.code)
    return drafts.waiting_for(kind=drafts.kind_of(row), targets=[row.pk])

"""Side by side and replay: ask for a comparison, watch it, look at what changed, judge it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    QueryDict,
)
from django.shortcuts import get_object_or_404, redirect, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
)

from csplatform.errors import Refusal
from csplatform.tables import csv_download
from intents.admin.labels import DECISIONS
from intents.models import DraftEdit, Intent, Language
from intents.trials import Contender
from training import contenders
from training.admin.sentences import regression_run
from training.comparisons import judging, results, services
from training.comparisons.results import Filters
from training.models import ChangedAnswer, Comparison

PER_PAGE = 30
NEWEST_USUAL = 2000
_WEEK = timedelta(days=7)
_WHAT = {
    "intent": _("another intent"),
    "decision": _("another decision"),
    "reply": _("another reply"),
    "fixed": _("understood only after"),
    "broken": _("understood only before"),
}


def _all() -> list[tuple[str, str]]:
    offered = [contenders.active(), *contenders.versions(), *contenders.waiting_drafts()]
    return [(one.key, one.name) for one in offered]


def _others() -> list[tuple[str, str]]:
    return [(one.key, one.name) for one in (*contenders.waiting_drafts(), *contenders.versions())]


class SideBySideForm(forms.Form):
    """Two contenders, and how many texts of customers."""

    before = forms.ChoiceField(
        label=_("first contender"), choices=_all, widget=UnfoldAdminSelectWidget
    )
    after = forms.ChoiceField(
        label=_("compared with"), choices=_others, widget=UnfoldAdminSelectWidget
    )
    newest = forms.IntegerField(
        label=_("newest customers' texts"),
        initial=NEWEST_USUAL,
        min_value=0,
        max_value=services.NEWEST_MOST,
        help_text=_("Besides all evaluation texts and regression sentences."),
        widget=UnfoldAdminIntegerFieldWidget,
    )


class ReplayForm(forms.Form):
    """A contender, and the days whose questions he answers again."""

    after = forms.ChoiceField(
        label=_("answered again by"), choices=_others, widget=UnfoldAdminSelectWidget
    )
    first = forms.DateField(label=_("first day"), widget=UnfoldAdminDateWidget)
    last = forms.DateField(label=_("last day"), widget=UnfoldAdminDateWidget)

    def period(self) -> tuple[datetime, datetime]:
        """Return its beginning and its end, which is no part of it."""
        zone = timezone.get_current_timezone()
        first, last = self.cleaned_data["first"], self.cleaned_data["last"]
        begin = datetime.combine(first, datetime.min.time(), zone)
        return begin, datetime.combine(last + timedelta(days=1), datetime.min.time(), zone)


@dataclass(frozen=True, slots=True)
class Line:
    """A changed answer as the page shows it."""

    change: ChangedAnswer
    names: Mapping[str, str]

    @property
    def before(self) -> str:
        return self.names.get(self.change.intent_before, self.change.intent_before)

    @property
    def after(self) -> str:
        return self.names.get(self.change.intent_after, self.change.intent_after)

    @property
    def expected(self) -> str:
        return self.names.get(self.change.expected, self.change.expected)

    @property
    def recorded(self) -> str:
        return self.names.get(self.change.recorded, self.change.recorded)

    @property
    def decision_before(self) -> Any:
        return DECISIONS.get(self.change.decision_before, "")  # type: ignore[call-overload]

    @property
    def decision_after(self) -> Any:
        return DECISIONS.get(self.change.decision_after, "")  # type: ignore[call-overload]

    @property
    def state(self) -> str:
        """For the colour of the verdict."""
        return {"ACCEPTED": "success", "REJECTED": "danger"}.get(self.change.verdict, "")


def names_of_intents(*keys: str) -> dict[str, str]:
    """Return what intents are called in the page's language, by code. At most two queries.

    Args:
        keys: Contender.key; those of drafts may have intents that nobody else knows.
    """
    language = (get_language() or "")[:2]
    drafts = [Contender.from_key(key).draft for key in keys]
    edits = DraftEdit.objects.filter(draft__in=[one for one in drafts if one is not None])
    proposed = edits.filter(kind=DraftEdit.Kind.INTENT, action=DraftEdit.Action.SAVE)
    names = {
        values["code"]: values.get(f"name_{language}") or values["code"]
        for values in proposed.values_list("values", flat=True)
        if "code" in values
    }
    return {**names, **{intent.code: intent.name(language) for intent in Intent.objects.all()}}


def filters_of(asked: QueryDict) -> Filters:
    """Return the filters that an address names."""
    return Filters(
        what=asked.get("what", ""),
        verdict=asked.get("verdict", ""),
        origin=asked.get("origin", ""),
        language=asked.get("language", ""),
        before=asked.get("before"),
        after=asked.get("after"),
    )


def progress_of(comparison: Comparison) -> dict[str, Any]:
    """Return what the progress panel shows: whole percent, and how long it will take yet."""
    share = comparison.read_texts / comparison.texts if comparison.texts else 0.0
    left = None
    if share > 0 and comparison.started_at and comparison.status == Comparison.Status.RUNNING:
        took = (timezone.now() - comparison.started_at).total_seconds()
        left = round(took * (1 - share) / share)
    return {
        "comparison": comparison,
        "percent": round(100 * share),
        "seconds_left": left,
        "is_unfinished": comparison.status in services.UNFINISHED,
    }


@admin.register(Comparison)
class ComparisonAdmin(ModelAdmin):
    list_display = ("number", "what", "state", "progress", "changes", "requested_by", "created_at")
    list_display_links = ("number", "what")
    list_filter = ("kind", "status")
    list_select_related = ("requested_by",)
    list_per_page = 30
    ordering = ("-pk",)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/progress/", view(self.progress_bar), name="comparison_progress"),
            path("<int:pk>/cancel/", view(self.cancel), name="comparison_cancel"),
            path("<int:pk>/csv/", view(self.csv), name="comparison_csv"),
            path("regression/", view(regression_run), name="regression_run"),
            path("answers/<int:pk>/", view(self.judge), name="judge_answer"),
            *super().get_urls(),
        ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    # --- Asking ------------------------------------------------------------------------

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        asked = request.POST.get("kind", "")
        today = timezone.localdate()
        usual = {"first": today - _WEEK, "last": today, "after": request.GET.get("after", "")}
        forms_by_kind: dict[str, Any] = {
            "replay": ReplayForm(
                request.POST if asked == "replay" else None, initial=usual, prefix="replay"
            ),
            "side": SideBySideForm(
                request.POST if asked == "side" else None, initial=usual, prefix="side"
            ),
        }
        form = forms_by_kind.get(asked)
        if form is not None and form.is_valid():
            try:
                comparison = self._requested(asked, form, request.user)
            except ValidationError as error:
                form.add_error(None, error)
            except Refusal as refusal:
                form.add_error(None, str(refusal))
            else:
                return redirect("admin:training_comparison_change", comparison.pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Compare answers"),
            "forms": forms_by_kind,
            "nobody": not _others(),
        }
        return TemplateResponse(request, "admin/training/comparison/ask.html", context)

    def _requested(self, kind: str, form: Any, user: Any) -> Comparison:
        now, asked = timezone.now(), form.cleaned_data
        if kind == "replay":
            since, until = form.period()
            return services.request_replay(
                after=asked["after"], since=since, until=until, now=now, by=user
            )
        return services.request_side_by_side(
            before=asked["before"], after=asked["after"], newest=asked["newest"], now=now, by=user
        )

    # --- Watching ----------------------------------------------------------------------

    def progress_bar(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Answer the panel's question of every second; reload the page at the end."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = progress_of(get_object_or_404(Comparison, pk=pk))
        context["may_cancel"] = self.has_add_permission(request)
        response = render(request, "admin/training/comparison/bar.html", context)
        if not context["is_unfinished"]:
            response["HX-Refresh"] = "true"
        return response

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Stop a comparison; what it found stays."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if services.cancel(comparison_id=pk, now=timezone.now()):
            messages.success(request, gettext("Cancelled. What was found so far stays."))
        return redirect("admin:training_comparison_change", pk)

    # --- Looking -----------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_view_permission(request) or request.method == "POST":
            raise PermissionDenied
        try:
            pk = int(object_id)
        except ValueError:
            raise Http404 from None
        comparison = get_object_or_404(Comparison.objects.select_related("requested_by"), pk=pk)
        filters = filters_of(request.GET)
        names = names_of_intents(comparison.before, comparison.after)
        found = filters.of(comparison)
        page = Paginator(found.select_related("decided_by"), PER_PAGE).get_page(
            request.GET.get("p")
        )
        asked = request.GET.copy()
        asked.pop("p", None)
        context = {
            **self.admin_site.each_context(request),
            **progress_of(comparison),
            "opts": self.opts,
            "title": str(comparison),
            "may_cancel": self.has_add_permission(request),
            "may_judge": request.user.has_perm("training.change_changedanswer"),
            "standing": results.standing(comparison),
            "groups": [
                (group, names.get(group.before, group.before), names.get(group.after, group.after))
                for group in results.groups(found)
            ],
            "page": page,
            "lines": [Line(change, names) for change in page],
            "filters": filters,
            "query": asked.urlencode(),
            "whats": _WHAT.items(),
            "verdicts": ChangedAnswer.Verdict.choices,
            "origins": ChangedAnswer.Origin.choices,
            "languages": Language.choices,
            "is_chosen": bool(asked),
        }
        return TemplateResponse(request, "admin/training/comparison/result.html", context)

    def csv(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Give out the changed answers that the filters leave."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        comparison = get_object_or_404(Comparison, pk=pk)
        found = filters_of(request.GET).of(comparison)
        return csv_download(f"comparison-{pk}.csv", results.rows(found))

    # --- Judging -----------------------------------------------------------------------

    def judge(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Accept, reject, or take the verdict back: POST verdict; answers line and counts anew."""
        if not request.user.has_perm("training.change_changedanswer"):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        get_object_or_404(ChangedAnswer, pk=pk)
        problem = ""
        try:
            self._judged(pk, request.POST.get("verdict", ""), request.user)
        except Refusal as refusal:
            problem = str(refusal)
        except ValidationError as error:
            problem = " ".join(error.messages)
        change = ChangedAnswer.objects.select_related("decided_by", "comparison").get(pk=pk)
        if "HX-Request" not in request.headers:
            if problem:
                messages.error(request, problem)
            return redirect("admin:training_comparison_change", change.comparison_id)
        comparison = change.comparison
        # The counts that the page shows, by the filters of its address.
        shown = urlsplit(request.headers.get("HX-Current-URL", "")).query
        context = {
            "line": Line(change, names_of_intents(comparison.before, comparison.after)),
            "may_judge": True,
            "problem": problem,
            "standing": results.standing(comparison),
            "group": results.group_of(change, filters_of(QueryDict(shown)).of(comparison)),
        }
        return render(request, "admin/training/comparison/judged.html", context)

    def _judged(self, pk: int, verdict: str, user: Any) -> None:
        if verdict == "accept":
            judging.accept(change_id=pk, now=timezone.now(), by=user)
        elif verdict == "reject":
            judging.reject(change_id=pk, now=timezone.now(), by=user)
        elif verdict == "undo":
            judging.take_back(change_id=pk, by=user)

    # --- The list ----------------------------------------------------------------------

    @display(description=_("number"), ordering="pk")
    def number(self, comparison: Comparison) -> str:
        return f"#{comparison.pk}"

    @display(description=_("what"))
    def what(self, comparison: Comparison) -> str:
        names = f"{comparison.before_name} → {comparison.after_name}"
        return f"{comparison.get_kind_display()}: {names}"

    @display(
        description=_("status"),
        ordering="status",
        label={
            Comparison.Status.QUEUED: "info",
            Comparison.Status.RUNNING: "warning",
            Comparison.Status.DONE: "success",
            Comparison.Status.FAILED: "danger",
            Comparison.Status.CANCELLED: "default",
        },
    )
    def state(self, comparison: Comparison) -> tuple[str, str]:
        return comparison.status, comparison.get_status_display()

    @display(description=_("progress"))
    def progress(self, comparison: Comparison) -> str:
        percent = progress_of(comparison)["percent"]
        return format_html('<progress max="100" value="{}">{} %</progress>', percent, percent)

    @display(description=_("changed answers"))
    def changes(self, comparison: Comparison) -> str:
        return f"{comparison.changed_turns} / {comparison.turns}"

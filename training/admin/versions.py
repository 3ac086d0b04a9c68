"""Model versions: how good each is, which one answers, and how to change that."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from csplatform.errors import Refusal
from csplatform.read_only import ReadOnly
from intents.models import Intent, LiveIntent
from training import registry, snapshots
from training.admin.costs import decision_costs
from training.admin.curves import curve_of
from training.admin.engine import engine_state
from training.admin.radar import decide_suspect, label_radar, request_scan
from training.admin.verdicts import override, verdict_of
from training.models import Activation, ActiveModel, Evaluation, ModelVersion

CONFUSIONS_SHOWN = 20


def measures_of(version: ModelVersion) -> dict[str, Any]:
    """Return the measures of a version as the page shows them; three queries.

    Returns:
        `evaluations` in the order fp32, int8; `per_intent` rows with the measures of the
        int8 model (the one that answers), weakest first; `confusions`, the commonest first;
        `unmeasured_intents`, learned but without evaluation utterances, so that nobody knows
        how well.
    """
    language = (get_language() or "")[:2]
    names = {intent.code: intent.name(language) for intent in Intent.objects.all()}
    evaluations = sorted(version.evaluations.all(), key=lambda one: one.precision)
    served = next((one for one in evaluations if one.precision == Evaluation.Precision.INT8), None)
    rows, confusions, unmeasured = [], [], []
    if served is not None:
        full = next((one for one in evaluations if one is not served), None)
        rows = [
            {
                "name": names.get(code, code),
                **measures,
                "fp32_f1": full.per_intent.get(code, {}).get("f1") if full else None,
            }
            for code, measures in served.per_intent.items()
        ]
        rows.sort(key=lambda row: row["f1"])
        unmeasured = [
            names.get(code, code)
            for code in version.labels
            if not served.per_intent.get(code, {}).get("texts")
        ]
        confusions = [
            {"meant": names.get(true, true), "taken": names.get(other, other), "count": count}
            for true, other, count in sorted(served.confusion, key=lambda row: -row[2])
            if true != other
        ][:CONFUSIONS_SHOWN]
    return {
        "evaluations": evaluations,
        "per_intent": rows,
        "confusions": confusions,
        "unmeasured_intents": unmeasured,
        "unknown_intents": [name for code, name in names.items() if code not in version.labels],
    }


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnly, ModelAdmin):
    list_display = (
        *("name", "state", "mode", "accuracy", "macro_f1", "utterances", "megabytes"),
        "created_at",
    )
    list_filter = ("mode",)
    list_select_related = ("run",)
    ordering = ("-created_at",)
    search_fields = ("name",)
    list_before_template = "admin/training/modelversion/active.html"
    change_form_outer_before_template = "admin/training/modelversion/activate.html"
    change_form_outer_after_template = "admin/training/modelversion/measures.html"
    fields = (
        *("name", "run", "mode", "encoder", "code", "fingerprint", "utterances", "megabytes"),
        *("created_at", "archived_at"),
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path(
                "<int:pk>/activate/",
                view(self.activate),
                name="training_modelversion_activate",
            ),
            path(
                "<int:pk>/content/",
                view(self.content),
                name="training_modelversion_content",
            ),
            path("<int:pk>/override/", view(override), name="training_modelversion_override"),
            path("roll-back/", view(self.roll_back), name="training_modelversion_roll_back"),
            path("costs/", view(decision_costs), name="decision_costs"),
            path("radar/", view(label_radar), name="radar"),
            path("radar/scan/", view(request_scan), name="request_radar"),
            path("radar/<int:pk>/", view(decide_suspect), name="decide_suspect"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelVersion]:
        active = ActiveModel.objects.filter(version=OuterRef("pk"))
        answered = Activation.objects.filter(version=OuterRef("pk"))
        versions = super().get_queryset(request)
        versions = versions.annotate(answers_now=Exists(active), has_answered=Exists(answered))
        return versions.prefetch_related("evaluations")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {
            "engine": engine_state(),
            "active": ActiveModel.objects.select_related("version").first(),
            "before_active": registry.before_active(),
            "may_activate": request.user.has_perm("training.change_activemodel"),
            "live_intents": LiveIntent.objects.count(),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        version = self.get_object(request, object_id)
        context = measures_of(version) if version else {}
        if version is not None:
            context["curve"] = curve_of(version.run.curve if version.run else [])
            context["has_content"] = snapshots.exists(version)
            context["gate"] = verdict_of(version)
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )

    def activate(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let this version answer from now on, in every process."""
        version = get_object_or_404(ModelVersion, pk=pk)
        if self._moves(
            request, lambda: registry.activate(version_id=pk, now=timezone.now(), by=request.user)
        ):
            self.log_change(request, version, gettext("Activated."))
        return redirect("admin:training_modelversion_changelist")

    def content(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Send what a version was made of, as JSON: whoever may read all utterances may have it."""
        if not request.user.has_perms(["training.view_modelversion", "intents.view_utterance"]):
            raise PermissionDenied
        version = get_object_or_404(ModelVersion, pk=pk)
        try:
            path = snapshots.path_of(version)
        except snapshots.NoSnapshot:
            raise Http404 from None
        return FileResponse(
            path.open("rb"),
            as_attachment=True,
            filename=f"{version.name}.{path.name}",
            content_type="application/gzip",
        )

    def roll_back(self, request: HttpRequest) -> HttpResponse:
        """Ask, then let the version before the active one answer again."""
        if not request.user.has_perm("training.change_activemodel"):
            raise PermissionDenied
        back_to = registry.before_active()
        if back_to is not None and request.method != "POST":
            context = {
                **self.admin_site.each_context(request),
                "title": gettext("Roll back to %(version)s") % {"version": back_to},
                "opts": self.opts,
                "active": registry.active(),
                "back_to": back_to,
            }
            return TemplateResponse(request, "admin/training/modelversion/roll_back.html", context)
        if back_to is not None and request.POST.get("version") != str(back_to.pk):
            self.message_user(
                request,
                _("Another model has become active meanwhile: nothing was rolled back."),
                messages.ERROR,
            )
        else:
            self._moves(request, lambda: registry.roll_back(now=timezone.now(), by=request.user))
        return redirect("admin:training_modelversion_changelist")

    def _moves(self, request: HttpRequest, move: Any) -> bool:
        if not request.user.has_perm("training.change_activemodel"):
            raise PermissionDenied
        if request.method != "POST":
            return False
        try:
            move()
        except Refusal as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return False
        self.message_user(request, _("Done. Every process answers with it within a few seconds."))
        return True

    @display(
        description=_("state"),
        label={"active": "success", "previous": "info", "kept": "info", "archived": "default"},
    )
    def state(self, version: Any) -> tuple[str, str]:
        if version.answers_now:
            return "active", gettext("in service")
        if version.archived_at is not None:
            return "archived", gettext("archived")
        if version.has_answered:
            return "previous", gettext("answered before")
        return "kept", gettext("kept")

    @display(description=_("size"), ordering="size")
    def megabytes(self, version: ModelVersion) -> str:
        return f"{version.size / 1_000_000:.0f}\N{NO-BREAK SPACE}MB" if version.size else "—"

    @display(description=_("accuracy"))
    def accuracy(self, version: ModelVersion) -> str:
        return self._measure(version, "accuracy")

    @display(description=_("macro F1"))
    def macro_f1(self, version: ModelVersion) -> str:
        return self._measure(version, "macro_f1")

    def _measure(self, version: ModelVersion, name: str) -> str:
        """Return a measure of the small form: it is the one that answers."""
        for evaluation in version.evaluations.all():
            if evaluation.precision == Evaluation.Precision.INT8:
                return f"{100 * getattr(evaluation, name):.1f}\N{NO-BREAK SPACE}%"
        return "—"

"""Training runs: start one, watch it, and read why one failed."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from csplatform.errors import Refusal
from training import planning, services
from training.admin.curves import curve_of
from training.admin.engine import engine_state
from training.admin.plan import in_words, training_plan
from training.models import TrainingRun

ADVANCED = (
    "batch_size",
    "epochs",
    "learning_rate",
    "max_tokens",
    "patience",
    "seed",
    "device",
)
PARAMETERS = ("mode", *ADVANCED)
STEPS = {
    "read": _("reading the utterances"),
    "encoder": _("preparing the encoder"),
    "fit": _("learning"),
    "export": _("writing the model"),
    "evaluate": _("measuring"),
    "judge": _("comparing with the model in service"),
    services.TAKING_OVER: _("taking over"),
}
UNFINISHED = (TrainingRun.Status.QUEUED, TrainingRun.Status.RUNNING)


# Before this share is done, what is left is anybody's guess.
_LEAST_DONE = 0.05


def progress_of(run: TrainingRun, now: datetime) -> dict[str, Any]:
    """Return what the progress panel shows: whole percent, the step in words, what is left."""
    is_unfinished = run.status in UNFINISHED
    return {
        "run": run,
        "percent": round(100 * run.progress),
        "step": STEPS.get(run.step, run.step),
        "is_unfinished": is_unfinished,
        "is_cancelled": run.status == TrainingRun.Status.CANCELLED,
        "left": _left(run, now) if is_unfinished else "",
        "curve": curve_of(run.curve),
    }


def _left(run: TrainingRun, now: datetime) -> str:
    """Return how much longer a run will take at the pace so far, "" when that is not known."""
    if run.started_at is None or run.progress < _LEAST_DONE:
        return ""
    so_far_s = (now - run.started_at).total_seconds()
    left_s = so_far_s * (1 - run.progress) / run.progress
    if left_s < 60:
        return gettext("less than a minute left")
    return gettext("about {minutes} min left").format(minutes=round(left_s / 60))


@admin.register(TrainingRun)
class TrainingRunAdmin(ModelAdmin):
    list_display = (
        *("number", "state", "bar", "mode", "cause", "requested_by"),
        *("created_at", "duration", "reason"),
    )
    list_display_links = ("number",)
    list_filter = ("status", "mode", "cause")
    list_select_related = ("requested_by",)
    ordering = ("-pk",)
    show_add_link = False
    list_before_template = "admin/training/trainingrun/now.html"
    change_form_outer_before_template = "admin/training/trainingrun/progress.html"
    # The numbers are for those who know them; the defaults are right for everybody else.
    add_fieldsets = (
        (
            None,
            {
                "fields": ("mode",),
                "description": _(
                    "Quick takes seconds: the network of the model in service is kept, and learns "
                    "new intents by new heads. Thorough takes minutes and teaches the network too. "
                    "The bot goes on answering meanwhile, and a new model takes over by itself "
                    "when it is good enough."
                ),
            },
        ),
        (
            _("Parameters of the thorough training"),
            {
                "fields": ADVANCED,
                "classes": ["collapse"],
                "description": _("For those who know them; they suit nearly always as they are."),
            },
        ),
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    *("status", "cause", "requested_by", "cancelled_by"),
                    *("created_at", "started_at", "finished_at", "memory_mb"),
                )
            },
        ),
        (_("Parameters"), {"fields": PARAMETERS, "classes": ["collapse"]}),
        (_("Log"), {"fields": ("failure", "log_lines")}),
    )

    readonly_fields = ("log_lines",)

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "<int:pk>/progress/",
                self.admin_site.admin_view(self.progress),
                name="training_trainingrun_progress",
            ),
            path(
                "<int:pk>/cancel/",
                self.admin_site.admin_view(self.cancel),
                name="training_trainingrun_cancel",
            ),
            path("plan/", self.admin_site.admin_view(training_plan), name="training_plan"),
            *super().get_urls(),
        ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        run = TrainingRun.objects.filter(status__in=UNFINISHED).first()
        plan = planning.plan()
        context = {
            "engine": engine_state(),
            "may_train": self.has_add_permission(request) and run is None,
            "may_cancel": self.has_add_permission(request),
            "plan": plan,
            "plan_in_words": in_words(plan),
            **(progress_of(run, timezone.now()) if run else {"run": None}),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        run = self.get_object(request, object_id)
        context = progress_of(run, timezone.now()) if run else {}
        context["may_cancel"] = self.has_add_permission(request)
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        context = {
            "title": gettext("Train a new model"),
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
            **(extra_context or {}),
        }
        try:
            return super().add_view(request, form_url, context)
        except Refusal as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return redirect("admin:training_trainingrun_changelist")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        run = services.request_run(
            requested_by=request.user, now=timezone.now(), **form.cleaned_data
        )
        obj.__dict__.update(run.__dict__)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        self.message_user(request, _("Training is queued; its progress is shown here."))
        return redirect("admin:training_trainingrun_changelist")

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give up a run; whoever may start one may."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        run = get_object_or_404(TrainingRun, pk=pk)
        if request.method == "POST":
            try:
                services.cancel(run_id=pk, by=request.user, now=timezone.now())
            except Refusal as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
            else:
                self.log_change(request, run, gettext("Cancelled."))
                self.message_user(request, _("The training is cancelled."))
        return redirect("admin:training_trainingrun_changelist")

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Answer the panel's question of every few seconds; reload the page at the end."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = get_object_or_404(TrainingRun, pk=pk)
        context = progress_of(run, timezone.now())
        response = render(request, "admin/training/trainingrun/bar.html", context)
        if run.status not in UNFINISHED:
            response["HX-Refresh"] = "true"
        return response

    @display(description=_("run"), ordering="pk")
    def number(self, run: TrainingRun) -> str:
        return f"#{run.pk}"

    @display(
        description=_("status"),
        ordering="status",
        label={
            TrainingRun.Status.QUEUED: "info",
            TrainingRun.Status.RUNNING: "warning",
            TrainingRun.Status.SUCCEEDED: "success",
            TrainingRun.Status.FAILED: "danger",
            TrainingRun.Status.CANCELLED: "default",
        },
    )
    def state(self, run: TrainingRun) -> tuple[str, str]:
        return run.status, run.get_status_display()

    @display(description=_("progress"), ordering="progress")
    def bar(self, run: TrainingRun) -> str:
        percent = round(100 * run.progress)
        return format_html('<progress max="100" value="{}">{} %</progress>', percent, percent)

    @display(description=_("took"))
    def duration(self, run: TrainingRun) -> str:
        if run.started_at is None:
            return "—"
        seconds = int(((run.finished_at or timezone.now()) - run.started_at).total_seconds())
        return gettext("%(minutes)d min %(seconds)d s") % {
            "minutes": seconds // 60,
            "seconds": seconds % 60,
        }

    @display(description=_("log"))
    def log_lines(self, run: TrainingRun) -> str:
        return format_html('<pre class="cs-log">{}</pre>', run.log) if run.log else "—"

    @display(description=_("why it failed"))
    def reason(self, run: TrainingRun) -> str:
        return run.failure[:120]

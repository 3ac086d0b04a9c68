"""When trainings begin by themselves: the page, and the plan in a sentence."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from training import planning
from training.models import RetrainingPlan


class PlanForm(forms.ModelForm):
    class Meta:
        model = RetrainingPlan
        fields = ("nightly_at", "after_changes", "mode")
        widgets = {
            "nightly_at": forms.TimeInput(
                attrs={"type": "time", "class": "cs-input"}, format="%H:%M"
            ),
            "after_changes": forms.NumberInput(attrs={"min": 1, "class": "cs-input"}),
            "mode": forms.Select(attrs={"class": "cs-input"}),
        }


def in_words(plan: RetrainingPlan) -> str:
    """Return when a training begins by itself, for people."""
    parts = []
    if plan.nightly_at:
        parts.append(_("every night at {time}").format(time=f"{plan.nightly_at:%H:%M}"))
    if plan.after_changes:
        parts.append(_("when {count} utterances have changed").format(count=plan.after_changes))
    if not parts:
        return _("Never: a training begins when somebody asks for it.")
    return _("{when}, {mode}").format(when=" · ".join(parts), mode=plan.get_mode_display())


def training_plan(request: HttpRequest) -> HttpResponse:
    """Show the plan and what has changed; a POST changes the plan."""
    if not request.user.has_perm("training.view_retrainingplan"):
        raise PermissionDenied
    may_change = request.user.has_perm("training.change_retrainingplan")
    if request.method == "POST" and not may_change:
        raise PermissionDenied
    form = PlanForm(request.POST or None, instance=planning.plan())
    if request.method == "POST" and form.is_valid():
        planning.change_plan(by=request.user, now=timezone.now(), **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("admin:training_trainingrun_changelist")
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Trainings by themselves"),
        "form": form,
        "plan": planning.plan(),
        "changes": planning.changes_since_active(),
        "may_change": may_change,
        "time_zone": settings.TIME_ZONE,
    }
    return TemplateResponse(request, "admin/training/plan.html", context)

"""Who answers what and when: teams, agents, queues, hours. For supervisors and administrators."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from chat.admin import special_days as special_day_pages
from chat.admin.fields import LanguagesField, SpansField
from chat.models import AgentProfile, BusinessHours, Queue, SpecialDay, Team
from chat.services import special_days
from intents.models import Language


def named(languages: list[str]) -> str:
    """Return languages as people call them; "all" for none."""
    return "、".join(str(Language(one).label) for one in languages) or gettext("all")


class ExplainedAdmin(ModelAdmin):
    """A list that says in plain words what it is for."""

    explanation: Any = ""
    list_before_template = "admin/chat/explained.html"
    list_per_page = 50

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {"explanation": self.explanation, **(extra_context or {})}
        return super().changelist_view(request, context)


@admin.register(Team)
class TeamAdmin(ExplainedAdmin):
    explanation = _(
        "A team answers the queues that name it. Who is in it stands in the agents' profiles."
    )
    list_display = ("name", "is_active")
    search_fields = ("name",)
    ordering = ("name",)


class AgentProfileForm(forms.ModelForm):
    languages = LanguagesField()

    class Meta:
        model = AgentProfile
        fields = ("user", "capacity", "languages", "teams", "skills", "availability")


@admin.register(AgentProfile)
class AgentProfileAdmin(ExplainedAdmin):
    explanation = _(
        "What each agent can do and how many chats he takes at once. Everybody who opens the "
        "workspace gets a profile by himself; whether he is there now, the server knows from it."
    )
    form = AgentProfileForm
    list_display = ("user", "availability", "capacity", "spoken")
    list_filter = ("availability", "teams")
    list_select_related = ("user",)
    search_fields = ("user__username", "user__first_name", "user__last_name")
    autocomplete_fields = ("teams", "skills")
    ordering = ("user__username",)

    @display(description=_("languages"))
    def spoken(self, profile: AgentProfile) -> str:
        return named(profile.languages)


class BusinessHoursInline(TabularInline):
    model = BusinessHours
    extra = 0


class QueueForm(forms.ModelForm):
    languages = LanguagesField()

    class Meta:
        model = Queue
        fields = (
            "name",
            "position",
            "languages",
            "intents",
            "team",
            "strategy",
            "unseen_after_s",
            "unanswered_after_s",
            "escalate_after_s",
            "first_response_s",
            "resolution_s",
            "has_special_days",
        )


@admin.register(Queue)
class QueueAdmin(ExplainedAdmin):
    explanation = _(
        "A customer who is handed over waits in the first queue that fits, from the top. Agents "
        "of its team who are there, available and have room get the chats by themselves. A chat "
        "that is not opened or answered in time goes to somebody else, then to the supervisors. "
        "A queue without business hours is always open."
    )
    form = QueueForm
    inlines = (BusinessHoursInline,)
    list_display = ("name", "position", "spoken", "team", "strategy", "unanswered_after_s")
    list_select_related = ("team",)
    search_fields = ("name",)
    autocomplete_fields = ("intents",)
    ordering = ("position", "pk")

    @display(description=_("languages"))
    def spoken(self, queue: Queue) -> str:
        return named(queue.languages)


class SpecialDayForm(forms.ModelForm):
    spans = SpansField(
        label=_("hours"),
        required=False,
        help_text=_(
            "Like 09:00–12:00, 13:00–18:00. None: closed on a holiday; on a make-up workday the "
            "hours of the queue's Monday."
        ),
    )

    class Meta:
        model = SpecialDay
        fields = ("date", "kind", "name", "spans")


@admin.register(SpecialDay)
class SpecialDayAdmin(ExplainedAdmin):
    explanation = _(
        "Days that are not like their weekday: holidays, and weekend days that are worked in "
        "exchange. China's are published each November for the next year."
    )
    form = SpecialDayForm
    list_display = ("date", "kind", "name")
    list_filter = ("kind",)
    search_fields = ("name",)
    date_hierarchy = "date"
    ordering = ("date",)
    list_before_template = "admin/chat/specialday/load.html"

    def get_urls(self) -> list[URLPattern]:
        views = [
            path("load/", self.load_published, name="load_special_days"),
            path(
                "import/", partial(special_day_pages.import_page, self), name="import_special_days"
            ),
            path("export/", partial(special_day_pages.export, self), name="export_special_days"),
        ]
        for one in views:
            one.callback = self.admin_site.admin_view(one.callback)
        return [*views, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {"may_load": self.has_add_permission(request), **(extra_context or {})}
        return super().changelist_view(request, context)

    def load_published(self, request: HttpRequest) -> HttpResponse:
        """Enter the published days of this and the next year; those that are there stay."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return redirect("admin:chat_specialday_changelist")
        this_year = timezone.localdate().year
        for year in (this_year, this_year + 1):
            if year not in special_days.published_years():
                text = gettext("The days of %(year)s are not known yet.") % {"year": year}
                self.message_user(request, text, messages.WARNING)
                continue
            added = special_days.load([year])
            text = ngettext(
                "%(year)s: %(number)s day added.", "%(year)s: %(number)s days added.", added
            ) % {"year": year, "number": added}
            self.message_user(request, text, messages.SUCCESS)
        return redirect("admin:chat_specialday_changelist")

"""Drafts: the list, the page of one with all that it changes, and every step to its publication."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from csplatform.errors import Refusal
from intents import drafts
from intents.admin.edits import EditForm, edits_of, form_for
from intents.models import Draft, DraftEdit
from intents.trials import Contender

Status = Draft.Status
COLOURS = {
    Status.OPEN: "info",
    Status.IN_REVIEW: "warning",
    Status.APPROVED: "success",
    Status.SCHEDULED: "success",
    Status.PUBLISHED: "success",
    Status.REJECTED: "danger",
}


class LocalTimeInput(forms.DateTimeInput):
    """The browser's own picker of day and time; on the clock of settings.TIME_ZONE."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(attrs={"class": "cs-input"}, format="%Y-%m-%dT%H:%M")


class TimesForm(forms.Form):
    """When a draft is published, and when it is taken back."""

    publish_at = forms.DateTimeField(label=_("publish at"), widget=LocalTimeInput, required=False)
    expires_at = forms.DateTimeField(label=_("take back at"), widget=LocalTimeInput, required=False)


class DraftForm(forms.ModelForm):
    class Meta:
        model = Draft
        fields = ("title",)
        help_texts = {
            "title": _(
                "You choose its changes next. Customers see none of them until it is published."
            )
        }


@admin.register(Draft)
class DraftAdmin(ModelAdmin):
    form = DraftForm
    list_display = ("title", "state", "author", "number_of_edits", "when", "changed_at")
    list_filter = ("status", ("author", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("author",)
    list_per_page = 50
    search_fields = ("title", "edits__intent")
    search_help_text = _("Searches titles and the codes of intents.")
    ordering = ("-changed_at", "-pk")
    actions = None

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/step/", view(self.step), name="intents_draft_step"),
            path("<int:pk>/edit/<int:edit>/", view(self.edit), name="intents_draft_edit"),
            *super().get_urls(),
        ]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # withdrawn ones tell what was not published, and why

    def get_queryset(self, request: HttpRequest) -> QuerySet[Draft]:
        return super().get_queryset(request).annotate(edit_count=Count("edits", distinct=True))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        begun = drafts.begin(obj.title, by=request.user, now=timezone.now())
        obj.__dict__.update(begun.__dict__)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        return redirect("admin:intents_draft_change", obj.pk)

    @display(description=_("status"), ordering="status", label=COLOURS)
    def state(self, draft: Draft) -> tuple[str, str]:
        return draft.status, draft.get_status_display()

    @display(description=_("edits"))
    def number_of_edits(self, draft: Any) -> int:
        return int(draft.edit_count)

    @display(description=_("goes live"), ordering="publish_at")
    def when(self, draft: Draft) -> Any:
        return draft.published_at or draft.publish_at

    # --- The page of one ------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            pk = int(object_id)
        except ValueError:
            raise Http404 from None
        if request.method == "POST":
            return self._rename(request, pk)
        return self._page(request, pk)

    def _rename(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        title = request.POST.get("title", "")
        self._done(
            request,
            lambda: drafts.rename(pk, title, by=request.user, now=timezone.now()),
        )
        return redirect("admin:intents_draft_change", pk)

    def _page(
        self, request: HttpRequest, pk: int, refused_times: TimesForm | None = None
    ) -> HttpResponse:
        # Read before its edits: where these change in between, `seen` is too old, never too new.
        drafts_with_people = Draft.objects.select_related("author", "reviewer", "publisher")
        draft = get_object_or_404(drafts_with_people, pk=pk)
        if refused_times is None:
            seen = draft.changed_at.isoformat()
            # What stands in the fields is what is saved: a time that they lacked would be lost.
            times = TimesForm(
                initial={"publish_at": draft.publish_at, "expires_at": draft.expires_at}
            )
        else:  # who corrects a time has not been told what was changed since
            seen, times = request.POST.get("seen", ""), refused_times
        groups = edits_of(draft)
        problems = request.session.pop(f"draft_problems_{pk}", {})
        for group in groups:
            for each in group.edits:
                each.problems = problems.get(str(each.edit.pk), [])
        user, status = request.user, draft.status
        writes, publishes = drafts.may_write(draft, user), drafts.may_publish(draft, user)
        conflicts = sum(bool(each.conflict) for group in groups for each in group.edits)
        unpublished = status in (Status.OPEN, Status.APPROVED, Status.SCHEDULED)
        context = {
            **self.admin_site.each_context(request),
            "title": str(draft),
            "opts": self.opts,
            "original": draft,
            "draft": draft,
            "status_colour": COLOURS.get(Status(status), "secondary"),
            "groups": groups,
            "conflicts": conflicts,
            "times": times,
            "seen": seen,
            "zone": timezone.get_current_timezone_name(),
            "try_links": _try_links(draft, user) if status in drafts.WAITING else [],
            "may_edit": writes and status == Status.OPEN,
            "may_submit": writes and status == Status.OPEN and groups,
            "may_reopen": writes and status in drafts.WAITING and status != Status.OPEN,
            "may_withdraw": writes and status in drafts.WAITING,
            "may_review": status == Status.IN_REVIEW and drafts.may_review(draft, user),
            "may_publish": publishes and unpublished and groups and drafts.is_approved(draft),
            "needs_approval": unpublished and groups and not drafts.is_approved(draft),
            "may_take_back": publishes and status == Status.PUBLISHED,
        }
        return TemplateResponse(request, "admin/intents/draft/page.html", context)

    def step(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Do what a button of the page says; the services ask who may."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return redirect("admin:intents_draft_change", pk)
        step, comment = request.POST.get("step", ""), request.POST.get("comment", "")
        edit = request.POST.get("edit", "")
        edit_id = int(edit) if edit.isdecimal() else 0
        who: dict[str, Any] = {"by": request.user, "now": timezone.now()}
        if step in ("publish", "schedule"):
            return self._publish(request, pk, step, who)
        steps: dict[str, Callable[[], Draft]] = {
            "submit": lambda: drafts.submit(pk, **who),
            "approve": lambda: drafts.approve(pk, comment=comment, seen=_seen(request), **who),
            "reject": lambda: drafts.reject(pk, comment=comment, seen=_seen(request), **who),
            "reopen": lambda: drafts.reopen(pk, **who),
            "withdraw": lambda: drafts.withdraw(pk, **who),
            "take_back": lambda: drafts.take_back(pk, **who),
            "remove": lambda: drafts.remove(edit_id, **who),
            "keep_draft": lambda: drafts.settle(edit_id, keep="draft", **who),
            "keep_live": lambda: drafts.settle(edit_id, keep="live", **who),
        }
        if step in steps:
            self._done(request, steps[step])
        return redirect("admin:intents_draft_change", pk)

    def _publish(self, request: HttpRequest, pk: int, step: str, who: Any) -> HttpResponse:
        times = TimesForm(request.POST)
        if step == "schedule":
            times.fields["publish_at"].required = True
        if not times.is_valid():
            return self._page(request, pk, times)
        publish_at, expires_at = times.cleaned_data["publish_at"], times.cleaned_data["expires_at"]
        try:
            who = {**who, "seen": _seen(request)}
            if step == "publish":
                drafts.publish(pk, expires_at=expires_at, **who)
                text = gettext("Published: live in every chat within three seconds.")
            else:
                drafts.schedule(pk, publish_at=publish_at, expires_at=expires_at, **who)
                text = gettext("Scheduled: it is published by itself.")
        except ValidationError as error:
            times.add_error(None, error)
            return self._page(request, pk, times)
        except Draft.DoesNotExist:
            raise Http404 from None
        except drafts.NotValid as refusal:
            # Each at its edit, on the page that follows.
            request.session[f"draft_problems_{pk}"] = refusal.problems
            self.message_user(request, str(refusal), messages.ERROR)
        except Refusal as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            self.message_user(request, text, messages.SUCCESS)
        return redirect("admin:intents_draft_change", pk)

    def _done(self, request: HttpRequest, step: Callable[[], Draft]) -> None:
        """Do a step, and say what came of it."""
        try:
            draft = step()
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
        except Refusal as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        except (Draft.DoesNotExist, DraftEdit.DoesNotExist):
            self.message_user(request, gettext("It is not there any more."), messages.ERROR)
        else:
            text = gettext("Done. The draft is %(status)s.") % {
                "status": draft.get_status_display()
            }
            self.message_user(request, text, messages.SUCCESS)

    def edit(self, request: HttpRequest, pk: int, edit: int) -> HttpResponse:
        """Change what one edit says, before it is published."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        draft = get_object_or_404(Draft, pk=pk)
        found = get_object_or_404(draft.edits, pk=edit, action=DraftEdit.Action.SAVE)
        form: EditForm = form_for(found, draft, request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                drafts.revise(
                    found.pk,
                    form.cleaned_data,
                    by=request.user,
                    now=timezone.now(),
                    seen=_seen(request),
                )
            except ValidationError as error:
                form.add_error(None, error.messages)
            except Refusal as refusal:
                form.add_error(None, str(refusal))
            else:
                return redirect("admin:intents_draft_change", pk)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Edit in the draft “%(draft)s”") % {"draft": draft},
            "opts": self.opts,
            "draft": draft,
            "form": form,
            # A form that was refused still is about what its writer had read.
            "seen": request.POST.get("seen", "") if form.is_bound else found.edited_at.isoformat(),
        }
        return TemplateResponse(request, "admin/intents/draft/edit.html", context)


def _seen(request: HttpRequest) -> datetime:
    """Return when that was last changed which the posted page showed.

    Raises:
        ChangedMeanwhile: The page does not say, so nobody knows what was read.
    """
    try:
        seen = datetime.fromisoformat(request.POST.get("seen", ""))
    except ValueError:
        raise drafts.ChangedMeanwhile from None
    if timezone.is_naive(seen):
        raise drafts.ChangedMeanwhile
    return seen


def _try_links(draft: Draft, user: Any) -> Sequence[tuple[Any, str]]:
    """Return where a draft can be tried, as far as there are such pages and he may open them."""
    key = Contender(draft=draft.pk).key
    links = []
    for title, page, permission, query in (
        (_("Try it on the bench"), "admin:bench", "intents.view_intent", "draft"),
        (
            _("Replay past questions"),
            "admin:training_comparison_add",
            "training.add_comparison",
            "after",
        ),
    ):
        if not user.has_perm(permission):
            continue
        try:
            links.append((title, f"{reverse(page)}?{urlencode({query: key})}"))
        except NoReverseMatch:  # pages of apps above this one
            continue
    return links

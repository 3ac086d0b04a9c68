"""Intents: the list with what each lacks, and the page where one is written."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.forms import BaseForm, BaseFormSet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.views import ChangeList

from intents import services
from intents.admin.conflicts import conflict_of, lost_field, posted_ids, take_out_lost
from intents.admin.forms import IntentForm, UtteranceForm, known_revision
from intents.admin.history import intent_timeline
from intents.admin.intent_list import IntentColumns, IntentList, LacksFilter, counted
from intents.admin.lineage import lineage
from intents.admin.live import live_intents, row_of
from intents.admin.proposing import ProposesDrafts, proposals_of
from intents.admin.replies import ReplyInline, ShowsVariables
from intents.drafts import Proposal, values_of
from intents.models import Intent, LiveIntent, Reply, Utterance

# What a page carries unseen, or only to be written in.
ONLY_TO_EDIT = ("new_utterances", "opened_revision", "newest_utterance")


class UtteranceInline(TabularInline):
    """The utterances of one intent, a page of them at a time, in a tab of their own."""

    model = Utterance
    form = UtteranceForm
    fields = ("text", "language", "split")
    ordering = ("-language", "pk")  # Chinese first
    extra = 0
    per_page = 20
    tab = True
    show_count = True
    hide_title = True
    template_before = "admin/intents/utterance/inline.html"


@admin.register(Intent)
class IntentAdmin(IntentColumns, ProposesDrafts, ShowsVariables):
    live_note = _("Replies are live in every chat within two seconds, utterances within three.")
    form = IntentForm
    list_display = (
        "title",
        "state",
        "utterance_counts",
        "reply_counts",
        "missing",
        "understood_by",
        "position",
        "changed_at",
    )
    list_display_links = ("title",)
    list_filter = ("is_active", "hands_over", LacksFilter)
    list_per_page = 50
    search_fields = ("code", "name_zh", "name_en")
    search_help_text = _("Searches names, utterances and replies.")
    ordering = ("position", "code")
    inlines = (ReplyInline, UtteranceInline)
    actions = ("switch_off", "switch_on")
    change_form_before_template = "admin/intents/intent/refused.html"
    change_form_outer_before_template = "admin/intents/intent/live.html"
    list_before_template = "admin/intents/intent/list.html"
    warn_unsaved_form = True
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name_zh", "name_en"),
                    "code",
                    ("description_zh", "description_en"),
                    "is_active",
                    "hands_over",
                    "is_offered",
                    "position",
                    *ONLY_TO_EDIT,
                )
            },
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        live = self.admin_site.admin_view(live_intents)
        return [
            path("live/", live, name="live_intents"),
            path(
                "<int:pk>/lineage/",
                self.admin_site.admin_view(lineage),
                name="intents_intent_lineage",
            ),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {"live_intents": LiveIntent.objects.count(), **(extra_context or {})}
        return super().changelist_view(request, context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Intent]:
        return counted(super().get_queryset(request))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return IntentList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search names, utterances and replies; subqueries, so that no intent comes twice."""
        found, may_have_duplicates = super().get_search_results(request, queryset, search_term)
        if search_term:
            said = Utterance.objects.filter(text__icontains=search_term).values("intent")
            answered = Reply.objects.filter(text__icontains=search_term).values("intent")
            found = found | queryset.filter(Q(pk__in=said) | Q(pk__in=answered))
        return found, may_have_duplicates

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        return ("code",) if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None or self.has_change_permission(request, obj):
            return self.fieldsets
        [(name, options)] = self.fieldsets
        fields = tuple(field for field in options["fields"] if field not in ONLY_TO_EDIT)
        return ((name, {**options, "fields": fields}),)

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Look first whether somebody else has saved: of his rows, these forms know nothing."""
        refusals = getattr(request, "refusals", None)
        if request.method == "POST" and obj is not None and refusals and not refusals.refusal:
            known = known_revision(request.POST)
            saved = Intent.objects.filter(pk=obj.pk).values_list("revision", flat=True).first()
            if known not in (None, saved):
                refusals.refuse(services.ChangedMeanwhile())
        return super().get_form(request, obj, **kwargs)

    def get_formset_kwargs(
        self, request: HttpRequest, obj: Any, inline: Any, prefix: str
    ) -> dict[str, Any]:
        """Leave out rows that are gone, and look only for those that were on the page."""
        found: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if request.method != "POST" or not obj.pk:
            return found
        rows, data = inline.model.objects.filter(intent=obj.pk), found["data"]
        refusals = request.refusals  # type: ignore[attr-defined]
        if lost := take_out_lost(data, prefix, rows):
            refusals.refuse(services.ChangedMeanwhile())
        if lost := [*data.getlist(lost_field(prefix)), *lost]:
            refusals.lost[prefix] = lost
        # Another page of the table may have moved up since.
        found["queryset"] = found["queryset"].filter(pk__in=posted_ids(data, prefix).values())
        return found

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Name who knows an intent; Django's page then refuses to delete it."""
        to_delete, counts, forbidden, protected = super().get_deleted_objects(objs, request)
        for intent in objs:
            if known := services.known_to(intent.code):
                protected.append(
                    gettext("%(intent)s is known to: %(who)s")
                    % {"intent": intent, "who": ", ".join(known)}
                )
        return to_delete, counts, forbidden, protected

    def save_content(self, request: HttpRequest, obj: Any, form: Any) -> None:
        services.save_intent(obj, expected_revision=form.expected_revision if obj.pk else None)

    def delete_content(self, obj: Any) -> None:
        services.delete_intent(obj)

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Sequence[BaseFormSet], change: bool
    ) -> None:
        if lines := form.cleaned_data.get("new_utterances"):
            with request.refusals.noted(form):  # type: ignore[attr-defined]
                added = add_utterances(form.instance, lines)
                if (proposals := proposals_of(request)) is not None:
                    proposals += [Proposal.to_save(utterance, None) for utterance in added]
        super().save_related(request, form, formsets, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Write what changed, each row by its service; note every refusal, not the first only."""
        services_of: dict[Any, tuple[Callable[[Any], Any], Callable[[Any], None]]] = {
            Reply: (services.save_reply, services.delete_reply),
            Utterance: (services.save_utterance, services.delete_utterance),
        }
        save, delete = services_of[formset.model]
        formset.save(commit=False)
        for row in formset.deleted_objects:
            self.delete_row(request, row, delete)
        for row_form in formset.forms:
            if row_form.has_changed() and row_form not in formset.deleted_forms:
                with request.refusals.noted(row_form):  # type: ignore[attr-defined]
                    self.save_row(request, row_form.instance, save)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> Any:
        refusals = getattr(request, "refusals", None)
        form, inlines = context["adminform"].form, context["inline_admin_formsets"]
        if refusals and isinstance(refusals.refusal, services.ChangedMeanwhile):
            formsets = [inline.formset for inline in inlines]
            context["conflict"] = conflict_of(form, formsets, refusals.lost)
        elif form.is_bound:
            context["tabs_with_errors"] = _tabs_with_errors(form, inlines)
        if original := context.get("original"):
            context["live"] = row_of(original)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.action(description=_("Switch off"), permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Intent]) -> None:
        self._switch(request, queryset, services.switch_off, is_active=False)

    @admin.action(description=_("Switch on"), permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Intent]) -> None:
        self._switch(request, queryset, services.switch_on, is_active=True)

    @transaction.atomic
    def _switch(
        self,
        request: HttpRequest,
        queryset: QuerySet[Intent],
        switch: Callable[[Intent], Intent],
        *,
        is_active: bool,
    ) -> None:
        if proposals_of(request) is not None:
            others = list(queryset.exclude(is_active=is_active))
            proposals = [proposed_switch(intent, is_active=is_active) for intent in others]
            self.propose(request, proposals, ", ".join(map(str, others)))
        switched = [switch(intent) for intent in queryset]
        self.message_user(
            request,
            gettext("Done: %(intents)s.") % {"intents": ", ".join(map(str, switched))},
            messages.SUCCESS,
        )

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Show the intent's own history, and below it that of its replies and utterances."""
        timeline = intent_timeline(int(object_id)) if object_id.isdecimal() else []
        return super().history_view(
            request, object_id, {"timeline": timeline, **(extra_context or {})}
        )


def _tabs_with_errors(form: BaseForm, inlines: Sequence[Any]) -> list[tuple[str, str]]:
    """Return the tabs that hold errors, in their order: key and name as the page has them."""
    tabs = [("general", gettext("General"))] if form.errors else []
    return tabs + [
        (inline.formset.prefix, capfirst(str(inline.opts.verbose_name_plural)))
        for inline in inlines
        if any(inline.formset.errors) or inline.formset.non_form_errors()
    ]


def proposed_switch(intent: Intent, *, is_active: bool) -> Proposal:
    """Propose that an intent is answered from now on, or not any more."""
    base = values_of(intent)
    intent.is_active = is_active
    return Proposal.to_save(intent, base)


def add_utterances(intent: Intent, lines: Sequence[str]) -> list[Utterance]:
    """Add sentences to an intent, all or none; returns those that it did not have.

    Raises:
        ValidationError: Names every line that is wrong, and why, at the field that holds them.
    """
    report = services.import_utterances([{"intent": intent.code, "text": line} for line in lines])
    wrong = [row.message for row in report if row.outcome == services.Outcome.WRONG]
    if wrong:
        raise ValidationError({"new_utterances": wrong})
    added = [services.key_of(row.text) for row in report if row.outcome == services.Outcome.ADDED]
    return list(Utterance.objects.filter(key__in=added).select_related("intent").order_by("pk"))

"""Renaming, merging and splitting an intent: the one way in which its code may change."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from intents import services
from intents.drafts import needs_draft
from intents.models import Intent, IntentMigration, Utterance

_INPUT = {"class": "cs-input"}


class LineageForm(forms.Form):
    """One of the three ways."""

    def __init__(self, *args: Any, intent: Intent, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer(intent)

    def offer(self, intent: Intent) -> None:
        """Fill in what may be chosen for this intent."""

    def apply(self, intent: Intent, **who: Any) -> str:
        """Do it, and say what was done."""
        raise NotImplementedError


class RenameForm(LineageForm):
    """Another code."""

    prefix = "rename"

    code = forms.CharField(label=_("new code"), max_length=40, widget=forms.TextInput(attrs=_INPUT))

    def apply(self, intent: Intent, **who: Any) -> str:
        intent = services.rename_intent(intent, code=self.cleaned_data["code"], **who)
        return gettext("Renamed: %(intent)s.") % {"intent": intent}


class MergeForm(LineageForm):
    """The intent that takes everything."""

    prefix = "merge"

    into = forms.ModelChoiceField(
        label=_("into"), queryset=Intent.objects.none(), widget=forms.Select(attrs=_INPUT)
    )

    def offer(self, intent: Intent) -> None:
        others = Intent.objects.filter(is_active=True).exclude(pk=intent.pk)
        field = cast(forms.ModelChoiceField, self.fields["into"])
        field.queryset = others.order_by("position", "code")

    def apply(self, intent: Intent, **who: Any) -> str:
        into = self.cleaned_data["into"]
        moved = services.merge_intent(intent, into=into, **who)
        return gettext("%(number)d utterances now belong to %(intent)s.") % {
            "number": moved,
            "intent": into,
        }


class SplitForm(LineageForm):
    """A new intent, and what goes there."""

    prefix = "split"

    code = forms.CharField(
        label=_("code of the new intent"), max_length=40, widget=forms.TextInput(attrs=_INPUT)
    )
    name_zh = forms.CharField(
        label=_("Chinese name"), max_length=40, widget=forms.TextInput(attrs=_INPUT)
    )
    name_en = forms.CharField(
        label=_("English name"), max_length=60, widget=forms.TextInput(attrs=_INPUT)
    )
    utterances = forms.ModelMultipleChoiceField(
        label=_("utterances that move"),
        queryset=Utterance.objects.none(),
        widget=forms.CheckboxSelectMultiple,
    )

    def offer(self, intent: Intent) -> None:
        # Frozen ones too: they stay the yardstick, of the intent that they mean now.
        field = cast(forms.ModelMultipleChoiceField, self.fields["utterances"])
        field.queryset = intent.utterances.order_by("-split", "pk")

    def apply(self, intent: Intent, **who: Any) -> str:
        data = self.cleaned_data
        part = Intent(
            **{name: data[name] for name in ("code", "name_zh", "name_en")},
            position=intent.position,
        )
        moved = services.split_intent(
            intent, part=part, utterances=[one.pk for one in data["utterances"]], **who
        )
        return gettext("%(number)d utterances now belong to %(intent)s.") % {
            "number": moved,
            "intent": part,
        }


FORMS: dict[str, type[LineageForm]] = {"rename": RenameForm, "merge": MergeForm, "split": SplitForm}


def lineage(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the three ways, and go one of them."""
    if not request.user.has_perm("intents.change_intent") or needs_draft(request.user):
        raise PermissionDenied
    intent = get_object_or_404(Intent, pk=pk)
    chosen = request.POST.get("kind") if request.method == "POST" else None
    shown = {
        kind: form(request.POST if kind == chosen else None, intent=intent)
        for kind, form in FORMS.items()
    }
    if chosen in shown and shown[chosen].is_valid():
        try:
            done = shown[chosen].apply(intent, now=timezone.now(), by=request.user)
        except ValidationError as error:
            _show(shown[chosen], error)
        else:
            messages.success(request, done)
            return redirect("admin:intents_intent_change", intent.pk)
    # "source" and "targets" are codes; a JSON list has no index, and the table is short.
    steps = IntentMigration.objects.filter(
        Q(source=intent.code) | Q(targets__icontains=f'"{intent.code}"')
    ).select_related("by")
    context = {
        **admin.site.each_context(request),
        "title": gettext("Rename, merge or split: %(intent)s") % {"intent": intent},
        "intent": intent,
        "forms": shown,
        "steps": steps.order_by("-pk"),
    }
    return TemplateResponse(request, "admin/intents/intent/lineage.html", context)


def _show(form: forms.Form, error: ValidationError) -> None:
    """Put what a service refused at its field."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for field, errors in error.error_dict.items():
        form.add_error(field if field in form.fields else None, errors)

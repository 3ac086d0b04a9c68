"""Forms of content. What may be saved is decided by intents.services, not here."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.admin.utils import label_for_field
from django.db.models import Max
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from intents import services
from intents.admin.differences import shown
from intents.admin.publishing import ServiceForm
from intents.drafts import kind_of, values_of
from intents.models import Intent, Language, Reply, Utterance


class ContentForm(ServiceForm, forms.ModelForm):
    """The form of a content page without a form of its own."""


class RowForm(ContentForm):
    """A row that may stand on the page of its intent.

    There it carries what it was when the page was opened (Django's hidden initial values), so
    that of two editors' changes the one is told from the other.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.prefix:
            for field in self.fields.values():
                field.show_hidden_initial = True


class RowChangedMeanwhile(services.ChangedMeanwhile):
    """Somebody else has saved the row since its page was opened; nothing was saved."""

    detail = _("Somebody else has saved this since you opened it.")


@dataclass(frozen=True, slots=True)
class SavedMeanwhile:
    """What is saved of a row by now, beside what an editor wrote over an older state of it."""

    state: str  # of what he is shown; he sends it back once he has read it
    differences: list[services.Difference]


class OwnPageForm(RowForm):
    """A row that has a page of its own.

    It has no revision, so that page too carries what the row was when it was opened: a save
    over what somebody else has made of it since is refused, unless its writer ticks that he
    has read it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True

    def refuse_if_changed(self) -> None:
        """Lock the row for the save that follows; call it in the transaction of that save.

        Raises:
            RowChangedMeanwhile: It is not as it was when the page was opened, nor as its
                writer was then shown it.
        """
        if not self.instance.pk:
            return
        rows = type(self.instance)._default_manager.select_for_update()
        live = rows.filter(pk=self.instance.pk).first()
        if live is None:
            raise RowChangedMeanwhile
        if self._is_as_opened(live) or self.data.get("seen_state") == _state_of(live):
            return
        # Saved twice by an impatient click, or the same by two people: nothing would be lost.
        if _state_of(live) != _state_of(self.instance):
            raise RowChangedMeanwhile

    def saved_meanwhile(self) -> SavedMeanwhile:
        """Return how the input differs from what is saved now."""
        live = type(self.instance)._default_manager.get(pk=self.instance.pk)
        kind, saved, written = kind_of(live), values_of(live), values_of(self.instance)
        return SavedMeanwhile(
            _state_of(live),
            [
                services.Difference(
                    field=capfirst(str(label_for_field(name, type(live)))),
                    stored=shown(kind, name, saved[name]),
                    yours=shown(kind, name, written[name]),
                )
                for name in saved
                if _plain(saved[name]) != _plain(written[name])
            ],
        )

    def _is_as_opened(self, live: Any) -> bool:
        """Whether the row is what the page carried; a page that carried nothing is believed."""
        saved = forms.model_to_dict(live, fields=list(self.fields))
        opened = {name: self.data.get(self[name].html_initial_name) for name in saved}
        return not any(
            self.fields[name].has_changed(_plain(saved[name]), _plain(value))
            for name, value in opened.items()
            if value is not None
        )


def _state_of(row: Any) -> str:
    values = {name: _plain(value) for name, value in values_of(row).items()}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Browsers end lines with two characters, and forms cut off what stands around a text."""
    if not isinstance(value, str):
        return value
    return value.replace("\r\n", "\n").replace("\r", "\n").strip()


class ReplyForm(OwnPageForm):
    class Meta:
        model = Reply
        fields = ("intent", "language", "channel", "text", "is_active")
        widgets = {
            "text": UnfoldAdminTextareaWidget(attrs={"rows": 3, "data-reply-text": ""}),
        }


class UtteranceForm(RowForm):
    language = forms.ChoiceField(
        label=_("language"),
        required=False,
        choices=[("", _("recognise")), *Language.choices],
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        model = Utterance
        fields = ("intent", "text", "language", "split")


class IntentForm(ContentForm):
    """An intent, and a box for new utterances, one per line.

    `opened_revision` is that of the row when the page was opened: a save over a newer one is
    refused, unless its writer ticks that he has read what the newer one changed.
    """

    opened_revision = forms.IntegerField(widget=forms.HiddenInput, required=False)
    # The newest utterance then: whatever is newer, somebody else has added.
    newest_utterance = forms.IntegerField(widget=forms.HiddenInput, required=False)
    # One rule, one message: that of the service instead of a slug's.
    code = forms.CharField(
        label=_("code"),
        max_length=40,
        help_text=_("Lower-case letters, digits and _; fixed once saved."),
        widget=UnfoldAdminTextInputWidget,
        validators=[services.validate_code],
    )
    new_utterances = forms.CharField(
        label=_("new utterances"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=_(
            "Sentences of customers, one per line; their language is recognised. "
            "Those that this intent has already are passed over."
        ),
    )

    class Meta:
        model = Intent
        fields = (
            "code",
            "name_zh",
            "name_en",
            "description_zh",
            "description_en",
            "position",
            "is_active",
            "hands_over",
            "is_offered",
        )
        widgets = {
            "description_zh": UnfoldAdminTextareaWidget(attrs={"rows": 3}),
            "description_en": UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # As the admin writes the labels of the model's own fields.
        self.fields["new_utterances"].label = capfirst(self.fields["new_utterances"].label)
        if self.instance.pk and not self.is_bound:
            # Not the instance's: on the page of an old version that is an old one.
            now = Intent.objects.filter(pk=self.instance.pk).values_list("revision", flat=True)
            self.initial["opened_revision"] = now.first()
            newest = Utterance.objects.aggregate(newest=Max("pk"))["newest"]
            self.initial["newest_utterance"] = newest or 0

    @property
    def expected_revision(self) -> int | None:
        """The revision that the editor knows: as he opened it, or as he was then shown."""
        return known_revision(self.data)

    def clean_new_utterances(self) -> list[str]:
        """Return the lines, without empty ones."""
        lines = (line.strip() for line in self.cleaned_data["new_utterances"].splitlines())
        return [line for line in lines if line]


def known_revision(posted: Mapping[str, str]) -> int | None:
    """The revision that an editor knows: as he opened the intent, or as he was then shown."""
    for name in ("seen_revision", "opened_revision"):
        if (value := posted.get(name, "")).isdecimal():
            return int(value)
    return None

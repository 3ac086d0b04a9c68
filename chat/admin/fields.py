"""Form fields of the routing pages: languages to tick, hours to write."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from intents.models import Language

_SPAN = re.compile(r"(\d{1,2})[:：](\d{2})\s*[-–—~至]\s*(\d{1,2})[:：](\d{2})")
_BETWEEN = re.compile(r"[,，、;；\s]*")


class LanguagesField(forms.MultipleChoiceField):
    """Languages of a list; none ticked means all."""

    widget = UnfoldAdminCheckboxSelectMultipleWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            **{
                "label": _("languages"),
                "help_text": _("None chosen: all."),
                "choices": Language.choices,
                "required": False,
                **kwargs,
            }
        )


class SpansField(forms.CharField):
    """Hours of a day as people write them: "09:00–12:00, 13:00–18:00"."""

    widget = UnfoldAdminTextInputWidget

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list):
            return ", ".join(f"{opens}–{closes}" for opens, closes in value)
        return value

    def to_python(self, value: Any) -> list[list[str]]:  # type: ignore[override]  # not text
        written = super().to_python(value) or ""
        spans = [
            [f"{int(span[1]):02}:{span[2]}", f"{int(span[3]):02}:{span[4]}"]
            for span in _SPAN.finditer(written)
        ]
        if not _BETWEEN.fullmatch(_SPAN.sub("", written)):
            raise ValidationError(_("Write hours like this: 09:00–12:00, 13:00–18:00."))
        return spans

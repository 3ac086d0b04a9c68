"""The columns of our spreadsheets: their headings, and what people write in their cells.

A file has the headings and words of whoever exports it, and is read in both languages
whoever imports it. Hence they are part of the file format, not of the translations.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from import_export.widgets import CharWidget, Widget

from intents import services
from intents.exchange.headings import CHINESE, ENGLISH, PHRASE, name_of
from intents.models import Language, Utterance

__all__ = [
    "PHRASE",
    "LanguageCell",
    "SplitCell",
    "YesNo",
    "check",
    "heading_of",
    "in_chinese",
    "name_of",
]


def in_chinese() -> bool:
    """Tell whether the person at work reads Chinese."""
    return (get_language() or "").startswith("zh")


def heading_of(name: str) -> str:
    """Return what a column is called in the language of the person at work."""
    return CHINESE.get(name, name) if in_chinese() else ENGLISH.get(name, name)


def check(
    headings: Sequence[object],
    *,
    needed: Sequence[str],
    known: Sequence[str],
    called: Callable[[str], str] = heading_of,
) -> list[str]:
    """Accept the headings of a file, or say which columns it must have.

    Args:
        headings: As they stand in the file.
        needed: Names of the fields without which a row means nothing.
        known: Names of all fields that are read.
        called: Gives the heading of a name, for the message.

    Returns:
        The headings that are not known; their columns are passed over.

    Raises:
        ValidationError: A needed column is missing, or one stands in the file twice.
    """
    names = [name_of(heading) for heading in headings]
    missing = [name for name in needed if name not in names]
    twice = [name for name in known if names.count(name) > 1]
    optional = [name for name in known if name not in needed]
    if missing:
        raise ValidationError(
            _(
                "The file has no column “%(missing)s”. Its first row must hold the headings. "
                "Needed: %(needed)s. Optional: %(optional)s."
            )
            % {
                "missing": _listed(missing, called),
                "needed": _listed(needed, called),
                "optional": _listed(optional, called),
            }
        )
    if twice:
        raise ValidationError(_("The file has the column “%s” twice.") % called(twice[0]))
    return [
        str(heading)
        for heading, name in zip(headings, names, strict=True)
        if name and name not in known
    ]


def _listed(names: Sequence[str], called: Callable[[str], str]) -> str:
    return ("、" if in_chinese() else ", ").join(called(name) for name in names)


class YesNo(Widget):
    """A switch, written as people write it. Empty is on, as it is for a new word."""

    ON = frozenset({"", "是", "启用", "开", "1", "true", "yes"})
    OFF = frozenset({"否", "停用", "关", "0", "false", "no"})

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> bool:
        word = str("" if value is None else value).strip().lower()
        if word in self.ON:
            return True
        if word in self.OFF:
            return False
        raise ValueError(_("“%s” is neither yes nor no: write 是 or 否, yes or no.") % value)

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        if in_chinese():
            return "是" if value else "否"
        return "yes" if value else "no"


class LanguageCell(CharWidget):
    """A language, by its name or its code."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        return services.read_language(value)

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        if in_chinese():
            return {Language.CHINESE: "中文", Language.ENGLISH: "英文"}.get(value, value)
        return str(value)


class SplitCell(CharWidget):
    """What an utterance is for."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        return services.read_split(value)

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        if in_chinese():
            splits = {Utterance.Split.TRAIN: "训练", Utterance.Split.EVALUATION: "评测"}
            return splits.get(value, value)
        return str(value)
